#include "loadtest/sse_dialogue.hpp"

#include <cassert>

#include "loadtest/http_answer.hpp"
#include "loadtest/virtual_user.hpp"
#include "protocol/cursor.hpp"

namespace parley::load {

std::unique_ptr<Dialogue> make_sse_dialogue() {
    return std::make_unique<SseDialogue>();
}

void SseDialogue::open(const VirtualUser& user, bool /*resumes*/, std::string& out,
                       UserContext& context) {
    reader_.reset();
    const std::string last_id = user.came_back() ? decoder_.last_id() : std::string();
    decoder_ = protocol::SseDecoder();
    positioned_ = false;
    HttpRequest request{context.plan.host, {}};
    request.accept = protocol::sse_media_type;
    std::string path = events_path(user.room_name());
    if (!last_id.empty()) path.append("?since=").append(last_id);
    append_get(out, path, request);
}

void SseDialogue::receive(VirtualUser& user, std::span<char> bytes, std::int64_t now_ns,
                          std::string& /*out*/, UserContext& context) {
    const HttpReader::Step step = reader_.feed({bytes.data(), bytes.size()});
    if (step.event == HttpReader::Event::failed) {
        return user.on_broken("broken answer: " + reader_.error(), context);
    }
    const bool ended = step.event == HttpReader::Event::complete;
    if (reader_.status() == 0) return;
    if (reader_.status() != 200) {
        if (ended) refuse(user, context);
        return;
    }
    // The stream is open as soon as its head has come, however long nothing is said in the room.
    if (user.state() == VirtualUser::State::opening) user.on_ready(now_ns, context);
    take_events(user, now_ns, context);
    reader_.drop_body();
    if (ended) user.cut_off("the stream of events has ended", context);
}

bool SseDialogue::may_come_back(const VirtualUser& user) const {
    return user.last_offset().has_value() && !decoder_.last_id().empty();
}

void SseDialogue::take_events(VirtualUser& user, std::int64_t now_ns, UserContext& context) {
    using Status = protocol::SseDecoder::Status;
    std::string_view rest = reader_.body();
    while (!rest.empty() && user.state() != VirtualUser::State::closed) {
        const auto step = decoder_.feed(rest);
        rest.remove_prefix(step.consumed);
        if (step.status == Status::malformed) {
            return user.on_broken("an event that is too large", context);
        }
        if (step.status == Status::event_ready) {
            positioned_ = true;
            user.on_push(decoder_.event().data, now_ns, context);
        }
    }
    // An id that comes before every event tells where the stream begins.
    if (positioned_ || decoder_.last_id().empty()) return;
    positioned_ = true;
    if (const auto cursor = protocol::Cursor::parse(decoder_.last_id())) {
        user.on_position(cursor->offset);
    }
}

void SseDialogue::refuse(VirtualUser& user, UserContext& context) const {
    ++user.tally(context).statuses[static_cast<std::uint16_t>(reader_.status())];
    user.on_broken("the stream was answered " + describe_answer(reader_), context);
}

void SseDialogue::publish(const Stamp& /*message*/, std::string& /*out*/,
                          UserContext& /*context*/) {
    assert(false && "a stream has no way back: the senders speak for this user");
}

bool SseDialogue::leave(std::string& /*out*/, UserContext& /*context*/) {
    return false;
}

}  // namespace parley::load
