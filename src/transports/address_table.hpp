// AddressTable: how many connections each address has open.
//
// Path:     Admission → [AddressTable]
// Runs on:  any thread; a lock for every sixteenth of the addresses, taken once when a connection
//           comes and once when it goes.
// Owned by: Admission.
// Bounds:   one entry for each address that has a connection open.
#pragma once

#include <array>
#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <mutex>
#include <unordered_map>

#include "core/address_key.hpp"

namespace parley::transports {

// An address as connections are counted by it.
using core::AddressKey;
[[nodiscard]] AddressKey address_key_of(const boost::asio::ip::address& address) noexcept;
// The same for sessions that outlive their connections: they are counted beside those.
[[nodiscard]] AddressKey session_key_of(const boost::asio::ip::address& address) noexcept;

class AddressTable {
public:
    // One connection more; how many there are with it.
    std::size_t add(AddressKey key);
    // One less, of an address that was added.
    void remove(AddressKey key) noexcept;
    [[nodiscard]] std::size_t addresses() const;

private:
    struct Part {
        mutable std::mutex mutex;
        std::unordered_map<AddressKey, std::size_t> counts;
    };
    [[nodiscard]] Part& part_of(AddressKey key) noexcept;

    std::array<Part, 16> parts_;
};

}  // namespace parley::transports
