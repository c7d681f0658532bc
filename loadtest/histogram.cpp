#include "loadtest/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace parley::load {
namespace {

constexpr std::uint64_t sub_buckets = std::uint64_t{1} << Histogram::sub_bucket_bits;
// Values below two octaves' worth have a bucket each; every octave above adds sub_buckets.
constexpr std::size_t bucket_count =
    (Histogram::value_bits - Histogram::sub_bucket_bits + 1) * sub_buckets;

}  // namespace

Histogram::Histogram() : buckets_(bucket_count, 0) {}

std::size_t Histogram::index_of(std::uint64_t value) noexcept {
    if (value < 2 * sub_buckets) return value;
    const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - (sub_bucket_bits + 1);
    return shift * sub_buckets + (value >> shift);
}

std::uint64_t Histogram::upper_edge(std::size_t index) noexcept {
    if (index < 2 * sub_buckets) return index;
    const std::size_t shift = index / sub_buckets - 1;
    const std::uint64_t sub_bucket = index - shift * sub_buckets;
    return ((sub_bucket + 1) << shift) - 1;
}

void Histogram::record(std::int64_t value) noexcept {
    const std::uint64_t counted = value < 0 ? 0 : static_cast<std::uint64_t>(value);
    ++buckets_[index_of(std::min(counted, value_max))];
    ++count_;
    min_ = std::min(min_, counted);
    max_ = std::max(max_, counted);
    sum_ += static_cast<double>(counted);
}

void Histogram::merge(const Histogram& other) noexcept {
    for (std::size_t i = 0; i < buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
    count_ += other.count_;
    min_ = std::min(min_, other.min_);
    max_ = std::max(max_, other.max_);
    sum_ += other.sum_;
}

double Histogram::mean() const noexcept {
    return count_ == 0 ? 0.0 : sum_ / static_cast<double>(count_);
}

std::uint64_t Histogram::percentile(double percent) const noexcept {
    if (count_ == 0) return 0;
    const double wanted =
        std::ceil(std::clamp(percent, 0.0, 100.0) / 100.0 * static_cast<double>(count_));
    const std::uint64_t rank =
        std::clamp<std::uint64_t>(static_cast<std::uint64_t>(wanted), 1, count_);
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
        seen += buckets_[i];
        // The last bucket also holds what is above value_max: only max() knows how far.
        if (seen >= rank) return i + 1 == buckets_.size() ? max_ : std::min(upper_edge(i), max_);
    }
    return max_;
}

}  // namespace parley::load
