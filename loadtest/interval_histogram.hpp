// IntervalHistogram: a small log-linear histogram of the durations of one interval: each power of
// two is cut into 32 buckets, in units of 1.024 us, so that a percentile is at most 1/32 (3.1 %)
// and 1.024 us above the value that it stands for. Two of them add up bucket by bucket.
//
// Path:     VirtualUser → TimeSeries → [IntervalHistogram] → Report
// Runs on:  the load thread that owns it; merged after the threads have ended.
// Owned by: TimeSeries.
// Bounds:   bucket_count counters of 8 bytes (7.25 KiB), none of them allocated; values above
//           2^43 ns (2.4 h) count in the last bucket, max() stays exact.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace parley::load {

class IntervalHistogram {
public:
    static constexpr unsigned unit_bits = 10;
    static constexpr unsigned sub_bucket_bits = 5;
    static constexpr unsigned value_bits = 33;  // of units
    static constexpr std::size_t bucket_count = (value_bits - sub_bucket_bits + 1)
                                                << sub_bucket_bits;

    // Counts one value in ns; a negative one counts as 0. Never allocates.
    void record(std::int64_t value_ns) noexcept {
        const std::uint64_t value = value_ns < 0 ? 0 : static_cast<std::uint64_t>(value_ns);
        ++buckets_[index_of(value >> unit_bits)];
        ++count_;
        max_ = std::max(max_, value);
    }
    void merge(const IntervalHistogram& other) noexcept;
    // Counts `times` values into a bucket, as each_bucket() names it; `max_ns` is one of them. False:
    // there is no such bucket.
    [[nodiscard]] bool add(std::size_t bucket, std::uint64_t times, std::uint64_t max_ns) noexcept;
    // Calls take(bucket, count) for each bucket that holds something.
    template <typename Take>
    void each_bucket(Take take) const {
        for (std::size_t i = 0; i < bucket_count; ++i) {
            if (buckets_[i] > 0) take(i, buckets_[i]);
        }
    }

    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
    // Exact, in ns; 0 while empty.
    [[nodiscard]] std::uint64_t max() const noexcept { return max_; }
    // In ns, rounded up to the bucket's edge, never above max(). 0 while empty.
    [[nodiscard]] std::uint64_t percentile(double percent) const noexcept;

private:
    static std::size_t index_of(std::uint64_t units) noexcept {
        constexpr std::uint64_t last = (std::uint64_t{1} << value_bits) - 1;
        const std::uint64_t value = std::min(units, last);
        if (value < (2u << sub_bucket_bits)) return value;
        const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - (sub_bucket_bits + 1);
        return (std::size_t{shift} << sub_bucket_bits) + (value >> shift);
    }
    static std::uint64_t upper_edge_ns(std::size_t index) noexcept;

    std::array<std::uint64_t, bucket_count> buckets_{};
    std::uint64_t count_ = 0;
    std::uint64_t max_ = 0;
};

}  // namespace parley::load
