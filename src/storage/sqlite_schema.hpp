// The tables of a history in SQLite, and how those of an earlier version become those of this one.
//
// Path:     SqliteStore → [schema] → the file
// Runs on:  the thread that opens the store.
// Owned by: nobody; plain functions.
// Bounds:   a file of a later version is refused.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "storage/sqlite_database.hpp"

namespace parley::storage {

// Each makes version n + 1 of version n, where version 0 is an empty file.
[[nodiscard]] std::span<const std::string_view> sqlite_migrations() noexcept;

// Brings the file to the newest version, or leaves it as it was. Throws SqliteError, and
// std::runtime_error where it is of a version that is not known.
void migrate(SqliteDatabase& database);

// What follows `CREATE VIRTUAL TABLE … USING` for an index of words.
inline constexpr std::string_view words_table =
    "fts5(text, content='', columnsize=0, tokenize='unicode61 remove_diacritics 2')";

// A message's key: its room in the upper bits, its offset in the lower. A room's messages lie side
// by side and in order, and the same number is their row in the index of words.
inline constexpr int offset_bits = 39;
inline constexpr std::uint64_t stored_offset_max = (std::uint64_t{1} << offset_bits) - 1;
inline constexpr std::int64_t stored_rooms_max = (std::int64_t{1} << (63 - offset_bits)) - 1;
[[nodiscard]] constexpr std::int64_t message_key(std::int64_t room, std::uint64_t offset) noexcept {
    const std::uint64_t bounded = offset < stored_offset_max ? offset : stored_offset_max;
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(room) << offset_bits | bounded);
}
[[nodiscard]] constexpr std::uint64_t offset_of_key(std::int64_t key) noexcept {
    return static_cast<std::uint64_t>(key) & stored_offset_max;
}

}  // namespace parley::storage
