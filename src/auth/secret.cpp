#include "auth/secret.hpp"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <cstdint>
#include <stdexcept>

namespace parley::auth {
namespace {

constexpr std::string_view digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string luck(std::size_t bytes) {
    std::string out(bytes, '\0');
    if (RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(bytes)) != 1) {
        throw std::runtime_error("no random numbers");
    }
    return out;
}

int value_of(char c) noexcept {
    const auto at = digits.find(c);
    return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

}  // namespace

std::string make_token(std::string_view prefix) {
    std::string token(prefix);
    return token += base64url(luck(32));
}

std::string make_public_id(std::size_t length) {
    return base64url(luck(length)).substr(0, length);
}

core::TokenId id_of_token(std::string_view token) {
    core::TokenId id;
    SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(), id.data());
    return id;
}

std::string base64url(std::string_view bytes) {
    std::string out;
    out.reserve((bytes.size() * 4 + 2) / 3);
    std::uint32_t bits = 0;
    int count = 0;
    for (const char c : bytes) {
        bits = (bits << 8U) | static_cast<unsigned char>(c);
        count += 8;
        while (count >= 6) {
            count -= 6;
            out.push_back(digits[(bits >> static_cast<unsigned>(count)) & 63U]);
        }
    }
    if (count > 0) out.push_back(digits[(bits << static_cast<unsigned>(6 - count)) & 63U]);
    return out;
}

bool decode_base64url(std::string_view text, std::string& bytes) {
    bytes.clear();
    bytes.reserve(text.size() * 3 / 4);
    std::uint32_t bits = 0;
    int count = 0;
    for (const char c : text) {
        const int value = value_of(c);
        if (value < 0) return false;
        bits = (bits << 6U) | static_cast<std::uint32_t>(value);
        count += 6;
        if (count < 8) continue;
        count -= 8;
        bytes.push_back(static_cast<char>((bits >> static_cast<unsigned>(count)) & 255U));
    }
    // A rest of six bits is half a byte too little.
    return count < 6;
}

Wiped::~Wiped() {
    OPENSSL_cleanse(text_.data(), text_.size());
}

}  // namespace parley::auth
