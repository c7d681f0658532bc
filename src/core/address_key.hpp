// address_key: under which name an address is limited. A household or a server has a whole IPv6 /64
// to choose from, so that is what counts as one.
//
// Path:     Subscriber → [address_key] → BucketTable
// Runs on:  any thread; a pure function.
// Owned by: nobody.
// Bounds:   a key of 43 bytes.
#pragma once

#include <string>
#include <string_view>

namespace parley::core {

// "192.0.2.1" for it and for ::ffff:192.0.2.1; "2001:db8:1:2::/64" for every address in it, however
// it is written. What is no address is its own key.
[[nodiscard]] std::string address_key(std::string_view address);

}  // namespace parley::core
