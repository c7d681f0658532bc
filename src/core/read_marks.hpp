// ReadMarks: how far everybody has read in which room: of those who have signed in where rooms'
// records are kept, of everybody else in memory.
//
// Path:     Subscriber, at_home → [ReadMarks] → RoomRecords, and back by Shard::post()
// Runs on:  any thread; a lock is held for one look into a table. Answers come on the shard that asked,
//           in a later turn.
// Owned by: Hub.
// Bounds:   limits::read_marks_max marks in memory and limits::unread_marks_max of rooms in which
//           their user has read nothing, fewer of one user; of each the one that was touched longest
//           ago goes. Those of RoomRecords.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/room_records.hpp"
#include "core/user.hpp"

namespace parley::core {

class ReadMarks {
public:
    ReadMarks() = default;
    ReadMarks(const ReadMarks&) = delete;
    ReadMarks& operator=(const ReadMarks&) = delete;

    // Where the marks of those go who have signed in; null, as at first: nowhere but memory. Before
    // the shards run.
    void set_records(RoomRecords* records) noexcept { records_ = records; }

    // That user has read so far: in one epoch a mark never goes back.
    void note(const User& user, ReadMark mark);
    // The same of somebody of whom it is known that they have an account, or are here without one.
    void note(const protocol::User& user, bool has_account, ReadMark mark);
    // True where that user's marks are not in memory: look_up() and of_user() have them.
    [[nodiscard]] bool keeps_elsewhere(const User& user) const noexcept {
        return records_ != nullptr && is_signed_in(user);
    }
    // Of one whose are.
    [[nodiscard]] std::optional<ReadMark> recall(const User& user, const std::string& room) const;
    // Of one whose are not. What `done` holds must be weak.
    void look_up(Shard& here, const User& user, const std::string& room,
                 std::function<void(Recorded<std::optional<ReadMark>>&&)> done) const {
        records_->load_mark(here, user.who.id, room, std::move(done));
    }
    // The marks of a user, the one that was touched last first. What `done` holds must be weak.
    void of_user(Shard& here, const User& user,
                 std::function<void(Recorded<std::vector<ReadMark>>&&)> done) const;
    // Who has read in a room, some of the last who did, each once; of_user() otherwise.
    void of_room(Shard& here, const std::string& room,
                 std::function<void(Recorded<std::vector<Reader>>&&)> done) const;
    [[nodiscard]] std::size_t in_memory() const;
    // Marks that were forgotten for want of room.
    [[nodiscard]] std::uint64_t forgotten() const;

private:
    struct Entry {
        protocol::User user;
        ReadMark mark;
        std::uint64_t touched;  // the later the higher
    };
    using List = std::list<Entry>;  // the one touched last is the first
    using Key = std::pair<std::string, std::string>;
    // What others may make, by writing to somebody, and what its user has made by reading.
    static constexpr std::size_t unread = 0;
    static constexpr std::size_t read = 1;
    [[nodiscard]] static std::size_t way_of(const ReadMark& mark) noexcept {
        return mark.offset > 0 ? read : unread;
    }

    void remember(const protocol::User& user, ReadMark&& mark);
    void bound(const std::string& user, std::size_t way);
    void forget(List::iterator entry);
    [[nodiscard]] std::vector<ReadMark> remembered_of_user(const std::string& id) const;
    [[nodiscard]] std::vector<Reader> remembered_of_room(const std::string& room) const;

    RoomRecords* records_ = nullptr;
    mutable std::mutex mutex_;
    std::array<List, 2> entries_;                                         // by way
    std::map<Key, List::iterator> by_user_;                               // and room
    std::map<Key, List::iterator> by_room_;                               // and user
    std::unordered_map<std::string, std::array<std::size_t, 2>> counts_;  // by user, then way
    std::uint64_t touches_ = 0;
    std::uint64_t forgotten_ = 0;
};

}  // namespace parley::core
