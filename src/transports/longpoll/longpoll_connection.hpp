// LongPollConnection: a request that waits for what is said next in a room (protocol.md, 4.1).
//
// Path:     HttpConnection → [LongPollConnection] → Subscriber; Flush → [LongPollConnection] →
//           HttpConnection
// Runs on:  its shard.
// Owned by: itself, by reference count: one reference while it is listed by its Gate, one for each
//           wait and each deferred step under way.
// Bounds:   time: longpoll.wait_max. Out: one answer. In: http.header_bytes and http.body_bytes of
//           what is pipelined behind the request; the rest waits in the kernel.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/subscriber.hpp"
#include "core/timer_wheel.hpp"
#include "core/transport.hpp"
#include "transports/any_stream.hpp"
#include "transports/connection.hpp"
#include "transports/http_response.hpp"

namespace parley::transports {

class Gate;

// What is asked for.
struct LongPollAsk {
    std::string address;  // who asks, however many proxies are between
    std::string room;
    std::optional<protocol::Cursor> since;
    std::uint32_t limit;
    core::Duration wait;
    std::string request;    // kept_head()
    std::string following;  // bytes that came behind it
    core::UserPtr user{};   // who asks, where that is known
};

// Takes over a stream whose request was read, and gives it back with the answer (resume_http()).
// `hop` is at its other end.
void open_long_poll(Gate& gate, AnyStream stream, const boost::asio::ip::tcp::endpoint& hop,
                    LongPollAsk ask);

// It listens to its room like any session, without being present, and is answered with the first
// that it is handed. A waiting one costs this object, its Subscriber, and the watch of its
// socket.
template <typename Stream>
class LongPollConnection final : public core::Transport, public Connection, private core::Timer {
public:
    using Pointer = boost::intrusive_ptr<LongPollConnection>;

    LongPollConnection(Gate& gate, Stream stream, const boost::asio::ip::tcp::endpoint& hop,
                       LongPollAsk ask);

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

    friend void intrusive_ptr_add_ref(LongPollConnection* connection) noexcept {
        ++connection->references_;
    }
    friend void intrusive_ptr_release(LongPollConnection* connection) noexcept {
        if (--connection->references_ == 0) delete connection;
    }

private:
    // How far it is.
    enum class Stage : std::uint8_t {
        joining,  // the room's home has still to answer
        parked,   // nothing followed the cursor yet
        due,      // finish() is on its way
        paging,   // more followed than was asked for: the home is asked for as much as that
        ended,
    };

    ~LongPollConnection() override = default;

    void wait_readable();
    void on_readable();
    void on_timer() noexcept;
    void joined(const core::JoinedReply& reply);
    void finish_soon() noexcept;
    void finish();
    [[nodiscard]] bool ask_for_page(const protocol::Cursor& now);
    void answer_frames(const protocol::Cursor& now);
    void answer_page(const protocol::Cursor& cursor, std::span<const std::string_view> messages,
                     bool more);
    void give_back();
    void end(const core::CloseReason& reason) noexcept;
    void leave(const core::CloseReason& reason) noexcept;

    Gate* gate_;
    Stream stream_;
    boost::asio::ip::tcp::endpoint hop_;
    LongPollAsk ask_;
    std::shared_ptr<core::Subscriber> subscriber_;
    std::vector<core::FramePtr> frames_;  // what ended the waiting
    std::unique_ptr<HttpResponse> answer_;
    protocol::Cursor from_;  // where the waiting began
    core::TimePoint deadline_;
    std::uint32_t references_ = 0;
    Stage stage_ = Stage::joining;
    bool recovered_ = false;
    bool lost_ = false;
};

}  // namespace parley::transports
