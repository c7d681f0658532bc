// account_input: what the body of a request about accounts asks for.
//
// Path:     AccountFrontend → [account_input] → core::AccountRequest
// Runs on:  any thread; pure functions.
// Owned by: nobody.
// Bounds:   a body comes bounded by http.body_bytes.
#pragma once

#include <boost/system/result.hpp>
#include <string>
#include <string_view>

#include "core/accounts.hpp"

namespace parley::transports {

// Each reads a JSON object; what is wrong with it, otherwise, in words. Unknown members are passed
// over.
template <typename T>
using ReadAccount = boost::system::result<T, std::string>;

// `name` and `password`.
[[nodiscard]] ReadAccount<core::Register> read_register(std::string_view json);
[[nodiscard]] ReadAccount<core::PasswordSignIn> read_sign_in(std::string_view json);
// `password` and `new_password`.
[[nodiscard]] ReadAccount<core::ChangePassword> read_change_password(std::string_view json,
                                                                     core::UserPtr user);
// `label`, `scopes` (a list of "read" and "send"; both), `rooms` (a list of patterns; all), and `ttl`
// in seconds (none: for good).
[[nodiscard]] ReadAccount<core::MakeKey> read_make_key(std::string_view json, core::UserPtr user);

}  // namespace parley::transports
