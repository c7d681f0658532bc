// User: who a session acts as, shared by everything that must name them.
//
// Path:     Subscriber → [User] → Presence, Room
// Runs on:  any thread; immutable behind its reference count.
// Owned by: sessions and rosters.
// Bounds:   limits.name_bytes.
#pragma once

#include <atomic>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <string>

#include "protocol/message.hpp"

namespace parley::core {

struct User : boost::intrusive_ref_counter<User, boost::thread_safe_counter> {
    explicit User(protocol::User names) : who(std::move(names)) {}
    const protocol::User who;
};
using UserPtr = boost::intrusive_ptr<const User>;

}  // namespace parley::core
