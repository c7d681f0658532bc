#include "loadtest/rest_dialogue.hpp"

#include <utility>

#include "loadtest/http_answer.hpp"
#include "loadtest/virtual_user.hpp"
#include "protocol/json_codec.hpp"

namespace parley::load {

std::unique_ptr<Dialogue> make_rest_dialogue() {
    return std::make_unique<RestDialogue>();
}

void RestDialogue::open(const VirtualUser& /*user*/, bool resumes, std::string& out,
                        UserContext& context) {
    reader_.reset();
    asked_ = answered_ = must_end_ = given_up_ = false;
    if (resumes) {
        send_next(out, context);
        return;
    }
    waiting_.clear();
    // A question that changes nothing: who is answered is ready to send. Another server than
    // Parley answers as it likes.
    const bool own = !context.plan.target.posts();
    append_get(out, own ? "/healthz" : "/", {context.plan.host, {}});
    asked_ = true;
}

void RestDialogue::receive(VirtualUser& user, std::span<char> bytes, std::int64_t now_ns,
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
                if (user.state() == VirtualUser::State::ready && !must_end_) {
                    send_next(out, context);
                }
                break;
        }
    }
}

void RestDialogue::on_answer(VirtualUser& user, std::int64_t now_ns, UserContext& context) {
    constexpr unsigned request_timeout = 408;
    const unsigned status = reader_.status();
    if (!asked_) {
        // Some servers say so before they close an idle connection (RFC 9110, 15.5.9).
        if (status == request_timeout && reader_.closes()) return;
        return user.on_broken("an answer to no request: " + describe_answer(reader_), context);
    }
    asked_ = false;
    answered_ = true;
    if (std::exchange(given_up_, false)) return;
    const bool accepted = status >= 200 && status < 300;
    if (user.state() == VirtualUser::State::opening) {
        if (accepted || context.plan.target.posts()) return user.on_ready(now_ns, context);
        ++user.tally(context).statuses[static_cast<std::uint16_t>(status)];
        return user.fail("/healthz was answered " + describe_answer(reader_), context);
    }
    const Stamp message = waiting_.front();
    waiting_.pop_front();
    if (accepted) return context.accept(message, now_ns);
    Tally& tally = context.tally_of_user(message.publisher);
    ++tally.statuses[static_cast<std::uint16_t>(status)];
    context.refuse(message.publisher, describe_answer(reader_));
}

void RestDialogue::publish(const Stamp& message, std::string& out, UserContext& context) {
    waiting_.push_back(message);
    if (!asked_ && !must_end_) send_next(out, context);
}

void RestDialogue::send_next(std::string& out, UserContext& context) {
    if (waiting_.empty()) return;
    asked_ = true;
    const Stamp& message = waiting_.front();
    const Plan& plan = context.plan;
    std::string& body = context.text;
    if (plan.target.posts()) return append_target_post(message, out, context);
    body = R"({"text":)";
    protocol::append_json_string(body, context.payload_of(message));
    body += '}';
    const std::string room = plan.room_name(plan.scenario.room_of(message.publisher));
    const std::string name = "u" + std::to_string(message.publisher);
    append_post(out, messages_path(room), body, {plan.host, name});
}

// What a target file says a message is.
void RestDialogue::append_target_post(const Stamp& message, std::string& out,
                                      UserContext& context) {
    const Plan& plan = context.plan;
    const std::string room = plan.room_name(plan.scenario.room_of(message.publisher));
    const Placeholders values{room, message.publisher, context.payload_of(message),
                              message.sequence};
    std::string path;
    append_filled(path, plan.target.publish_http, values);
    context.text.clear();
    append_filled(context.text, plan.target.publish, values);
    HttpRequest request{plan.host, {}};
    request.content_type = "text/plain";
    append_post(out, path, context.text, request);
}

bool RestDialogue::leave(std::string& /*out*/, UserContext& /*context*/) {
    return false;
}

void RestDialogue::give_up(UserContext& context) {
    bool sent = asked_;
    for (const Stamp& message : waiting_) {
        Tally& tally = context.tally_of_user(message.publisher);
        if (std::exchange(sent, false)) {
            ++tally.unanswered;
            continue;
        }
        // Nobody will be sent what was never said.
        ++tally.withheld;
        context.control.refused[message.publisher].fetch_add(1, std::memory_order_relaxed);
    }
    waiting_.clear();
    given_up_ = asked_;
}

}  // namespace parley::load
