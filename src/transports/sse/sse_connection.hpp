// SseConnection: a stream of Server-Sent Events from one room (WHATWG HTML, 9.2; protocol.md, 4.1).
//
// Path:     HttpConnection → [SseConnection] → Subscriber; Flush → [SseConnection] → Stream
// Runs on:  its shard.
// Owned by: itself, by reference count: one reference while it is listed by its Gate, one for each
//           wait and each deferred step under way.
// Bounds:   out: one frame half written, a comment and what the room's lag policy says of it; of the
//           history that it begins with only references. http.write_timeout without progress ends
//           it. In: discarded_bytes_max of what a peer says that has nothing to say.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/subscriber.hpp"
#include "core/timer_wheel.hpp"
#include "core/transport.hpp"
#include "transports/any_stream.hpp"
#include "transports/connection.hpp"
#include "transports/http_response.hpp"
#include "transports/outbox.hpp"
#include "transports/sse/sse_backlog.hpp"

namespace parley::transports {

class Gate;

// What is asked for.
struct SseAsk {
    std::string room;
    std::optional<protocol::Cursor> since;
    std::uint32_t history = 0;  // messages that it begins with where there is no `since`
    core::Listening how;
    core::PeerIdentity who;
    bool chunked = true;
    std::string head;                    // of the answer 200, without the empty line at its end
    std::string request;                 // kept_head(): a refusal is answered as HTTP
    std::string following;               // bytes that came behind it
    boost::asio::ip::tcp::endpoint hop;  // at the other end of the stream
};

// Takes over a stream whose request was read.
void open_event_stream(Gate& gate, AnyStream stream, SseAsk ask);

// A stream that waits costs this object, its Subscriber, and the watch of its socket.
template <typename Stream>
class SseConnection final : public core::Transport, public Connection, private core::Timer {
public:
    using Pointer = boost::intrusive_ptr<SseConnection>;

    // What a peer may say into its stream, in bytes; they are not looked at.
    static constexpr std::uint32_t discarded_bytes_max = 64 * 1024;

    SseConnection(Gate& gate, Stream stream, SseAsk ask);

    void open();

    // core::Transport
    core::WriteResult write_some(std::span<const core::Frame* const> frames) noexcept override;
    void reply(const core::Reply& reply) noexcept override;
    void resume() noexcept override {}

    // Connection and core::Transport
    void close(const core::CloseReason& reason) noexcept override;
    // Connection
    bool announce_drain() noexcept override;
    void abort() noexcept override;

    friend void intrusive_ptr_add_ref(SseConnection* connection) noexcept {
        ++connection->references_;
    }
    friend void intrusive_ptr_release(SseConnection* connection) noexcept {
        if (--connection->references_ == 0) delete connection;
    }

private:
    ~SseConnection() override = default;

    // Opening.
    void begin(const core::JoinedReply& reply);
    void refuse(HttpResponse response) noexcept;
    void add_limits(HttpResponse& response) const;
    void give_back(HttpResponse& response);

    // Reading.
    void wait_readable();
    void on_readable();

    // Writing.
    void wait_writable();
    void on_writable();
    void say(std::string_view events);
    void transmit() noexcept;
    [[nodiscard]] std::size_t write_frames(std::span<const core::Frame* const> frames) noexcept;
    void write_backlog() noexcept;
    void say_gap(const protocol::Gap& gap);
    void lost() noexcept;

    // Ending.
    void go_on_closing() noexcept;
    void end(const core::CloseReason& reason) noexcept;
    void leave(const core::CloseReason& reason) noexcept;

    void on_timer() noexcept;
    void arm_heartbeat() noexcept;
    [[nodiscard]] bool chunked() const noexcept;

    // What a write looks at lies together: it is what a fan-out fetches of every stream.
    Gate* gate_;
    bool waiting_writable_ = false;  // exactly while something is unsent
    bool core_waits_ = false;        // write_some() answered `blocked`
    bool closing_ = false;           // the end of the stream was sent or queued
    bool lost_ = false;              // the stream failed
    bool ended_ = false;
    Stream stream_;
    Outbox outbox_;
    std::unique_ptr<SseBacklog> backlog_;  // exactly while some of it is unwritten
    std::unique_ptr<SseAsk> ask_;          // until the room has answered
    std::shared_ptr<core::Subscriber> subscriber_;
    const core::CloseReason* reason_ = nullptr;  // why it closes
    core::TimePoint progress_;                   // when it last waited to write
    std::uint32_t discarded_ = 0;
    std::uint32_t references_ = 0;
};

}  // namespace parley::transports
