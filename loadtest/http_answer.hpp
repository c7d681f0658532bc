// http_answer: the paths of the REST interface, and an answer in words for the report.
//
// Path:     the HTTP dialogues → [http_answer] → Tally's reasons
// Runs on:  any thread; pure functions.
// Owned by: nobody; no state.
// Bounds:   a status line's reason of 80 characters.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "loadtest/http_reader.hpp"

namespace parley::load {

[[nodiscard]] std::string messages_path(std::string_view room);
[[nodiscard]] std::string events_path(std::string_view room);

// "429 rate_limited": the status, and the problem's code where the body names one (RFC 9457), or
// the message of Engine.IO's errors.
[[nodiscard]] std::string describe_answer(const HttpReader& reader);

// The status of an answer's head; 0 where it has none.
[[nodiscard]] std::uint16_t status_of(std::string_view head);

}  // namespace parley::load
