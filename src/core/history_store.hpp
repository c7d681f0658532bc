// HistoryStore: where publications are kept beyond memory, as the core sees it: an engine that takes
// them in order, says when they are safe, and gives them back.
//
// Path:     RoomHome → [HistoryStore] → an engine of src/storage, and back by Shard::post()
// Runs on:  each call on the home shard of the room it names; accepting() on any thread. Nothing
//           here waits: the engine works on threads of its own.
// Owned by: the server (composition root), a test. Outlives the hub's threads, not the hub.
// Bounds:   HistoryConfig::queue_messages, ::queue_bytes not yet written; then accepting() is false
//           and sends are answered `unavailable`. Questions are bounded by who asks: one a session.
#pragma once

#include <boost/system/result.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/config.hpp"
#include "core/history.hpp"
#include "core/retained.hpp"
#include "protocol/cursor.hpp"
#include "protocol/message.hpp"

namespace parley::core {

class Shard;

// A keyed send that was stored: a repetition is answered from it.
struct StoredKey {
    std::string user;  // the sender's name
    std::string key;
    std::uint64_t offset = 0;
    WallTime at{};
};

// A room as the store has it when its home is made.
struct StoredRoom {
    protocol::Epoch epoch;
    std::uint64_t last_offset = 0;    // 0: nothing was ever said
    std::vector<RetainedPtr> newest;  // ascending, without holes, up to last_offset
    std::vector<StoredKey> keys;      // younger than limits::idempotency_seconds, the oldest first
};

// What is to be stored of one message.
struct Unsaved {
    RetainedPtr message;
    std::string user;  // with the key; both empty where the send had none
    std::string key;
    WallTime at{};
    // Earlier messages of the room that this one changes (an edit, a deletion), two at most: each is
    // to take the place of the stored one with its offset, in the same transaction as the message
    // itself; one that is no longer stored is passed over. From then on pages, searches and open()
    // give the new one, and nothing of the old text is to be found any more. Where the message is
    // refused, so are they.
    std::vector<RetainedPtr> amended{};
};

// Which stored messages are wanted, ascending in the answer: the last ones before `before`, or where
// that is 0 the first ones behind `after`.
struct StoredPage {
    std::uint64_t before = 0;
    std::uint64_t after = 0;
    std::uint64_t last_offset = 0;  // of the room now: what was appended up to it is to be seen
    std::uint32_t limit = 0;
    // True: what was amended by appends before this call is to be seen as well. An engine that reads
    // beside its writer answers such a page behind what is queued.
    bool behind_appends = false;
};

// Which messages a search is to find: the newest, ascending in the answer.
struct StoredSearch {
    std::string query;         // words, all of which must occur; "quoted" ones side by side
    std::uint64_t before = 0;  // only messages with a smaller offset; 0: all
    std::uint32_t limit = 0;
};

// A session that was lost when the last run ended, or before, and may still be taken up again.
struct StoredSession {
    std::string key;
    WallTime until{};
    std::string state;  // to_json() of the LostSession
};

// An answer, or why there is none: `unavailable` with a retry while the store can't be reached.
template <typename T>
using Stored = boost::system::result<T, protocol::Error>;

// What became of an append() with durability sync.
struct StoredOutcome {
    std::string room;
    std::uint64_t ticket = 0;
    bool stored = false;
};
// Tells the homes on that shard, which is the calling thread's: for an engine, by Shard::post().
void tell_stored(Shard& home, const std::vector<StoredOutcome>& outcomes);

// The error while a store can't be reached or is too far behind.
[[nodiscard]] protocol::Error store_unavailable(std::string text);

class HistoryStore {
public:
    virtual ~HistoryStore() = default;

    // False while nothing more may be said: the store fails, or is too far behind. Any thread.
    [[nodiscard]] virtual bool accepting() const noexcept = 0;

    // Finds the room, or makes it with that epoch. Answers in a later turn of `home`, after
    // everything appended before this was written. An engine that can't tell whether all that was
    // acked in the epoch that it has was written (async, and the last run was cut off) begins
    // `fresh`, with the offsets going on: what was read by a cursor of the old one is void.
    virtual void open(Shard& home, std::string room, protocol::Epoch fresh,
                      std::function<void(Stored<StoredRoom>&&)> done) = 0;

    // Stores the room's next message. With durability sync, `home` is told the outcome in a later
    // turn by tell_stored(), in the order of appending; a message that could not be written is
    // forgotten, and so is every later one of that room until the next with the offset that follows
    // what is stored. With async nothing is told: it is tried again and again until it is written.
    // `ticket` comes back with the outcome.
    virtual void append(Shard& home, const std::string& room, Unsaved&& message,
                        std::uint64_t ticket) = 0;
    // Remembers a keyed send whose message is appended by itself (async).
    virtual void remember(const std::string& room, StoredKey&& key) = 0;

    // What keep_sessions() kept in the last run, and is given once, the oldest first; and keeps it for
    // the next one. Both wait for the disk: for the start and the end of the process, when no shard
    // runs. A store that can't be read or written loses them: they begin afresh.
    [[nodiscard]] virtual std::vector<StoredSession> take_sessions() = 0;
    virtual void keep_sessions(std::vector<StoredSession>&& sessions) = 0;

    // Both answer in a later turn of `home`.
    virtual void page(Shard& home, std::string room, const StoredPage& asked,
                      std::function<void(Stored<HistorySlice>&&)> done) = 0;
    virtual void search(Shard& home, std::string room, StoredSearch&& asked,
                        std::function<void(Stored<HistorySlice>&&)> done) = 0;
};

}  // namespace parley::core
