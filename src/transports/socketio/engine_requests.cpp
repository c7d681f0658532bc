// EngineSession as requests meet it: polls and posts.
#include <exception>
#include <utility>

#include "transports/gate.hpp"
#include "transports/log.hpp"
#include "transports/socketio/engine_polling.hpp"
#include "transports/socketio/engine_posting.hpp"
#include "transports/socketio/engine_refusal.hpp"
#include "transports/socketio/engine_session.hpp"
#include "transports/socketio/engine_sessions.hpp"
#include "transports/socketio/engine_socket.hpp"

namespace parley::transports {

using protocol::EnginePacket;
using protocol::EngineType;

namespace {

HttpResponse taken() {
    HttpResponse response;
    response.content_type = "text/html";
    response.fixed_body = "ok";
    return response;
}

}  // namespace

// ---- posts -----------------------------------------------------------------------------------

std::optional<HttpResponse> EngineSession::post(Exchange& exchange) {
    const Pointer self(this);
    if (stage_ != Stage::open && polling_) return taken();  // it is told with its next poll
    if (!polling_) return refuse(EngineRefusal::bad_request);
    if (posting_) {
        end(core::close_reasons::protocol_error);
        return refuse(EngineRefusal::bad_request);
    }
    posting_ = std::make_unique<EnginePosting>(exchange.request.body());
    auto answer = hand_over();
    if (!answer) {
        posting_->answer = exchange.answer_later(sessions_->gate().thread().executor());
    }
    return answer;
}

// Gives the handler what it takes of the body; the answer when that is all of it.
std::optional<HttpResponse> EngineSession::hand_over() {
    std::unique_ptr<EnginePosting> posting = std::move(posting_);
    EnginePacket packet;
    while (is_open()) {
        if (!handler_->ready() || answer_is_full()) {
            posting_ = std::move(posting);
            return std::nullopt;
        }
        const auto step = posting->packets.next(packet);
        if (step == protocol::EnginePayload::Step::end) break;
        bool good = step == protocol::EnginePayload::Step::packet;
        try {
            good = good && take(packet);
        } catch (const std::exception& error) {
            log::error("engine.io session failed", {{"error", error.what()}});
            end(core::close_reasons::internal);
        }
        if (good) continue;
        end(core::close_reasons::protocol_error);
        return refuse(EngineRefusal::bad_request);
    }
    return taken();
}

// What a body brings forth is to leave before more of it is read.
bool EngineSession::answer_is_full() const noexcept {
    return polling_ && polling_->poll() != nullptr && polling_->is_full();
}

void EngineSession::resume() noexcept {
    if (socket_ != nullptr && !posting_) return socket_->link().resume();
    // Deferred: the core may be anywhere in its own work, and handing over leads back into it.
    sessions_->gate().thread().defer([self = Pointer(this)] { self->go_on_posting(); });
}

void EngineSession::go_on_posting() {
    if (!posting_) return;
    const std::weak_ptr<LaterAnswer> waiting = posting_->answer;
    auto answer = hand_over();
    if (!answer) return;
    if (const auto later = waiting.lock()) later->give(std::move(*answer));
    if (socket_ != nullptr) socket_->link().resume();
}

// ---- polls -----------------------------------------------------------------------------------

std::optional<HttpResponse> EngineSession::poll() {
    const Pointer self(this);
    if (stage_ == Stage::closing && polling_) end_closing();
    if (stage_ == Stage::farewell) {
        stage_ = Stage::gone;
        cancel();
        sessions_->remove(*this);
        return polling_->take_answer();
    }
    if (!is_open() || !polling_) return refuse(EngineRefusal::bad_request);
    if (polling_->poll() != nullptr) {
        end(core::close_reasons::protocol_error);
        return refuse(EngineRefusal::bad_request);
    }
    if (polling_->take_blocked()) polling_->collect([this] { handler_->on_writable(); });
    if (owes_nudge() && !polling_->has_words()) polling_->say(EngineType::noop, {});
    if (!polling_->has_words()) return std::nullopt;
    return polling_->take_answer();
}

void EngineSession::park(EnginePoll& poll) {
    polling_->park(poll);
    if (!is_open()) poll.finish_soon();
}

HttpResponse EngineSession::answer_poll() {
    HttpResponse answer = polling_->take_answer();
    if (posting_) resume();
    return answer;
}

void EngineSession::poll_lost(EnginePoll& poll) noexcept {
    if (!polling_ || polling_->poll() != &poll) return;
    polling_->forget_poll();
    answer_lost();
}

void EngineSession::answer_lost() noexcept {
    if (!is_open()) return;
    sessions_->gate().shard().metrics().add(core::Metric::engine_polls_lost);
    end(core::close_reasons::vanished);
}

}  // namespace parley::transports
