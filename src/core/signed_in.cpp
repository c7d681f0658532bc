#include "core/signed_in.hpp"

#include <algorithm>

#include "core/subscriber.hpp"

namespace parley::core {

void SignedIn::Entry::expired(Timer& timer) noexcept {
    static_cast<Entry&>(timer).session->close(close_reasons::unauthorized);
}

void SignedIn::enter(Subscriber& session, const Grant& grant, const Instant& now) {
    leave(session);
    if (grant.kind == Grant::Kind::stranger) return;
    const UserPtr& user = session.session().user();
    auto entry = std::make_unique<Entry>(session, grant.token, user);
    by_user_.emplace(user->who.id, entry.get());
    by_token_.emplace(grant.token, &session);
    // Also what has expired or was revoked already: from the loop, since whoever signs it in is not done with it.
    if (was_revoked(grant.token, now.mono)) {
        timers_->arm(*entry, now.mono);
    } else if (grant.expires) {
        timers_->arm(*entry, now.mono + (*grant.expires - now.wall));
    }
    entries_.emplace(&session, std::move(entry));
}

void SignedIn::leave(Subscriber& session) noexcept {
    const auto found = entries_.find(&session);
    if (found == entries_.end()) return;
    const auto [first, last] = by_token_.equal_range(found->second->token);
    for (auto at = first; at != last; ++at) {
        if (at->second != &session) continue;
        by_token_.erase(at);
        break;
    }
    const Entry* const entry = found->second.get();
    const auto [mine, end] = by_user_.equal_range(entry->user->who.id);
    for (auto at = mine; at != end; ++at) {
        if (at->second != entry) continue;
        by_user_.erase(at);
        break;
    }
    entries_.erase(found);
}

std::size_t SignedIn::revoke(const TokenId& token, TimePoint now) {
    if (revoked_.size() == revoked_max) revoked_.pop_front();
    revoked_.emplace_back(now, token);
    // Looked for anew each time: what ends one may end others with it.
    std::size_t ended = 0;
    for (auto at = by_token_.find(token); at != by_token_.end(); at = by_token_.find(token)) {
        Subscriber& session = *at->second;
        leave(session);
        session.close(close_reasons::unauthorized);
        ++ended;
    }
    return ended;
}

bool SignedIn::was_revoked(const TokenId& token, TimePoint now) {
    while (!revoked_.empty() && revoked_.front().first + revoked_known <= now) {
        revoked_.pop_front();
    }
    return std::ranges::find(revoked_, token, &std::pair<TimePoint, TokenId>::second) !=
           revoked_.end();
}

}  // namespace parley::core
