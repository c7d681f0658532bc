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

// Places that are kept of what a session of several rooms was handed in which order: as many
// changes from one room to another as a connection's buffers may hold unread. 16 bytes each, in
// sessions of several rooms only.
inline constexpr std::size_t trail_runs_max = 128;

}  // namespace parley::core::limits
