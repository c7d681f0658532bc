#include "protocol/cursor.hpp"

#include <charconv>

namespace parley::protocol {
namespace {

constexpr std::size_t offset_digits_max = 16;

constexpr bool is_alphanumeric(char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

}  // namespace

std::optional<Epoch> Epoch::parse(std::string_view text) noexcept {
    if (text.empty() || text.size() > length_max) return std::nullopt;
    Epoch epoch;
    for (const char c : text) {
        if (!is_alphanumeric(c)) return std::nullopt;
        epoch.chars_[epoch.length_++] = c;
    }
    return epoch;
}

std::optional<Cursor> Cursor::parse(std::string_view text) noexcept {
    const auto colon = text.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const auto epoch = Epoch::parse(text.substr(0, colon));
    const auto digits = text.substr(colon + 1);
    if (!epoch || digits.empty() || digits.size() > offset_digits_max) return std::nullopt;
    Cursor cursor{*epoch, 0};
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), cursor.offset);
    if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    return cursor;
}

std::string Cursor::to_string() const {
    std::string out;
    append_cursor(out, *this);
    return out;
}

void append_decimal(std::string& out, std::uint64_t value) {
    char digits[20];
    const auto result = std::to_chars(digits, digits + sizeof digits, value);
    out.append(digits, static_cast<std::size_t>(result.ptr - digits));
}

}  // namespace parley::protocol
