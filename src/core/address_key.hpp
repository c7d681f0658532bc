// AddressKey: as what an address is limited and counted. A household or a server has a whole IPv6
// /64 to choose from, so that is what counts as one.
//
// Path:     CallerBuckets → [AddressKey] → BucketTable; Gate → [AddressKey] → AddressTable
// Runs on:  any thread; pure functions.
// Owned by: nobody.
// Bounds:   8 bytes; as text 43.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace parley::core {

using AddressKey = std::uint64_t;

// Of an IPv6 address, or of an IPv4 address mapped into one (::ffff:192.0.2.1).
[[nodiscard]] AddressKey address_key_of(const std::array<std::uint8_t, 16>& address) noexcept;
// Of an IPv4 address in host byte order: the same as of the mapped one.
[[nodiscard]] AddressKey address_key_of_v4(std::uint32_t address) noexcept;

// As text: "192.0.2.1" for it and for ::ffff:192.0.2.1; "2001:db8:1:2::/64" for every address in it,
// however it is written. What is no address is its own key.
[[nodiscard]] std::string address_key(std::string_view address);

}  // namespace parley::core
