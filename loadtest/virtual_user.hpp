// VirtualUser: one participant without I/O: bytes in, bytes out. Its dialogue speaks the transport;
// the user itself knows how far it has come, and checks each delivery.
//
// Path:     Client → [VirtualUser] → Dialogue → [VirtualUser] → DeliveryCheck, Tally
// Runs on:  one load thread.
// Owned by: Client.
// Bounds:   its dialogue's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "loadtest/delivery_check.hpp"
#include "loadtest/dialogue.hpp"
#include "loadtest/stamp.hpp"
#include "loadtest/user_context.hpp"

namespace parley::load {

class VirtualUser {
public:
    enum class State : std::uint8_t {
        closed,   // not connected: before open(), or over
        opening,  // the dialogue is being opened
        ready,    // takes part
        leaving,  // has said goodbye
    };

    // An index of Scenario::connections or more is a sender: it listens to no room, and sends for
    // others by `rest`.
    VirtualUser(std::uint32_t index, const Plan& plan);

    // Begins a life on a fresh connection: appends what opens it. `from_start`: nothing has been
    // published in this run yet.
    void open(std::string& out, std::int64_t now_ns, bool from_start, UserContext& context);
    // Begins a further life where the last one ended: the server is asked for what was said since.
    // Only where may_come_back() was true in the last life.
    void come_back(std::string& out, std::int64_t now_ns, UserContext& context);
    // Goes on with the same life on a fresh connection, where resumes() or reconnects() was true.
    void reopen(std::string& out, UserContext& context);
    // Takes bytes as they came (they are changed); appends what must be sent in answer. State
    // closed afterwards: send what was appended and close the connection.
    void receive(std::span<char> bytes, std::int64_t now_ns, std::string& out,
                 UserContext& context);
    // The connection ended without a goodbye; `why` is kept where the user was not ready yet.
    void cut_off(std::string_view why, UserContext& context);

    // Sends a message. Only while ready, and where its transport speaks.
    void publish(const Stamp& message, std::string& out, UserContext& context);
    // Says goodbye; what comes afterwards is not counted. State closed afterwards: there is no
    // goodbye to be answered.
    void leave(std::string& out, UserContext& context);

    // Ends without a goodbye, and without being counted as ended by the other side.
    void vanish(UserContext& context);

    // Closes the books of this life. `due`: how many messages its whole room was sent, where this
    // user was a member all along; else only holes in what came count as lost.
    void settle(std::optional<std::uint64_t> due, UserContext& context);

    // Opens the books of a further pass, which this user takes part in from its start. Only while
    // ready.
    void begin_books();

    // ---- what the dialogue tells -----------------------------------------------------------------

    // The room's last offset when the user joined; of no effect where it came back.
    void on_position(std::uint64_t offset);
    void on_ready(std::int64_t now_ns, UserContext& context);
    // One text that the server sent to a listener: a delivery, or something that is none.
    void on_push(std::string_view text, std::int64_t now_ns, UserContext& context);
    // One text that is a delivery, with its offset where the server numbers them.
    void on_delivery(std::string_view text, std::optional<std::uint64_t> offset,
                     std::int64_t now_ns, UserContext& context);
    // Messages of a room up to its offset `last`, as JSON, one behind the other: those that followed
    // what came before, or, where not `recovered`, the newest of them; the others will not come.
    void on_history(std::string_view messages, std::uint64_t last, bool recovered,
                    std::int64_t now_ns, UserContext& context);
    // The server says that these offsets will not come.
    void on_gap(std::uint64_t from, std::uint64_t to, UserContext& context);
    // The server has ended it, with a close code of RFC 6455.
    void on_close(std::uint16_t code, UserContext& context);
    // It ended before it was ready.
    void fail(std::string_view why, UserContext& context);
    // It was ready, and broke; the reason is kept.
    void on_broken(std::string_view why, UserContext& context);

    // Calls what the next receive() will look at into the cache.
    void prefetch() const noexcept {
        check_.prefetch();
        dialogue_->prefetch();
    }

    // ---- what it is ------------------------------------------------------------------------------

    [[nodiscard]] State state() const noexcept { return state_; }
    [[nodiscard]] std::uint32_t index() const noexcept { return index_; }
    [[nodiscard]] Transport transport() const noexcept { return transport_; }
    [[nodiscard]] const std::string& room_name() const noexcept { return room_name_; }
    [[nodiscard]] bool slow() const noexcept { return slow_; }
    [[nodiscard]] Tally& tally(UserContext& context) const noexcept {
        return context.tallies[tally_];
    }
    // Ready in its first life, which began before anything was published, or back from there, and
    // sent what is said.
    [[nodiscard]] bool full_member() const noexcept {
        return state_ == State::ready && from_start_ && listens_;
    }
    // Comes back where it is now, should it leave.
    [[nodiscard]] bool may_come_back() const {
        return resumes_life_ && state_ == State::ready && dialogue_->may_come_back(*this);
    }
    // Has been opened before.
    [[nodiscard]] bool lived() const noexcept { return lives_ > 0; }
    // In a further life, which goes on where the last one ended.
    [[nodiscard]] bool came_back() const noexcept { return came_back_; }
    // Of the last delivery; nothing where the server numbers nothing, or nothing was said yet.
    [[nodiscard]] std::optional<std::uint64_t> last_offset() const { return check_.last_offset(); }
    // Deliveries received and announced as skipped, in this life and those that it goes on from.
    [[nodiscard]] std::uint64_t accounted() const noexcept {
        return check_.received() + check_.announced();
    }
    // Messages that its dialogue keeps, or that were not answered yet.
    [[nodiscard]] std::size_t pending() const { return dialogue_->pending(); }
    void give_up(UserContext& context) { dialogue_->give_up(context); }
    [[nodiscard]] EnginePosts* posts() { return dialogue_->posts(); }
    // A connection that ends now is no loss: reopen() on a fresh one.
    [[nodiscard]] bool resumes() const { return dialogue_->may_end(); }
    // The server has said that the connection ends: reopen() on a fresh one.
    [[nodiscard]] bool reconnects() const { return dialogue_->must_end(); }

private:
    void on_other_push(std::string_view text, UserContext& context);
    void on_stamp(const Stamp& stamp, std::optional<std::uint64_t> offset, std::int64_t now_ns,
                  UserContext& context);
    static void count_in_phases(const Stamp& stamp, std::int64_t now_ns, bool timed, Tally& tally);
    void count_arrival(DeliveryCheck::Arrival arrival, UserContext& context);
    [[nodiscard]] DeliveryCounts& counts(UserContext& context) const noexcept {
        return slow_ ? tally(context).slow : tally(context).steady;
    }

    DeliveryCheck check_;
    std::unique_ptr<Dialogue> dialogue_;
    std::string room_name_;
    std::int64_t opened_ns_ = 0;
    std::uint32_t index_;
    std::uint32_t room_;
    std::uint32_t lives_ = 0;
    State state_ = State::closed;
    Transport transport_;
    std::uint8_t tally_;
    bool listens_;
    bool slow_;
    bool from_start_ = false;
    bool resumes_life_ = false;  // its persona does
    bool came_back_ = false;
    std::int64_t ready_ns_ = 0;  // of this life
};

}  // namespace parley::load
