// Secrets: random tokens, what of them may be written down, and text that is wiped behind its use.
//
// Path:     LocalAccounts → [secret]
// Runs on:  any thread; pure functions.
// Owned by: nobody.
// Bounds:   256 bits of luck a token.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "core/grant.hpp"

namespace parley::auth {

// `prefix` and 43 characters of [A-Za-z0-9_-]: 256 random bits. Throws std::runtime_error where the
// machine has no luck to give.
[[nodiscard]] std::string make_token(std::string_view prefix);
// So many random characters of [A-Za-z0-9_-], for names that are no secret.
[[nodiscard]] std::string make_public_id(std::size_t length);
// Its SHA-256.
[[nodiscard]] core::TokenId id_of_token(std::string_view token);

// RFC 4648, 5, without padding. Decoding gives nothing back for what is not that.
[[nodiscard]] std::string base64url(std::string_view bytes);
[[nodiscard]] bool decode_base64url(std::string_view text, std::string& bytes);

// Text that does not stay in memory when it is done with.
class Wiped {
public:
    explicit Wiped(std::string text) noexcept : text_(std::move(text)) {}
    ~Wiped();
    Wiped(const Wiped&) = delete;
    Wiped& operator=(const Wiped&) = delete;
    [[nodiscard]] const std::string& text() const noexcept { return text_; }

private:
    std::string text_;
};

}  // namespace parley::auth
