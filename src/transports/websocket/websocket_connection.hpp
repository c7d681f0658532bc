// WebSocketConnection: one WebSocket over one stream (RFC 6455), whatever is spoken over it.
//
// Path:     Stream → [WebSocketConnection] → WebSocketHandler;
//           Flush → [WebSocketConnection] → Stream
// Runs on:  its shard.
// Owned by: itself, by reference count: one reference while it is listed by its Gate, one for each
//           wait and each deferred step under way.
// Bounds:   in: one read, and the message that the decoder's configuration admits. Out: one frame
//           half written; of its own words what one message to it brings forth beyond
//           cork_bytes_max, since it hands over and reads no further while those are unsent.
#pragma once

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/timer_wheel.hpp"
#include "protocol/websocket_frame.hpp"
#include "transports/any_stream.hpp"
#include "transports/connection.hpp"
#include "transports/outbox.hpp"
#include "transports/websocket/websocket_handler.hpp"

namespace parley::transports {

class Gate;

// What a connection says of itself beyond this is sent at once and not gathered further.
inline constexpr std::size_t cork_bytes_max = 16 * 1024;

// Takes over a stream whose upgrade was agreed to. `head` is the answer 101, which is sent first;
// `following` what the peer sent behind its request. `decoding` outlives the connection.
void open_websocket(Gate& gate, AnyStream stream, const protocol::WebSocketDecoderConfig& decoding,
                    std::unique_ptr<WebSocketHandler> handler, std::string_view head,
                    std::span<char> following);

// A pump of small handlers and not a coroutine: a suspended coroutine keeps its frames, a few
// hundred bytes for as long as the connection lives, and a million connections stand idle. A
// waiting connection costs this object, its handler, and the watch of its socket.
template <typename Stream>
class WebSocketConnection final : public WebSocketLink, public Connection, private core::Timer {
public:
    using Pointer = boost::intrusive_ptr<WebSocketConnection>;

    WebSocketConnection(Gate& gate, Stream stream, const protocol::WebSocketDecoderConfig& decoding,
                        std::unique_ptr<WebSocketHandler> handler);

    void open(std::string_view head, std::span<char> following);

    // WebSocketLink
    core::WriteResult write_some(std::span<const core::Frame* const> frames) noexcept override;
    void send(protocol::Opcode opcode, std::string_view payload, bool compressed) noexcept override;
    void close(const core::CloseReason& reason) noexcept override;
    void resume() noexcept override;

    // Connection
    bool announce_drain() noexcept override;
    void abort() noexcept override;
    void after_turn() noexcept override;
    void send_fell_short(const core::Frame& frame, std::size_t sent) noexcept override;

    friend void intrusive_ptr_add_ref(WebSocketConnection* connection) noexcept {
        ++connection->references_;
    }
    friend void intrusive_ptr_release(WebSocketConnection* connection) noexcept {
        if (--connection->references_ == 0) delete connection;
    }

private:
    class Cork;

    ~WebSocketConnection() override = default;

    // Reading.
    void wait_readable();
    void on_readable();
    void process(std::span<char> bytes);
    void process_unread();
    template <typename Task>
    void corked(Task task);
    void hand_over(std::span<char> bytes);
    void decode(protocol::WebSocketDecoder& decoder, std::span<char> bytes);
    void take_event(const protocol::WebSocketDecoder& decoder,
                    protocol::WebSocketDecoder::Event event);
    [[nodiscard]] bool may_take() noexcept;
    void read_on();

    // Writing.
    void wait_writable();
    void on_writable();
    [[nodiscard]] bool is_corked() const noexcept;
    [[nodiscard]] std::string& outgoing();
    void send_pong(std::string_view payload);
    void uncork() noexcept;
    void await_turn(std::string_view corked_bytes);
    void transmit(std::string_view corked_bytes) noexcept;
    [[nodiscard]] core::WriteResult write_all(std::span<const core::Frame* const> frames) noexcept;
    void settle() noexcept;
    void lost() noexcept;

    // Ending.
    void begin_close(std::uint16_t code, std::string_view text,
                     const core::CloseReason& reason) noexcept;
    void go_on_closing() noexcept;
    void end_session() noexcept;
    void end(const core::CloseReason& reason) noexcept;

    void on_timer() noexcept;
    void arm_heartbeat() noexcept;

    // What a write looks at lies together, close behind the link that the core writes through: it is
    // all that a fan-out fetches of a connection.
    Gate* gate_;
    bool closing_ = false;           // a close frame was sent or queued
    bool waiting_writable_ = false;  // exactly while something is unsent, but for:
    bool awaits_turn_ = false;       // its own words leave with the turn that is due
    bool waiting_readable_ = false;
    bool core_waits_ = false;  // write_some() answered `blocked`
    bool failed_ = false;      // … because of what the peer sent
    bool half_closed_ = false;
    bool peer_closed_ = false;  // the peer's close frame came
    bool lost_ = false;         // the stream failed
    bool ended_ = false;
    std::uint16_t gathered_in_ = 0;  // the SendRing's round() that a frame of this was left in
    std::uint32_t references_ = 0;
    Stream stream_;
    Outbox outbox_;
    std::unique_ptr<WebSocketHandler> handler_;  // gone once the session has ended
    const protocol::WebSocketDecoderConfig* decoding_;
    std::unique_ptr<protocol::WebSocketDecoder> decoder_;  // while it has something to remember
    std::unique_ptr<std::string> unread_;                  // read and not yet handed over
    const core::CloseReason* reason_ = nullptr;            // why it closes
    core::TimePoint heard_;                                // the last sign of life
    core::TimePoint ping_due_;
};

// Millions stand idle: with the allocator's header one fills a block of 208 bytes.
static_assert(sizeof(WebSocketConnection<TcpStream>) <= 200);

}  // namespace parley::transports
