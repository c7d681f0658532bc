#include "transports/rest/rest_calls.hpp"

#include <algorithm>
#include <charconv>
#include <memory>

#include "core/audience.hpp"
#include "core/direct.hpp"
#include "core/limits.hpp"
#include "core/my_rooms.hpp"
#include "core/question.hpp"
#include "transports/gate.hpp"
#include "transports/query_string.hpp"
#include "transports/rest/rest_answers.hpp"
#include "transports/rest/rest_files.hpp"

namespace parley::transports {
namespace {

constexpr std::size_t rooms_default = 50;
constexpr std::size_t found_default = 50;
constexpr std::size_t search_bytes_max = 256;

// Gives `render(answer)` as the later answer to the call's request, if anybody still waits for it.
template <typename Render>
auto answer_later(RestCall& call, Render render) {
    return [later = call.exchange.answer_later(call.gate.thread().executor()),
            &metrics = call.gate.shard().metrics(), headers = std::move(call.headers),
            render](auto&& answer) mutable {
        const auto open = later.lock();
        if (!open) return;
        HttpResponse response = render(std::move(answer));
        if (response.status >= 400) metrics.add(core::Metric::errors);
        open->give(with_headers(std::move(response), std::move(headers)));
    };
}

// Answers with `render` what `ask(home, later)` says on the room's home: at once where that is here.
template <typename Answer, typename Ask, typename Render>
std::optional<HttpResponse> ask_home_later(RestCall& call, const std::string& room, Ask ask,
                                           Render render) {
    auto answer = core::ask_home_later<Answer>(call.gate.shard(), room, std::move(ask),
                                               [&] { return answer_later(call, render); });
    if (!answer) return std::nullopt;
    return with_headers(render(std::move(*answer)), std::move(call.headers));
}

// The same for who may do so there: who may not is told why.
template <typename Answer, typename Ask, typename Render>
std::optional<HttpResponse> ask_home_as(core::Act act, RestCall& call, const std::string& room,
                                        Ask ask, Render render) {
    auto judged = [act, room, user = call.user, ask = std::move(ask)](
                      core::Shard& home,
                      const core::Later<Answer>& later) mutable -> std::optional<Answer> {
        if (auto refused = core::refuse_at_home(home, room, *user, act)) {
            return Answer(std::move(*refused));
        }
        return ask(home, later);
    };
    return ask_home_later<Answer>(call, room, std::move(judged), render);
}

// Calls `take(name, value)` for each parameter, until one answers what is wrong with it.
template <typename Take>
std::optional<HttpResponse> read_query(const RestCall& call, Take take) {
    QueryParameter parameter;
    for (std::string_view rest = call.exchange.query; next_parameter(rest, parameter);) {
        const auto value = decode_query_text(parameter.value);
        if (!value) return problem(400, "the query is not percent-encoded UTF-8");
        const std::optional<std::string> wrong = take(parameter.name, *value);
        if (wrong) return problem(400, *wrong);
    }
    return std::nullopt;
}

std::optional<std::string> read_limit(const std::string& value, std::size_t& limit) {
    const char* const end = value.data() + value.size();
    const auto [stopped, error] = std::from_chars(value.data(), end, limit);
    if (error == std::errc() && stopped == end && limit >= 1 &&
        limit <= core::limits::history_answer_max) {
        return std::nullopt;
    }
    return "\"limit\" must be an integer from 1 to " +
           std::to_string(core::limits::history_answer_max);
}

template <typename Action>
Action& action_of(RestCall& call) {
    return std::get<Action>(call.action);
}

std::optional<HttpResponse> ask_members(
    RestCall& call, HttpResponse (*render)(core::Answered<protocol::MemberList>&&)) {
    using Answer = core::Answered<protocol::MemberList>;
    const std::string& room = action_of<core::AskMembers>(call).room;
    const auto ask = [room](core::Shard& home, const core::Later<Answer>&) {
        return std::optional<Answer>(core::members_at_home(home, room));
    };
    return ask_home_as<Answer>(core::Act::read, call, room, ask, render);
}

std::optional<HttpResponse> ask_page(RestCall& call,
                                     HttpResponse (*render)(core::Answered<core::HistoryReply>&&)) {
    const protocol::History& asked = action_of<core::AskHistory>(call).history;
    const auto ask = [asked](core::Shard& home, const core::Later<core::PageAnswer>& later) {
        return core::page_at_home(home, asked, later);
    };
    return ask_home_as<core::PageAnswer>(core::Act::read, call, asked.room, ask, render);
}

using AckOrError = core::Answered<protocol::Ack>;

std::optional<HttpResponse> tell(core::Act act, RestCall& call, const std::string& room,
                                 core::PublicationKind kind, protocol::ServerMessage push) {
    const auto ask = [room, kind, push = std::move(push)](core::Shard& home,
                                                          const core::Later<AckOrError>&) {
        return std::optional<AckOrError>(
            core::push_at_home(home, room, kind, protocol::ServerMessage(push)));
    };
    return ask_home_as<AckOrError>(act, call, room, ask, &answer_done);
}

std::optional<HttpResponse> act_in_room(RestCall& call, HttpResponse (*render)(core::ActAnswer&&)) {
    core::RoomAct& act = action_of<core::ActInRoom>(call).act;
    const std::string room = std::visit([](const auto& what) { return what.room; }, act);
    auto ask = [act = std::move(act), user = call.user](
                   core::Shard& home, const core::Later<core::ActAnswer>& later) mutable {
        return core::act_at_home(home, user, std::move(act), later);
    };
    return ask_home_later<core::ActAnswer>(call, room, std::move(ask), render);
}

}  // namespace

std::optional<HttpResponse> send_message(RestCall& call) {
    protocol::Send& send = action_of<core::PublishMessage>(call).send;
    // Any shard that takes part in the room may publish in it; keys are known at its home alone, what
    // is stored before it is said, and who may where not everybody may.
    core::Audience* const here = call.gate.shard().find_audience(send.room);
    const bool at_home_alone = !send.key.empty() || call.gate.shard().hub().stores_first();
    if (here && here->room() && !here->room()->governed() && !at_home_alone) {
        return with_headers(answer_sent(core::publish_message(*here, *call.user, std::move(send))),
                            std::move(call.headers));
    }
    const std::string room = send.room;
    auto ask = [send = std::move(send), user = call.user](
                   core::Shard& home, const core::Later<core::AckAnswer>& later) mutable {
        return core::send_at_home(home, user, std::move(send), later);
    };
    return ask_home_later<core::AckAnswer>(call, room, std::move(ask), &answer_sent);
}

namespace {

std::optional<HttpResponse> amend(RestCall& call) {
    core::Amendment& asked = action_of<core::AmendMessage>(call).asked;
    const std::string room = asked.room;
    auto ask = [asked = std::move(asked), user = call.user](
                   core::Shard& home, const core::Later<core::AckAnswer>& later) mutable {
        return core::amend_at_home(home, user, std::move(asked), later);
    };
    return ask_home_later<core::AckAnswer>(call, room, std::move(ask), &answer_amended);
}

}  // namespace

std::optional<HttpResponse> edit_message(RestCall& call) {
    return amend(call);
}

std::optional<HttpResponse> delete_message(RestCall& call) {
    return amend(call);
}

std::optional<HttpResponse> list_my_rooms(RestCall& call) {
    core::list_my_rooms(call.gate.shard(), call.user, answer_later(call, &answer_my_rooms));
    return std::nullopt;
}

std::optional<HttpResponse> list_readers(RestCall& call) {
    core::list_readers(call.gate.shard(), call.user, action_of<core::AskMembers>(call).room,
                       answer_later(call, &answer_readers));
    return std::nullopt;
}

std::optional<HttpResponse> send_direct_message(RestCall& call) {
    core::send_direct(call.gate.shard(), call.user, call.exchange.peer.address().to_string(),
                      std::move(action_of<core::SendDirect>(call).direct),
                      answer_later(call, &answer_sent));
    return std::nullopt;
}

std::optional<HttpResponse> read_messages(RestCall& call) {
    return ask_page(call, &answer_page);
}

std::optional<HttpResponse> read_chat_messages(RestCall& call) {
    return ask_page(call, &answer_chat_page);
}

std::optional<HttpResponse> search_messages(RestCall& call) {
    core::StoredSearch search;
    std::optional<protocol::Cursor> before;
    std::size_t limit = found_default;
    auto refused = read_query(
        call, [&](std::string_view name, const std::string& value) -> std::optional<std::string> {
            if (name == "limit") return read_limit(value, limit);
            if (name == "q") search.query = value;
            if (name != "before") return std::nullopt;
            const auto cursor = protocol::Cursor::parse(value);
            if (!cursor) return "\"before\" must be a cursor of a message, like k3J9x:42";
            before = cursor;
            return std::nullopt;
        });
    if (refused) return refused;
    if (search.query.empty() || search.query.size() > search_bytes_max) {
        return problem(400, "\"q\" must be 1 to " + std::to_string(search_bytes_max) +
                                " bytes of words to search for");
    }
    search.limit = static_cast<std::uint32_t>(limit);
    const std::string& room = action_of<core::AskMembers>(call).room;
    const auto ask = [room, search, before](core::Shard& home,
                                            const core::Later<core::PageAnswer>& later) {
        return core::search_at_home(home, room, core::StoredSearch(search), before, later);
    };
    return ask_home_as<core::PageAnswer>(core::Act::read, call, room, ask, &answer_page);
}

std::optional<HttpResponse> list_members(RestCall& call) {
    return ask_members(call, &answer_members);
}

std::optional<HttpResponse> list_chat_users(RestCall& call) {
    return ask_members(call, &answer_chat_users);
}

std::optional<HttpResponse> visit_room(RestCall& call) {
    const std::string& room = action_of<core::AskMembers>(call).room;
    using Answer = core::Answered<protocol::Visit>;
    const auto ask = [room, user = call.user](core::Shard& home, const core::Later<Answer>&) {
        return std::optional<Answer>(core::visit_at_home(home, room, user));
    };
    return ask_home_later<Answer>(call, room, ask, &answer_visit);
}

std::optional<HttpResponse> end_visit(RestCall& call) {
    const std::string& room = action_of<core::AskMembers>(call).room;
    const auto ask = [room, user = call.user](core::Shard& home, const core::Later<AckOrError>&) {
        core::end_visit_at_home(home, room, user);
        return std::optional<AckOrError>(protocol::Ack{room, {}, {}});
    };
    return ask_home_later<AckOrError>(call, room, ask, &answer_done);
}

std::optional<HttpResponse> tell_typing(RestCall& call) {
    const protocol::Typing& typing = action_of<core::PublishTyping>(call).typing;
    return tell(core::Act::send, call, typing.room, core::PublicationKind::typing,
                protocol::TypingPush{typing.room, call.user->who, typing.active});
}

std::optional<HttpResponse> tell_read(RestCall& call) {
    const protocol::Read& read = action_of<core::PublishRead>(call).read;
    const auto ask = [read, user = call.user](core::Shard& home, const core::Later<AckOrError>&) {
        return std::optional<AckOrError>(core::read_at_home(home, user, read));
    };
    return ask_home_as<AckOrError>(core::Act::read, call, read.room, ask, &answer_done);
}

std::optional<HttpResponse> list_rooms(RestCall& call) {
    std::string after;
    std::size_t most = rooms_default;
    auto refused = read_query(call, [&](std::string_view name, const std::string& value) {
        if (name == "after") after = value;
        return name == "limit" ? read_limit(value, most) : std::nullopt;
    });
    if (refused) return refused;
    using Rooms = std::vector<protocol::ListedRoom>;
    // One more than is told: it says whether there are more.
    const auto visit = [after, most](core::Shard& shard, Rooms& rooms) {
        auto more = core::rooms_at_home(shard, after, most + 1);
        std::ranges::move(more, std::back_inserter(rooms));
    };
    const auto render = [most](Rooms&& rooms) { return answer_rooms(std::move(rooms), most); };
    core::Shard& here = call.gate.shard();
    if (here.hub().shard_count() > 1) {
        core::ask_every_shard(here, here, Rooms(), visit, answer_later(call, render));
        return std::nullopt;
    }
    Rooms rooms;
    visit(here, rooms);
    return with_headers(render(std::move(rooms)), std::move(call.headers));
}

std::optional<HttpResponse> describe_room(RestCall& call) {
    using Answer = core::Answered<protocol::RoomInfo>;
    const std::string& room = action_of<core::AskRoomInfo>(call).room;
    const auto ask = [room, user = call.user](core::Shard& home, const core::Later<Answer>&) {
        return std::optional<Answer>(core::room_info_at_home(home, room, *user));
    };
    return ask_home_later<Answer>(call, room, ask, &answer_room);
}

std::optional<HttpResponse> set_role(RestCall& call) {
    return act_in_room(call, &answer_role);
}

std::optional<HttpResponse> end_role(RestCall& call) {
    return act_in_room(call, &answer_acted);
}

std::optional<HttpResponse> kick_user(RestCall& call) {
    return act_in_room(call, &answer_acted);
}

std::optional<HttpResponse> set_topic(RestCall& call) {
    return act_in_room(call, &answer_topic);
}

std::optional<HttpResponse> describe_interface(RestCall& call) {
    HttpResponse response;
    response.content_type = "application/json";
    response.fixed_body = rest_files().front().bytes;
    return with_headers(std::move(response), std::move(call.headers));
}

}  // namespace parley::transports
