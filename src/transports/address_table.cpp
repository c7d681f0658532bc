#include "transports/address_table.hpp"

namespace parley::transports {

AddressKey address_key_of(const boost::asio::ip::address& address) noexcept {
    // No IPv6 address in use begins with sixteen zero bits and sixteen ones.
    constexpr AddressKey v4_prefix = AddressKey{0xFFFF} << 32U;
    if (address.is_v4()) return v4_prefix | address.to_v4().to_uint();
    const auto bytes = address.to_v6().to_bytes();
    AddressKey low = 0;
    AddressKey high = 0;
    for (std::size_t i = 0; i < 8; ++i) high = (high << 8U) | bytes[i];
    for (std::size_t i = 8; i < 16; ++i) low = (low << 8U) | bytes[i];
    if (high == 0 && low >> 32U == 0xFFFF) return v4_prefix | (low & 0xFFFF'FFFFU);
    return high;
}

AddressKey session_key_of(const boost::asio::ip::address& address) noexcept {
    // The first bit makes of an address in use, global (2000::/3), local (fc00::/6) or IPv4, one that
    // is nobody's.
    return address_key_of(address) ^ AddressKey { 1 } << 63U;
}

AddressTable::Part& AddressTable::part_of(AddressKey key) noexcept {
    // Neighbours differ in their last bits: a multiplication brings those to the top (Knuth).
    return parts_[(key * 0x9E37'79B9'7F4A'7C15U) >> 60U];
}

std::size_t AddressTable::add(AddressKey key) {
    Part& part = part_of(key);
    const std::scoped_lock lock(part.mutex);
    return ++part.counts[key];
}

void AddressTable::remove(AddressKey key) noexcept {
    Part& part = part_of(key);
    const std::scoped_lock lock(part.mutex);
    const auto found = part.counts.find(key);
    if (--found->second == 0) part.counts.erase(found);
}

std::size_t AddressTable::addresses() const {
    std::size_t sum = 0;
    for (const Part& part : parts_) {
        const std::scoped_lock lock(part.mutex);
        sum += part.counts.size();
    }
    return sum;
}

}  // namespace parley::transports
