// The schema of the PostgreSQL store: how it is made, brought up to date and locked.
//
//   parley_meta      version   of the schema
//                    run       how often a parleyd opened it
//                    clean     1 after an end at which all was written
//                    sync      1 where the run that opened it last had durability sync
//                    void_run  epochs that rooms have from an earlier run than this are void
//   parley_rooms     run: in which the epoch was given. removed_to: the newest offset that retention
//                    removed. indexed_to: up to where it is searched by parley_blocks
//   parley_messages  bytes_before: of all messages before it as they were said, so that what a room
//                    holds is a difference of two. One that was amended counts as it was said
//   parley_keys      keyed sends of the last minutes
//   parley_sessions  that may be taken up again by the next run
//   parley_blocks    which words occur in 64 messages, see below
//
// Searching. An index over each message would cost each insert a dozen entries in a tree, and a
// common word would name half of a room of a million, of which the newest few are wanted. So words
// are noted for blocks of 64 messages, by the keeper, once a block is full: an insert touches no
// index of words, a search finds the blocks that can hold what is wanted, looks into the newest of
// them first, and stops as soon as it has enough. What lies behind the last full block is looked
// through. Every block holds the word `#` and its room's number, which no text has, so that a search
// in one room doesn't meet another's; one whose words are too many for PostgreSQL holds `#any`.
// Where a message is amended its block's words are thrown away in the same transaction: it holds
// `#any` and `#anew` until the keeper has noted them anew.
//
// Path:     PostgresStore → [schema] → PostgresWriter, PostgresReader, PostgresSearcher, PostgresKeeper
// Runs on:  the engine's thread.
// Owned by: nobody; constants and coroutines.
// Bounds:   the first 250,000 characters of a message are searched: PostgreSQL can't make words of much
//           more than a million bytes.
#pragma once

#include <cstdint>
#include <string>

#include "storage/postgres_connection.hpp"

namespace parley::storage {

inline constexpr std::int64_t postgres_schema_version = 2;
// Messages in a block of parley_blocks. Fewer: more blocks to name for a common word. More: more
// messages to look through for each that is found.
inline constexpr std::uint64_t search_block = 64;

// How long a start waits for the lock of a parleyd that has just ended: its connections live until
// the server notices.
inline constexpr milliseconds postgres_lock_patience{3'000};

// Sets a new connection up: what the statements rely on.
awaitable<void> set_up_session(PostgresConnection& connection);
// Takes the lock that one writer has of a database. False where another has it. `former` is the
// process of this program's last connection (0: none), which is ended where it is still there.
awaitable<bool> lock_database(PostgresConnection& connection, const std::string& name, int former);
// Creates or migrates the schema; the caller holds the lock. Throws PostgresError where it is of a
// newer version.
awaitable<void> migrate(PostgresConnection& connection);
// One start of a parleyd, and which of them left epochs that are void.
struct PostgresRun {
    std::uint64_t number = 0;
    std::uint64_t void_run = 0;
};
awaitable<PostgresRun> begin_run(PostgresConnection& connection, bool sync);
// Throws PostgresError where that is not the run that began last: rooms have moved on without this
// process, which knows them no more.
[[nodiscard]] boost::asio::awaitable<void> check_run(PostgresConnection& connection,
                                                     const PostgresRun& run);

}  // namespace parley::storage
