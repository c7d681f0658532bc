// ConfigSources: defaults, file, environment and flags, one over the other, into a ServerConfig.
//
// Path:     main → [ConfigSources] → ServerConfig
// Runs on:  the main thread.
// Owned by: whoever starts the server.
// Bounds:   a file of config_file_bytes_max; rules of [[rooms]]: room_rules_max.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "server/settings.hpp"

namespace parley::server {

inline constexpr std::size_t config_file_bytes_max = 1024 * 1024;
// Each is tried on each room that is made; more than this is a mistake.
inline constexpr std::size_t room_rules_max = 1000;
// Of one rule: names or ids of users.
inline constexpr std::size_t room_owners_max = 100;

// The configuration can't be used. what() is one line that names the place: a file with line and
// key, a variable, or a flag.
struct ConfigError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// Later calls win over earlier ones: read the file, then the environment, then set the flags.
class ConfigSources {
public:
    // Throws ConfigError, like everything below that reads values.
    void read_file(const std::string& path);
    // The same for the content of a file, which errors and warnings call `name`.
    void read_text(std::string_view text, const std::string& name);
    // Of "NAME=value" strings, those that begin with PARLEY_. A list is separated by commas.
    void read_environment(std::span<const char* const> variables);
    // `place` is what an error calls it, such as "--listen".
    void set(std::string_view key, std::span<const std::string> words, const std::string& place);

    // Checks what only all values together can tell.
    [[nodiscard]] ServerConfig finish() const;
    // Keys that nobody knows, one line each.
    [[nodiscard]] const std::vector<std::string>& warnings() const noexcept { return warnings_; }

private:
    friend class TomlReader;

    void set_known(const Setting& setting, std::span<const std::string> words,
                   const std::string& place);
    void require(bool holds, std::string_view key, const std::string& what) const;

    ServerConfig config_;
    std::map<std::string, std::string, std::less<>> places_;  // by key: where its value is from
    std::vector<std::string> warnings_;
};

// The whole default configuration as a file, with a line about each setting.
[[nodiscard]] std::string default_config();

}  // namespace parley::server
