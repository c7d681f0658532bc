// LostSessions: what is kept of sessions whose connection was lost, for those who come back in time.
//
// Path:     transport → [LostSessions] → transport, maybe of another shard (question.hpp)
// Runs on:  its shard.
// Owned by: Shard.
// Bounds:   as many as keep() is told, and for as long; the oldest make room for new ones.
#pragma once

#include <cstddef>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/clock.hpp"
#include "core/timer_wheel.hpp"
#include "core/trail.hpp"
#include "core/user.hpp"

namespace parley::core {

class ShardMetrics;

struct LostSession {
    std::string scope;    // what the key is good for: where the session was
    std::string session;  // its public name
    UserPtr user;
    Trail trail;
    std::vector<std::string> rooms;  // as its transport names them, in the order of joining
};

// A session whose connection is thought to live. Its peer may know better, and come back by another
// one before the server has noticed.
class HeldSession {
public:
    // Gives its state up, and ends.
    [[nodiscard]] virtual LostSession surrender() = 0;

protected:
    ~HeldSession() = default;
};

// All of it as JSON, to be kept beyond this process, and back; nothing where the text is none of
// ours.
[[nodiscard]] std::string to_json(const LostSession& session);
[[nodiscard]] std::optional<LostSession> lost_session_from_json(std::string_view text);

class LostSessions {
public:
    LostSessions(TimerWheel& timers, ShardMetrics& metrics) noexcept
        : timers_(&timers), metrics_(&metrics), timer_(*this) {}
    ~LostSessions();
    LostSessions(const LostSessions&) = delete;
    LostSessions& operator=(const LostSessions&) = delete;

    struct Terms {
        TimePoint until;
        std::size_t most;  // sessions kept here
    };
    // Keeps a session under a key that nobody can guess. Each `until` is no earlier than the last.
    void keep(std::string key, LostSession&& session, const Terms& terms);
    // The same while it lives: the key stays the session's, who lets go of it before it ends.
    void hold(std::string_view key, HeldSession& session);
    void let_go(std::string_view key, const HeldSession& session) noexcept;
    // Gives it up: the key is good once.
    [[nodiscard]] std::optional<LostSession> take(std::string_view key);
    [[nodiscard]] std::size_t size() const noexcept { return kept_.size(); }
    // Calls f(key, session, until) for all that are kept, the oldest first.
    template <typename F>
    void each(F&& f) const {
        for (const Kept& kept : kept_) f(kept.key, kept.session, kept.until);
    }

private:
    struct Kept {
        std::string key;
        LostSession session;
        TimePoint until;
    };
    using List = std::list<Kept>;  // the oldest first
    struct ExpiryTimer : Timer {
        explicit ExpiryTimer(LostSessions& sessions) noexcept : Timer(&fire), owner(&sessions) {}
        static void fire(Timer& timer) noexcept;
        LostSessions* owner;
    };

    void forget(List::iterator kept);
    void expire() noexcept;
    void arm() noexcept;

    TimerWheel* timers_;
    ShardMetrics* metrics_;
    List kept_;
    std::unordered_map<std::string_view, List::iterator> by_key_;  // views of the list's own keys
    std::unordered_map<std::string_view, HeldSession*> held_;
    ExpiryTimer timer_;
};

}  // namespace parley::core
