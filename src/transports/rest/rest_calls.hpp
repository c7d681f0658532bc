// What becomes of a request to the REST interface once it is known what it asks: a question to the
// room's home, and the answer to it as HTTP.
//
// Path:     RestFrontend → [rest_calls] → at_home, and back as HttpResponse
// Runs on:  the shard that took the request; questions on the room's home.
// Owned by: nobody; plain functions.
// Bounds:   one question a request; http.answer_timeout.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/action.hpp"
#include "core/user.hpp"
#include "transports/frontend.hpp"
#include "transports/http_response.hpp"

namespace parley::transports {

class Gate;

using HttpHeaders = decltype(HttpResponse::headers);

// A request that the rules have passed.
struct RestCall {
    Gate& gate;
    Exchange& exchange;
    core::UserPtr user;
    core::Action action;    // what the rules made of the command; a Pong where the route has none
    HttpHeaders headers{};  // of the answer, whatever it is
};

// Answers at once, or later (Exchange::answer_later()).
using RestHandler = std::optional<HttpResponse> (*)(RestCall& call);

[[nodiscard]] std::optional<HttpResponse> list_rooms(RestCall& call);
[[nodiscard]] std::optional<HttpResponse> read_messages(RestCall& call);
[[nodiscard]] std::optional<HttpResponse> send_message(RestCall& call);
[[nodiscard]] std::optional<HttpResponse> edit_message(RestCall& call);
[[nodiscard]] std::optional<HttpResponse> delete_message(RestCall& call);
[[nodiscard]] std::optional<HttpResponse> list_my_rooms(RestCall& call);
[[nodiscard]] std::optional<HttpResponse> list_readers(RestCall& call);
[[nodiscard]] std::optional<HttpResponse> send_direct_message(RestCall& call);
[[nodiscard]] std::optional<HttpResponse> search_messages(RestCall& call);
[[nodiscard]] std::optional<HttpResponse> list_members(RestCall& call);
[[nodiscard]] std::optional<HttpResponse> visit_room(RestCall& call);
[[nodiscard]] std::optional<HttpResponse> end_visit(RestCall& call);
[[nodiscard]] std::optional<HttpResponse> tell_typing(RestCall& call);
[[nodiscard]] std::optional<HttpResponse> tell_read(RestCall& call);
[[nodiscard]] std::optional<HttpResponse> describe_room(RestCall& call);
[[nodiscard]] std::optional<HttpResponse> set_role(RestCall& call);
[[nodiscard]] std::optional<HttpResponse> end_role(RestCall& call);
[[nodiscard]] std::optional<HttpResponse> kick_user(RestCall& call);
[[nodiscard]] std::optional<HttpResponse> set_topic(RestCall& call);
[[nodiscard]] std::optional<HttpResponse> describe_interface(RestCall& call);
[[nodiscard]] std::optional<HttpResponse> read_chat_messages(RestCall& call);
[[nodiscard]] std::optional<HttpResponse> list_chat_users(RestCall& call);

}  // namespace parley::transports
