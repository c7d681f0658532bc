// Subscription: that one session listens to one room. Made by joining; its destructor leaves.
//
// Path:     Subscriber → [Subscription] → Audience
// Runs on:  its shard.
// Owned by: Subscriber.
// Bounds:   limits.rooms_per_session a subscriber.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>

#include "core/publication.hpp"
#include "core/user.hpp"

namespace parley::core {

class Audience;
class Shard;
class Subscriber;

// How a session listens to a room.
struct Listening {
    KindSet kinds = all_but_presence;  // that it is handed
    bool member = true;                // it counts as present; else it only hears
};

// How far a subscriber has been handed what is said in a room.
struct Place {
    std::uint64_t cursor;  // next sequence to hand over
    std::uint64_t offset;  // of the last message before it
};

struct Subscription {
    // Listens from `from` on.
    Subscription(Audience& room, Subscriber& who, const Place& from, const Listening& how);
    ~Subscription();
    Subscription(const Subscription&) = delete;
    Subscription& operator=(const Subscription&) = delete;

    static constexpr std::uint32_t nowhere = std::numeric_limits<std::uint32_t>::max();

    Audience* audience;
    Subscriber* subscriber;
    std::uint32_t index = nowhere;  // in the audience, which keeps its place
    KindSet kinds;
    bool member;
    bool goodbye : 1 = false;  // leaves at once, not after the grace
    bool asks : 1 = false;     // what it says there the room's home judges: perhaps it may not
    // Of a room of two: it was put into it by the other, and by this session nothing was said or
    // read there.
    bool unanswered : 1 = false;
};

// One a session and room, with a header of the allocator's it fills a block of 32 bytes.
static_assert(sizeof(Subscription) <= 24);

// Tells a room's home that one session of that user has left.
void leave_at_home(Shard& from, const std::string& room, const UserPtr& user, const Listening& how,
                   bool goodbye);
// What a session is told of a room's home when somebody is something else there (room_acts.hpp).
struct StandingChange;

// Tells a room's home that one session of `before` goes on as `after`.
void rename_at_home(Shard& from, const std::string& room, const UserPtr& before,
                    const UserPtr& after);

}  // namespace parley::core
