#include "protocol/direct_room.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace parley::protocol {
namespace {

constexpr std::size_t plain_id_bytes_max = 43;  // as long as a digest

bool is_plain(std::string_view id) {
    return !id.empty() && id.size() <= plain_id_bytes_max && std::ranges::all_of(id, [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
               c == '_' || c == '-';
    });
}

std::string word_of(std::string_view id) {
    if (is_plain(id)) return std::string(id);
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    if (EVP_Digest(id.data(), id.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1) {
        throw std::runtime_error("libcrypto offers no SHA-256");
    }
    std::string out(4 * ((size + 2) / 3) + 1, '\0');
    const int written = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), digest.data(),
                                        static_cast<int>(size));
    out.resize(static_cast<std::size_t>(written));
    while (out.ends_with('=')) out.pop_back();
    std::ranges::replace(out, '+', '-');
    std::ranges::replace(out, '/', '_');
    return "." + out;
}

}  // namespace

std::string direct_room(std::string_view one_id, std::string_view other_id) {
    std::string first = word_of(one_id);
    std::string second = word_of(other_id);
    if (second < first) std::swap(first, second);
    std::string room(direct_room_prefix);
    room.append(first).append(":").append(second);
    return room;
}

bool is_party_of(std::string_view direct_room, std::string_view id) {
    if (!is_direct_room(direct_room)) return false;
    direct_room.remove_prefix(direct_room_prefix.size());
    const auto colon = direct_room.find(':');
    if (colon == std::string_view::npos) return false;
    const std::string word = word_of(id);
    return direct_room.substr(0, colon) == word || direct_room.substr(colon + 1) == word;
}

}  // namespace parley::protocol
