#include "transports/admin/shard_watch.hpp"

#include <algorithm>

namespace parley::transports::admin {
namespace {

std::int64_t ticks(core::TimePoint at) noexcept {
    return at.time_since_epoch().count();
}

}  // namespace

ShardWatch::ShardWatch(core::Hub& hub)
    : hub_(&hub), pulses_(std::make_shared<std::vector<Pulse>>(hub.shard_count())) {}

void ShardWatch::ask(core::TimePoint now) {
    for (std::size_t i = 0; i < hub_->shard_count(); ++i) {
        Pulse& pulse = (*pulses_)[i];
        if (pulse.asked.load(std::memory_order_acquire) != 0) continue;
        pulse.asked.store(ticks(now), std::memory_order_release);
        hub_->shard(i).post([pulses = pulses_, i](core::Shard& shard) {
            Pulse& own = (*pulses)[i];
            const auto asked = own.asked.load(std::memory_order_acquire);
            own.took.store(std::max<std::int64_t>(0, ticks(shard.now().mono) - asked),
                           std::memory_order_relaxed);
            own.asked.store(0, std::memory_order_release);
        });
    }
}

bool ShardWatch::all_answered() const noexcept {
    return std::all_of(pulses_->begin(), pulses_->end(), [](const Pulse& pulse) {
        return pulse.asked.load(std::memory_order_acquire) == 0;
    });
}

std::vector<std::uint32_t> ShardWatch::silent_for(core::Duration time, core::TimePoint now) const {
    std::vector<std::uint32_t> silent;
    for (std::size_t i = 0; i < hub_->shard_count(); ++i) {
        const auto asked = (*pulses_)[i].asked.load(std::memory_order_acquire);
        if (asked != 0 && ticks(now) - asked >= time.count()) {
            silent.push_back(static_cast<std::uint32_t>(i));
        }
    }
    return silent;
}

core::Duration ShardWatch::answer_time(std::size_t shard, core::TimePoint now) const noexcept {
    const Pulse& pulse = (*pulses_)[shard];
    const auto asked = pulse.asked.load(std::memory_order_acquire);
    const auto owed = asked == 0 ? 0 : ticks(now) - asked;
    return core::Duration(std::max(owed, pulse.took.load(std::memory_order_relaxed)));
}

}  // namespace parley::transports::admin
