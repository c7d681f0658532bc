// The JSON of the REST interface, where it is not that of parley.v1: the bodies of requests, and
// answers, which need no `type`.
//
// Path:     frontend → [rest_codec] → Session, and back
// Runs on:  any thread; pure functions.
// Owned by: nobody; no state.
// Bounds:   those of json_codec.hpp; http.body_bytes bounds what is decoded.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "protocol/json_codec.hpp"

namespace parley::protocol {

// ---- server role -----------------------------------------------------------------------------

// Whose words a body uses: those of the protocol, or those of plain chat pages too, where
// `username` is the name and `message` the text.
enum class RestDialect : std::uint8_t { parley, plain_chat };

// What a request's path and method say of its command. What is empty the body says, if anything does.
struct RestPath {
    std::string_view room;
    std::string_view user{};
    std::string_view offset{};  // as it is written
    std::string_view role{};
};

// A command whose type and room were said by the request's method and path, and the name that its
// sender goes by, where the body says one.
struct RestCommand {
    std::optional<std::string> name;
    Command command;
    friend bool operator==(const RestCommand&, const RestCommand&) = default;
};

// Decodes the body of a request as the command of that type (one of parley.v1's) to that room. The
// fields are those of the command; `type`, `id`, `room` and what else the path says are ignored in
// the body.
[[nodiscard]] Decoded<RestCommand> decode_rest_command(std::string_view type, const RestPath& path,
                                                       std::string_view text, RestDialect dialect);

// Each appends one compact JSON object.
void append_rest_ack(std::string& out, const Ack& ack);
// The messages exist already as JSON, made by append_message(). A cursor without an epoch is null.
void append_rest_page(std::string& out, const HistoryPage& page, bool recovered,
                      std::span<const std::string_view> messages);
void append_rest_members(std::string& out, const MemberList& list);
void append_rest_rooms(std::string& out, std::span<const ListedRoom> rooms, bool more);
void append_rest_visit(std::string& out, const Visit& visit);
void append_rest_role(std::string& out, const RolePush& role);
void append_rest_room(std::string& out, const RoomInfo& room);
void append_rest_my_rooms(std::string& out, const MyRooms& rooms);
void append_rest_readers(std::string& out, const ReadList& list);
// The same page and list as a plain chat page reads them.
void append_chat_page(std::string& out, const HistoryPage& page, bool recovered,
                      std::span<const std::string_view> messages);
void append_chat_users(std::string& out, const MemberList& list);

// ---- client role -----------------------------------------------------------------------------

// The body that sends a message; the room is for the path, an empty name is left out.
void append_rest_send(std::string& out, const Send& send, std::string_view name);
[[nodiscard]] Decoded<Ack> decode_rest_ack(std::string_view text);

}  // namespace parley::protocol
