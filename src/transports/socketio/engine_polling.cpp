#include "transports/socketio/engine_polling.hpp"

#include <algorithm>
#include <utility>

#include "protocol/websocket_frame.hpp"
#include "transports/gate.hpp"
#include "transports/socketio/engine_session.hpp"
#include "transports/socketio/engine_sessions.hpp"

namespace parley::transports {
namespace {

using protocol::EngineType;
using protocol::Opcode;

// An answer that only ends its poll.
constexpr std::string_view noop = "6";

struct FrameView {
    Opcode opcode;
    std::string_view payload;
};

constexpr auto unlimited = std::size_t(-1);

// Takes the next WebSocket frame off the front of what this server has encoded itself: whole,
// unmasked, of one message.
FrameView take_frame(std::string_view& bytes) noexcept {
    const auto byte = [&bytes](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
    const auto opcode = static_cast<Opcode>(byte(0) & 0x0F);
    std::size_t length = byte(1) & 0x7FU;
    std::size_t header = 2;
    if (length >= 126) {
        header += length == 126 ? 2 : 8;
        length = 0;
        for (std::size_t i = 2; i < header; ++i) length = length << 8U | byte(i);
    }
    const std::string_view payload = bytes.substr(header, length);
    bytes.remove_prefix(header + length);
    return {opcode, payload};
}

}  // namespace

EnginePolling::EnginePolling(EngineSession& session, AdmissionTicket ticket,
                             std::size_t packets_max)
    : session_(&session), ticket_(std::move(ticket)), packets_max_(packets_max) {
    session_->sessions().gate().add(*this);
}

EnginePolling::~EnginePolling() {
    leave_gate();
}

void EnginePolling::leave_gate() noexcept {
    if (std::exchange(listed_, false)) session_->sessions().gate().remove(*this);
}

// ---- what is said ----------------------------------------------------------------------------

void EnginePolling::say(EngineType type, std::string_view data) noexcept {
    protocol::append_engine_record(words_, type, data);
    said();
}

void EnginePolling::send(MessageKind kind, std::string_view payload) noexcept {
    if (kind == MessageKind::binary) {
        protocol::append_engine_binary_record(words_, payload);
    } else {
        protocol::append_engine_record(words_, EngineType::message, payload);
    }
    said();
}

void EnginePolling::said() noexcept {
    if (poll_ != nullptr) return poll_->finish_soon();
    if (words_.size() <= session_->sessions().config().waiting_bytes || !session_->is_open())
        return;
    session_->sessions().gate().shard().metrics().add(core::Metric::engine_words_unfetched);
    std::string().swap(words_);
    session_->close(core::close_reasons::slow_consumer);
}

core::WriteResult EnginePolling::write_some(std::span<const core::Frame* const> frames) noexcept {
    if (!session_->is_open()) return {frames.size(), false};
    std::size_t taken = 0;
    // What comes while no poll waits stays with its room: it costs the cursor that it has there.
    if (poll_ != nullptr || collecting_) {
        while (taken < frames.size() && !is_full()) append(*frames[taken++]);
        if (taken > 0 && poll_ != nullptr) poll_->finish_soon();
    }
    const bool blocked = taken < frames.size();
    if (blocked) blocked_ = true;
    return {taken, blocked};
}

bool EnginePolling::is_full() const noexcept {
    if (words_.size() >= session_->sessions().config().max_payload) return true;
    // Counted only for those few who take few, of whom it is little.
    return packets_max_ != unlimited &&
           protocol::engine_records_end(words_, packets_max_) != std::string::npos;
}

void EnginePolling::append(const core::Frame& frame) {
    std::string_view bytes = frame.bytes();
    while (!bytes.empty()) {
        const FrameView next = take_frame(bytes);
        if (next.opcode == Opcode::binary) {
            protocol::append_engine_binary_record(words_, next.payload);
        } else {
            protocol::append_engine_record(words_, EngineType::message, next.payload.substr(1));
        }
    }
}

// ---- what is answered ------------------------------------------------------------------------

std::string EnginePolling::take_words() noexcept {
    return std::exchange(words_, std::string());
}

// As many as one answer may have; the others wait for the next poll, unless there is none.
std::string EnginePolling::take_first_words() {
    std::string first = take_words();
    if (packets_max_ == unlimited || !session_->is_open()) return first;
    const std::size_t end = protocol::engine_records_end(first, packets_max_);
    if (end == std::string::npos || end == first.size()) return first;
    words_ = first.substr(end + 1);
    first.resize(end);
    return first;
}

HttpResponse EnginePolling::take_answer() {
    poll_ = nullptr;
    HttpResponse response;
    response.content_type = "text/plain; charset=UTF-8";
    response.headers.emplace_back("Cache-Control", "no-store");
    response.body = take_first_words();
    if (session_->is_open() && response.body != noop) {
        // Who did not get what it was answered must not go on as if it had.
        response.undelivered = [session = EngineSession::Pointer(session_)] {
            session->answer_lost();
        };
    }
    return response;
}

// ---- the gate --------------------------------------------------------------------------------

bool EnginePolling::announce_drain() noexcept {
    session_->announce_drain();
    return false;
}

void EnginePolling::close(const core::CloseReason& reason) noexcept {
    session_->close(reason);
}

void EnginePolling::abort() noexcept {
    session_->sessions().gate().thread().defer(
        [session = EngineSession::Pointer(session_)] { session->abort(); });
}

}  // namespace parley::transports
