// ClientContext: what all clients of a thread share.
//
// Path:     LoadThread → [ClientContext] → Client, Line
// Runs on:  one load thread.
// Owned by: LoadThread.
// Bounds:   one receive buffer.
#pragma once

#include <cstdint>
#include <span>

#include "loadtest/network.hpp"
#include "loadtest/tls_context.hpp"
#include "loadtest/user_context.hpp"

namespace parley::load {

struct ClientContext {
    UserContext users;
    const Addresses& addresses;
    const TlsContext* tls;  // nullptr: plain
    int epoll;
    std::span<char> buffer;            // for what is read
    std::int64_t (*clock)() noexcept;  // asked after each read
    std::int64_t now_ns = 0;           // what it said last
};

}  // namespace parley::load
