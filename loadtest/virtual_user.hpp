// VirtualUser: one participant as a state machine without I/O: bytes in, bytes out. It opens the
// WebSocket, subscribes, publishes when told, answers heartbeats, and checks each delivery.
//
// Path:     WebSocketClient → [VirtualUser] → DeliveryCheck, Tally; back: bytes to send
// Runs on:  one load thread.
// Owned by: WebSocketClient.
// Bounds:   an answer's head of 16 KiB; messages of 16 MiB (more fails the connection).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "loadtest/delivery_check.hpp"
#include "loadtest/luck.hpp"
#include "loadtest/scenario.hpp"
#include "loadtest/stamp.hpp"
#include "loadtest/tally.hpp"
#include "loadtest/target.hpp"
#include "protocol/websocket_frame.hpp"

namespace parley::load {

// What all users of a run share; constant, outlives them.
struct Plan {
    Plan(Scenario the_scenario, Target the_target);

    Scenario scenario;
    Target target;
    protocol::WebSocketDecoderConfig decoder;
    std::string host;    // of the upgrade request
    std::string filler;  // what of the payload follows the stamp

    [[nodiscard]] std::string room_name(std::uint32_t room) const;
};

// What all users of a thread share; with what they have counted.
struct UserContext {
    const Plan& plan;
    Tally tally;
    Luck luck;
    std::string payload;  // scratch
    std::string text;     // scratch
};

class VirtualUser {
public:
    enum class State : std::uint8_t {
        closed,     // not connected: before open(), or over
        upgrading,  // the answer to the upgrade is awaited
        joining,    // the target's steps are being taken
        ready,      // a member of its room
        leaving,    // has said goodbye
    };

    VirtualUser(std::uint32_t index, const Plan& plan);

    // Begins a life on a fresh connection: appends the upgrade request. `from_start`: nothing has
    // been published in this run yet.
    void open(std::string& out, std::int64_t now_ns, bool from_start, UserContext& context);
    // Takes bytes as they came (they are changed); appends what must be sent in answer. State
    // closed afterwards: send what was appended and close the connection.
    void receive(std::span<char> bytes, std::int64_t now_ns, std::string& out,
                 UserContext& context);
    // The connection ended without a close frame; `why` is kept where the user was not ready yet.
    void cut_off(std::string_view why, UserContext& context);

    // Appends the next message. Only while ready.
    void publish(std::int64_t intended_ns, std::string& out, UserContext& context);
    // Says goodbye (1000). What comes afterwards is not counted.
    void leave(std::string& out, UserContext& context);

    // Closes the books of this life. `due`: how many messages its whole room was sent, where this
    // user was a member all along; else only holes in what came count as lost.
    void settle(std::optional<std::uint64_t> due, UserContext& context);

    [[nodiscard]] State state() const noexcept { return state_; }
    [[nodiscard]] std::uint32_t index() const noexcept { return index_; }
    [[nodiscard]] bool slow() const noexcept { return slow_; }
    // Ready in its first life, which began before anything was published.
    [[nodiscard]] bool full_member() const noexcept {
        return state_ == State::ready && lives_ == 1 && from_start_;
    }
    // Deliveries received and announced as skipped, in this life.
    [[nodiscard]] std::uint64_t accounted() const noexcept {
        return check_.received() + check_.announced();
    }
    // Messages published, and those of them that were answered with an error; in all lives.
    [[nodiscard]] std::uint32_t published() const noexcept { return published_; }
    [[nodiscard]] std::uint32_t refused() const noexcept { return refused_; }

private:
    std::span<char> take_head(std::span<char> bytes, std::int64_t now_ns, std::string& out,
                              UserContext& context);
    void take_steps(std::int64_t now_ns, std::string& out, UserContext& context);
    void on_event(const protocol::WebSocketDecoder::Step& step, std::int64_t now_ns,
                  std::string& out, UserContext& context);
    void on_text(std::string_view text, std::int64_t now_ns, std::string& out,
                 UserContext& context);
    void on_joining(std::string_view text, std::int64_t now_ns, std::string& out,
                    UserContext& context);
    void on_close(std::uint16_t code, UserContext& context);
    void on_push(std::string_view text, std::int64_t now_ns, UserContext& context);
    void on_other_push(std::string_view text, UserContext& context);
    void on_stamp(const Stamp& stamp, std::optional<std::uint64_t> offset, std::int64_t now_ns,
                  UserContext& context);
    void count_arrival(DeliveryCheck::Arrival arrival, UserContext& context);
    void fail(std::string_view why, UserContext& context);
    [[nodiscard]] DeliveryCounts& counts(UserContext& context) const noexcept {
        return slow_ ? context.tally.slow : context.tally.steady;
    }

    DeliveryCheck check_;
    std::optional<protocol::WebSocketDecoder> decoder_;
    std::string head_;  // of the upgrade's answer while it is incomplete
    std::string key_;   // Sec-WebSocket-Key until the upgrade is answered
    std::string room_name_;
    std::int64_t opened_ns_ = 0;
    std::uint32_t index_;
    std::uint32_t room_;
    std::uint32_t lives_ = 0;
    std::uint32_t published_ = 0;
    std::uint32_t refused_ = 0;
    std::uint32_t step_ = 0;
    State state_ = State::closed;
    bool slow_;
    bool from_start_ = false;
};

}  // namespace parley::load
