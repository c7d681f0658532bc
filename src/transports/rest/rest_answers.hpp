// The answers of the REST interface: values of the core as HttpResponse, errors with their status.
//
// Path:     at_home → [rest_answers] → HttpConnection
// Runs on:  any thread; pure functions.
// Owned by: nobody.
// Bounds:   a page of limits::history_answer_max messages.
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "core/at_home.hpp"
#include "core/errc.hpp"
#include "transports/http_response.hpp"

namespace parley::transports {

// The room of the plain chat face.
inline constexpr std::string_view plain_chat_room = "lobby";

// The status of each error, in the order of errc.
struct StatusOfErrc {
    core::errc code;
    unsigned status;
};
inline constexpr std::array statuses_of_errc{
    StatusOfErrc{core::errc::bad_request, 400}, StatusOfErrc{core::errc::unauthorized, 401},
    StatusOfErrc{core::errc::forbidden, 403},   StatusOfErrc{core::errc::not_joined, 409},
    StatusOfErrc{core::errc::not_found, 404},   StatusOfErrc{core::errc::conflict, 409},
    StatusOfErrc{core::errc::too_large, 413},   StatusOfErrc{core::errc::rate_limited, 429},
    StatusOfErrc{core::errc::unavailable, 503}, StatusOfErrc{core::errc::internal, 500},
};
static_assert(statuses_of_errc.size() == static_cast<std::size_t>(core::errc::end_));

// The answer with those headers behind its own.
[[nodiscard]] HttpResponse with_headers(HttpResponse&& response,
                                        decltype(HttpResponse::headers)&& headers);

// The error as problem+json: with `retry_after_ms`, and `Retry-After` where it is temporary.
[[nodiscard]] HttpResponse answer_error(const protocol::Error& error);

// What whoever was put out of a room is answered.
[[nodiscard]] protocol::Error removal_error(const protocol::Removed& removed);

// 201, and where the message can be read.
[[nodiscard]] HttpResponse answer_sent(core::Answered<protocol::Ack>&& answer);
// 200, and the publication that says what was edited or deleted.
[[nodiscard]] HttpResponse answer_amended(core::Answered<protocol::Ack>&& answer);
// 204: it has happened.
[[nodiscard]] HttpResponse answer_done(core::Answered<protocol::Ack>&& answer);
// 200 with what was asked for.
[[nodiscard]] HttpResponse answer_page(core::Answered<core::HistoryReply>&& answer);
[[nodiscard]] HttpResponse answer_members(core::Answered<protocol::MemberList>&& answer);
[[nodiscard]] HttpResponse answer_visit(core::Answered<protocol::Visit>&& answer);
[[nodiscard]] HttpResponse answer_room(core::Answered<protocol::RoomInfo>&& answer);
// 200 with what somebody is now, 204, and 200 as a message is acked.
[[nodiscard]] HttpResponse answer_role(core::ActAnswer&& answer);
[[nodiscard]] HttpResponse answer_acted(core::ActAnswer&& answer);
[[nodiscard]] HttpResponse answer_topic(core::ActAnswer&& answer);
[[nodiscard]] HttpResponse answer_my_rooms(core::Answered<protocol::MyRooms>&& answer);
[[nodiscard]] HttpResponse answer_readers(core::Answered<protocol::ReadList>&& answer);
// The rooms of all shards, in any order; the first `most` of them are told.
[[nodiscard]] HttpResponse answer_rooms(std::vector<protocol::ListedRoom>&& rooms,
                                        std::size_t most);
// As plain chat pages read them.
[[nodiscard]] HttpResponse answer_chat_page(core::Answered<core::HistoryReply>&& answer);
[[nodiscard]] HttpResponse answer_chat_users(core::Answered<protocol::MemberList>&& answer);

}  // namespace parley::transports
