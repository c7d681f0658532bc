// account_answers: what accounts answer, as HTTP.
//
// Path:     core::Accounts → [account_answers] → HttpConnection
// Runs on:  any thread; pure functions.
// Owned by: nobody.
// Bounds:   keys_per_account_max keys.
#pragma once

#include "core/accounts.hpp"
#include "transports/http_response.hpp"

namespace parley::transports {

// How the answer is to be given.
struct AccountAnswerStyle {
    bool secure = false;       // cookies are for TLS
    bool sets_cookie = false;  // for who asks from a page of ours, or from none
    bool ends_cookie = false;  // the session is over
    core::WallTime now{};
};

[[nodiscard]] HttpResponse answer_account(core::AccountAnswer&& answer,
                                          const AccountAnswerStyle& style);
// 200: who somebody is by their token.
[[nodiscard]] HttpResponse answer_identity(const core::User& user);

}  // namespace parley::transports
