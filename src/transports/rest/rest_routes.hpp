// The routes of the REST interface, as one table (protocol.md, sections 4.1 and 4.3).
//
// Path:     RestFrontend → [rest_routes] → a handler of rest_calls.hpp
// Runs on:  any thread; constants and pure functions.
// Owned by: nobody.
// Bounds:   these.
#pragma once

#include <array>
#include <boost/beast/http/verb.hpp>
#include <optional>
#include <string_view>

#include "protocol/rest_codec.hpp"
#include "transports/rest/rest_calls.hpp"

namespace parley::transports {

struct RestRoute {
    boost::beast::http::verb method;
    std::string_view pattern;  // `{room}`, `{user}` and `{offset}` stand for one segment each
    std::string_view command;  // what its input is decoded as; empty: it has none
    RestHandler handle;
    bool limited = true;  // takes from limits.user and limits.address
    protocol::RestDialect dialect = protocol::RestDialect::parley;
};

inline constexpr auto rest_routes = [] {
    using enum boost::beast::http::verb;
    using enum protocol::RestDialect;
    return std::to_array<RestRoute>({
        {get, "/api/v1/rooms", "", &list_rooms},
        {get, "/api/v1/rooms/{room}/messages", "history", &read_messages},
        {post, "/api/v1/rooms/{room}/messages", "send", &send_message},
        {patch, "/api/v1/rooms/{room}/messages/{offset}", "edit", &edit_message},
        {delete_, "/api/v1/rooms/{room}/messages/{offset}", "delete", &delete_message},
        {get, "/api/v1/rooms/{room}/search", "members", &search_messages},
        {get, "/api/v1/rooms/{room}/members", "members", &list_members},
        {put, "/api/v1/rooms/{room}/members/me", "members", &visit_room},
        {delete_, "/api/v1/rooms/{room}/members/me", "members", &end_visit},
        {post, "/api/v1/rooms/{room}/typing", "typing", &tell_typing},
        {post, "/api/v1/rooms/{room}/read", "read", &tell_read},
        {get, "/api/v1/rooms/{room}/read", "members", &list_readers},
        {post, "/api/v1/direct/{user}/messages", "direct", &send_direct_message},
        {get, "/api/v1/me/rooms", "rooms", &list_my_rooms},
        {get, "/api/v1/rooms/{room}", "room", &describe_room},
        {put, "/api/v1/rooms/{room}/roles/{user}", "role", &set_role},
        {delete_, "/api/v1/rooms/{room}/roles/{user}", "role", &end_role},
        {post, "/api/v1/rooms/{room}/kick", "kick", &kick_user},
        {put, "/api/v1/rooms/{room}/topic", "topic", &set_topic},
        {get, "/api/v1/openapi.json", "", &describe_interface, false},
        {post, "/api/chat/send", "send", &send_message, true, plain_chat},
        {get, "/api/chat/messages", "history", &read_chat_messages, true, plain_chat},
        {post, "/api/chat/heartbeat", "members", &visit_room, true, plain_chat},
        {get, "/api/chat/users", "members", &list_chat_users, true, plain_chat},
    });
}();

// The segments that stand at `{room}`, `{user}` and `{offset}` where the path is one of that pattern, not
// decoded: empty where the pattern has none. Nothing where it is not.
struct RouteNames {
    std::string_view room{};
    std::string_view user{};
    std::string_view offset{};
    friend bool operator==(const RouteNames&, const RouteNames&) = default;
};
[[nodiscard]] std::optional<RouteNames> match_route(std::string_view pattern,
                                                    std::string_view path) noexcept;

}  // namespace parley::transports
