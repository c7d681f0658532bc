// Cursor: a place in a room, `epoch:offset`, the same string on every transport.
//
// Path:     Codec → [Cursor] → Room
// Runs on:  any thread; a plain value.
// Owned by: whoever holds it.
// Bounds:   an epoch is 1 to 8 of [A-Za-z0-9]; an offset has at most 16 digits.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace parley::protocol {

// One life of a room's numbering: at most 8 characters, held inline.
class Epoch {
public:
    static constexpr std::size_t length_max = 8;

    constexpr Epoch() = default;
    // Nothing when the text is empty, longer than 8 or holds anything but [A-Za-z0-9].
    [[nodiscard]] static std::optional<Epoch> parse(std::string_view text) noexcept;
    [[nodiscard]] std::string_view view() const noexcept { return {chars_.data(), length_}; }
    [[nodiscard]] bool empty() const noexcept { return length_ == 0; }
    friend bool operator==(const Epoch&, const Epoch&) = default;

private:
    std::array<char, length_max> chars_{};
    std::uint8_t length_ = 0;
};

struct Cursor {
    Epoch epoch;
    std::uint64_t offset = 0;

    // Parses `epoch:offset`; nothing when either half is malformed.
    [[nodiscard]] static std::optional<Cursor> parse(std::string_view text) noexcept;
    [[nodiscard]] std::string to_string() const;
    friend bool operator==(const Cursor&, const Cursor&) = default;
};

// Appends the decimal digits of a number. Never fails.
void append_decimal(std::string& out, std::uint64_t value);
// Appends the cursor's one string to a std::string, or to what is appended to like one.
template <typename Out>
void append_cursor(Out& out, const Cursor& cursor) {
    out.append(cursor.epoch.view());
    out.push_back(':');
    append_decimal(out, cursor.offset);
}

}  // namespace parley::protocol
