// Histogram: log-linear counts of durations, after the idea of HdrHistogram (Gil Tene): each power
// of two is cut into 128 equal buckets, so that a percentile is at most 1/128 (0.8 %) above the
// value that it stands for, from nanoseconds to hours, and two histograms add up bucket by bucket.
//
// Path:     VirtualUser → [Histogram] → Report
// Runs on:  the load thread that owns it; merged after the threads have ended.
// Owned by: Tally.
// Bounds:   value_max (2.4 hours in ns); longer values count in the last bucket, max() stays exact.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace parley::load {

class Histogram {
public:
    static constexpr unsigned sub_bucket_bits = 7;
    static constexpr unsigned value_bits = 43;
    static constexpr std::uint64_t value_max = (std::uint64_t{1} << value_bits) - 1;

    Histogram();

    // Counts one value; a negative one counts as 0. Never allocates.
    void record(std::int64_t value) noexcept;
    void merge(const Histogram& other) noexcept;

    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
    // Exact; 0 while empty.
    [[nodiscard]] std::uint64_t max() const noexcept { return max_; }
    [[nodiscard]] std::uint64_t min() const noexcept { return count_ == 0 ? 0 : min_; }
    [[nodiscard]] double mean() const noexcept;

    // The smallest value that at least `percent` percent of the counted values do not exceed,
    // rounded up to its bucket's edge, never above max(). 0 while empty.
    [[nodiscard]] std::uint64_t percentile(double percent) const noexcept;

private:
    static std::size_t index_of(std::uint64_t value) noexcept;
    static std::uint64_t upper_edge(std::size_t index) noexcept;

    std::vector<std::uint64_t> buckets_;
    std::uint64_t count_ = 0;
    std::uint64_t min_ = value_max;
    std::uint64_t max_ = 0;
    double sum_ = 0;
};

}  // namespace parley::load
