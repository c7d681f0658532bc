#include "loadtest/interval_histogram.hpp"

#include <cmath>

namespace parley::load {

std::uint64_t IntervalHistogram::upper_edge_ns(std::size_t index) noexcept {
    constexpr std::size_t sub_buckets = std::size_t{1} << sub_bucket_bits;
    const std::size_t shift = index < 2 * sub_buckets ? 0 : index / sub_buckets - 1;
    const std::uint64_t sub_bucket = index - shift * sub_buckets;
    return (((sub_bucket + 1) << shift) << unit_bits) - 1;
}

void IntervalHistogram::merge(const IntervalHistogram& other) noexcept {
    if (other.count_ == 0) return;
    for (std::size_t i = 0; i < bucket_count; ++i) buckets_[i] += other.buckets_[i];
    count_ += other.count_;
    max_ = std::max(max_, other.max_);
}

bool IntervalHistogram::add(std::size_t bucket, std::uint64_t times,
                            std::uint64_t max_ns) noexcept {
    if (bucket >= bucket_count) return false;
    buckets_[bucket] += times;
    count_ += times;
    max_ = std::max(max_, max_ns);
    return true;
}

std::uint64_t IntervalHistogram::percentile(double percent) const noexcept {
    if (count_ == 0) return 0;
    const double wanted =
        std::ceil(std::clamp(percent, 0.0, 100.0) / 100.0 * static_cast<double>(count_));
    const auto rank = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(wanted), 1, count_);
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i + 1 < bucket_count; ++i) {
        seen += buckets_[i];
        if (seen >= rank) return std::min(upper_edge_ns(i), max_);
    }
    return max_;
}

}  // namespace parley::load
