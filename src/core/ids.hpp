// Identifiers: what the server makes up, from luck that is handed in.
//
// Path:     Shard, Room → [ids] → Session, Room
// Runs on:  any thread; pure functions.
// Owned by: nobody.
// Bounds:   none.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>

#include "protocol/cursor.hpp"

namespace parley::core {

// `length` characters of [0-9A-Za-z]; 5.95 bits of luck each, at most 10 from one draw.
[[nodiscard]] std::string random_id(std::mt19937_64& random, std::size_t length);

// A fresh epoch. Five characters: a room that is made again meets its old epoch once in 916
// million times, and each delivery pays for every one of them.
[[nodiscard]] protocol::Epoch random_epoch(std::mt19937_64& random);

// The id of somebody who only has a name: the same for the same name from the same address while
// this process lives, so that a reconnect is the same user. Eight characters, 47 bits.
[[nodiscard]] std::string anonymous_user_id(std::uint64_t secret, std::string_view address,
                                            std::string_view name);

}  // namespace parley::core
