// Stamp: what a payload begins with, so that a receiver can tell when it was meant to be sent, by
// whom, and which of that publisher's messages it is, wherever a server puts the text.
//
// Path:     Pacer → VirtualUser::publish → [Stamp] → server → [find_stamp] → DeliveryCheck
// Runs on:  any thread; plain values.
// Owned by: nobody.
// Bounds:   34 bytes, letters, digits and '~' only: nothing that JSON or a URL would escape.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace parley::load {

struct Stamp {
    std::int64_t intended_ns = 0;  // CLOCK_MONOTONIC
    std::uint32_t publisher = 0;   // the sending user's index
    std::uint32_t sequence = 0;    // 1, 2, 3 … of that publisher
    friend bool operator==(const Stamp&, const Stamp&) = default;
};

inline constexpr std::string_view stamp_marker = "~P";
inline constexpr std::size_t stamp_bytes = 2 + 16 + 8 + 8;

void append_stamp(std::string& out, const Stamp& stamp);

struct FoundStamp {
    Stamp stamp;
    std::size_t end;  // of the stamp, in the text
};
// The first whole stamp at or behind `from`; nothing where there is none.
[[nodiscard]] std::optional<FoundStamp> find_stamp(std::string_view text, std::size_t from = 0);

}  // namespace parley::load
