// Shard: one thread's part of the server: its sessions for life, its view of the rooms they listen
// to, the homes of the rooms that hash to it, its timers and counters.
//
// Path:     Subscriber → [Shard] → Room; RoomRing → [Shard] → Flush
// Runs on:  its own thread; post() alone may be called from any.
// Owned by: Hub.
// Bounds:   a turn is sliced at flush.slice_writes; the mailbox holds one node per room and one per
//           question under way, which sessions bound.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/clock.hpp"
#include "core/config.hpp"
#include "core/flush_batch.hpp"
#include "core/lost_sessions.hpp"
#include "core/mail.hpp"
#include "core/metrics.hpp"
#include "core/timer_wheel.hpp"

namespace parley::core {

class Audience;
class Hub;

// How a shard asks its thread to run it. Over an io_context in the server, by hand in simulations.
class ShardLoop {
public:
    virtual ~ShardLoop() = default;
    // Call Shard::turn() soon, behind what is ready now. Runs on: the shard's thread.
    virtual void run_soon() noexcept = 0;
    // The same, from any thread.
    virtual void wake() noexcept = 0;
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
    // Rooms that have a home or an audience here.
    [[nodiscard]] std::size_t room_count() const noexcept { return audiences_.size(); }

    // Runs `task` on this shard's thread, in order of posting from each thread. Any thread.
    void post(std::function<void(Shard&)> task);
    // Puts mail on this shard's desk. Any thread.
    void deliver(Mail& mail) noexcept;

    // The rooms, for the rest of the core.
    [[nodiscard]] Audience* find_audience(const std::string& room) noexcept;
    [[nodiscard]] Audience& audience_of(const std::string& room);
    // The room's audience on this, its home shard, made where there is none; null when there are
    // limits.rooms already.
    [[nodiscard]] Audience* home_of(const std::string& room);
    // The first `most` rooms whose home is here and whose names follow `name`, in their order.
    [[nodiscard]] std::vector<Audience*> homes_after(std::string_view name, std::size_t most) const;
    // Calls f(const Audience&) for those that have a window or a home here, up to `most` of them;
    // returns how many there are.
    template <typename F>
    std::size_t each_audience(std::size_t most, F&& f) const {
        for (const auto& [name, audience] : audiences_) {
            if (most == 0) break;
            --most;
            f(*audience);
        }
        return audiences_.size();
    }
    void queue_drain(Audience& audience);
    void queue_flush(Audience& audience);
    void consider_dropping(Audience& audience);
    [[nodiscard]] FlushBatch& batch() noexcept { return batch_; }
    // A pass over an audience has ended, whose oldest publication was born then (stamp_of()).
    void pass_ended(std::uint32_t born) noexcept {
        if (passes_ended_ < ended_.size()) ended_[passes_ended_++] = born;
    }
    // Whether note_written() has anything to note: it is worth a look at the clock.
    [[nodiscard]] bool passes_ended() const noexcept { return passes_ended_ != 0; }
    // Records what the passes that ended took until now.
    void note_written(TimePoint now) noexcept;
    // Frames that a batch may still name, let go after its write.
    [[nodiscard]] std::vector<FramePtr>& retired_frames() noexcept { return retired_; }

private:
    void request_turn();
    void flush_slice();
    void drop_idle();

    Hub* hub_;
    ShardLoop* loop_;
    std::uint32_t index_;
    Instant now_;
    std::mt19937_64 random_;
    TimerWheel timers_;
    Mailbox mailbox_;
    ShardMetrics metrics_;
    LostSessions lost_sessions_;
    Config config_;
    FlushBatch batch_;
    std::vector<FramePtr> retired_;
    std::unordered_map<std::string, std::unique_ptr<Audience>> audiences_;
    std::vector<Audience*> to_drain_;
    std::deque<Audience*> to_flush_;
    std::vector<Audience*> may_drop_;
    std::array<std::uint32_t, 256> ended_{};
    std::size_t passes_ended_ = 0;
    bool turn_requested_ = false;
    // The rooms whose home is here, by name: views of the audiences' own.
    std::map<std::string_view, Audience*> homes_;
};

}  // namespace parley::core
