// Shard: one thread's part of the server: its sessions for life, its view of the rooms they listen
// to, the homes of the rooms that hash to it, its timers and counters.
//
// Path:     Subscriber → [Shard] → Room; RoomRing → [Shard] → Flush
// Runs on:  its own thread; post() alone may be called from any.
// Owned by: Hub.
// Bounds:   a turn is sliced at flush.slice_writes; a flush is held for its room's delay at most, and
//           a turn longer; the mailbox holds one node per room and one per
//           question under way, which sessions bound; rooms being opened count as rooms.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/claim_counts.hpp"
#include "core/clock.hpp"
#include "core/config.hpp"
#include "core/flush_batch.hpp"
#include "core/flush_pace.hpp"
#include "core/held_flushes.hpp"
#include "core/lost_sessions.hpp"
#include "core/mail.hpp"
#include "core/metrics.hpp"
#include "core/signed_in.hpp"
#include "core/stepwise_set.hpp"
#include "core/timer_wheel.hpp"
#include "core/user_sessions.hpp"
#include "protocol/message.hpp"

namespace parley::core {

class Audience;
class Hub;
class Shard;
struct AuditRecord;
struct RoomRecord;
struct StoredRoom;

[[nodiscard]] std::string_view room_name_of(const std::unique_ptr<Audience>& audience) noexcept;

// Why a room can't be opened; nothing where it is open.
using OpenRefusal = std::optional<protocol::Error>;
using WhenOpen = std::function<void(Shard& home, const OpenRefusal& refused)>;

// How a shard asks its thread to run it. Over an io_context in the server, by hand in simulations.
class ShardLoop {
public:
    virtual ~ShardLoop() = default;
    // Call Shard::turn() soon, behind what is ready now. Runs on: the shard's thread.
    virtual void run_soon() noexcept = 0;
    // The same, from any thread.
    virtual void wake() noexcept = 0;
    // A flush slice is under way from the first to the second: what transports are handed between
    // them may be gathered, since its frames stay until both have returned.
    virtual void slice_begins() noexcept {}
    virtual void slice_ends() noexcept {}
};

class Shard {
public:
    Shard(Hub& hub, ShardLoop& loop, std::uint32_t index, const Instant& now, std::uint64_t seed);
    ~Shard();
    Shard(const Shard&) = delete;
    Shard& operator=(const Shard&) = delete;

    // Takes the mail, drains rooms that have news and flushes one slice. Asks for another turn by
    // run_soon() where something is left. `now` is what everything in this turn goes by.
    void turn(const Instant& now);
    // Sets the time for what is called outside a turn: commands just read, timers.
    void set_now(const Instant& now) noexcept { now_ = now; }
    [[nodiscard]] const Instant& now() const noexcept { return now_; }
    // Its wall clock as format_rfc3339() has it, written once a millisecond.
    [[nodiscard]] const std::string& now_text();

    [[nodiscard]] TimerWheel& timers() noexcept { return timers_; }
    [[nodiscard]] ShardMetrics& metrics() noexcept { return metrics_; }
    [[nodiscard]] const ShardMetrics& metrics() const noexcept { return metrics_; }
    [[nodiscard]] const Config& config() const noexcept { return config_; }
    // Takes new limits, for sessions that are open too.
    void set_limits(const LimitsConfig& limits) noexcept { config_.limits = limits; }
    [[nodiscard]] std::mt19937_64& random() noexcept { return random_; }
    [[nodiscard]] std::uint32_t index() const noexcept { return index_; }
    [[nodiscard]] Hub& hub() const noexcept { return *hub_; }
    // Sessions that ended here and may be taken up again.
    [[nodiscard]] LostSessions& lost_sessions() noexcept { return lost_sessions_; }
    // Those of them that act by a token.
    [[nodiscard]] SignedIn& signed_in() noexcept { return signed_in_; }
    // The sessions that are told of what is for their user, in whatever room.
    [[nodiscard]] UserSessions& user_sessions() noexcept { return user_sessions_; }
    // Those that are not, and listen to rooms: what their user may do there may change.
    [[nodiscard]] UserSessions& listening_sessions() noexcept { return listening_sessions_; }
    // Who owns how many of the rooms whose home is here, where that is kept nowhere else.
    [[nodiscard]] ClaimCounts& claims() noexcept { return claims_; }
    // Rooms that have a home or an audience here.
    [[nodiscard]] std::size_t room_count() const noexcept { return audiences_.size(); }

    // Runs `task` on this shard's thread, in order of posting from each thread. Any thread.
    void post(std::function<void(Shard&)> task);
    // Puts mail on this shard's desk. Any thread.
    void deliver(Mail& mail) noexcept;

    // The rooms, for the rest of the core.
    [[nodiscard]] Audience* find_audience(std::string_view room) const noexcept;
    [[nodiscard]] Audience& audience_of(const std::string& room);
    // The room's audience on this, its home shard, made where there is none; null when there are
    // limits.rooms already. With a store only once the room is open.
    [[nodiscard]] Audience* home_of(const std::string& room);
    // Whether that room, whose home is here, is as the store and the records have it. Without either
    // always.
    [[nodiscard]] bool is_open(std::string_view room) const noexcept;
    // Calls `then` once it is, at once or in a later turn, or with the error where it can't be.
    void when_open(const std::string& room, WhenOpen then);
    // The first `most` rooms whose home is here and whose names follow `name`, in their order; but
    // those that are not listed.
    [[nodiscard]] std::vector<Audience*> homes_after(std::string_view name, std::size_t most) const;
    // Calls f(Audience&) for every room whose home is here.
    template <typename F>
    void each_home(F&& f) const {
        for (const auto& [name, audience] : homes_) f(*audience);
        for (const auto& [name, audience] : unlisted_) f(*audience);
    }
    // Counts what was done about who may do what, or was not, and tells whoever writes it down.
    void audit(const AuditRecord& record);
    // Calls f(const Audience&) for those that have a window or a home here, up to `most` of them;
    // returns how many there are.
    template <typename F>
    std::size_t each_audience(std::size_t most, F&& f) const {
        audiences_.each(most, [&f](const auto& audience) { f(*audience); });
        return audiences_.size();
    }
    void queue_drain(Audience& audience);
    // Has the room flushed in this turn or the next; held back where it may be (flush.delay).
    void queue_flush(Audience& audience);
    // The same at once.
    void flush_soon(Audience& audience);
    // Where that room's flushes wait.
    [[nodiscard]] HoldLine& hold_line_of(const std::string& room);
    // Nothing is held from now on: the server is about to go.
    void hold_no_more();
    // Takes in what the loop's last round was like. Its `sparable` is all that its turn took; how
    // much of that could be spared is known here.
    void note_round(FlushPace::Round round);
    // How long that one may be held at present.
    [[nodiscard]] Duration flush_delay_of(const HeldFlush& flush) const noexcept {
        return held_.delay_of(flush);
    }
    // A pass over that many listeners begins; the last one of the room did so many µs ago.
    void pass_began(std::size_t listeners, std::uint32_t since_last) noexcept {
        visits_ += listeners;
        if (Duration(std::chrono::microseconds(since_last)) < config_.flush.delay_max) {
            visits_again_ += listeners;
        }
    }
    void consider_dropping(Audience& audience);
    // A number that nothing else of this shard's is known by.
    [[nodiscard]] std::uint64_t draw_ticket() noexcept { return ++tickets_; }
    [[nodiscard]] FlushBatch& batch() noexcept { return batch_; }
    // A pass over an audience has ended, whose oldest publication was born then (stamp_of()).
    void pass_ended(std::uint32_t born) noexcept {
        if (passes_ended_ < ended_.size()) ended_[passes_ended_++] = born;
    }
    // Whether note_written() has anything to note: it is worth a look at the clock.
    [[nodiscard]] bool passes_ended() const noexcept { return passes_ended_ != 0; }
    // Lets an audience rest, whose pass is over, once what the slice gathered has left. False
    // outside of a slice: it may rest at once.
    [[nodiscard]] bool rest_after_slice(Audience& audience);
    // Whether a pass is under way that goes on in the next turn.
    [[nodiscard]] bool flush_left() const noexcept { return !to_flush_.empty(); }
    // Records what the passes that ended took until now.
    void note_written(TimePoint now) noexcept;
    // Frames that a batch may still name, let go after its write.
    [[nodiscard]] std::vector<FramePtr>& retired_frames() noexcept { return retired_; }
    // Lets them go: what may name them has been handed over.
    void drop_retired() noexcept;

private:
    struct HoldTimer : Timer {
        explicit HoldTimer(Shard& shard) noexcept : Timer(&fire), owner(&shard) {}
        static void fire(Timer& timer) noexcept;
        Shard* owner;
    };

    [[nodiscard]] bool rooms_are_full() const noexcept;
    void open(const std::string& room);
    void open_records(const std::string& room, StoredRoom&& stored);
    void opened(const std::string& room, Audience* audience, const OpenRefusal& refused);
    Audience& make_home(const std::string& room, const StoredRoom& stored, RoomRecord&& record);
    void request_turn();
    void release_due();
    void flush_slice();
    void arm_hold_timer() noexcept;
    void drop_idle();

    Hub* hub_;
    ShardLoop* loop_;
    std::uint32_t index_;
    Instant now_;
    std::chrono::sys_time<std::chrono::milliseconds> now_text_of_{};
    std::string now_text_;
    std::mt19937_64 random_;
    TimerWheel timers_;
    Mailbox mailbox_;
    ShardMetrics metrics_;
    LostSessions lost_sessions_;
    UserSessions user_sessions_;
    UserSessions listening_sessions_;
    ClaimCounts claims_;  // outlives the rooms
    SignedIn signed_in_;
    Config config_;
    FlushBatch batch_;
    std::vector<FramePtr> retired_;
    FlushPace pace_;
    HeldFlushes held_;  // outlives the rooms that stand in it
    StepwiseSet<std::unique_ptr<Audience>, &room_name_of> audiences_;
    std::vector<Audience*> to_drain_;
    std::deque<Audience*> to_flush_;
    std::vector<Audience*> may_drop_;
    std::array<std::uint32_t, 256> ended_{};
    std::size_t passes_ended_ = 0;
    std::vector<Audience*> to_rest_;  // behind the slice that is under way
    bool in_slice_ = false;
    bool turn_requested_ = false;
    bool holds_ = true;
    HoldTimer hold_timer_;
    std::uint64_t tickets_ = 0;
    std::size_t visits_ = 0;        // listeners of the passes begun since the last judgement
    std::size_t visits_again_ = 0;  // of those, in rooms that had a pass not long before
    std::size_t of_visits_ = 1;     // both as they were when the last pass began
    std::size_t of_visits_again_ = 1;
    // The rooms whose home is here, by name: views of the audiences' own.
    std::map<std::string_view, Audience*> homes_;
    std::map<std::string_view, Audience*> unlisted_;  // the private ones among them
    // Rooms that the store was asked for, and who waits for each.
    std::unordered_map<std::string, std::vector<WhenOpen>> openings_;
};

}  // namespace parley::core
