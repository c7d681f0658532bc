// Histogram: log-linear counts of durations, after the idea of HdrHistogram (Gil Tene): each power
// of two is cut into 128 equal buckets, so that a percentile is at most 1/128 (0.8 %) above the
// value that it stands for, from nanoseconds to hours, and two histograms add up bucket by bucket.
//
// Path:     VirtualUser → [Histogram] → Report
// Runs on:  the load thread that owns it; merged after the threads have ended.
// Owned by: Tally.
// Bounds:   value_max (2.4 hours in ns); longer values count in the last bucket, max() stays exact.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace parley::load {

class Histogram {
public:
    static constexpr unsigned sub_bucket_bits = 7;
    static constexpr unsigned value_bits = 43;
    static constexpr std::uint64_t value_max = (std::uint64_t{1} << value_bits) - 1;
    // Equal parts of a power of two, and how many powers of two there are.
    static constexpr unsigned sub_buckets = 1u << sub_bucket_bits;
    static constexpr unsigned octaves = value_bits - sub_bucket_bits + 1;

    Histogram();

    // Counts one value; a negative one counts as 0. Never allocates.
    void record(std::int64_t value) noexcept {
        const std::uint64_t counted = value < 0 ? 0 : static_cast<std::uint64_t>(value);
        ++buckets_[index_of(std::min(counted, value_max))];
        ++count_;
        min_ = std::min(min_, counted);
        max_ = std::max(max_, counted);
        sum_ += static_cast<double>(counted);
    }
    void merge(const Histogram& other) noexcept;

    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
    // Exact; 0 while empty.
    [[nodiscard]] std::uint64_t max() const noexcept { return max_; }
    [[nodiscard]] std::uint64_t min() const noexcept { return count_ == 0 ? 0 : min_; }
    [[nodiscard]] double mean() const noexcept;

    // The smallest value that at least `percent` percent of the counted values do not exceed,
    // rounded up to its bucket's edge, never above max(). 0 while empty.
    [[nodiscard]] std::uint64_t percentile(double percent) const noexcept;

    // Calls take(lower, upper, count) for every bucket that holds something, from below: the least
    // and the greatest value that it counts, the latter never above max().
    template <typename Take>
    void each_bucket(Take take) const {
        std::uint64_t lower = 0;
        for (std::size_t i = 0; i < buckets_.size(); ++i) {
            const std::uint64_t upper = i + 1 == buckets_.size() ? max_ : upper_edge(i);
            if (buckets_[i] > 0) take(lower, std::min(upper, max_), buckets_[i]);
            lower = upper + 1;
        }
    }
    // Buckets that are not empty, for another process to add.
    struct Bucket {
        std::uint64_t index = 0;
        std::uint64_t count = 0;
    };
    [[nodiscard]] std::vector<Bucket> filled() const;
    [[nodiscard]] double sum() const noexcept { return sum_; }
    // Adds what filled(), min(), max() and sum() of another told; false, and nothing is added, where
    // one of the buckets does not exist.
    [[nodiscard]] bool add(std::span<const Bucket> buckets, std::uint64_t min, std::uint64_t max,
                           double sum);

private:
    static std::size_t index_of(std::uint64_t value) noexcept {
        if (value < 2 * sub_buckets) return value;
        const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - (sub_bucket_bits + 1);
        return shift * sub_buckets + (value >> shift);
    }
    static std::uint64_t upper_edge(std::size_t index) noexcept;

    std::vector<std::uint64_t> buckets_;
    std::uint64_t count_ = 0;
    std::uint64_t min_ = value_max;
    std::uint64_t max_ = 0;
    double sum_ = 0;
};

}  // namespace parley::load
