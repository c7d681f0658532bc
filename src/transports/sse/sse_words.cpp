#include "transports/sse/sse_words.hpp"

#include <string_view>
#include <utility>

#include "protocol/sse.hpp"

namespace parley::transports {
namespace {

void append_said(std::string& out, std::string_view id, std::string_view name,
                 core::ReplyMessage message) {
    std::string json;
    core::append_reply(json, {{}, std::move(message)});
    protocol::append_sse(out, id, name, json);
}

// The offset of the last message before those of a `joined`.
std::uint64_t offset_before(const core::JoinedReply& reply) noexcept {
    return reply.history.empty() ? reply.cursor.offset : reply.history.front()->offset() - 1;
}

}  // namespace

void append_beginning(std::string& out, const core::JoinedReply& reply,
                      const std::optional<protocol::Cursor>& since, std::uint64_t retry_ms) {
    const protocol::Cursor begin{reply.cursor.epoch, offset_before(reply)};
    const std::string id = begin.to_string();
    if (!since || reply.recovered) return protocol::append_sse_position(out, id, retry_ms);
    // With the id of the event that announces it: a client that is cut off before that asks again
    // from where it was, and is told again.
    protocol::append_sse_retry(out, retry_ms);
    if (since->epoch == begin.epoch && since->offset < begin.offset) {
        return append_gap(out, {reply.room, since->offset + 1, begin.offset, begin});
    }
    // A cursor of another life of the room, or one that it has not come to.
    core::JoinedReply joined = reply;
    joined.history.clear();
    append_said(out, id, "joined", std::move(joined));
}

void append_gap(std::string& out, const protocol::Gap& gap) {
    append_said(out, gap.cursor.to_string(), "gap", gap);
}

void append_removed(std::string& out, const protocol::Removed& removed) {
    append_said(out, {}, "removed", removed);
}

void append_drain(std::string& out, const protocol::Drain& drain) {
    protocol::append_sse_retry(out, drain.retry_after_ms);
    append_said(out, {}, "drain", drain);
}

void append_goodbye(std::string& out, const core::CloseReason& reason) {
    const bool refused = reason.code == core::close_reasons::forbidden.code;
    append_said(out, {}, "error",
                protocol::Error{refused ? "forbidden" : "unavailable", std::string(reason.text),
                                core::may_reconnect(reason), std::nullopt});
}

}  // namespace parley::transports
