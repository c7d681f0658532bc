// User: who a session acts as, shared by everything that must name them.
//
// Path:     Subscriber → [User] → Presence, Room
// Runs on:  any thread; immutable behind its reference count.
// Owned by: sessions and rosters.
// Bounds:   limits.name_bytes.
#pragma once

#include <atomic>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <cstdint>
#include <string>
#include <utility>

#include "core/grant.hpp"
#include "protocol/message.hpp"

namespace parley::core {

struct GrantedUser;

// Counted here and not by a base class: the flag lies in what the count leaves of its word, and
// millions of users without an account cost nothing for those who have one.
struct User {
    explicit User(protocol::User names) : User(std::move(names), false) {}
    User(const User&) = delete;
    User& operator=(const User&) = delete;

    // What lets them act; null where everybody may be who they are.
    [[nodiscard]] const Grant* grant() const noexcept;

private:
    friend struct GrantedUser;
    User(protocol::User names, bool has_grant) : granted_(has_grant), who(std::move(names)) {}
    ~User() = default;

    friend void intrusive_ptr_add_ref(const User* user) noexcept {
        user->references_.fetch_add(1, std::memory_order_relaxed);
    }
    friend void intrusive_ptr_release(const User* user) noexcept;

    mutable std::atomic<std::uint32_t> references_{0};
    const bool granted_;

public:
    const protocol::User who;
};

// Somebody who has shown a token.
struct GrantedUser final : User {
    GrantedUser(protocol::User names, Grant allowed)
        : User(std::move(names), true), by(std::move(allowed)) {}
    const Grant by;
};

using UserPtr = boost::intrusive_ptr<const User>;

inline const Grant* User::grant() const noexcept {
    return granted_ ? &static_cast<const GrantedUser*>(this)->by : nullptr;
}

// True for whoever has shown a token.
[[nodiscard]] inline bool is_signed_in(const User& user) noexcept {
    return user.grant() != nullptr && user.grant()->kind != Grant::Kind::stranger;
}

inline void intrusive_ptr_release(const User* user) noexcept {
    // acq_rel: whoever frees it sees what all others did with it before they let go.
    if (user->references_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    if (user->granted_) {
        delete static_cast<const GrantedUser*>(user);
    } else {
        delete user;
    }
}

}  // namespace parley::core
