#include "loadtest/engine_posts.hpp"

#include <algorithm>

#include "loadtest/http_answer.hpp"
#include "loadtest/virtual_user.hpp"

namespace parley::load {

void EnginePosts::reset() {
    path_ = std::string();
    waiting_.clear();
    asked_ = false;
    on_fresh_connection();
}

void EnginePosts::on_session(std::string_view path, std::size_t payload_bytes_max) {
    path_ = path;
    payload_bytes_max_ = payload_bytes_max;
}

void EnginePosts::say(std::string_view packet) {
    if (!waiting_.empty()) waiting_ += packet_separator;
    waiting_ += packet;
}

void EnginePosts::append(std::string& out, UserContext& context) {
    if (!due()) return;
    std::size_t size = waiting_.size();
    if (size > payload_bytes_max_) {
        const std::size_t end = waiting_.rfind(packet_separator, payload_bytes_max_);
        // A packet that is too large by itself is the server's to refuse.
        size = end != std::string::npos ? end : waiting_.find(packet_separator);
        size = std::min(size, waiting_.size());
    }
    HttpRequest request{context.plan.host, {}};
    request.accept = "*/*";
    request.content_type = "text/plain;charset=UTF-8";
    append_post(out, path_, std::string_view(waiting_).substr(0, size), request);
    waiting_.erase(0, size + 1);
    asked_ = true;
}

bool EnginePosts::on_answer(VirtualUser& user, const HttpReader& answer, UserContext& context) {
    if (!asked_) {
        user.on_broken("an answer to no request: " + describe_answer(answer), context);
        return false;
    }
    asked_ = false;
    if (answer.status() == 200 && answer.body() == "ok") return true;
    ++user.tally(context).statuses[static_cast<std::uint16_t>(answer.status())];
    user.on_broken("a POST was answered " + describe_answer(answer), context);
    return false;
}

void EnginePosts::on_fresh_connection() {
    reader_.reset();
    must_end_ = false;
}

void EnginePosts::receive(VirtualUser& user, std::span<const char> bytes, UserContext& context) {
    std::string_view rest(bytes.data(), bytes.size());
    while (!rest.empty() && user.state() != VirtualUser::State::closed && !must_end_) {
        const HttpReader::Step step = reader_.feed(rest);
        rest.remove_prefix(step.consumed);
        if (step.event == HttpReader::Event::failed) {
            return user.on_broken("broken answer: " + reader_.error(), context);
        }
        if (step.event == HttpReader::Event::need_more) continue;
        must_end_ = reader_.closes();
        (void)on_answer(user, reader_, context);
        reader_.drop_body();
    }
}

}  // namespace parley::load
