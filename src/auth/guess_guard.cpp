#include "auth/guess_guard.hpp"

#include <algorithm>
#include <iterator>

namespace parley::auth {

core::TimePoint GuessGuard::next_after(const Entry& entry) const noexcept {
    if (entry.wrong <= config_.free) return core::TimePoint::min();
    core::Duration delay = config_.first;
    for (auto i = config_.free + 1; i < entry.wrong && delay < config_.longest; ++i) delay *= 2;
    return entry.last + std::min(delay, config_.longest);
}

void GuessGuard::erase(Entries::iterator entry) {
    by_key_.erase(entry->key);
    entries_.erase(entry);
}

GuessGuard::Entry& GuessGuard::entry_of(std::string_view key, core::TimePoint now) {
    while (!entries_.empty() && entries_.front().last + config_.forgets_after <= now) {
        erase(entries_.begin());
    }
    if (const auto found = by_key_.find(key); found != by_key_.end()) return *found->second;
    if (entries_.size() >= config_.entries_max) {
        ++forgotten_early_;
        erase(entries_.begin());
    }
    entries_.push_back({std::string(key), 0, {}, now});
    by_key_.emplace(entries_.back().key, std::prev(entries_.end()));
    return entries_.back();
}

core::Duration GuessGuard::admit(std::string_view key, core::TimePoint now) {
    const std::scoped_lock lock(mutex_);
    Entry& entry = entry_of(key, now);
    if (now < entry.next) return entry.next - now;
    ++entry.wrong;
    entry.last = now;
    entry.next = next_after(entry);
    const auto at = by_key_.find(key)->second;
    entries_.splice(entries_.end(), entries_, at);
    return core::Duration::zero();
}

void GuessGuard::take_back(std::string_view key) {
    const std::scoped_lock lock(mutex_);
    const auto found = by_key_.find(key);
    if (found == by_key_.end()) return;
    Entry& entry = *found->second;
    if (entry.wrong > 1) {
        --entry.wrong;
        entry.next = next_after(entry);
    } else {
        erase(found->second);
    }
}

void GuessGuard::forget(std::string_view key) {
    const std::scoped_lock lock(mutex_);
    if (const auto found = by_key_.find(key); found != by_key_.end()) erase(found->second);
}

std::size_t GuessGuard::size() const {
    const std::scoped_lock lock(mutex_);
    return entries_.size();
}

void KnownPlaces::note(const std::string& place, core::TimePoint now) {
    const std::scoped_lock lock(mutex_);
    if (const auto found = by_place_.find(place); found != by_place_.end()) {
        found->second->last = now;
        entries_.splice(entries_.end(), entries_, found->second);
        return;
    }
    if (entries_.size() >= entries_max_) {
        by_place_.erase(entries_.front().place);
        entries_.pop_front();
    }
    entries_.push_back({place, now});
    by_place_.emplace(entries_.back().place, std::prev(entries_.end()));
}

bool KnownPlaces::has(std::string_view place, core::TimePoint now) const {
    const std::scoped_lock lock(mutex_);
    const auto found = by_place_.find(place);
    return found != by_place_.end() && now < found->second->last + keeps_;
}

std::size_t KnownPlaces::size() const {
    const std::scoped_lock lock(mutex_);
    return entries_.size();
}

std::uint64_t GuessGuard::forgotten_early() const {
    const std::scoped_lock lock(mutex_);
    return forgotten_early_;
}

}  // namespace parley::auth
