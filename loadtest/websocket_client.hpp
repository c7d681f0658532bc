// WebSocketClient: a socket and the user who speaks through it.
//
// Path:     epoll → [WebSocketClient] → VirtualUser, and back to the socket
// Runs on:  one load thread.
// Owned by: LoadThread.
// Bounds:   backlog_bytes_max unsent bytes; a publisher above it withholds its messages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "loadtest/file_descriptor.hpp"
#include "loadtest/network.hpp"
#include "loadtest/virtual_user.hpp"

namespace parley::load {

class WebSocketClient {
public:
    static constexpr std::size_t backlog_bytes_max = std::size_t{1} << 20;

    WebSocketClient(std::uint32_t index, const Plan& plan) : user_(index, plan) {}

    // Begins to connect, without waiting, and registers with the epoll under the user's index. On
    // failure the user is closed and the reason counted.
    void open(const Addresses& addresses, int epoll, std::int64_t now_ns, bool from_start,
              UserContext& context);
    // The socket can be written, or connecting has ended.
    void on_writable(int epoll, UserContext& context);
    // Reads once, at most the buffer; returns how many bytes came. `clock` is asked after the read.
    std::size_t on_readable(std::span<char> buffer, std::int64_t (*clock)() noexcept, int epoll,
                            UserContext& context);

    // Each appends to what is unsent; flush() sends it.
    void publish(std::int64_t intended_ns, UserContext& context);
    void leave(UserContext& context) { user_.leave(unsent_, context); }
    // Sends without waiting; what is left goes when the socket can be written.
    void flush(int epoll, UserContext& context);
    // Ends at once, without a goodbye. `why` is kept where the user was not ready yet.
    void abandon(std::string_view why, UserContext& context);

    // From now on only hang-ups wake the thread, and reading is the caller's affair; or as before.
    void watch_reads(bool on, int epoll);
    [[nodiscard]] bool watching_reads() const noexcept { return watching_reads_; }

    [[nodiscard]] bool connected() const noexcept { return fd_.open(); }
    [[nodiscard]] std::size_t unsent() const noexcept { return unsent_.size() - sent_; }
    [[nodiscard]] bool backlogged() const noexcept { return unsent() > backlog_bytes_max; }
    [[nodiscard]] VirtualUser& user() noexcept { return user_; }
    [[nodiscard]] const VirtualUser& user() const noexcept { return user_; }

private:
    [[nodiscard]] int start_connecting(const Addresses& addresses);
    void rearm(int epoll);

    VirtualUser user_;
    FileDescriptor fd_;
    std::string unsent_;
    std::size_t sent_ = 0;  // of unsent_
    bool connecting_ = false;
    bool blocked_ = false;
    bool watching_reads_ = true;
};

}  // namespace parley::load
