#include "core/ids.hpp"

#include <algorithm>
#include <cstring>

namespace parley::core {
namespace {

constexpr std::string_view alphabet =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

std::string in_base62(std::uint64_t bits, std::size_t length) {
    std::string out(length, '0');
    for (auto& c : out) {
        c = alphabet[bits % alphabet.size()];
        bits /= alphabet.size();
    }
    return out;
}

// The finaliser of SplitMix64 (Steele, Lea, Flood 2014): every input bit reaches every output bit.
std::uint64_t mix(std::uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
}

std::uint64_t absorb(std::uint64_t state, std::string_view text) {
    const std::size_t size = text.size();
    while (!text.empty()) {
        std::uint64_t word = 0;
        const std::size_t taken = std::min(text.size(), sizeof word);
        std::memcpy(&word, text.data(), taken);
        state = mix(state ^ word);
        text.remove_prefix(taken);
    }
    return mix(state + size);
}

}  // namespace

std::string random_id(std::mt19937_64& random, std::size_t length) {
    constexpr std::size_t characters_per_draw = 10;
    std::string out;
    while (out.size() < length) {
        out += in_base62(random(), std::min(characters_per_draw, length - out.size()));
    }
    return out;
}

protocol::Epoch random_epoch(std::mt19937_64& random) {
    return *protocol::Epoch::parse(random_id(random, 5));
}

std::string anonymous_user_id(std::uint64_t secret, std::string_view address,
                              std::string_view name) {
    return in_base62(absorb(absorb(secret, address), name), 8);
}

}  // namespace parley::core
