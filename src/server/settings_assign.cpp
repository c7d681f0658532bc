// How a setting of each kind is read from words and written as TOML.
#include <algorithm>
#include <array>
#include <regex>
#include <utility>

#include "protocol/json_codec.hpp"
#include "server/settings.hpp"
#include "transports/origin_policy.hpp"
#include "transports/trusted_proxies.hpp"

namespace parley::server {
namespace {

using Problem = std::optional<std::string>;

std::string quoted(std::string_view word) {
    std::string out;
    protocol::append_json_string(out, word);
    return out;
}

std::string is_not(std::string_view word, std::string_view what) {
    return quoted(word).append(" is not ").append(what);
}

template <class T>
Problem out_of_range(std::string_view word, const T& min, const T& max) {
    return quoted(word) + " is out of range (" + min + " to " + max + ")";
}

// Of postgres://user:password@host/… and of postgres:password=… the same without it.
std::string without_password(const std::string& store) {
    static const std::regex in_uri("(://[^:@/]*):.*@");
    static const std::regex in_words(R"((password *= *)('([^'\\]|\\.)*'|[^ ]*))");
    return std::regex_replace(std::regex_replace(store, in_uri, "$1:***@"), in_words, "$1***");
}

constexpr std::array<std::string_view, 3> io_names{"auto", "epoll", "uring"};
constexpr std::array<std::string_view, 2> durability_names{"async", "sync"};
constexpr std::array<std::string_view, 3> client_auth_names{"none", "request", "require"};

std::string said(const TextKind& kind, const std::string& word) {
    return kind.rule.secret ? "what is given" : quoted(word);
}

// Sets a field of each kind from one word.
struct AssignWord {
    ServerConfig& config;
    const std::string& word;

    Problem operator()(const FlagKind& kind) const {
        if (word != "true" && word != "false") return is_not(word, "true or false");
        kind.field(config) = word == "true";
        return std::nullopt;
    }
    template <class T>
    Problem operator()(const CountKind<T>& kind) const {
        const auto number = parse_count(word);
        if (!number) return is_not(word, "a whole number");
        if (std::cmp_less(*number, kind.min) || std::cmp_greater(*number, kind.max)) {
            return out_of_range(word, std::to_string(kind.min), std::to_string(kind.max));
        }
        kind.field(config) = static_cast<T>(*number);
        return std::nullopt;
    }
    Problem operator()(const SizeKind& kind) const {
        const auto bytes = parse_size(word);
        if (!bytes) return is_not(word, "a size (expected e.g. 65536, \"64KiB\")");
        if (*bytes < kind.min || *bytes > kind.max) {
            return out_of_range(word, format_size(kind.min), format_size(kind.max));
        }
        kind.field(config) = *bytes;
        return std::nullopt;
    }
    Problem operator()(const NumberKind& kind) const {
        const auto number = parse_number(word);
        if (!number) return is_not(word, "a number (expected e.g. 20, 0.5)");
        if (*number < kind.min || *number > kind.max) {
            return out_of_range(word, format_number(kind.min), format_number(kind.max));
        }
        kind.field(config) = *number;
        return std::nullopt;
    }
    Problem operator()(const DurationKind& kind) const {
        const auto duration = parse_duration(word);
        if (!duration) return is_not(word, "a duration (expected e.g. \"500ms\", \"25s\", \"2m\")");
        if (*duration < kind.min || *duration > kind.max) {
            return out_of_range(word, format_duration(kind.min), format_duration(kind.max));
        }
        kind.field(config) = *duration;
        return std::nullopt;
    }
    Problem operator()(const TextKind& kind) const {
        if (word.size() > kind.bytes_max) {
            return said(kind, word) + " is longer than " + std::to_string(kind.bytes_max) +
                   " bytes";
        }
        if (kind.rule.holds != nullptr && !kind.rule.holds(word)) {
            return said(kind, word).append(" is not ").append(kind.rule.expected);
        }
        kind.field(config) = word;
        return std::nullopt;
    }
    Problem operator()(const TextListKind& kind) const {
        if (!kind.rule.holds(word)) return is_not(word, kind.rule.expected);
        if (kind.field(config).size() == kind.items_max) {
            return "more than " + std::to_string(kind.items_max);
        }
        kind.field(config).push_back(word);
        return std::nullopt;
    }
    Problem operator()(const LogLevelKind& kind) const {
        const auto level = transports::log::level_from(word);
        if (!level) return is_not(word, "a log level (expected debug, info, warn, error or off)");
        kind.field(config) = *level;
        return std::nullopt;
    }
    Problem operator()(const LogFormatKind& kind) const {
        const auto format = transports::log::format_from(word);
        if (!format) return is_not(word, "a log format (expected text or json)");
        kind.field(config) = *format;
        return std::nullopt;
    }
    Problem operator()(const OriginListKind& kind) const {
        if (!transports::is_origin_pattern(word)) {
            return is_not(word,
                          "an origin (expected e.g. \"https://chat.example\", "
                          "\"https://*.example\", \"*\")");
        }
        kind.field(config).push_back(word);
        return std::nullopt;
    }
    Problem operator()(const NetworkListKind& kind) const {
        if (!transports::parse_network(word)) {
            return is_not(word,
                          "a network (expected e.g. \"10.0.0.0/8\", \"192.0.2.1\", \"fd00::/8\")");
        }
        kind.field(config).push_back(word);
        return std::nullopt;
    }
    Problem operator()(const EndpointListKind& kind) const {
        const auto endpoint = parse_endpoint(word);
        if (!endpoint) {
            return is_not(word, "an address (expected e.g. \"127.0.0.1:8080\", \"[::]:8080\")");
        }
        kind.field(config).push_back(*endpoint);
        return std::nullopt;
    }
    Problem operator()(const OptionalEndpointKind& kind) const {
        if (word.empty() || word == "off") {
            kind.field(config).reset();
            return std::nullopt;
        }
        const auto endpoint = parse_endpoint(word);
        if (!endpoint) {
            return is_not(word, "an address (expected e.g. \"127.0.0.1:9464\", or \"off\")");
        }
        kind.field(config) = *endpoint;
        return std::nullopt;
    }
    Problem operator()(const FileListKind& kind) const {
        if (word.size() > file_name_bytes_max) {
            return quoted(word) + " is longer than " + std::to_string(file_name_bytes_max) +
                   " bytes";
        }
        if (kind.field(config).size() == kind.files_max) {
            return "more than " + std::to_string(kind.files_max) + " files";
        }
        kind.field(config).push_back(word);
        return std::nullopt;
    }
    Problem operator()(const ClientAuthKind& kind) const {
        const auto found = std::find(client_auth_names.begin(), client_auth_names.end(), word);
        if (found == client_auth_names.end()) return is_not(word, "one of none, request, require");
        kind.field(config) = static_cast<transports::ClientAuth>(found - client_auth_names.begin());
        return std::nullopt;
    }
    Problem operator()(const IoChoiceKind& kind) const {
        const auto found = std::find(io_names.begin(), io_names.end(), word);
        if (found == io_names.end()) return is_not(word, "one of auto, epoll, uring");
        kind.field(config) = static_cast<transports::IoChoice>(found - io_names.begin());
        return std::nullopt;
    }
    Problem operator()(const DurabilityKind& kind) const {
        const auto found = std::ranges::find(durability_names, word);
        if (found == durability_names.end()) return is_not(word, "async or sync");
        kind.field(config) = static_cast<core::Durability>(found - durability_names.begin());
        return std::nullopt;
    }
    Problem operator()(const FlushDelayKind& kind) const {
        return read_flush_delay(word, kind.field(config));
    }
};

struct TomlValue {
    ServerConfig& config;

    std::string operator()(const FlagKind& kind) const {
        return kind.field(config) ? "true" : "false";
    }
    template <class T>
    std::string operator()(const CountKind<T>& kind) const {
        return std::to_string(kind.field(config));
    }
    std::string operator()(const SizeKind& kind) const {
        const auto text = format_size(kind.field(config));
        return parse_count(text) ? text : quoted(text);
    }
    std::string operator()(const NumberKind& kind) const {
        return format_number(kind.field(config));
    }
    std::string operator()(const DurationKind& kind) const {
        return quoted(format_duration(kind.field(config)));
    }
    std::string operator()(const TextKind& kind) const {
        return quoted(kind.rule.secret ? without_password(kind.field(config)) : kind.field(config));
    }
    std::string operator()(const TextListKind& kind) const {
        return list(kind.field(config), [](const std::string& word) { return quoted(word); });
    }
    std::string operator()(const LogLevelKind& kind) const {
        return quoted(transports::log::name_of(kind.field(config)));
    }
    std::string operator()(const LogFormatKind& kind) const {
        return quoted(transports::log::name_of(kind.field(config)));
    }
    std::string operator()(const OriginListKind& kind) const {
        return list(kind.field(config), [](const std::string& word) { return quoted(word); });
    }
    std::string operator()(const NetworkListKind& kind) const {
        return list(kind.field(config), [](const std::string& word) { return quoted(word); });
    }
    std::string operator()(const EndpointListKind& kind) const {
        return list(kind.field(config),
                    [](const Endpoint& endpoint) { return quoted(format_endpoint(endpoint)); });
    }
    std::string operator()(const OptionalEndpointKind& kind) const {
        const auto& endpoint = kind.field(config);
        return quoted(endpoint ? format_endpoint(*endpoint) : "off");
    }
    std::string operator()(const FileListKind& kind) const {
        return list(kind.field(config), [](const std::string& word) { return quoted(word); });
    }
    std::string operator()(const ClientAuthKind& kind) const {
        return quoted(client_auth_names[static_cast<std::size_t>(kind.field(config))]);
    }
    std::string operator()(const IoChoiceKind& kind) const {
        return quoted(io_names[static_cast<std::size_t>(kind.field(config))]);
    }
    std::string operator()(const DurabilityKind& kind) const {
        return quoted(durability_names[static_cast<std::size_t>(kind.field(config))]);
    }
    std::string operator()(const FlushDelayKind& kind) const {
        return quoted(format_flush_delay(kind.field(config)));
    }

private:
    template <class Items, class Format>
    static std::string list(const Items& items, Format format) {
        std::string out = "[";
        for (const auto& item : items) {
            if (out.size() > 1) out += ", ";
            out += format(item);
        }
        return out + "]";
    }
};

}  // namespace

Problem read_flush_delay(std::string_view word, core::FlushDelay& delay) {
    if (word == "adaptive") {
        delay = {};
        return std::nullopt;
    }
    const auto duration = parse_duration(word);
    if (!duration) {
        return is_not(word, "a delay (expected \"adaptive\", \"0ms\" or e.g. \"20ms\")");
    }
    if (*duration > flush_delay_max) {
        return out_of_range(word, format_duration({}), format_duration(flush_delay_max));
    }
    delay = {false, *duration};
    return std::nullopt;
}

std::string format_flush_delay(const core::FlushDelay& delay) {
    return delay.adaptive ? "adaptive" : format_duration(delay.fixed);
}

bool is_list(const Setting& setting) {
    return std::holds_alternative<OriginListKind>(setting.kind) ||
           std::holds_alternative<NetworkListKind>(setting.kind) ||
           std::holds_alternative<EndpointListKind>(setting.kind) ||
           std::holds_alternative<TextListKind>(setting.kind) ||
           std::holds_alternative<FileListKind>(setting.kind);
}

Problem assign(const Setting& setting, ServerConfig& config, std::span<const std::string> words) {
    if (!is_list(setting)) {
        if (words.size() != 1) return "expected one value";
        return std::visit(AssignWord{config, words.front()}, setting.kind);
    }
    const auto before = config;
    if (const auto* texts = std::get_if<OriginListKind>(&setting.kind))
        texts->field(config).clear();
    if (const auto* networks = std::get_if<NetworkListKind>(&setting.kind))
        networks->field(config).clear();
    if (const auto* endpoints = std::get_if<EndpointListKind>(&setting.kind)) {
        if (words.empty() && !endpoints->may_be_empty) return "expected at least one address";
        endpoints->field(config).clear();
    }
    if (const auto* texts = std::get_if<TextListKind>(&setting.kind)) texts->field(config).clear();
    if (const auto* files = std::get_if<FileListKind>(&setting.kind)) files->field(config).clear();
    for (const auto& word : words) {
        if (auto problem = std::visit(AssignWord{config, word}, setting.kind)) {
            config = before;
            return problem;
        }
    }
    return std::nullopt;
}

std::string toml_value(const Setting& setting, const ServerConfig& config) {
    auto copy = config;  // a field is found by reference; nothing is written to it
    return std::visit(TomlValue{copy}, setting.kind);
}

}  // namespace parley::server
