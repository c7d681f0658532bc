#include "server/config_file.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <set>

#include "protocol/header_list.hpp"
#include "protocol/json_codec.hpp"
#include "protocol/socketio_chat.hpp"

namespace parley::server {
namespace {

constexpr std::string_view environment_prefix = "PARLEY_";

std::string quoted(std::string_view text) {
    std::string out;
    protocol::append_json_string(out, text);
    return out;
}

// A scalar as the words of a flag would have it; nothing for a table, an array or a date.
std::optional<std::string> word_of(const toml::node& node) {
    if (const auto* text = node.as_string()) return text->get();
    if (const auto* number = node.as_integer()) return std::to_string(number->get());
    if (const auto* number = node.as_floating_point()) return format_number(number->get());
    if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
    return std::nullopt;
}

// The name in the environment of the nearest key, from the wrong name.
std::string nearest_variable(std::string_view name) {
    std::string_view nearest = all_settings().front().key;
    auto least = std::string_view::npos;
    for (const auto& setting : all_settings()) {
        const auto distance = edit_distance(name, environment_name(setting.key));
        if (distance < least) {
            least = distance;
            nearest = setting.key;
        }
    }
    return environment_name(nearest);
}

// The key of a rule of [[rooms]] with the fewest letters to change.
std::string_view nearest_of_rule(std::string_view name) {
    constexpr std::array<std::string_view, 8> keys{"match",         "on_lag",     "flush_delay",
                                                   "keep_messages", "keep_bytes", "keep_age",
                                                   "kind",          "owners"};
    return *std::ranges::min_element(
        keys, {}, [name](std::string_view key) { return edit_distance(name, key); });
}

// Blanks around a comma are none of the words'.
std::vector<std::string> split_list(std::string_view text) {
    std::vector<std::string> words;
    while (!text.empty()) {
        const auto comma = std::min(text.find(','), text.size());
        words.emplace_back(protocol::trim(text.substr(0, comma)));
        text.remove_prefix(std::min(comma + 1, text.size()));
    }
    return words;
}

}  // namespace

// Walks a parsed file and hands what it finds to the sources.
class TomlReader {
public:
    TomlReader(ConfigSources& sources, const std::string& file) : sources_(sources), file_(file) {}

    void table(const toml::table& table, const std::string& prefix) {
        for (const auto& [name, node] : table) {
            const auto key = prefix + std::string(name.str());
            if (key == "rooms") {
                room_rules(node);
            } else if (const auto* setting = find_setting(key)) {
                sources_.set_known(*setting, words(node, key), place(node, key));
            } else if (const auto* inner = node.as_table(); inner && find_later(key) == nullptr) {
                this->table(*inner, key + ".");
            } else {
                unknown(node, key);
            }
        }
    }

private:
    [[nodiscard]] std::string line(const toml::node& node) const {
        return file_ + ":" + std::to_string(node.source().begin.line) + ": ";
    }
    [[nodiscard]] std::string place(const toml::node& node, const std::string& key) const {
        return line(node) + key;
    }
    [[noreturn]] void fail(const toml::node& node, const std::string& key,
                           const std::string& problem) const {
        throw ConfigError(place(node, key) + ": " + problem);
    }

    [[nodiscard]] std::vector<std::string> words(const toml::node& node,
                                                 const std::string& key) const {
        std::vector<std::string> out;
        if (const auto* array = node.as_array()) {
            for (const auto& item : *array) out.push_back(one_word(item, key));
        } else {
            out.push_back(one_word(node, key));
        }
        return out;
    }

    [[nodiscard]] std::string one_word(const toml::node& node, const std::string& key) const {
        auto word = word_of(node);
        if (!word) fail(node, key, "expected a value, not a table, a list or a date");
        return *std::move(word);
    }

    void unknown(const toml::node& node, const std::string& key) {
        if (const auto* later = find_later(key)) {
            if (!later->only.empty() && word_of(node) == later->only) return;
            fail(node, key, std::string(later->what));
        }
        sources_.warnings_.push_back(line(node) + "unknown key " + key + ", did you mean " +
                                     std::string(nearest_key(key)) + "?");
    }

    void room_rules(const toml::node& node) {
        const auto* rules = node.as_array();
        if (rules == nullptr || !rules->is_homogeneous<toml::table>()) {
            fail(node, "rooms", "expected [[rooms]] tables with match and on_lag");
        }
        if (rules->size() > room_rules_max) {
            fail(node, "rooms", "more than " + std::to_string(room_rules_max) + " rules");
        }
        sources_.config_.core.rooms.clear();
        for (const auto& item : *rules) {
            sources_.config_.core.rooms.push_back(room_rule(*item.as_table()));
        }
    }

    [[nodiscard]] core::RoomRule room_rule(const toml::table& table) {
        core::RoomRule rule;
        for (const auto& [name, node] : table) {
            const auto key = "rooms." + std::string(name.str());
            if (name == "match") {
                rule.match = one_word(node, key);
            } else if (name == "on_lag") {
                const auto word = one_word(node, key);
                const auto on_lag = on_lag_from(word);
                if (!on_lag) {
                    fail(node, key, quoted(word) + " is not one of disconnect, gap, latest");
                }
                rule.on_lag = *on_lag;
            } else if (name == "flush_delay") {
                rule.flush_delay.emplace();
                const auto problem = read_flush_delay(one_word(node, key), *rule.flush_delay);
                if (problem) fail(node, key, *problem);
            } else if (name == "kind") {
                const auto word = one_word(node, key);
                const auto kind = protocol::room_kind_from(word);
                if (!kind) {
                    fail(node, key,
                         quoted(word) + " is not one of public, members, read-only, private");
                }
                rule.kind = *kind;
            } else if (name == "owners") {
                rule.owners = words(node, key);
                if (rule.owners.size() > room_owners_max) {
                    fail(node, key, "more than " + std::to_string(room_owners_max) + " owners");
                }
            } else if (name.str().starts_with("keep_") && find_setting(history_key(name.str()))) {
                if (const auto problem = read_keep(name.str(), one_word(node, key), rule)) {
                    fail(node, key, *problem);
                }
            } else {
                sources_.warnings_.push_back(line(node) + "unknown key " + key +
                                             ", did you mean rooms." +
                                             std::string(nearest_of_rule(name.str())) + "?");
            }
        }
        if (rule.match.empty()) {
            fail(table, "rooms.match", "expected a pattern (e.g. \"public.*\")");
        }
        return rule;
    }

    ConfigSources& sources_;
    const std::string& file_;
};

void ConfigSources::read_file(const std::string& path) {
    errno = 0;
    std::ifstream file(path, std::ios::binary);
    if (!file) throw ConfigError(path + ": cannot be opened: " + std::strerror(errno));
    std::string text;
    std::array<char, 4096> part{};
    while (file.read(part.data(), part.size()), file.gcount() > 0) {
        text.append(part.data(), static_cast<std::size_t>(file.gcount()));
        if (text.size() > config_file_bytes_max) {
            throw ConfigError(path + ": larger than " + format_size(config_file_bytes_max));
        }
    }
    if (file.bad()) throw ConfigError(path + ": cannot be read: " + std::strerror(errno));
    read_text(text, path);
}

void ConfigSources::read_text(std::string_view text, const std::string& name) {
    try {
        const auto table = toml::parse(text, name);
        TomlReader(*this, name).table(table, "");
    } catch (const toml::parse_error& failure) {
        throw ConfigError(name + ":" + std::to_string(failure.source().begin.line) + ": " +
                          std::string(failure.description()));
    }
}

void ConfigSources::read_environment(std::span<const char* const> variables) {
    for (const std::string_view variable : variables) {
        if (!variable.starts_with(environment_prefix)) continue;
        const auto equals = std::min(variable.find('='), variable.size());
        const std::string name(variable.substr(0, equals));
        const auto value = variable.substr(std::min(equals + 1, variable.size()));

        const Setting* known = nullptr;
        for (const auto& setting : all_settings()) {
            if (environment_name(setting.key) == name) known = &setting;
        }
        if (known != nullptr) {
            const auto words =
                is_list(*known) ? split_list(value) : std::vector<std::string>{std::string(value)};
            set_known(*known, words, name);
        } else if (const auto* later = find_later_variable(name)) {
            if (later->only.empty() || later->only != value) {
                throw ConfigError(name + ": " + std::string(later->what));
            }
        } else {
            warnings_.push_back(name + ": unknown setting, did you mean " + nearest_variable(name) +
                                "?");
        }
    }
}

void ConfigSources::set(std::string_view key, std::span<const std::string> words,
                        const std::string& place) {
    set_known(*find_setting(key), words, place);
}

void ConfigSources::set_known(const Setting& setting, std::span<const std::string> words,
                              const std::string& place) {
    if (const auto problem = assign(setting, config_, words)) {
        throw ConfigError(place + ": " + *problem);
    }
    places_.insert_or_assign(std::string(setting.key), place);
}

void ConfigSources::require(bool holds, std::string_view key, const std::string& what) const {
    if (holds) return;
    const auto place = places_.find(key);
    throw ConfigError((place == places_.end() ? std::string(key) : place->second) + ": " + what);
}

ServerConfig ConfigSources::finish() const {
    const auto& core = config_.core;
    // Named at the place of the key that somebody set: a default is not at fault.
    const auto at_fault = [&](std::string_view one, std::string_view other) {
        return places_.contains(one) ? one : other;
    };
    require(core.heartbeat.ping_every < core.heartbeat.dead_after,
            at_fault("heartbeat.ping_every", "heartbeat.dead_after"),
            "heartbeat.ping_every (" + format_duration(core.heartbeat.ping_every) +
                ") must be shorter than heartbeat.dead_after (" +
                format_duration(core.heartbeat.dead_after) + ")");
    require(core.drain.retry_min <= core.drain.retry_max,
            at_fault("drain.retry_min", "drain.retry_max"),
            "drain.retry_min (" + format_duration(core.drain.retry_min) +
                ") must not be longer than drain.retry_max (" +
                format_duration(core.drain.retry_max) + ")");
    require(core.limits.text_bytes <= core.limits.message_bytes,
            at_fault("limits.text_bytes", "limits.message_bytes"),
            "limits.text_bytes (" + format_size(core.limits.text_bytes) +
                ") must not be larger than limits.message_bytes (" +
                format_size(core.limits.message_bytes) + ")");
    const auto& wire = config_.transports;
    require(!wire.proxy_protocol || !wire.trusted_proxies.empty(), "http.proxy_protocol",
            "http.proxy_protocol needs http.trusted_proxies: from nobody else a header is taken");
    const auto& chat = wire.socketio.chat;
    require(!chat.message_events.empty(), "socketio.message_events",
            "clients are to be told of messages (expected e.g. [\"message\"])");
    std::set<std::string> namespaces;
    for (const auto& text : chat.namespaces) {
        const auto name = protocol::parse_chat_namespace(text)->name;
        require(namespaces.insert(name).second, "socketio.namespaces",
                "\"" + name + "\" stands there twice, and has one prefix");
    }
    require(core.access.anonymous || !config_.accounts.store.empty() || config_.jwt.enabled(),
            "accounts.anonymous",
            "nobody could come in (expected accounts.store, or a key in [jwt])");
    require(config_.accounts.hash.memory >= config_.accounts.hash.lanes * 8 * kib,
            "accounts.hash_memory", "each lane takes 8KiB at least");
    const auto& tls = config_.transports.tls;
    require(config_.tls_listen.empty() || !tls.cert.empty(), "tls.listen",
            "TLS needs a certificate (expected tls.cert and tls.key, or --tls-cert and --tls-key)");
    require(!config_.tls_listen.empty() || tls.cert.empty(), "tls.cert",
            "no address is served over TLS (expected e.g. tls.listen = [\"0.0.0.0:8443\"])");
    require(tls.key.size() == tls.cert.size(), at_fault("tls.key", "tls.cert"),
            "tls.cert names " + std::to_string(tls.cert.size()) + " files and tls.key " +
                std::to_string(tls.key.size()) + " (expected one key for each certificate)");
    require(tls.ocsp.empty() || tls.ocsp.size() == tls.cert.size(), "tls.ocsp",
            "tls.cert names " + std::to_string(tls.cert.size()) + " files and tls.ocsp " +
                std::to_string(tls.ocsp.size()) +
                " (expected one for each certificate, \"\" where there is none)");
    require(tls.client_auth == transports::ClientAuth::none || !tls.client_ca.empty(),
            "tls.client_auth", "certificates of clients need tls.client_ca to be judged by");
    return config_;
}

}  // namespace parley::server
