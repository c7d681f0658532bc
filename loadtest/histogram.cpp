#include "loadtest/histogram.hpp"

#include <algorithm>
#include <cmath>

namespace parley::load {
namespace {

// Values below two octaves' worth have a bucket each; every octave above adds sub_buckets.
constexpr std::size_t bucket_count = std::size_t{Histogram::octaves} * Histogram::sub_buckets;

}  // namespace

Histogram::Histogram() : buckets_(bucket_count, 0) {}

std::uint64_t Histogram::upper_edge(std::size_t index) noexcept {
    if (index < 2 * sub_buckets) return index;
    const std::size_t shift = index / sub_buckets - 1;
    const std::uint64_t sub_bucket = index - shift * sub_buckets;
    return ((sub_bucket + 1) << shift) - 1;
}

void Histogram::merge(const Histogram& other) noexcept {
    for (std::size_t i = 0; i < buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
    count_ += other.count_;
    min_ = std::min(min_, other.min_);
    max_ = std::max(max_, other.max_);
    sum_ += other.sum_;
}

std::vector<Histogram::Bucket> Histogram::filled() const {
    std::vector<Bucket> out;
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
        if (buckets_[i] > 0) out.push_back({i, buckets_[i]});
    }
    return out;
}

bool Histogram::add(std::span<const Bucket> buckets, std::uint64_t min, std::uint64_t max,
                    double sum) {
    const auto exists = [this](const Bucket& bucket) { return bucket.index < buckets_.size(); };
    if (!std::all_of(buckets.begin(), buckets.end(), exists)) return false;
    if (buckets.empty()) return true;
    for (const Bucket& bucket : buckets) {
        buckets_[bucket.index] += bucket.count;
        count_ += bucket.count;
    }
    min_ = std::min(min_, min);
    max_ = std::max(max_, max);
    sum_ += sum;
    return true;
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
