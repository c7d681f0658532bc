// TestHub: a hub whose shards all run on the test's thread, one turn at a time, in a time that
// passes only when the test says so.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "core/audience.hpp"
#include "core/hub.hpp"
#include "core/shard.hpp"

namespace parley::test {

using std::chrono::milliseconds;

// A shard loop turned by hand.
struct HandLoop final : core::ShardLoop {
    bool runnable = false;
    int slices = 0;    // that were begun
    int in_slice = 0;  // 1 within one
    std::function<void()> at_slice_end;
    void run_soon() noexcept override { runnable = true; }
    void wake() noexcept override { runnable = true; }
    void slice_begins() noexcept override {
        ++slices;
        ++in_slice;
    }
    void slice_ends() noexcept override {
        --in_slice;
        if (at_slice_end) at_slice_end();
    }
};

// Limits that no test meets unless it is about them.
inline core::Config unlimited_config(std::uint32_t shards = 1) {
    core::Config config;
    config.shards = shards;
    config.limits.enabled = false;
    return config;
}

class TestHub {
public:
    explicit TestHub(core::Config config = unlimited_config(), std::uint64_t seed = 1,
                     core::HistoryStore* store = nullptr)
        : loops_(config.shards) {
        std::vector<core::ShardLoop*> loops;
        for (auto& loop : loops_) loops.push_back(&loop);
        hub_ = std::make_unique<core::Hub>(std::move(config), loops, now_, seed, store);
    }

    [[nodiscard]] core::Hub& hub() noexcept { return *hub_; }
    [[nodiscard]] core::Shard& shard(std::size_t index = 0) { return hub_->shard(index); }
    [[nodiscard]] HandLoop& loop(std::size_t index = 0) noexcept { return loops_[index]; }
    [[nodiscard]] std::size_t shards() const noexcept { return loops_.size(); }
    [[nodiscard]] const core::Instant& now() const noexcept { return now_; }
    [[nodiscard]] std::uint64_t total(core::Metric metric) const { return hub_->total(metric); }

    // What a shard's thread does when it wakes: fires timers, runs one turn if one was asked for.
    // True where there was one.
    bool run(std::size_t index) {
        core::Shard& shard = hub_->shard(index);
        shard.set_now(now_);
        shard.timers().advance(now_.mono);
        if (!std::exchange(loops_[index].runnable, false)) return false;
        shard.turn(now_);
        return true;
    }
    // Turns until nobody has anything to do. Returns how many; throws where it does not end.
    std::size_t settle() {
        std::size_t turns = 0;
        for (bool any = true; any;) {
            any = false;
            for (std::size_t i = 0; i < loops_.size(); ++i) any = run(i) || any;
            turns += any ? 1 : 0;
            if (turns > 100'000) throw std::runtime_error("the shards never rest");
        }
        return turns;
    }
    // Time passes at one go, on all shards, and nobody runs.
    void jump(milliseconds by) {
        now_.mono += by;
        now_.wall += by;
        for (std::size_t i = 0; i < loops_.size(); ++i) hub_->shard(i).set_now(now_);
    }
    // Time passes from deadline to deadline; everything settles at each.
    void pass(milliseconds time) {
        const auto end = now_.mono + time;
        settle();
        while (now_.mono < end) {
            auto next = end;
            for (std::size_t i = 0; i < loops_.size(); ++i) {
                if (const auto due = hub_->shard(i).timers().next_due()) {
                    next = std::min(next, *due);
                }
            }
            const auto step = std::chrono::ceil<milliseconds>(next - now_.mono);
            jump(std::max(step, milliseconds(1)));
            settle();
        }
    }
    // A room's name whose home is that shard: `stem`-0, `stem`-1, …
    [[nodiscard]] std::string room_at(std::size_t shard, const std::string& stem = "room") const {
        for (int i = 0;; ++i) {
            std::string name = stem + "-" + std::to_string(i);
            if (hub_->home_of(name).index() == shard) return name;
        }
    }

private:
    core::Instant now_{core::TimePoint{} + std::chrono::hours(1),
                       core::WallTime{} + std::chrono::seconds(1'800'000'000)};
    std::vector<HandLoop> loops_;
    std::unique_ptr<core::Hub> hub_;
};

}  // namespace parley::test
