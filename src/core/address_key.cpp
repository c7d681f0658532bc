#include "core/address_key.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

namespace parley::core {
namespace {

std::string text_of(int family, const std::uint8_t* bytes) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    return ::inet_ntop(family, bytes, text.data(), text.size());
}

}  // namespace

std::string address_key(std::string_view address) {
    // A zone names an interface of this machine and no other address.
    const std::string plain(address.substr(0, address.find('%')));
    std::array<std::uint8_t, 16> bytes{};
    if (::inet_pton(AF_INET6, plain.c_str(), bytes.data()) != 1) return std::string(address);
    constexpr std::array<std::uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
    if (std::ranges::equal(mapped, std::span(bytes).first(12))) {
        return text_of(AF_INET, bytes.data() + 12);
    }
    std::ranges::fill(std::span(bytes).last(8), std::uint8_t{0});
    return text_of(AF_INET6, bytes.data()) + "/64";
}

}  // namespace parley::core
