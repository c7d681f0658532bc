// Reload: what a configuration read anew changes in a server that runs, and what has to wait for a
// restart.
//
// Path:     SIGHUP → [Reload] → Server → shards
// Runs on:  the main thread.
// Owned by: nobody; values.
// Bounds:   the table of settings.
#pragma once

#include <string>
#include <vector>

#include "server/server_config.hpp"

namespace parley::server {

struct SettingChange {
    std::string key;
    std::string from;  // as the file has it
    std::string to;
};

struct ReloadPlan {
    ServerConfig config;                 // what runs from now on
    std::vector<SettingChange> applied;  // of it, what is new
    std::vector<SettingChange> waiting;  // differs too, and takes a restart
};

// Takes over from `fresh` what is_reloadable(), and leaves everything else as it runs.
[[nodiscard]] ReloadPlan plan_reload(const ServerConfig& running, const ServerConfig& fresh);

// Limits, origins and the log level.
[[nodiscard]] bool is_reloadable(std::string_view key) noexcept;

}  // namespace parley::server
