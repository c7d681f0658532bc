// EnginePolling: how a session is carried by polling: what waits for a poll, the poll that waits, and
// publications as records of its answer.
//
// Path:     EngineSession, Flush → [EnginePolling] → EnginePoll → HttpConnection
// Runs on:  its shard.
// Owned by: its EngineSession, until that is upgraded or told of its end; listed by the Gate while
//           the session is open, for between two polls nothing else of it is.
// Bounds:   words of its own: EngineConfig::waiting_bytes, then the session ends as a slow consumer.
//           Publications: none but in the answer to a poll that waits, until that has max_payload.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "core/transport.hpp"
#include "protocol/engineio.hpp"
#include "transports/admission.hpp"
#include "transports/connection.hpp"
#include "transports/http_response.hpp"
#include "transports/socketio/engine_handler.hpp"

namespace parley::transports {

class EngineSession;

// A GET that waits for its answer.
class EnginePoll {
public:
    // Has it answered from the loop, with EngineSession::answer_poll(); what is said meanwhile leaves
    // together.
    virtual void finish_soon() noexcept = 0;
    // Answers it now; from the loop.
    virtual void finish() = 0;

protected:
    ~EnginePoll() = default;
};

class EnginePolling final : public core::FrameWriter, public Connection {
public:
    // One answer has no more packets than that.
    EnginePolling(EngineSession& session, AdmissionTicket ticket, std::size_t packets_max);
    ~EnginePolling() override;

    // What the session says itself.
    void say(protocol::EngineType type, std::string_view data) noexcept;
    void send(MessageKind kind, std::string_view payload) noexcept;

    [[nodiscard]] EnginePoll* poll() const noexcept { return poll_; }
    void park(EnginePoll& poll) noexcept { poll_ = &poll; }
    void forget_poll() noexcept { poll_ = nullptr; }
    // Lets publications in for as long as `task` runs, as if a poll waited.
    template <typename Task>
    void collect(Task task) {
        struct Scope {
            bool& on;
            ~Scope() { on = false; }
        };
        const Scope scope{collecting_ = true};
        task();
    }
    [[nodiscard]] bool has_words() const noexcept { return !words_.empty(); }
    // True where what is said fills an answer.
    [[nodiscard]] bool is_full() const noexcept;
    // What is said, as the answer to a poll; nothing waits any more.
    [[nodiscard]] HttpResponse take_answer();
    // The same as a body of records.
    [[nodiscard]] std::string take_words() noexcept;
    // True once: write_some() has answered `blocked` since.
    [[nodiscard]] bool take_blocked() noexcept { return std::exchange(blocked_, false); }
    // The session has ended, or is carried otherwise: off the gate's list.
    void leave_gate() noexcept;

    // core::FrameWriter
    core::WriteResult write_some(std::span<const core::Frame* const> frames) noexcept override;

    // Connection
    bool announce_drain() noexcept override;
    void close(const core::CloseReason& reason) noexcept override;
    void abort() noexcept override;

private:
    void said() noexcept;
    void append(const core::Frame& frame);
    [[nodiscard]] std::string take_first_words();

    EngineSession* session_;
    EnginePoll* poll_ = nullptr;
    AdmissionTicket ticket_;
    std::string words_;  // records
    std::size_t packets_max_;
    bool collecting_ = false;
    bool blocked_ = false;
    bool listed_ = true;
};

}  // namespace parley::transports
