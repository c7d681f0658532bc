// SignedIn: the sessions of a shard that act by a token, each ended (4001) when it expires or is
// revoked.
//
// Path:     Subscriber → [SignedIn]; Accounts → mail → [SignedIn] → Subscriber::close()
// Runs on:  its shard.
// Owned by: Shard. A session takes itself off before it goes.
// Bounds:   one entry a session that is signed in; revoked_max tokens that were revoked of late, of
//           which the oldest goes first.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "core/clock.hpp"
#include "core/grant.hpp"
#include "core/timer_wheel.hpp"
#include "core/user.hpp"

namespace parley::core {

class Subscriber;

class SignedIn {
public:
    // Longer than anybody takes from being told that a token is good to opening a session by it.
    static constexpr std::chrono::seconds revoked_known{60};
    static constexpr std::size_t revoked_max = 4096;

    explicit SignedIn(TimerWheel& timers) noexcept : timers_(&timers) {}
    SignedIn(const SignedIn&) = delete;
    SignedIn& operator=(const SignedIn&) = delete;

    // The session acts by that grant from now on, and by no other.
    void enter(Subscriber& session, const Grant& grant, const Instant& now);
    // It ends, or acts by none any more; nothing where it is not here.
    void leave(Subscriber& session) noexcept;
    // Ends every session that acts by that token, also those that are being opened by it: who enters
    // with it within revoked_known is ended. Returns how many it ended at once.
    std::size_t revoke(const TokenId& token, TimePoint now);
    // Calls f(Subscriber&) for every session of that user; it must not make one enter or leave.
    template <typename F>
    void each_of(std::string_view user, F&& f) const {
        const auto [first, last] = by_user_.equal_range(user);
        for (auto at = first; at != last; ++at) f(*at->second->session);
    }
    [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

private:
    [[nodiscard]] bool was_revoked(const TokenId& token, TimePoint now);
    struct Entry : Timer {
        Entry(Subscriber& who, const TokenId& by, UserPtr as) noexcept
            : Timer(&expired), session(&who), token(by), user(std::move(as)) {}
        static void expired(Timer& timer) noexcept;
        Subscriber* session;
        TokenId token;
        UserPtr user;  // the key below is in it
    };

    TimerWheel* timers_;
    std::unordered_map<const Subscriber*, std::unique_ptr<Entry>> entries_;
    std::unordered_multimap<TokenId, Subscriber*, TokenIdHash> by_token_;
    std::deque<std::pair<TimePoint, TokenId>> revoked_;  // in the order of time
    std::unordered_multimap<std::string_view, const Entry*> by_user_;
};

}  // namespace parley::core
