// RoomRecords: where it is kept who is what in a room, what it is about, and how far everybody has
// read, as the core sees it. What is said there is HistoryStore's.
//
// Path:     Shard, RoomActs, whoever keeps read marks → [RoomRecords] → src/storage, and back by
//           Shard::post()
// Runs on:  has() and save_mark() on any thread; the rest on the shard that is named, which is told
//           in a later turn. Nothing here waits.
// Owned by: the server (composition root), a test. Outlives the hub's threads, not the hub.
// Bounds:   questions are bounded by who asks: one a session, request or room; marks by what stands
//           behind it.
#pragma once

#include <boost/system/result.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/clock.hpp"
#include "protocol/cursor.hpp"
#include "protocol/message.hpp"
#include "protocol/room_roles.hpp"

namespace parley::core {

class Shard;

// What somebody is in a room, and until when. `user` is known by its id; the name is what it was
// called by then.
struct RoomRole {
    protocol::User user;
    protocol::Role role = protocol::Role::none;
    std::optional<WallTime> until{};              // nothing: for good
    protocol::Role after = protocol::Role::none;  // what they are once it has ended or is lifted
    friend bool operator==(const RoomRole&, const RoomRole&) = default;
};

// What is kept of a room.
struct RoomRecord {
    std::string topic;
    std::vector<RoomRole> roles;  // one a user; none of them Role::none for good
    [[nodiscard]] bool empty() const noexcept { return topic.empty() && roles.empty(); }
};

// How far a user has read in a room: of another epoch than the room's it says nothing.
struct ReadMark {
    std::string room;
    protocol::Epoch epoch;
    std::uint64_t offset = 0;
    std::string name{};  // what the user was called by then
    friend bool operator==(const ReadMark&, const ReadMark&) = default;
};
// `newer` in the place of what was kept: in one epoch a mark never goes back.
inline void take_mark(ReadMark& kept, ReadMark&& newer) {
    const bool goes_back = kept.epoch == newer.epoch && kept.offset > newer.offset;
    if (!goes_back) kept = std::move(newer);
}
// Who has read in a room, and how far.
struct Reader {
    protocol::User user;
    protocol::Epoch epoch;
    std::uint64_t offset = 0;
    friend bool operator==(const Reader&, const Reader&) = default;
};

// An answer, or why there is none: `unavailable` with a retry while the records can't be reached.
template <typename T>
using Recorded = boost::system::result<T, protocol::Error>;
// Told that it is kept, or why it is not: nothing has changed then.
using WhenKept = std::function<void(const std::optional<protocol::Error>& refused)>;

// Why somebody who owns that many rooms may not own another by coming first.
[[nodiscard]] protocol::Error owns_too_many(std::size_t rooms);

class RoomRecords {
public:
    RoomRecords() = default;
    virtual ~RoomRecords() = default;
    RoomRecords(const RoomRecords&) = delete;
    RoomRecords& operator=(const RoomRecords&) = delete;

    // False for a room of which nothing is kept: it needs no load(). Any thread, at once.
    [[nodiscard]] virtual bool has(std::string_view room) const noexcept = 0;
    // What is kept of that room, with everything in it that was kept before.
    virtual void load(Shard& home, std::string room,
                      std::function<void(Recorded<RoomRecord>&&)> done) = 0;
    // Keeps what that user is in that room from now on; Role::none for good: nothing.
    virtual void save_role(Shard& home, std::string room, RoomRole role, WhenKept done) = 0;
    // As save_role() for an owner who has just come first; `forbidden` where they own as many rooms
    // as one user may have in that way.
    virtual void save_claim(Shard& home, std::string room, protocol::User owner, WhenKept done) = 0;
    // An empty topic: none.
    virtual void save_topic(Shard& home, std::string room, std::string topic, WhenKept done) = 0;

    // The marks of a user, the one that was saved last first, with everything in them that was saved
    // before.
    virtual void load_marks(Shard& here, std::string user,
                            std::function<void(Recorded<std::vector<ReadMark>>&&)> done) = 0;
    // The mark of a user in one room, with what was saved of it before: for each who joins.
    virtual void load_mark(Shard& here, std::string user, std::string room,
                           std::function<void(Recorded<std::optional<ReadMark>>&&)> done) = 0;
    // Who has marks in that room: the `most` that read last, with everything in it that was saved
    // before.
    virtual void load_readers(Shard& here, std::string room, std::size_t most,
                              std::function<void(Recorded<std::vector<Reader>>&&)> done) = 0;
    // Keeps that they have read so far: soon, and again and again until it is kept. In one epoch a
    // mark never goes back. Any thread, at once.
    virtual void save_mark(std::string user, ReadMark mark) = 0;
};

}  // namespace parley::core
