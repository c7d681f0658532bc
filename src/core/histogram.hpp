// Histogram: how often a measured value fell into which of a fixed row of buckets.
//
// Path:     the shard's work → [Histogram] → whoever reports
// Runs on:  record() on one thread, its shard's; read() and sum() on any.
// Owned by: ShardMetrics.
// Bounds:   buckets_max counters, whatever is measured; a record allocates and locks nothing.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace parley::core {

// The bounds of a histogram's buckets: 2^first, then evenly 2^steps_log2 of them from each power of
// two to the next, up to 2^last. Behind the last there is one more bucket without a bound. A bound
// belongs to its bucket (Prometheus: `le`). first >= steps_log2, so that bounds are whole numbers.
struct HistogramShape {
    unsigned first;
    unsigned last;
    unsigned steps_log2;

    [[nodiscard]] constexpr std::size_t bounds() const noexcept {
        return 1 + (std::size_t{last - first} << steps_log2);
    }
    [[nodiscard]] constexpr std::uint64_t bound(std::size_t bucket) const noexcept {
        if (bucket == 0) return std::uint64_t{1} << first;
        const std::size_t octave = first + ((bucket - 1) >> steps_log2);
        const std::uint64_t step = ((bucket - 1) & ((std::size_t{1} << steps_log2) - 1)) + 1;
        return (std::uint64_t{1} << octave) + ((step << octave) >> steps_log2);
    }
    // bounds() for what is beyond the last one.
    [[nodiscard]] constexpr std::size_t bucket_of(std::uint64_t value) const noexcept {
        if (value <= bound(0)) return 0;
        // One less, since a power of two closes its octave.
        const std::uint64_t inside = value - 1;
        const auto octave = static_cast<unsigned>(std::bit_width(inside)) - 1;
        if (octave >= last) return bounds();
        const std::uint64_t step =
            (inside >> (octave - steps_log2)) & ((std::uint64_t{1} << steps_log2) - 1);
        return 1 + (std::size_t{octave - first} << steps_log2) + static_cast<std::size_t>(step);
    }
};

class Histogram {
public:
    // The bucket without a bound included.
    static constexpr std::size_t buckets_max = 48;

    void record(const HistogramShape& shape, std::uint64_t value) noexcept {
        add(buckets_[shape.bucket_of(value)], 1);
        add(sum_, value);
    }
    [[nodiscard]] std::uint64_t read(std::size_t bucket) const noexcept {
        return buckets_[bucket].load(std::memory_order_relaxed);
    }
    // Of all values.
    [[nodiscard]] std::uint64_t sum() const noexcept {
        return sum_.load(std::memory_order_relaxed);
    }

private:
    // One writer: a load and a store, no locked instruction. Relaxed pairs with read() and sum().
    static void add(std::atomic<std::uint64_t>& counter, std::uint64_t n) noexcept {
        counter.store(counter.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
    }

    std::array<std::atomic<std::uint64_t>, buckets_max> buckets_{};
    std::atomic<std::uint64_t> sum_{0};
};

}  // namespace parley::core
