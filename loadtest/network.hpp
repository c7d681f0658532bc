// Network: what must be in place before the first connection: addresses, and descriptors enough.
//
// Path:     Scenario → [network] → run, WebSocketClient
// Runs on:  the main thread, before the load threads start.
// Owned by: run().
// Bounds:   none needed.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "loadtest/scenario.hpp"

namespace parley::load {

struct SocketAddress {
    sockaddr_storage storage{};
    socklen_t length = 0;
};

struct Addresses {
    SocketAddress server;
    std::vector<SocketAddress> sources;  // taken in turns; empty: the kernel chooses
};

// Resolves the URL's host (its first address) and the source addresses.
[[nodiscard]] Checked<Addresses> resolve_addresses(const Scenario& scenario);

// One trial connection, closed at once: why the server can't be reached, or nothing.
[[nodiscard]] std::optional<std::string> probe_server(const Addresses& addresses);

// Raises this process's limit of open files as far as it may; says what is missing and how to
// give it, or nothing when `connections` fit.
[[nodiscard]] std::optional<std::string> ensure_descriptors(std::uint64_t connections);

// All of the above for a run of so many connections at once, and what else a process of many
// sockets needs; or why the run can't start.
[[nodiscard]] Checked<Addresses> prepare_network(const Scenario& scenario,
                                                 std::uint64_t connections);

// A system error in words, with advice where an operator can do something about it.
[[nodiscard]] std::string describe_connect_error(int error);

}  // namespace parley::load
