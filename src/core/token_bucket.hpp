// TokenBucket: so many at once, refilled at a steady rate, kept as one number: the time at which
// the bucket would be full (GCRA, ITU-T I.371).
//
// Path:     Subscriber::admit() → [TokenBucket]
// Runs on:  the shard; SharedTokenBucket any thread.
// Owned by: a session, a room, the admission; a BucketTable.
// Bounds:   8 bytes.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "core/clock.hpp"
#include "core/config.hpp"

namespace parley::core {

namespace detail {
struct Spacing {
    std::int64_t per_token_ns;
    std::int64_t burst_ns;
    explicit Spacing(const RateConfig& rate) noexcept
        : per_token_ns(static_cast<std::int64_t>(1e9 / rate.per_second)),
          burst_ns(static_cast<std::int64_t>(1e9 / rate.per_second * (rate.burst - 1))) {}
};
constexpr std::int64_t to_ns(TimePoint at) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(at.time_since_epoch()).count();
}
}  // namespace detail

class TokenBucket {
public:
    // How long until a token is there: zero when it is there now. Takes none.
    [[nodiscard]] Duration wait(const RateConfig& rate, TimePoint now) const noexcept {
        const detail::Spacing spacing(rate);
        return std::chrono::nanoseconds(
            std::max<std::int64_t>(0, full_at_ns_ - spacing.burst_ns - detail::to_ns(now)));
    }
    // Takes one, whether it is there or not; ask wait() first.
    void take(const RateConfig& rate, TimePoint now) noexcept {
        full_at_ns_ =
            std::max(full_at_ns_, detail::to_ns(now)) + detail::Spacing(rate).per_token_ns;
    }

    // How long until it is full again; zero when it is.
    [[nodiscard]] Duration until_full(TimePoint now) const noexcept {
        return std::chrono::nanoseconds(
            std::max<std::int64_t>(0, full_at_ns_ - detail::to_ns(now)));
    }

private:
    std::int64_t full_at_ns_ = 0;
};

// The same for sessions of several shards. A race between wait() and take() can let one token more
// through per shard: a limit's edge, not its rate.
class SharedTokenBucket {
public:
    [[nodiscard]] Duration wait(const RateConfig& rate, TimePoint now) const noexcept {
        const detail::Spacing spacing(rate);
        // Relaxed: the number guards nothing but itself.
        return std::chrono::nanoseconds(std::max<std::int64_t>(
            0,
            full_at_ns_.load(std::memory_order_relaxed) - spacing.burst_ns - detail::to_ns(now)));
    }
    void take(const RateConfig& rate, TimePoint now) noexcept {
        const detail::Spacing spacing(rate);
        auto seen = full_at_ns_.load(std::memory_order_relaxed);
        while (!full_at_ns_.compare_exchange_weak(
            seen, std::max(seen, detail::to_ns(now)) + spacing.per_token_ns,
            std::memory_order_relaxed)) {
        }
    }
    [[nodiscard]] Duration until_full(TimePoint now) const noexcept {
        return std::chrono::nanoseconds(std::max<std::int64_t>(
            0, full_at_ns_.load(std::memory_order_relaxed) - detail::to_ns(now)));
    }
    // True when forgetting the bucket changes nothing.
    [[nodiscard]] bool full(TimePoint now) const noexcept {
        return full_at_ns_.load(std::memory_order_relaxed) <= detail::to_ns(now);
    }

private:
    std::atomic<std::int64_t> full_at_ns_{0};
};

// How many tokens a bucket holds that will be full so late: whole ones, as wait() counts them.
[[nodiscard]] inline std::uint64_t tokens_left(const RateConfig& rate,
                                               Duration until_full) noexcept {
    const detail::Spacing spacing(rate);
    const auto free_ns = spacing.burst_ns + spacing.per_token_ns -
                         std::chrono::duration_cast<std::chrono::nanoseconds>(until_full).count();
    return free_ns <= 0 ? 0 : static_cast<std::uint64_t>(free_ns / spacing.per_token_ns);
}

}  // namespace parley::core
