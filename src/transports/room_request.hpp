// RoomRequest: what a request to listen to a room says: `/api/v1/rooms/{room}/…?since=…`.
//
// Path:     LongPollFrontend, SseFrontend → [RoomRequest]
// Runs on:  its shard; pure functions.
// Owned by: passed by value.
// Bounds:   a request comes bounded by http.header_bytes; its numbers are judged here.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "protocol/cursor.hpp"
#include "transports/frontend.hpp"

namespace parley::transports {

// `room` of `/api/v1/rooms/{room}/{leaf}`, not decoded; nothing for any other path.
[[nodiscard]] std::optional<std::string_view> room_in_path(std::string_view path,
                                                           std::string_view leaf) noexcept;

struct RoomRequest {
    std::string room;
    std::optional<std::string> name;  // ?name=, or X-Parley-Name
    std::optional<protocol::Cursor> since;
    std::optional<std::uint32_t> count;  // ?limit= or ?history=, whichever the caller reads
    std::optional<std::chrono::milliseconds> wait;
    bool transient = false;
};

// What it may hold beside `since` and `name`.
struct RoomRequestRules {
    std::string_view count_name;         // "limit" or "history"
    std::uint32_t count_min = 0;         // … up to limits::history_answer_max
    std::chrono::milliseconds wait_max;  // zero: there is no `wait`
    std::size_t name_bytes_max;
    // Reads ?transient=, and as `since` also ?last_event_id= and the header Last-Event-ID, which a
    // reconnecting EventSource sends and which counts before the others.
    bool event_stream = false;
};

// Reads a request whose path is that of a room, or says what is wrong with it (400, 401). Unknown
// parameters are passed over; of a repeated one the last counts; an empty `since` is none.
[[nodiscard]] std::variant<RoomRequest, HttpResponse> read_room_request(
    const Exchange& exchange, std::string_view room, const RoomRequestRules& rules);

// "25s", "1500ms", "1m", or a number of seconds; nothing where it is none of them.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_wait(std::string_view text) noexcept;

}  // namespace parley::transports
