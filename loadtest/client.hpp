// Client: a user's connections to the server and the user who speaks through them: one line, and a
// second one where the user posts while it polls.
//
// Path:     epoll → [Client] → VirtualUser, and back to the lines
// Runs on:  one load thread.
// Owned by: LoadThread.
// Bounds:   backlog_bytes_max unsent bytes, backlog_messages_max messages not sent yet; a publisher
//           above one of them withholds its messages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "loadtest/client_context.hpp"
#include "loadtest/line.hpp"
#include "loadtest/virtual_user.hpp"

namespace parley::load {

class Client {
public:
    static constexpr std::size_t backlog_bytes_max = std::size_t{1} << 20;
    static constexpr std::size_t backlog_messages_max = 4096;

    // What of a client an event of the epoll is about.
    struct Tag {
        std::uint32_t user = 0;
        bool posts = false;  // the second line

        [[nodiscard]] std::uint64_t value() const noexcept {
            return std::uint64_t{posts} << 32 | user;
        }
        [[nodiscard]] static Tag of(std::uint64_t value) noexcept {
            return {static_cast<std::uint32_t>(value), value >> 32 != 0};
        }
    };

    Client(std::uint32_t index, const Plan& plan) : user_(index, plan) {}

    // Begins to connect, without waiting, and registers with the epoll under a Tag of the user's
    // index. On failure the user is closed and the reason counted.
    void open(std::int64_t now_ns, bool from_start, ClientContext& context);
    // As open(), for a user who may come back to where it was.
    void come_back(std::int64_t now_ns, ClientContext& context);
    // The socket can be written, or connecting has ended.
    void on_writable(ClientContext& context);
    // Reads what is there, at most `bytes_max` at once; returns how many bytes came.
    // `ends`: the other side has closed, which is found behind the last byte.
    std::size_t on_readable(ClientContext& context, std::size_t bytes_max = SIZE_MAX,
                            bool ends = false);
    // The same of the second line.
    void on_posts_writable(ClientContext& context);
    void on_posts_readable(ClientContext& context, bool ends = false);
    // Calls what the next on_readable() will look at into the cache: first the client itself, then,
    // once that is there, what it points at.
    void prefetch() const noexcept;
    void prefetch_further() const noexcept { user_.prefetch(); }

    // Appends to what is unsent; flush() sends it.
    void publish(const Stamp& message, ClientContext& context);
    // Says goodbye; where there is none to say the connection ends at once.
    void leave(ClientContext& context);
    // Sends without waiting; what is left goes when the socket can be written.
    void flush(ClientContext& context);
    // Ends at once, without a goodbye. `why` is kept where the user was not ready yet.
    void abandon(std::string_view why, ClientContext& context);

    // Ends at once as by the user's own doing.
    void vanish(ClientContext& context);

    // From now on only hang-ups wake the thread, and reading is the caller's affair; or as before.
    void watch_reads(bool on, ClientContext& context);
    [[nodiscard]] bool watching_reads() const noexcept { return line_.watching_reads(); }

    [[nodiscard]] bool connected() const noexcept { return line_.connected(); }
    [[nodiscard]] bool posts_connected() const noexcept { return posts_ && posts_->connected(); }
    [[nodiscard]] std::size_t unsent() const noexcept {
        return line_.unsent() + (posts_ ? posts_->unsent() : 0);
    }
    [[nodiscard]] bool backlogged() const {
        return unsent() > backlog_bytes_max || user_.pending() >= backlog_messages_max;
    }
    [[nodiscard]] VirtualUser& user() noexcept { return user_; }
    [[nodiscard]] const VirtualUser& user() const noexcept { return user_; }

private:
    void connect(ClientContext& context);
    [[nodiscard]] int receive_buffer(const ClientContext& context) const;
    void reconnect(ClientContext& context);
    void count_resumed(const Line& line, ClientContext& context);
    void take(std::size_t size, ClientContext& context);
    void on_end(const std::string& why, ClientContext& context);
    void tend_posts(ClientContext& context);
    void abandon_if(const std::string& why, ClientContext& context);
    void close();

    VirtualUser user_;
    Line line_;
    std::unique_ptr<Line> posts_;  // once there was something to post
};

}  // namespace parley::load
