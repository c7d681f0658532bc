#include "core/user_sessions.hpp"

#include <bit>
#include <functional>

#include "core/subscriber.hpp"

namespace parley::core {

std::string_view UserSessions::key_of(const Subscriber& session, std::size_t way) noexcept {
    const protocol::User& who = session.session().user()->who;
    return way == by_id ? who.id : who.name;
}

std::uint32_t UserSessions::hash_of(std::string_view key) noexcept {
    const std::uint64_t hash = std::hash<std::string_view>{}(key);
    return static_cast<std::uint32_t>((hash * 0x9e3779b97f4a7c15ULL) >> 32);
}

std::size_t UserSessions::bucket_of(std::size_t way, std::string_view key) const noexcept {
    const std::size_t buckets = heads_[way].size();
    const std::size_t half = std::bit_floor(buckets);
    const std::size_t bucket = hash_of(key) & (2 * half - 1);
    return bucket < buckets ? bucket : bucket - half;
}

void UserSessions::add(Subscriber& session) {
    for (std::size_t way : {by_id, by_name}) {
        if (slots_.size() >= per_bucket * heads_[way].size()) split_one(way);
    }
    const auto slot = static_cast<std::uint32_t>(slots_.size());
    slots_.push_back({&session, {none, none}});
    for (std::size_t way : {by_id, by_name}) {
        std::uint32_t& head = heads_[way][bucket_of(way, key_of(session, way))];
        slots_[slot].next[way] = head;
        head = slot;
    }
}

bool UserSessions::remove(const Subscriber& session) noexcept {
    if (slots_.empty()) return false;
    std::uint32_t slot = heads_[by_id][bucket_of(by_id, key_of(session, by_id))];
    while (slot != none && slots_[slot].session != &session) slot = slots_[slot].next[by_id];
    if (slot == none) return false;
    const auto last = static_cast<std::uint32_t>(slots_.size() - 1);
    for (std::size_t way : {by_id, by_name}) link_to(way, slot) = slots_[slot].next[way];
    if (slot != last) {
        for (std::size_t way : {by_id, by_name}) link_to(way, last) = slot;
        slots_[slot] = slots_[last];
    }
    slots_.pop_back();
    for (std::size_t way : {by_id, by_name}) {
        if (2 * slots_.size() < per_bucket * heads_[way].size()) merge_one(way);
    }
    return true;
}

std::uint32_t& UserSessions::link_to(std::size_t way, std::uint32_t slot) noexcept {
    std::uint32_t* link = &heads_[way][bucket_of(way, key_of(*slots_[slot].session, way))];
    while (*link != slot) link = &slots_[*link].next[way];
    return *link;
}

std::vector<Subscriber*> UserSessions::find(std::size_t way, std::string_view key) const {
    std::vector<Subscriber*> found;
    if (slots_.empty()) return found;
    for (std::uint32_t slot = heads_[way][bucket_of(way, key)]; slot != none;
         slot = slots_[slot].next[way]) {
        if (key_of(*slots_[slot].session, way) == key) found.push_back(slots_[slot].session);
    }
    return found;
}

void UserSessions::split_one(std::size_t way) {
    heads_[way].push_back(none);
    const std::size_t fresh = heads_[way].size() - 1;
    if (fresh == 0) return;
    for (std::uint32_t* link = &heads_[way][fresh - std::bit_floor(fresh)]; *link != none;) {
        const std::uint32_t slot = *link;
        if (bucket_of(way, key_of(*slots_[slot].session, way)) != fresh) {
            link = &slots_[slot].next[way];
            continue;
        }
        *link = slots_[slot].next[way];
        slots_[slot].next[way] = heads_[way][fresh];
        heads_[way][fresh] = slot;
    }
}

void UserSessions::merge_one(std::size_t way) noexcept {
    const std::size_t last = heads_[way].size() - 1;
    if (last == 0) return;
    std::uint32_t* link = &heads_[way][last - std::bit_floor(last)];
    while (*link != none) link = &slots_[*link].next[way];
    *link = heads_[way][last];
    heads_[way].pop_back();
}

}  // namespace parley::core
