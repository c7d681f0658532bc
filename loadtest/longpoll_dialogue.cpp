#include "loadtest/longpoll_dialogue.hpp"

#include <cassert>

#include "loadtest/http_answer.hpp"
#include "loadtest/json_search.hpp"
#include "loadtest/virtual_user.hpp"

namespace parley::load {
namespace {

// Of the first message of an answer; without any what would come next.
std::uint64_t first_offset(std::string_view body, std::size_t first,
                           const protocol::Cursor& newest) {
    if (first == std::string_view::npos) return newest.offset + 1;
    const auto cursor =
        protocol::Cursor::parse(find_json_string(body.substr(first), R"("cursor":")"));
    return cursor ? cursor->offset : newest.offset + 1;
}

}  // namespace

std::unique_ptr<Dialogue> make_longpoll_dialogue() {
    return std::make_unique<LongPollDialogue>();
}

void LongPollDialogue::open(const VirtualUser& user, bool resumes, std::string& out,
                            UserContext& context) {
    reader_.reset();
    must_end_ = false;
    if (!resumes && !user.came_back()) cursor_ = {};
    ask(user, out, context);
}

void LongPollDialogue::ask(const VirtualUser& user, std::string& out, UserContext& context) const {
    std::string& path = context.text;
    path = messages_path(user.room_name());
    if (cursor_.epoch.empty()) {
        path += "?limit=1&wait=0s";  // a room that nobody has spoken in is made by a poll
    } else {
        path += "?since=";
        protocol::append_cursor(path, cursor_);
        // Who comes back is ready once it has been told what it missed, be it nothing.
        path += user.state() == VirtualUser::State::opening ? "&wait=0s" : "&wait=25s";
    }
    append_get(out, path, {context.plan.host, {}});
}

void LongPollDialogue::receive(VirtualUser& user, std::span<char> bytes, std::int64_t now_ns,
                               std::string& out, UserContext& context) {
    std::string_view rest(bytes.data(), bytes.size());
    while (!rest.empty() && user.state() != VirtualUser::State::closed && !must_end_) {
        const HttpReader::Step step = reader_.feed(rest);
        rest.remove_prefix(step.consumed);
        switch (step.event) {
            case HttpReader::Event::need_more:
                break;
            case HttpReader::Event::failed:
                user.on_broken("broken answer: " + reader_.error(), context);
                break;
            case HttpReader::Event::complete:
                on_answer(user, now_ns, context);
                reader_.drop_body();
                must_end_ = reader_.closes();
                if (user.state() != VirtualUser::State::closed && !must_end_) {
                    ask(user, out, context);
                }
                break;
        }
    }
}

void LongPollDialogue::on_answer(VirtualUser& user, std::int64_t now_ns, UserContext& context) {
    const std::string_view body = reader_.body();
    if (reader_.status() != 200) {
        ++user.tally(context).statuses[static_cast<std::uint16_t>(reader_.status())];
        return user.on_broken("the poll was answered " + describe_answer(reader_), context);
    }
    const auto cursor = protocol::Cursor::parse(find_json_string(body, R"("cursor":")"));
    if (!cursor) return user.on_broken("the poll was answered without a cursor", context);
    if (cursor_.epoch.empty()) {
        cursor_ = *cursor;
        user.on_position(cursor->offset);
        return user.on_ready(now_ns, context);
    }
    // A room that is empty and that nobody polls is forgotten, with nothing to be missed in it.
    const bool recovered =
        body.substr(0, body.find(R"("messages":)")).find(R"("recovered":true)") !=
        std::string_view::npos;
    const std::size_t first = body.find(message_start);
    if (!recovered && cursor_.offset > 0) {
        if (cursor->epoch == cursor_.epoch) {
            // It says so: what lies before the first message is not to be had any more.
            user.on_gap(cursor_.offset + 1, first_offset(body, first, *cursor) - 1, context);
        } else {
            count_reason(user.tally(context).failures, "the room began anew");
        }
    }
    cursor_ = *cursor;
    for (std::size_t at = first; at != std::string_view::npos;) {
        const std::size_t next = body.find(message_start, at + message_start.size());
        user.on_push(body.substr(at, next - at), now_ns, context);
        at = next;
    }
    if (user.state() == VirtualUser::State::opening) user.on_ready(now_ns, context);
}

void LongPollDialogue::publish(const Stamp& /*message*/, std::string& /*out*/,
                               UserContext& /*context*/) {
    assert(false && "a poll holds the connection: the senders speak for this user");
}

bool LongPollDialogue::leave(std::string& /*out*/, UserContext& /*context*/) {
    return false;
}

}  // namespace parley::load
