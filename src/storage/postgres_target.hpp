// PostgresTarget: where a database is: what the setting says, taken apart into the hosts that are
// tried one after the other, each with a deadline of its own, and what is said to all of them.
//
// Path:     settings → PostgresStore → [PostgresTarget] → PostgresConnection
// Runs on:  made by the caller of PostgresStore's constructor, read on the engine's thread.
// Owned by: PostgresContext.
// Bounds:   as many hosts as the setting has room for.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace parley::storage {

// What libpq calls host, hostaddr and port; an empty one is libpq's default.
struct PostgresHost {
    std::string name;
    std::string address;
    std::string port;
};

struct PostgresTarget {
    // In the order of trying; never empty.
    std::vector<PostgresHost> hosts;
    // Everything else, by libpq's names. With several hosts the one that can be written is meant,
    // unless target_session_attrs says otherwise.
    std::vector<std::pair<std::string, std::string>> options;
    // For each address: connect_timeout where it is given.
    std::chrono::milliseconds patience{5'000};
};

// Reads the value of the setting: `postgres:` and a connection string or URI behind it, or a URI
// `postgres://…`. Throws std::runtime_error, which does not repeat what may hold a password. Hosts
// of a service file are left to libpq, which has one deadline for all of them.
[[nodiscard]] PostgresTarget postgres_target_of(std::string_view spec);

}  // namespace parley::storage
