// PostgresAmendments: what a batch changes of messages that are stored, and what they were before.
//
// Path:     PostgresWriter → [PostgresAmendments] → PostgresConnection
// Runs on:  the engine's thread.
// Owned by: PostgresWriter.
// Bounds:   PostgresWriter's batch_amendments_max and those of one message more, and as many as they
//           were before.
//
// The words of a changed message are not noted here but by the keeper: of a block that they are in
// it would be those of 64 messages, while everybody who sends waits. Its words are thrown away, and
// until they are noted anew the block is looked through by every search.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "core/retained.hpp"
#include "storage/postgres_connection.hpp"

namespace parley::storage {

class PostgresAmendments {
public:
    // The message is to take the place of the one with its offset in the room with that id; of
    // several for one place the last one does.
    void add(std::uint64_t room, const core::RetainedPtr& message);
    void clear() noexcept;
    [[nodiscard]] bool empty() const noexcept { return changed_.empty(); }

    // Notes what is stored in those places, for put_back().
    awaitable<void> read_former(PostgresConnection& connection);
    // Puts the changes into the pipeline of a transaction, behind the messages that it inserts. Its
    // last result is for blocks_of().
    void send(PostgresConnection& connection) const;
    // The same with what was there before, where something else is now. The caller holds the rooms.
    void put_back(PostgresConnection& connection) const;
    // By room: how many blocks wait for their words to be noted anew.
    [[nodiscard]] static std::map<std::uint64_t, std::uint64_t> blocks_of(
        const PostgresResult& marked);

private:
    using Place = std::pair<std::uint64_t, std::uint64_t>;  // room, offset

    std::map<Place, core::RetainedPtr> changed_;
    std::map<Place, std::string> former_;
};

}  // namespace parley::storage
