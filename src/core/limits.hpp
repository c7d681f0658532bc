// Hard limits: what no configuration lifts, with the arithmetic that chose it.
//
// Path:     everywhere a bound is needed that an operator has no use in choosing
// Runs on:  any thread; constants.
// Owned by: nobody.
// Bounds:   these.
#pragma once

#include <cstddef>
#include <cstdint>

namespace parley::core::limits {

// A cursor on each shard's line of every ring: 64 shards cost a room 4 KiB, and 64 cores in one
// process is where a second process is the better answer.
inline constexpr std::uint32_t shards_max = 64;

// protocol: [A-Za-z0-9][A-Za-z0-9._:@-]{0,127}
inline constexpr std::size_t room_name_bytes_max = 128;

// Slots of a room's ring. One turn at saturation takes in what 100 ms bring: 40,000 publications/s
// to one room are 4,000.
inline constexpr std::uint32_t room_ring_slots_first = 16;
inline constexpr std::uint32_t room_ring_slots_max = 4096;

// protocol: `history` and `limit` ≤ 200.
inline constexpr std::size_t history_answer_max = 200;

// protocol: a `key` is remembered for five minutes. A room of 1,000 keyed sends a second would
// hold 300,000; past this bound the oldest is forgotten early and counted.
inline constexpr std::size_t idempotency_keys_max = 65'536;
inline constexpr std::uint64_t idempotency_seconds = 300;

// Users who were made something in one room: 10,000 bans take 1 to 2 MB.
inline constexpr std::size_t room_roles_max = 10'000;

// Rooms that one user owns by having come first. Where nothing is kept a shard has its share of them.
inline constexpr std::size_t rooms_owned_max = 1'000;

// Publications that one gathered run joins into one buffer: the size of a TLS record and more than
// a loopback segment, so that a larger one saves no system call worth its copy.
inline constexpr std::size_t run_bytes_max = 64 * 1024;
// From this many waiting publications on, joining beats handing over one buffer each (one
// iovec costs 15 to 20 ns in the kernel, a copy of 300 bytes about as much but once for all).
inline constexpr std::size_t run_frames_min = 4;
// A flush that is held goes out when it hands a run's bytes to everybody: a write that carries more
// costs as much for each byte. And when what it holds fills this share of the room's window, so that
// nobody falls out of it for waiting.
inline constexpr std::size_t held_bytes_max = run_bytes_max;
inline constexpr std::size_t held_window_share = 4;

// Wire formats that may exist in one process: parley.v1 plain and deflated, Server-Sent Events in
// chunks and bare, long-poll, the one of the tests; and of Socket.IO two, with offsets and without,
// for each namespace. A pointer each in every publication.
inline constexpr std::size_t socketio_namespaces_max = 4;
inline constexpr std::size_t wire_formats_max = 6 + 2 * socketio_namespaces_max;

// Read marks in memory, of those who have no account: 300 bytes each. Those of conversations that
// others began, in which their user has read nothing, come on top, and never in the place of others.
inline constexpr std::size_t read_marks_max = 100'000;
inline constexpr std::size_t unread_marks_max = 20'000;
// Of one user, wherever they are kept.
inline constexpr std::size_t read_marks_per_user = 1'000;
inline constexpr std::size_t unread_marks_per_user = 200;
// Who is named where it is asked who has read in a room.
inline constexpr std::size_t readers_max = 200;
// Rooms in one list of a user's own.
inline constexpr std::size_t my_rooms_max = 200;

// Places that are kept of what a session of several rooms was handed in which order: as many
// changes from one room to another as a connection's buffers may hold unread. 16 bytes each, in
// sessions of several rooms only.
inline constexpr std::size_t trail_runs_max = 128;

}  // namespace parley::core::limits
