#include "loadtest/socketio_polling_dialogue.hpp"

#include "loadtest/http_answer.hpp"
#include "loadtest/json_search.hpp"
#include "loadtest/virtual_user.hpp"

namespace parley::load {
namespace {

constexpr std::string_view polling = "polling";
// Where the server tells no limit: the reference's.
constexpr std::uint64_t payload_bytes_default = 1'000'000;

}  // namespace

std::unique_ptr<Dialogue> make_socketio_polling_dialogue() {
    return std::make_unique<SocketIoPollingDialogue>();
}

void SocketIoPollingDialogue::open(const VirtualUser& user, bool resumes, std::string& out,
                                   UserContext& context) {
    reader_.reset();
    must_end_ = false;
    if (resumes && !posts_.path().empty()) return ask(out, context);
    begin_session(context);
    posts_.reset();
    posts_apart_ = user.index() < context.plan.scenario.publishers();
    asked_ = Asked::session;
    append_get(out, engine_path(path_of(user), polling, {}), {context.plan.host, {}, "*/*"});
}

void SocketIoPollingDialogue::ask(std::string& out, UserContext& context) {
    if (!posts_apart_ && posts_.due()) {
        asked_ = Asked::post;
        return posts_.append(out, context);
    }
    asked_ = Asked::poll;
    append_get(out, posts_.path(), {context.plan.host, {}, "*/*"});
}

void SocketIoPollingDialogue::receive(VirtualUser& user, std::span<char> bytes, std::int64_t now_ns,
                                      std::string& out, UserContext& context) {
    std::string_view rest(bytes.data(), bytes.size());
    while (!rest.empty() && user.state() != VirtualUser::State::closed && !must_end_) {
        const HttpReader::Step step = reader_.feed(rest);
        rest.remove_prefix(step.consumed);
        if (step.event == HttpReader::Event::failed) {
            return user.on_broken("broken answer: " + reader_.error(), context);
        }
        if (step.event == HttpReader::Event::need_more) continue;
        on_answer(user, now_ns, out, context);
        reader_.drop_body();
        must_end_ = reader_.closes();
        if (user.state() != VirtualUser::State::closed && !must_end_) ask(out, context);
    }
}

void SocketIoPollingDialogue::on_answer(VirtualUser& user, std::int64_t now_ns, std::string& out,
                                        UserContext& context) {
    if (asked_ == Asked::post) return (void)posts_.on_answer(user, reader_, context);
    if (reader_.status() != 200) {
        ++user.tally(context).statuses[static_cast<std::uint16_t>(reader_.status())];
        return user.on_broken("the poll was answered " + describe_answer(reader_), context);
    }
    std::string_view rest = reader_.body();
    do {
        const std::string_view packet = rest.substr(0, rest.find(packet_separator));
        rest.remove_prefix(std::min(rest.size(), packet.size() + 1));
        // An attachment, in base64, is none of ours.
        if (!packet.starts_with('b')) take_packet(user, packet, now_ns, out, context);
    } while (!rest.empty() && user.state() != VirtualUser::State::closed);
    if (asked_ == Asked::session && posts_.path().empty()) {
        user.on_broken("the handshake was answered without a session", context);
    }
}

void SocketIoPollingDialogue::on_open(VirtualUser& user, std::string_view packet,
                                      UserContext& context) {
    const std::string_view sid = find_json_string(packet, R"("sid":")");
    if (asked_ != Asked::session || sid.empty()) {
        return user.on_broken("a session that was not asked for, or without an id", context);
    }
    const auto payload_bytes_max = find_last_json_number(packet, R"("maxPayload":)");
    posts_.on_session(engine_path(path_of(user), polling, sid),
                      payload_bytes_max.value_or(payload_bytes_default));
}

void SocketIoPollingDialogue::say(std::string_view text, std::string& /*out*/,
                                  UserContext& /*context*/) {
    posts_.say(text);
}

bool SocketIoPollingDialogue::leave(std::string& /*out*/, UserContext& /*context*/) {
    return false;
}

}  // namespace parley::load
