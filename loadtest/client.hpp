// Client: a stream to the server and the user who speaks through it.
//
// Path:     epoll → [Client] → VirtualUser, and back to the stream
// Runs on:  one load thread.
// Owned by: LoadThread.
// Bounds:   backlog_bytes_max unsent bytes, backlog_messages_max messages not sent yet; a publisher
//           above one of them withholds its messages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "loadtest/network.hpp"
#include "loadtest/stream.hpp"
#include "loadtest/virtual_user.hpp"

namespace parley::load {

// What all clients of a thread share.
struct ClientContext {
    UserContext users;
    const Addresses& addresses;
    const TlsContext* tls;  // nullptr: plain
    int epoll;
    std::span<char> buffer;            // for what is read
    std::int64_t (*clock)() noexcept;  // asked after each read
};

class Client {
public:
    static constexpr std::size_t backlog_bytes_max = std::size_t{1} << 20;
    static constexpr std::size_t backlog_messages_max = 4096;

    Client(std::uint32_t index, const Plan& plan) : user_(index, plan) {}

    // Begins to connect, without waiting, and registers with the epoll under the user's index. On
    // failure the user is closed and the reason counted.
    void open(std::int64_t now_ns, bool from_start, ClientContext& context);
    // The socket can be written, or connecting has ended.
    void on_writable(ClientContext& context);
    // Reads what is there, at most `bytes_max` at once; returns how many bytes came.
    std::size_t on_readable(ClientContext& context, std::size_t bytes_max = SIZE_MAX);

    // Appends to what is unsent; flush() sends it.
    void publish(const Stamp& message, ClientContext& context);
    // Says goodbye; where there is none to say the connection ends at once.
    void leave(ClientContext& context);
    // Sends without waiting; what is left goes when the socket can be written.
    void flush(ClientContext& context);
    // Ends at once, without a goodbye. `why` is kept where the user was not ready yet.
    void abandon(std::string_view why, ClientContext& context);

    // From now on only hang-ups wake the thread, and reading is the caller's affair; or as before.
    void watch_reads(bool on, ClientContext& context);
    [[nodiscard]] bool watching_reads() const noexcept { return watching_reads_; }

    [[nodiscard]] bool connected() const noexcept { return stream_.open(); }
    [[nodiscard]] std::size_t unsent() const noexcept { return unsent_.size() - sent_; }
    [[nodiscard]] bool backlogged() const {
        return unsent() > backlog_bytes_max || user_.pending() >= backlog_messages_max;
    }
    [[nodiscard]] VirtualUser& user() noexcept { return user_; }
    [[nodiscard]] const VirtualUser& user() const noexcept { return user_; }

private:
    enum class Phase : std::uint8_t { connecting, securing, open };

    void connect(ClientContext& context);
    void reconnect(ClientContext& context);
    void secure(ClientContext& context);
    void take(std::size_t size, ClientContext& context);
    void on_end(const std::string& why, ClientContext& context);
    void drop_sent();
    void block(bool blocked, ClientContext& context);
    void rearm(ClientContext& context);

    VirtualUser user_;
    Stream stream_;
    std::string unsent_;
    std::size_t sent_ = 0;  // of unsent_
    Phase phase_ = Phase::connecting;
    bool blocked_ = false;  // waits for the socket to be writable
    bool watching_reads_ = true;
};

}  // namespace parley::load
