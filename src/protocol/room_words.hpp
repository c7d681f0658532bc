// What commands about who may do what may say: durations, and how long names, reasons and topics are.
//
// Path:     json_codec → [room_words]
// Runs on:  any thread; constants and pure functions.
// Owned by: nobody.
// Bounds:   these.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace parley::protocol {

inline constexpr std::size_t user_named_bytes_max = 256;
inline constexpr std::size_t reason_bytes_max = 500;
inline constexpr std::size_t topic_characters_max = 500;
// Ten years: what is to last longer is to last.
inline constexpr std::uint64_t role_for_ms_max = 3'650ULL * 24 * 3'600'000;

// "500ms", "30s", "10m", "2h", "7d" in milliseconds; nothing where it is none of them, or longer
// than 64 bits hold.
[[nodiscard]] std::optional<std::uint64_t> parse_duration_ms(std::string_view text) noexcept;

// Characters (code points) of a text in UTF-8.
[[nodiscard]] std::size_t count_characters(std::string_view utf8) noexcept;

}  // namespace parley::protocol
