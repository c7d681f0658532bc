#include "core/read_marks.hpp"

#include <algorithm>
#include <functional>
#include <iterator>

#include "core/limits.hpp"
#include "core/shard.hpp"

namespace parley::core {

void ReadMarks::note(const User& user, ReadMark mark) {
    note(user.who, is_signed_in(user), std::move(mark));
}

void ReadMarks::note(const protocol::User& user, bool has_account, ReadMark mark) {
    mark.name = user.name;
    if (has_account && records_ != nullptr) return records_->save_mark(user.id, std::move(mark));
    remember(user, std::move(mark));
}

void ReadMarks::remember(const protocol::User& user, ReadMark&& mark) {
    const std::scoped_lock lock(mutex_);
    const auto known = by_user_.find({user.id, mark.room});
    if (known != by_user_.end()) {
        Entry& entry = *known->second;
        const std::size_t before = way_of(entry.mark);
        take_mark(entry.mark, std::move(mark));
        entry.touched = ++touches_;
        const std::size_t way = way_of(entry.mark);
        entries_[way].splice(entries_[way].begin(), entries_[before], known->second);
        --counts_[user.id][before];
        ++counts_[user.id][way];
        return bound(user.id, way);
    }
    const std::size_t way = way_of(mark);
    List& entries = entries_[way];
    entries.push_front({user, std::move(mark), ++touches_});
    const std::string& room = entries.front().mark.room;
    by_user_.emplace(Key{user.id, room}, entries.begin());
    by_room_.emplace(Key{room, user.id}, entries.begin());
    ++counts_[user.id][way];
    bound(user.id, way);
}

void ReadMarks::bound(const std::string& user, std::size_t way) {
    constexpr std::array of_all{limits::unread_marks_max, limits::read_marks_max};
    constexpr std::array of_one{limits::unread_marks_per_user, limits::read_marks_per_user};
    if (counts_[user][way] > of_one[way]) {
        auto oldest = entries_[way].end();
        for (auto at = by_user_.lower_bound({user, {}});
             at != by_user_.end() && at->first.first == user; ++at) {
            if (way_of(at->second->mark) != way) continue;
            if (oldest == entries_[way].end() || at->second->touched < oldest->touched) {
                oldest = at->second;
            }
        }
        forget(oldest);
    }
    if (entries_[way].size() > of_all[way]) forget(std::prev(entries_[way].end()));
}

void ReadMarks::forget(List::iterator entry) {
    const std::size_t way = way_of(entry->mark);
    const auto count = counts_.find(entry->user.id);
    --count->second[way];
    if (count->second == std::array<std::size_t, 2>{}) counts_.erase(count);
    by_user_.erase({entry->user.id, entry->mark.room});
    by_room_.erase({entry->mark.room, entry->user.id});
    entries_[way].erase(entry);
    ++forgotten_;
}

std::vector<ReadMark> ReadMarks::remembered_of_user(const std::string& id) const {
    const std::scoped_lock lock(mutex_);
    std::vector<const Entry*> entries;
    for (auto at = by_user_.lower_bound({id, {}}); at != by_user_.end() && at->first.first == id;
         ++at) {
        entries.push_back(&*at->second);
    }
    std::ranges::sort(entries, std::greater(), &Entry::touched);
    std::vector<ReadMark> marks;
    marks.reserve(entries.size());
    for (const Entry* entry : entries) marks.push_back(entry->mark);
    return marks;
}

std::vector<Reader> ReadMarks::remembered_of_room(const std::string& room) const {
    const std::scoped_lock lock(mutex_);
    std::vector<Reader> readers;
    for (auto at = by_room_.lower_bound({room, {}});
         at != by_room_.end() && at->first.first == room && readers.size() < limits::readers_max;
         ++at) {
        const Entry& entry = *at->second;
        readers.push_back({entry.user, entry.mark.epoch, entry.mark.offset});
    }
    return readers;
}

std::optional<ReadMark> ReadMarks::recall(const User& user, const std::string& room) const {
    const std::scoped_lock lock(mutex_);
    const auto known = by_user_.find({user.who.id, room});
    return known == by_user_.end() ? std::nullopt : std::optional(known->second->mark);
}

void ReadMarks::of_user(Shard& here, const User& user,
                        std::function<void(Recorded<std::vector<ReadMark>>&&)> done) const {
    if (keeps_elsewhere(user)) {
        return records_->load_marks(here, user.who.id, std::move(done));
    }
    here.post([marks = remembered_of_user(user.who.id), done = std::move(done)](Shard&) mutable {
        done(std::move(marks));
    });
}

void ReadMarks::of_room(Shard& here, const std::string& room,
                        std::function<void(Recorded<std::vector<Reader>>&&)> done) const {
    auto readers = remembered_of_room(room);
    if (records_ == nullptr) {
        return here.post([readers = std::move(readers), done = std::move(done)](Shard&) mutable {
            done(std::move(readers));
        });
    }
    records_->load_readers(here, room, limits::readers_max,
                           [readers = std::move(readers),
                            done = std::move(done)](Recorded<std::vector<Reader>>&& kept) mutable {
                               if (!kept) return done(std::move(kept));
                               // Nobody is in both: who has signed in is in one, who has not in the other.
                               std::ranges::move(readers, std::back_inserter(*kept));
                               done(std::move(kept));
                           });
}

std::size_t ReadMarks::in_memory() const {
    const std::scoped_lock lock(mutex_);
    return entries_[unread].size() + entries_[read].size();
}

std::uint64_t ReadMarks::forgotten() const {
    const std::scoped_lock lock(mutex_);
    return forgotten_;
}

}  // namespace parley::core
