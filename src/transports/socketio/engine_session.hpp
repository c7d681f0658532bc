// EngineSession: one Engine.IO v4 session and what carries it: polling, polling beside a WebSocket
// that probes, or a WebSocket (Engine.IO protocol, revision 4; where that is silent, the reference).
//
// Path:     EngineFrontend, EngineSocket → [EngineSession] → EngineHandler;
//           EngineHandler → [EngineSession] → EnginePolling, WebSocketLink
// Runs on:  its shard.
// Owned by: EngineSessions while it has the session's id; each carrier and deferred step holds a
//           reference, too.
// Bounds:   time: ping_interval and ping_timeout; upgrade_timeout; closed and not fetched,
//           farewell_time. In: one body, or the WebSocket's message. Out: EnginePolling's, or
//           WebSocketConnection's.
#pragma once

#include <array>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/timer_wheel.hpp"
#include "protocol/engineio.hpp"
#include "transports/frontend.hpp"
#include "transports/secret_id.hpp"
#include "transports/socketio/engine_handler.hpp"

namespace parley::transports {

class EnginePolling;
class EnginePoll;
class EngineSessions;
class EngineSocket;
struct EnginePosting;
struct EngineUpgrade;

// How long the client may come for the end of a session that was closed while no poll waited.
inline constexpr std::chrono::seconds farewell_time{30};
// Between two answers to polls that keep coming while the client should be upgrading.
inline constexpr std::chrono::milliseconds upgrade_poll_every{100};

class EngineSession final : public EngineLink, private core::Timer {
public:
    using Pointer = boost::intrusive_ptr<EngineSession>;

    // `sessions` outlives it. Open from the call of one of the two on.
    EngineSession(EngineSessions& sessions, const SecretId& sid,
                  std::unique_ptr<EngineHandler> handler, std::size_t poll_packets_max);

    // ---- polling, for EngineFrontend

    // Opens it; the answer to the request is `open`, and what the handler says at once. The ticket
    // is its place while it has no connection of its own.
    [[nodiscard]] HttpResponse open_polling(AdmissionTicket ticket);
    // A GET: its answer, or nothing: it is to wait as an EnginePoll. A second one beside one that
    // waits ends the session.
    [[nodiscard]] std::optional<HttpResponse> poll();
    // A POST: its answer, or nothing: that comes later (Exchange::answer_later()), when the handler
    // has taken every packet. A second one meanwhile ends the session.
    [[nodiscard]] std::optional<HttpResponse> post(Exchange& exchange);

    // ---- for an EnginePoll

    void park(EnginePoll& poll);
    // What it is answered with, once; from the loop.
    [[nodiscard]] HttpResponse answer_poll();
    // Its client is gone: so is the session.
    void poll_lost(EnginePoll& poll) noexcept;
    // The same where an answer could not be written whole.
    void answer_lost() noexcept;

    // ---- for an EngineSocket

    void open_socket(EngineSocket& socket);
    // False: there is a WebSocket already, be it one that probes.
    [[nodiscard]] bool begin_upgrade(EngineSocket& socket);
    // What a probing WebSocket says; nothing: no packet.
    void probe(EngineSocket& socket, const std::optional<protocol::EnginePacket>& packet);
    // What the session's WebSocket says; nothing: no packet.
    void take_from_socket(const std::optional<protocol::EnginePacket>& packet);
    [[nodiscard]] bool ready_for_socket() const noexcept { return !posting_ && handler_->ready(); }
    void socket_writable() { handler_->on_writable(); }
    void socket_closed(EngineSocket& socket, const core::CloseReason& reason) noexcept;

    void announce_drain();

    // ---- EngineLink

    void send(MessageKind kind, std::string_view payload) noexcept override;
    [[nodiscard]] core::FrameWriter& writer() noexcept override;
    void close(const core::CloseReason& reason) noexcept override;
    void resume() noexcept override;

    // ---- for EngineSessions and EnginePolling

    [[nodiscard]] std::string_view sid() const noexcept { return {sid_.data(), sid_.size()}; }
    [[nodiscard]] EngineSessions& sessions() const noexcept { return *sessions_; }
    // True while its id is one: also closed, until the client was told.
    [[nodiscard]] bool is_listed() const noexcept { return stage_ != Stage::gone; }
    [[nodiscard]] bool is_open() const noexcept { return stage_ == Stage::open; }
    // Ends it where a pong is overdue, by whatever little.
    void expire() noexcept;
    // Ends it without a word, from the loop.
    void abort() noexcept;

    friend void intrusive_ptr_add_ref(EngineSession* session) noexcept { ++session->references_; }
    friend void intrusive_ptr_release(EngineSession* session) noexcept {
        if (--session->references_ == 0) delete session;
    }

private:
    enum class Stage : std::uint8_t {
        made,
        open,
        closing,   // by this side: the end follows from the loop
        farewell,  // ended, and the client has still to come and be told
        gone,
    };
    enum class Waiting : std::uint8_t { for_ping, for_pong };
    ~EngineSession();

    void open();
    [[nodiscard]] std::string describe(bool upgrades) const;

    // In.
    [[nodiscard]] bool take(const protocol::EnginePacket& packet);
    [[nodiscard]] std::optional<HttpResponse> hand_over();
    void go_on_posting();
    [[nodiscard]] bool answer_is_full() const noexcept;

    // Out, whatever carries it.
    void say(protocol::EngineType type, std::string_view data = {}) noexcept;

    // Upgrading.
    [[nodiscard]] bool owes_nudge() noexcept;
    void on_upgrade_timer() noexcept;
    void finish_upgrade();
    void drop_upgrade(const core::CloseReason& reason) noexcept;

    // Time.
    void on_timer() noexcept;
    void await_ping(core::TimePoint from) noexcept;

    // Ending: `last` is what a waiting poll is told behind what it was to be told.
    void end(const core::CloseReason& reason,
             protocol::EngineType last = protocol::EngineType::close) noexcept;
    void end_closing() noexcept;

    EngineSessions* sessions_;
    std::unique_ptr<EngineHandler> handler_;  // gone once the session has ended
    EngineSocket* socket_ = nullptr;          // what carries it, where polling does not any more
    std::unique_ptr<EnginePolling> polling_;
    std::unique_ptr<EnginePosting> posting_;     // a body that the handler has not taken whole
    std::unique_ptr<EngineUpgrade> upgrade_;     // while a WebSocket probes
    const core::CloseReason* reason_ = nullptr;  // why it closes
    core::TimePoint due_;                        // of what is waited for
    SecretId sid_;
    std::size_t poll_packets_max_;
    std::uint32_t references_ = 0;
    Stage stage_ = Stage::made;
    Waiting waiting_ = Waiting::for_ping;
};

}  // namespace parley::transports
