#include "core/address_key.hpp"

#include <arpa/inet.h>

#include <span>

namespace parley::core {
namespace {

// No IPv6 address in use begins with sixteen zero bits and sixteen ones.
constexpr AddressKey v4_prefix = AddressKey{0xFFFF} << 32U;

AddressKey number_of(std::span<const std::uint8_t> bytes) noexcept {
    AddressKey number = 0;
    for (const std::uint8_t byte : bytes) number = (number << 8U) | byte;
    return number;
}

}  // namespace

AddressKey address_key_of_v4(std::uint32_t address) noexcept {
    return v4_prefix | address;
}

AddressKey address_key_of(const std::array<std::uint8_t, 16>& address) noexcept {
    const AddressKey network = number_of(std::span(address).first<8>());
    const AddressKey host = number_of(std::span(address).last<8>());
    return network == 0 && host >> 32U == 0xFFFF ? host : network;
}

std::string address_key(std::string_view address) {
    // A zone names an interface of this machine and no other address.
    const std::string plain(address.substr(0, address.find('%')));
    std::array<std::uint8_t, 16> bytes{};
    if (::inet_pton(AF_INET6, plain.c_str(), bytes.data()) != 1) return std::string(address);
    const AddressKey key = address_key_of(bytes);
    const bool v4 = key >> 32U == 0xFFFF;
    bytes = {};
    for (std::size_t i = 0; i < 8; ++i) {
        bytes[i] = static_cast<std::uint8_t>(key >> (56 - 8 * i));
    }
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (v4) return ::inet_ntop(AF_INET, bytes.data() + 4, text.data(), text.size());
    return std::string(::inet_ntop(AF_INET6, bytes.data(), text.data(), text.size())) + "/64";
}

}  // namespace parley::core
