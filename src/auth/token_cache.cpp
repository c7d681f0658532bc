#include "auth/token_cache.hpp"

#include <algorithm>

namespace parley::auth {

void TokenCache::keep(const core::TokenId& token, const core::UserPtr& user, core::WallTime now) {
    const core::Grant* const grant = user->grant();
    core::WallTime until = now + keeps_;
    if (grant != nullptr && grant->expires) until = std::min(until, *grant->expires);
    Part& part = part_of(token);
    const std::scoped_lock lock(part.mutex);
    if (part.entries.insert_or_assign(token, Entry{user, until}).second) {
        part.order.push_back(token);
    }
    while (part.order.size() > entries_max / parts_count) {
        part.entries.erase(part.order.front());
        part.order.pop_front();
    }
}

core::UserPtr TokenCache::find(const core::TokenId& token, core::WallTime now) {
    Part& part = part_of(token);
    const std::scoped_lock lock(part.mutex);
    const auto found = part.entries.find(token);
    if (found == part.entries.end() || found->second.until <= now) return nullptr;
    return found->second.user;
}

void TokenCache::forget(const core::TokenId& token) {
    Part& part = part_of(token);
    const std::scoped_lock lock(part.mutex);
    part.entries.erase(token);
}

std::size_t TokenCache::size() const {
    std::size_t sum = 0;
    for (const Part& part : parts_) {
        const std::scoped_lock lock(part.mutex);
        sum += part.entries.size();
    }
    return sum;
}

}  // namespace parley::auth
