// What a load thread keeps about users who leave and come back, and about those who dawdle.
//
// Path:     Scenario → [ChurnGroup, Leaver, SlowReaders] → LoadThread
// Runs on:  one load thread.
// Owned by: LoadThread.
// Bounds:   its users.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "loadtest/clock.hpp"
#include "loadtest/persona.hpp"

namespace parley::load {

// Users of one persona who leave in turns, so many a second.
struct ChurnGroup {
    std::vector<std::uint32_t> users;
    std::size_t next = 0;  // of users
    std::int64_t next_ns = never_ns;
    std::int64_t every_ns = 0;
    std::int64_t away_ns = 0;
};

// A user who has left, or been cut off.
struct Leaver {
    std::uint32_t user;
    std::int64_t until_ns;   // it waits so long for its goodbye to be answered
    std::int64_t return_ns;  // when it comes back; never_ns: it does not
    bool resumes;            // to where it was
};

// Slow readers, those who read in the same way together.
class SlowReaders {
public:
    struct Group {
        Persona::Reading reading;
        std::int64_t next_ns;
        std::vector<std::uint32_t> users;
    };

    void add(std::uint32_t user, const Persona::Reading& reading) {
        const auto same = [&reading](const Group& group) {
            return group.reading.every == reading.every && group.reading.bytes == reading.bytes;
        };
        auto found = std::find_if(groups_.begin(), groups_.end(), same);
        if (found == groups_.end()) found = groups_.insert(groups_.end(), {reading, 0, {}});
        found->users.push_back(user);
    }
    [[nodiscard]] bool empty() const noexcept { return groups_.empty(); }
    [[nodiscard]] std::vector<Group>& groups() noexcept { return groups_; }
    [[nodiscard]] std::int64_t next_ns() const noexcept {
        std::int64_t next = never_ns;
        for (const Group& group : groups_) next = std::min(next, group.next_ns);
        return next;
    }

private:
    std::vector<Group> groups_;
};

}  // namespace parley::load
