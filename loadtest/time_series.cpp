#include "loadtest/time_series.hpp"

#include <algorithm>
#include <bit>

namespace parley::load {

void SeriesCounts::add(const SeriesCounts& other) noexcept {
    open += other.open;
    published += other.published;
    received += other.received;
    answered += other.answered;
    withheld += other.withheld;
    refused += other.refused;
    ended += other.ended;
    faulty += other.faulty;
}

void TimeSeries::start(std::int64_t origin_ns) {
    points_.assign(points_max, Point{});
    last_ = 0;
    origin_ns_ = origin_ns;
    width_ns_ = ns_per_s;
    end_ns_ = origin_ns_ + width_ns_;
}

bool TimeSeries::restore(std::int64_t origin_ns, std::int64_t width_ns,
                         const std::vector<Point>& points) {
    const bool doubled = width_ns >= ns_per_s && width_ns % ns_per_s == 0 &&
                         std::has_single_bit(static_cast<std::uint64_t>(width_ns / ns_per_s));
    // Longer than a century no run is; beyond, instants would overflow.
    constexpr std::int64_t width_max = 4 * 1024 * 1024 * ns_per_s;
    if (!doubled || width_ns > width_max || points.empty() || points.size() > points_max) {
        return false;
    }
    start(origin_ns);
    width_ns_ = width_ns;
    std::copy(points.begin(), points.end(), points_.begin());
    last_ = points.size() - 1;
    end_ns_ = origin_ns_ + static_cast<std::int64_t>(last_ + 1) * width_ns_;
    return true;
}

// The interval at hand becomes that of `now_ns`. False where nothing is recorded at all.
bool TimeSeries::advance(std::int64_t now_ns) noexcept {
    if (points_.empty()) return false;
    const auto index_of_now = [this, now_ns] {
        return static_cast<std::size_t>((now_ns - origin_ns_) / width_ns_);
    };
    while (index_of_now() >= points_max) fold();
    extend_to(index_of_now());
    return true;
}

// What was counted stays counted in intervals in which nothing is heard.
void TimeSeries::extend_to(std::size_t last) noexcept {
    for (; last_ < last; ++last_) points_[last_ + 1].counts = points_[last_].counts;
    end_ns_ = origin_ns_ + static_cast<std::int64_t>(last_ + 1) * width_ns_;
}

void TimeSeries::fold() noexcept {
    const std::size_t count = last_ + 1;
    for (std::size_t i = 0; 2 * i < count; ++i) {
        Point folded = points_[2 * i];
        if (2 * i + 1 < count) {
            folded.latency.merge(points_[2 * i + 1].latency);
            folded.counts = points_[2 * i + 1].counts;
        }
        points_[i] = folded;
    }
    last_ = last_ / 2;
    for (std::size_t i = last_ + 1; i < count; ++i) points_[i] = Point{};
    width_ns_ *= 2;
    end_ns_ = origin_ns_ + static_cast<std::int64_t>(last_ + 1) * width_ns_;
}

void TimeSeries::merge(const TimeSeries& other) {
    if (other.points_.empty()) return;
    if (points_.empty()) {
        *this = other;
        return;
    }
    TimeSeries their = other;
    while (width_ns_ < their.width_ns_) fold();
    while (their.width_ns_ < width_ns_) their.fold();
    const std::size_t last = std::max(last_, their.last_);
    extend_to(last);
    their.extend_to(last);
    for (std::size_t i = 0; i <= last; ++i) {
        points_[i].latency.merge(their.points_[i].latency);
        points_[i].counts.add(their.points_[i].counts);
    }
}

}  // namespace parley::load
