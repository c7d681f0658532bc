// Trail: in what order a session was handed what its rooms say, so that one place in its stream
// tells where it stood in each of them.
//
// Path:     Subscriber, transport → [Trail] → LostSessions → transport
// Runs on:  its shard; moves to another with the session's state.
// Owned by: a transport whose sessions may be recovered, or LostSessions.
// Bounds:   limits::trail_runs_max runs; past them the oldest is forgotten, and who had got no
//           further can't be followed any more.
#pragma once

#include <boost/circular_buffer.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/cursor.hpp"

namespace parley::core {

// A place in a session's stream, as its peer may name it.
struct StreamPlace {
    protocol::Cursor cursor;
    std::uint32_t join = 0;    // what was said when the room was joined: that join's number; else 0
    std::uint32_t events = 0;  // of a message that is several events: how many of them; 0: all
    friend bool operator==(const StreamPlace&, const StreamPlace&) = default;
};

// Where a session stood in a room that it had joined.
struct RoomStand {
    std::string room;
    protocol::Epoch epoch;
    // Of the last message that it got; nothing where it has not got what it was told on joining.
    std::optional<std::uint64_t> offset;
};

class Trail {
public:
    Trail() = default;
    // Goes on from `last`, where the session stood in the rooms as `stands` says. Joins are numbered
    // behind those of the trail before.
    Trail(const Trail& before, const std::optional<StreamPlace>& last,
          const std::vector<RoomStand>& stands);

    // The session was told that it joined a room that stands at `at`, and is handed what follows.
    // The number of the join.
    std::uint32_t joined(std::string_view room, const protocol::Cursor& at);
    void left(std::string_view room);
    // It was handed messages of a joined room up to that one. Allocates nothing once there are
    // limits::trail_runs_max runs.
    void handed(std::string_view room, std::uint64_t offset);

    // Where it stood in the rooms that it has joined when `last` was the last it got; without one
    // when it had got nothing. Nothing where that can't be told.
    [[nodiscard]] std::optional<std::vector<RoomStand>> stands_at(
        const std::optional<StreamPlace>& last) const;

    // All of it as JSON, to be kept beyond this process, and back; nothing where the text is none of
    // ours.
    [[nodiscard]] std::string to_json() const;
    [[nodiscard]] static std::optional<Trail> from_json(std::string_view text);

private:
    struct Room {
        std::string name;
        protocol::Epoch epoch;
        bool joined = false;
        std::uint32_t runs = 0;             // that name it
        std::optional<std::uint64_t> base;  // where it stood before the first run
        std::uint64_t latest = 0;           // what was handed of it last
    };
    // Messages of one room without any of another between them, or what was said on joining it.
    struct Run {
        std::uint64_t offset;  // of the last one
        std::uint32_t room;
        std::uint32_t join;  // its number; 0: messages
    };

    std::uint32_t enter(std::string_view room, const protocol::Epoch& epoch);
    [[nodiscard]] std::optional<std::uint32_t> find(std::string_view room) const noexcept;
    void add(const Run& run);
    // What of a run reaches no further than that place; nothing where the place is not in it.
    [[nodiscard]] std::optional<std::uint64_t> within(const Run& run,
                                                      const std::optional<std::uint64_t>& before,
                                                      const StreamPlace& place) const noexcept;

    std::vector<Room> rooms_;
    // Takes memory as it fills.
    boost::circular_buffer_space_optimized<Run> runs_;
    std::optional<StreamPlace> begin_;  // what its peer had got last when it began
    std::optional<Run> forgotten_;      // the last of those that are
    std::uint32_t joins_ = 0;
};

}  // namespace parley::core
