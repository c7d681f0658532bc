// Inspection: which sessions and rooms of a shard weigh most, for an operator who asks.
//
// Path:     admin listener → Shard::post() → [Inspection] → an answer in JSON
// Runs on:  the shard that is looked at.
// Owned by: nobody; values.
// Bounds:   the heaviest `top` of each; inspected_max subscriptions and as many rooms are looked at.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace parley::core {

class Shard;

// Looked at in one go, at 10 to 100 ns each: a question must not be what stalls a shard.
inline constexpr std::size_t inspected_max = 100'000;
inline constexpr std::size_t inspection_top_max = 1000;

enum class Weight : std::uint8_t { lag, bytes };

// One session's listening to one room in which it lags.
struct LaggingSession {
    std::uint32_t shard;
    std::string user_id;
    std::string user_name;
    std::string address;
    std::string_view transport;
    std::string room;
    std::size_t rooms;        // joined by the session
    std::uint64_t lag;        // publications of that room that it was not handed
    std::uint64_t lag_bytes;  // what they take, taken as the mean of the window
};

// A room as one shard has it.
struct InspectedRoom {
    std::uint32_t shard;
    std::string room;
    bool home;                 // this shard keeps its history and members
    std::size_t listeners;     // sessions of this shard
    std::size_t members;       // users present; 0 but at home
    std::uint64_t lag;         // publications that somebody here was not handed
    std::size_t window_bytes;  // what they take
    std::size_t history_messages;
    std::size_t history_bytes;
};

template <typename Row>
struct Inspected {
    std::vector<Row> rows;  // the heaviest first
    std::size_t looked_at = 0;
    bool all = true;  // false: there was more to look at than inspected_max
};

[[nodiscard]] Inspected<LaggingSession> inspect_sessions(const Shard& shard, Weight by,
                                                         std::size_t top);
[[nodiscard]] Inspected<InspectedRoom> inspect_rooms(const Shard& shard, Weight by,
                                                     std::size_t top);

[[nodiscard]] inline std::uint64_t weight_of(const LaggingSession& row, Weight by) noexcept {
    return by == Weight::lag ? row.lag : row.lag_bytes;
}
[[nodiscard]] inline std::uint64_t weight_of(const InspectedRoom& row, Weight by) noexcept {
    return by == Weight::lag ? row.lag : row.window_bytes + row.history_bytes;
}

}  // namespace parley::core
