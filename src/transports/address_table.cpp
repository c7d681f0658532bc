#include "transports/address_table.hpp"

namespace parley::transports {

AddressKey address_key_of(const boost::asio::ip::address& address) noexcept {
    return address.is_v4() ? core::address_key_of_v4(address.to_v4().to_uint())
                           : core::address_key_of(address.to_v6().to_bytes());
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
