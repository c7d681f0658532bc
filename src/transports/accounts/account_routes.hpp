// The routes of accounts, as one table.
//
// Path:     AccountFrontend → [account_routes]
// Runs on:  any thread; constants.
// Owned by: nobody.
// Bounds:   these.
#pragma once

#include <array>
#include <boost/beast/http/verb.hpp>
#include <cstdint>
#include <string_view>

namespace parley::transports {

enum class AccountCall : std::uint8_t {
    enrol,
    sign_in,
    who,
    sign_out,
    change_password,
    make_key,
    list_keys,
    revoke_key,
};

struct AccountRoute {
    boost::beast::http::verb method;
    std::string_view pattern;  // `{key}` stands for one segment
    AccountCall call;
    bool signed_in;  // takes a token
};

inline constexpr auto account_routes = [] {
    using enum boost::beast::http::verb;
    return std::to_array<AccountRoute>({
        {post, "/api/v1/accounts", AccountCall::enrol, false},
        {post, "/api/v1/session", AccountCall::sign_in, false},
        {get, "/api/v1/session", AccountCall::who, true},
        {delete_, "/api/v1/session", AccountCall::sign_out, true},
        {put, "/api/v1/account/password", AccountCall::change_password, true},
        {post, "/api/v1/account/keys", AccountCall::make_key, true},
        {get, "/api/v1/account/keys", AccountCall::list_keys, true},
        {delete_, "/api/v1/account/keys/{key}", AccountCall::revoke_key, true},
    });
}();

}  // namespace parley::transports
