#include "transports/rest/rest_answers.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <span>
#include <string>

#include "core/session.hpp"
#include "protocol/rest_codec.hpp"

namespace parley::transports {
namespace {

// Where a temporary error does not say when to come again.
constexpr std::chrono::seconds retry_unknown{1};

unsigned status_of(std::string_view code) {
    for (const StatusOfErrc& row : statuses_of_errc) {
        if (core::row_of(row.code).name == code) return row.status;
    }
    return 500;
}

using AppendPage = void (*)(std::string& out, const protocol::HistoryPage& page, bool recovered,
                            std::span<const std::string_view> messages);

HttpResponse answer_page_as(core::Answered<core::HistoryReply>&& answer, AppendPage append) {
    if (!answer) return answer_error(answer.error());
    std::vector<std::string_view> texts;
    texts.reserve(answer->messages.size());
    for (const auto& message : answer->messages) texts.emplace_back(message->json());
    HttpResponse response = json_answer();
    append(response.body, {std::move(answer->room), answer->cursor, {}, answer->more},
           answer->recovered, texts);
    return response;
}

}  // namespace

HttpResponse with_headers(HttpResponse&& response, decltype(HttpResponse::headers)&& headers) {
    headers.insert(headers.begin(), std::make_move_iterator(response.headers.begin()),
                   std::make_move_iterator(response.headers.end()));
    response.headers = std::move(headers);
    return std::move(response);
}

HttpResponse answer_error(const protocol::Error& error) {
    HttpResponse response = problem(status_of(error.code), error.message);
    if (error.retry_after_ms) {
        response.body.pop_back();
        response.body += ",\"retry_after_ms\":";
        protocol::append_decimal(response.body, *error.retry_after_ms);
        response.body += "}";
    }
    if (response.status == 401) {
        response.headers.emplace_back("WWW-Authenticate", R"(Bearer realm="parley")");
    }
    if (error.temporary) {
        add_retry_after(response, error.retry_after_ms
                                      ? std::chrono::milliseconds(*error.retry_after_ms)
                                      : retry_unknown);
    }
    return response;
}

protocol::Error removal_error(const protocol::Removed& removed) {
    const bool ban = removed.action == protocol::Removed::Action::ban;
    std::string text = ban ? "you were banned from this room" : "you were put out of this room";
    if (!removed.reason.empty()) text.append(": ").append(removed.reason);
    return core::make_error(core::errc::forbidden, std::move(text));
}

HttpResponse answer_sent(core::Answered<protocol::Ack>&& answer) {
    if (!answer) return answer_error(answer.error());
    HttpResponse response = json_answer(201);
    protocol::append_rest_ack(response.body, *answer);
    // The page that begins with it.
    std::string location;
    location.reserve(96);
    location.append("/api/v1/rooms/").append(answer->room).append("/messages?limit=1&since=");
    protocol::append_cursor(location, {answer->cursor.epoch, answer->cursor.offset - 1});
    response.headers.emplace_back("Location", std::move(location));
    return response;
}

HttpResponse answer_amended(core::Answered<protocol::Ack>&& answer) {
    if (!answer) return answer_error(answer.error());
    HttpResponse response = json_answer();
    protocol::append_rest_ack(response.body, *answer);
    return response;
}

HttpResponse answer_done(core::Answered<protocol::Ack>&& answer) {
    if (!answer) return answer_error(answer.error());
    HttpResponse response;
    response.status = 204;
    return response;
}

HttpResponse answer_page(core::Answered<core::HistoryReply>&& answer) {
    return answer_page_as(std::move(answer), &protocol::append_rest_page);
}

HttpResponse answer_chat_page(core::Answered<core::HistoryReply>&& answer) {
    // Nobody has said anything yet: a page that asks on an interval shows nothing, and asks again.
    if (!answer && status_of(answer.error().code) == 404) {
        answer = core::HistoryReply{std::string(plain_chat_room), {}, {}};
    }
    return answer_page_as(std::move(answer), &protocol::append_chat_page);
}

HttpResponse answer_members(core::Answered<protocol::MemberList>&& answer) {
    if (!answer) return answer_error(answer.error());
    HttpResponse response = json_answer();
    protocol::append_rest_members(response.body, *answer);
    return response;
}

HttpResponse answer_chat_users(core::Answered<protocol::MemberList>&& answer) {
    if (!answer) answer = protocol::MemberList{};  // as above
    std::ranges::sort(answer->members, {}, &protocol::User::name);
    HttpResponse response = json_answer();
    protocol::append_chat_users(response.body, *answer);
    return response;
}

HttpResponse answer_visit(core::Answered<protocol::Visit>&& answer) {
    if (!answer) return answer_error(answer.error());
    HttpResponse response = json_answer();
    protocol::append_rest_visit(response.body, *answer);
    return response;
}

HttpResponse answer_room(core::Answered<protocol::RoomInfo>&& answer) {
    if (!answer) return answer_error(answer.error());
    HttpResponse response = json_answer();
    protocol::append_rest_room(response.body, *answer);
    return response;
}

HttpResponse answer_role(core::ActAnswer&& answer) {
    if (!answer) return answer_error(answer.error());
    HttpResponse response = json_answer();
    protocol::append_rest_role(response.body, *answer->role);
    return response;
}

HttpResponse answer_acted(core::ActAnswer&& answer) {
    if (!answer) return answer_error(answer.error());
    return answer_done(std::move(answer->ack));
}

HttpResponse answer_topic(core::ActAnswer&& answer) {
    if (!answer) return answer_error(answer.error());
    HttpResponse response = json_answer();
    protocol::append_rest_ack(response.body, answer->ack);
    return response;
}

HttpResponse answer_my_rooms(core::Answered<protocol::MyRooms>&& answer) {
    if (!answer) return answer_error(answer.error());
    HttpResponse response = json_answer();
    protocol::append_rest_my_rooms(response.body, *answer);
    return response;
}

HttpResponse answer_readers(core::Answered<protocol::ReadList>&& answer) {
    if (!answer) return answer_error(answer.error());
    HttpResponse response = json_answer();
    protocol::append_rest_readers(response.body, *answer);
    return response;
}

HttpResponse answer_rooms(std::vector<protocol::ListedRoom>&& rooms, std::size_t most) {
    std::ranges::sort(rooms, {}, &protocol::ListedRoom::room);
    HttpResponse response = json_answer();
    protocol::append_rest_rooms(response.body, std::span(rooms).first(std::min(most, rooms.size())),
                                rooms.size() > most);
    return response;
}

}  // namespace parley::transports
