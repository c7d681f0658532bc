// Grant: what a token lets its bearer do, and until when.
//
// Path:     Accounts → [Grant] → User → Session
// Runs on:  any thread; immutable.
// Owned by: the user who acts by it (GrantedUser).
// Bounds:   the token's own size, which Accounts bounds.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"

namespace parley::core {

// A token as it is known outside of its bearer's hands: its SHA-256.
using TokenId = std::array<std::uint8_t, 32>;
// It is as random as any hash of it.
struct TokenIdHash {
    std::size_t operator()(const TokenId& token) const noexcept {
        std::size_t hash = 0;
        std::memcpy(&hash, token.data(), sizeof hash);
        return hash;
    }
};

struct Grant {
    enum class Kind : std::uint8_t {
        stranger,  // nobody yet: may do nothing but sign in
        session,   // of an account, by its password
        api_key,   // of an account, by a key that it made
        jwt,       // of somebody whom another system knows
    };

    Kind kind = Kind::session;
    bool reads = true;       // may listen, and ask for history and members
    bool writes = true;      // may say something
    bool all_rooms = true;   // false: `rooms` alone
    bool moderates = false;  // is a moderator of those, or more
    TokenId token{};
    std::optional<WallTime> expires{};  // what is done by it ends then
    std::vector<std::string> rooms{};   // patterns: `*` for any run of characters

    // Whether that room is one of them.
    [[nodiscard]] bool covers(std::string_view room) const noexcept;
};

// "session", "api_key", "jwt".
[[nodiscard]] std::string_view name_of(Grant::Kind kind) noexcept;

}  // namespace parley::core
