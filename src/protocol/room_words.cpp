#include "protocol/room_words.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

namespace parley::protocol {

std::optional<std::uint64_t> parse_duration_ms(std::string_view text) noexcept {
    struct Unit {
        std::string_view name;
        std::uint64_t ms;
    };
    constexpr Unit units[] = {
        {"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
    std::uint64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc()) return std::nullopt;
    const std::string_view unit(stopped, static_cast<std::size_t>(end - stopped));
    const auto* const found = std::ranges::find(units, unit, &Unit::name);
    if (found == std::end(units)) return std::nullopt;
    if (number > std::numeric_limits<std::uint64_t>::max() / found->ms) return std::nullopt;
    return number * found->ms;
}

std::size_t count_characters(std::string_view utf8) noexcept {
    return static_cast<std::size_t>(std::ranges::count_if(
        utf8, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

}  // namespace parley::protocol
