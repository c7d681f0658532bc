#include "core/idempotency.hpp"

#include "core/limits.hpp"

namespace parley::core {
namespace {

// Neither half can hold a NUL that would make two pairs look the same: a name has no control
// characters.
std::string scoped(const std::string& user, const std::string& key) {
    std::string out = user;
    out.push_back('\0');
    out += key;
    return out;
}

}  // namespace

void IdempotencyKeys::forget_old(TimePoint now) {
    const auto limit = now - std::chrono::seconds(limits::idempotency_seconds);
    while (!order_.empty() && order_.front().first <= limit) {
        keys_.erase(order_.front().second);
        order_.pop_front();
    }
}

std::optional<IdempotencyKeys::Published> IdempotencyKeys::find(const std::string& user,
                                                                const std::string& key,
                                                                TimePoint now) {
    forget_old(now);
    const auto found = keys_.find(scoped(user, key));
    if (found == keys_.end()) return std::nullopt;
    return found->second;
}

bool IdempotencyKeys::remember(const std::string& user, const std::string& key,
                               const Published& published, TimePoint now) {
    auto name = scoped(user, key);
    keys_.insert_or_assign(name, published);
    order_.emplace_back(now, std::move(name));
    if (keys_.size() <= limits::idempotency_keys_max) return false;
    keys_.erase(order_.front().second);
    order_.pop_front();
    return true;
}

}  // namespace parley::core
