// The default configuration as a file.
#include "server/config_file.hpp"

namespace parley::server {
namespace {

constexpr std::string_view head =
    "# Parley's configuration, with every default. A setting that is left out keeps its default.\n"
    "#\n"
    "# Durations are \"500ms\", \"25s\", \"2m\", \"1h\"; sizes are bytes or \"64KiB\", \"1MiB\". "
    "Each can\n"
    "# also come from the environment: limits.text_bytes is PARLEY_LIMITS__TEXT_BYTES, and a list "
    "is\n"
    "# separated by commas. Flags come last and win. `parleyd check-config -c FILE` checks a "
    "file.\n";

constexpr std::string_view tail =
    "\n"
    "# What happens to a reader who lags too far behind: the first rule whose pattern matches the\n"
    "# room's name decides; * matches any run of characters. on_lag is \"disconnect\" (the "
    "default;\n"
    "# the client comes back and resumes), \"gap\" (skips what was missed and says so) or "
    "\"latest\"\n"
    "# (jumps to the newest and says so). flush_delay takes the place of flush.delay, and\n"
    "# keep_messages, keep_bytes and keep_age take that of their namesakes in [history].\n"
    "# kind is \"public\" (the default), \"members\" (members alone read and send), "
    "\"read-only\" (all\n"
    "# read, moderators send) or \"private\" (as members, and not listed); owners are names or ids "
    "of\n"
    "# users who sign in, where nobody is named the first such user who comes.\n"
    "# [[rooms]]\n"
    "# match = \"ticker.*\"\n"
    "# on_lag = \"latest\"\n"
    "# flush_delay = \"50ms\"\n"
    "# keep_age = \"24h\"\n"
    "# [[rooms]]\n"
    "# match = \"team.*\"\n"
    "# kind = \"members\"\n"
    "# owners = [\"ann\"]\n";

// "limits.session.burst" is section "limits", name "session", part "burst".
struct SplitKey {
    std::string_view section, name, part;
};

SplitKey split(std::string_view key) {
    const auto dot = key.find('.');
    if (dot == std::string_view::npos) return {"", key, ""};
    const auto rest = key.substr(dot + 1);
    const auto second = rest.find('.');
    if (second == std::string_view::npos) return {key.substr(0, dot), rest, ""};
    return {key.substr(0, dot), rest.substr(0, second), rest.substr(second + 1)};
}

// A setting, or all the parts of one that is written as an inline table.
std::string value_of(std::span<const Setting> settings, const ServerConfig& defaults) {
    if (split(settings.front().key).part.empty()) return toml_value(settings.front(), defaults);
    std::string out = "{";
    for (const auto& setting : settings) {
        out += out.size() > 1 ? ", " : " ";
        out.append(split(setting.key).part).append(" = ").append(toml_value(setting, defaults));
    }
    return out + " }";
}

}  // namespace

std::string default_config() {
    const ServerConfig defaults;
    std::string out(head);
    std::string_view section;
    auto left = all_settings();
    while (!left.empty()) {
        const auto key = split(left.front().key);
        std::size_t parts = 1;
        while (parts < left.size() && !key.part.empty() &&
               split(left[parts].key).name == key.name &&
               split(left[parts].key).section == key.section) {
            ++parts;
        }
        out += '\n';
        if (key.section != section) {
            out.append("[").append(key.section).append("]\n");
            section = key.section;
        }
        out.append("# ").append(left.front().doc).append("\n").append(key.name).append(" = ");
        out.append(value_of(left.first(parts), defaults)).append("\n");
        left = left.subspan(parts);
    }
    return out.append(tail);
}

}  // namespace parley::server
