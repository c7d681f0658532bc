#include "protocol/byte_range.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include "protocol/header_list.hpp"

namespace parley::protocol {
namespace {

// More than 2^64 is as good as the most there is; nothing where it is no number.
std::optional<std::uint64_t> parse_position(std::string_view text) noexcept {
    std::uint64_t value = 0;
    const auto [stopped, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || stopped != text.data() + text.size()) return std::nullopt;
    if (error == std::errc::result_out_of_range) return std::numeric_limits<std::uint64_t>::max();
    return error == std::errc() ? std::optional(value) : std::nullopt;
}

}  // namespace

ByteRange parse_byte_range(std::string_view header, std::uint64_t size) noexcept {
    using Kind = ByteRange::Kind;
    constexpr std::string_view unit = "bytes=";
    if (header.size() < unit.size() || !equal_any_case(header.substr(0, unit.size()), unit)) {
        return {};
    }
    const std::string_view set = trim(header.substr(unit.size()));
    const auto dash = set.find('-');
    if (dash == std::string_view::npos) return {};
    const std::string_view behind = set.substr(dash + 1);
    const auto last = parse_position(behind);
    if (dash == 0) {  // the last so many
        if (!last) return {};
        if (*last == 0 || size == 0) return {Kind::unsatisfiable};
        return {Kind::part, size - std::min(*last, size), size - 1};
    }
    const auto first = parse_position(set.substr(0, dash));
    if (!first || (!last && !behind.empty()) || (last && *last < *first)) return {};
    if (*first >= size) return {Kind::unsatisfiable};
    return {Kind::part, *first, std::min(last.value_or(size - 1), size - 1)};
}

bool none_match_names(std::string_view if_none_match, std::string_view etag) noexcept {
    if (trim(if_none_match) == "*") return true;
    std::string_view item;
    while (next_item(if_none_match, ',', item)) {
        if (item.starts_with("W/")) item.remove_prefix(2);
        if (item == etag) return true;
    }
    return false;
}

bool if_range_holds(std::string_view if_range, std::string_view etag) noexcept {
    return if_range.empty() || trim(if_range) == etag;
}

}  // namespace parley::protocol
