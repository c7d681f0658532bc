#include "loadtest/delivery_check.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace parley::load {
namespace {

constexpr std::uint32_t offsets_stream = std::numeric_limits<std::uint32_t>::max();

}  // namespace

DeliveryCheck::DeliveryCheck(std::uint32_t publishers) : next_sequence_(publishers, 0) {}

void DeliveryCheck::begin(bool from_start, std::uint64_t offset, bool offset_known) {
    std::fill(next_sequence_.begin(), next_sequence_.end(), from_start ? 1u : 0u);
    next_offset_ = offset_known ? offset + 1 : 0;
    holes_.clear();
    received_ = announced_ = missing_ = 0;
}

void DeliveryCheck::begin_books() noexcept {
    holes_.clear();
    received_ = announced_ = missing_ = 0;
}

DeliveryCheck::Arrival DeliveryCheck::arrived_oddly(std::uint32_t member, std::uint32_t sequence) {
    std::uint64_t next = next_sequence_[member];
    const Arrival arrival = note(member, next, sequence);
    next_sequence_[member] = static_cast<std::uint32_t>(next);
    if (arrival != Arrival::duplicate) ++received_;
    return arrival;
}

DeliveryCheck::Arrival DeliveryCheck::arrived_oddly_at(std::uint64_t offset, std::uint32_t member,
                                                       std::uint32_t sequence) {
    Arrival arrival = note(offsets_stream, next_offset_, offset);
    std::uint32_t& next = next_sequence_[member];
    // Holes in the sequence need no notice here: the offsets show them, and gaps explain them.
    if (arrival == Arrival::in_order && sequence < next) arrival = Arrival::out_of_order;
    next = std::max(next, sequence + 1);
    if (arrival != Arrival::duplicate) ++received_;
    return arrival;
}

DeliveryCheck::Arrival DeliveryCheck::passed(std::uint64_t offset) {
    return note(offsets_stream, next_offset_, offset);
}

DeliveryCheck::Arrival DeliveryCheck::note(std::uint32_t stream, std::uint64_t& next,
                                           std::uint64_t number) {
    if (number < next) {
        return fill(stream, number, number) > 0 ? Arrival::out_of_order : Arrival::duplicate;
    }
    if (next != 0 && number > next) add_hole({next, number - 1, stream});
    next = number + 1;
    return Arrival::in_order;
}

void DeliveryCheck::add_hole(const Hole& hole) {
    missing_ += hole.to - hole.from + 1;
    if (holes_.size() < holes_max) holes_.push_back(hole);
}

std::uint64_t DeliveryCheck::announce(std::uint64_t from, std::uint64_t to) {
    if (from == 0 || to < from) return 0;
    std::uint64_t news = fill(offsets_stream, from, to);
    if (to >= next_offset_) {
        const std::uint64_t first_new = std::max(from, next_offset_);
        if (next_offset_ != 0 && first_new > next_offset_) {
            add_hole({next_offset_, first_new - 1, offsets_stream});
        }
        news += to - first_new + 1;
        next_offset_ = to + 1;
    }
    announced_ += news;
    return news;
}

std::uint64_t DeliveryCheck::fill(std::uint32_t stream, std::uint64_t from, std::uint64_t to) {
    std::uint64_t filled = 0;
    std::vector<Hole> left;
    const auto keep = [&left](const Hole& hole) {
        if (left.size() < holes_max) left.push_back(hole);
    };
    for (const Hole& hole : holes_) {
        if (hole.stream != stream || hole.to < from || hole.from > to) {
            keep(hole);
            continue;
        }
        filled += std::min(to, hole.to) - std::max(from, hole.from) + 1;
        if (hole.from < from) keep({hole.from, from - 1, stream});
        if (hole.to > to) keep({to + 1, hole.to, stream});
    }
    if (filled > 0) holes_ = std::move(left);
    missing_ -= filled;
    return filled;
}

}  // namespace parley::load
