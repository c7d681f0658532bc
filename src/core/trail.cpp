#include "core/trail.hpp"

#include <algorithm>

#include "core/limits.hpp"

namespace parley::core {

Trail::Trail(const Trail& before, const std::optional<StreamPlace>& last,
             const std::vector<RoomStand>& stands)
    : begin_(last), joins_(before.joins_) {
    for (const RoomStand& stand : stands) {
        rooms_.push_back(
            {stand.room, stand.epoch, true, 0, stand.offset, stand.offset.value_or(0)});
    }
}

std::optional<std::uint32_t> Trail::find(std::string_view room) const noexcept {
    for (std::uint32_t i = 0; i < rooms_.size(); ++i) {
        if (rooms_[i].joined && rooms_[i].name == room) return i;
    }
    return std::nullopt;
}

std::uint32_t Trail::enter(std::string_view room, const protocol::Epoch& epoch) {
    // A room of a trail that goes on is joined again, where it stands.
    if (const auto known = find(room)) {
        rooms_[*known].epoch = epoch;
        return *known;
    }
    Room fresh{std::string(room), epoch, true, 0, std::nullopt, 0};
    const auto unused = std::ranges::find_if(
        rooms_, [](const Room& each) { return !each.joined && each.runs == 0; });
    if (unused == rooms_.end()) {
        rooms_.push_back(std::move(fresh));
        return static_cast<std::uint32_t>(rooms_.size() - 1);
    }
    *unused = std::move(fresh);
    return static_cast<std::uint32_t>(unused - rooms_.begin());
}

std::uint32_t Trail::joined(std::string_view room, const protocol::Cursor& at) {
    const auto index = enter(room, at.epoch);
    rooms_[index].latest = at.offset;
    add({at.offset, index, ++joins_});
    return joins_;
}

void Trail::left(std::string_view room) {
    if (const auto index = find(room)) rooms_[*index].joined = false;
}

void Trail::handed(std::string_view room, std::uint64_t offset) {
    const auto index = find(room);
    // What carries no offset, typing for one, moves nothing.
    if (!index || offset <= rooms_[*index].latest) return;
    rooms_[*index].latest = offset;
    if (!runs_.empty() && runs_.back().room == *index && runs_.back().join == 0) {
        runs_.back().offset = offset;
    } else {
        add({offset, *index, 0});
    }
}

void Trail::add(const Run& run) {
    if (runs_.capacity() == 0) runs_.set_capacity(limits::trail_runs_max);
    if (runs_.full()) {
        forgotten_ = runs_.front();
        Room& room = rooms_[forgotten_->room];
        room.base = forgotten_->offset;
        --room.runs;
        runs_.pop_front();
    }
    ++rooms_[run.room].runs;
    runs_.push_back(run);
}

std::optional<std::uint64_t> Trail::within(const Run& run,
                                           const std::optional<std::uint64_t>& before,
                                           const StreamPlace& place) const noexcept {
    if (run.join != place.join || rooms_[run.room].epoch != place.cursor.epoch) return std::nullopt;
    if (run.join != 0) return run.offset;
    const bool inside =
        before && *before < place.cursor.offset && place.cursor.offset <= run.offset;
    return inside ? std::optional(place.cursor.offset) : std::nullopt;
}

std::optional<std::vector<RoomStand>> Trail::stands_at(
    const std::optional<StreamPlace>& last) const {
    std::vector<std::optional<std::uint64_t>> at;
    at.reserve(rooms_.size());
    for (const Room& room : rooms_) at.push_back(room.base);

    // The place before the runs: where it began, or the end of what was forgotten last.
    bool found = !forgotten_ && last == begin_;
    if (last && forgotten_) {
        found = forgotten_->join == last->join && forgotten_->offset == last->cursor.offset &&
                rooms_[forgotten_->room].epoch == last->cursor.epoch;
    }
    for (auto run = runs_.begin(); last && !found && run != runs_.end(); ++run) {
        const auto reached = within(*run, at[run->room], *last);
        found = reached.has_value();
        at[run->room] = reached.value_or(run->offset);
    }
    if (!found) return std::nullopt;

    std::vector<RoomStand> stands;
    for (std::size_t i = 0; i < rooms_.size(); ++i) {
        if (rooms_[i].joined) stands.push_back({rooms_[i].name, rooms_[i].epoch, at[i]});
    }
    return stands;
}

}  // namespace parley::core
