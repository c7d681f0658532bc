// EngineFixture: Engine.IO sessions without a client, a socket or a clock: whatever happens to them
// is called here, at a time that is said here.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/hub.hpp"
#include "transports/gate.hpp"
#include "transports/socketio/engine_polling.hpp"
#include "transports/socketio/engine_sessions.hpp"
#include "transports/socketio/engine_socket.hpp"

namespace parley::transports::test {

using std::chrono::milliseconds;

// "text" or "#binary".
inline std::string shown(MessageKind kind, std::string_view payload) {
    return (kind == MessageKind::binary ? "#" : "") + std::string(payload);
}

// What is spoken: it says and publishes what it is told to, and remembers what it hears. It writes
// publications as the core does: until it is told to wait.
class TestEngineHandler final : public EngineHandler {
public:
    void on_open(EngineLink& opened) override { link = &opened; }
    void on_message(MessageKind kind, std::string_view payload) override {
        heard.push_back(shown(kind, payload));
        if (echoes) link->send(kind, payload);
        if (stops_after_each) is_ready = false;
    }
    bool ready() const noexcept override { return is_ready; }
    void on_writable() override {
        EXPECT_TRUE(blocked) << "nobody waits to write";
        blocked = false;
        flush();
    }
    void on_writer_changed() override { ++writer_changes; }
    void on_drain() override { ++drains; }
    void on_closed(const core::CloseReason& reason) noexcept override {
        EXPECT_EQ(closed_for, nullptr) << "closed twice";
        closed_for = &reason;
    }

    void publish(MessageKind kind, std::string_view payload) {
        std::string bytes;
        if (kind == MessageKind::binary) {
            protocol::append_frame(bytes, protocol::Opcode::binary, payload);
        } else {
            protocol::append_frame(bytes, protocol::Opcode::text, "4" + std::string(payload));
        }
        pending.push_back(core::Frame::copy_of(bytes));
        if (!blocked) flush();
    }
    void flush() {
        while (!pending.empty() && !blocked) {
            std::vector<const core::Frame*> frames;
            for (const auto& frame : pending) frames.push_back(frame.get());
            const core::WriteResult result = link->writer().write_some(frames);
            pending.erase(pending.begin(),
                          pending.begin() + static_cast<std::ptrdiff_t>(result.taken));
            blocked = result.blocked;
            if (result.taken == 0 && !blocked) FAIL() << "nothing taken, and no wait";
        }
    }

    EngineLink* link = nullptr;
    std::vector<std::string> heard;
    std::deque<core::FramePtr> pending;
    const core::CloseReason* closed_for = nullptr;
    int writer_changes = 0;
    int drains = 0;
    bool is_ready = true;
    bool echoes = false;
    bool stops_after_each = false;
    bool blocked = false;
};

// Hands out its handlers, and knows them for as long as they are there.
class TestEngineApplication final : public EngineApplication {
public:
    // Stands in for the handler that the session owns: what happened stays to be looked at.
    class Handle final : public EngineHandler {
    public:
        explicit Handle(std::shared_ptr<TestEngineHandler> handler)
            : handler_(std::move(handler)) {}
        void on_open(EngineLink& link) override { handler_->on_open(link); }
        void on_message(MessageKind kind, std::string_view payload) override {
            handler_->on_message(kind, payload);
        }
        bool ready() const noexcept override { return handler_->ready(); }
        void on_writable() override { handler_->on_writable(); }
        void on_writer_changed() override { handler_->on_writer_changed(); }
        void on_drain() override { handler_->on_drain(); }
        void on_closed(const core::CloseReason& reason) noexcept override {
            handler_->on_closed(reason);
        }

    private:
        std::shared_ptr<TestEngineHandler> handler_;
    };

    std::unique_ptr<EngineHandler> open(const EngineOpening& opening) override {
        last_opening = opening;
        last = std::make_shared<TestEngineHandler>();
        return std::make_unique<Handle>(last);
    }

    EngineOpening last_opening;
    std::shared_ptr<TestEngineHandler> last;
};

// What a client is told, in its order, whatever brings it: "text", "#binary", and the rest as it is
// written: "<2>", "<6>", "<1>", "<3probe>".
class Transcript {
public:
    void add_packet(const protocol::EnginePacket& packet) {
        if (packet.type == protocol::EngineType::message) {
            messages.push_back(
                shown(packet.binary ? MessageKind::binary : MessageKind::text, packet.data));
            return;
        }
        controls.push_back("<" + std::to_string(static_cast<int>(packet.type)) +
                           std::string(packet.data) + ">");
    }
    void add_body(std::string body) {
        protocol::EnginePayload records(body);
        protocol::EnginePacket packet;
        for (;;) {
            const auto step = records.next(packet);
            if (step == protocol::EnginePayload::Step::end) return;
            ASSERT_EQ(step, protocol::EnginePayload::Step::packet) << body;
            add_packet(packet);
        }
    }

    std::vector<std::string> messages;
    std::vector<std::string> controls;
};

// A WebSocket that takes everything.
class TestSocketLink final : public WebSocketLink {
public:
    explicit TestSocketLink(Transcript& transcript) : transcript_(&transcript) {}

    core::WriteResult write_some(std::span<const core::Frame* const> frames) noexcept override {
        for (const core::Frame* const frame : frames) {
            std::string bytes(frame->bytes());
            protocol::WebSocketDecoderConfig config;
            config.role = protocol::WebSocketRole::client;
            config.message_bytes_max = config.frame_bytes_max = bytes.size();
            protocol::WebSocketDecoder decoder(config);
            std::span<char> rest(bytes);
            while (!rest.empty()) {
                const auto step = decoder.feed(rest);
                rest = rest.subspan(step.consumed);
                if (step.event == protocol::WebSocketDecoder::Event::message) {
                    send(decoder.opcode(), decoder.payload(), false);
                }
            }
        }
        return {frames.size(), false};
    }
    void send(protocol::Opcode opcode, std::string_view payload, bool) noexcept override {
        if (closed_for != nullptr) return;
        if (opcode == protocol::Opcode::binary) {
            return transcript_->add_packet({protocol::EngineType::message, true, payload});
        }
        const auto packet = protocol::decode_engine_packet(payload);
        ASSERT_TRUE(packet) << payload;
        transcript_->add_packet(*packet);
    }
    void close(const core::CloseReason& reason) noexcept override {
        if (closed_for == nullptr) closed_for = &reason;
    }
    void resume() noexcept override { ++resumes; }

    const core::CloseReason* closed_for = nullptr;
    int resumes = 0;

private:
    Transcript* transcript_;
};

class EngineFixture : public testing::Test {
protected:
    // A GET that waits.
    class Poll final : public EnginePoll {
    public:
        explicit Poll(EngineSession& session) : session_(&session) {}
        void finish_soon() noexcept override { due = true; }
        void finish() override {
            due = false;
            if (!answer) answer = session_->answer_poll();
        }
        [[nodiscard]] EngineSession& session() const noexcept { return *session_; }

        bool due = false;
        std::optional<HttpResponse> answer;

    private:
        EngineSession::Pointer session_;
    };
    // The client's WebSocket, and what the server makes of it.
    struct Socket {
        Socket(EngineSession& session, EngineSocket::Part part, Transcript& transcript)
            : link(transcript), socket(std::make_unique<EngineSocket>(session, part)) {
            socket->on_open(link);
        }
        void text(std::string_view what) {
            if (link.closed_for == nullptr) socket->on_message(protocol::Opcode::text, what);
        }
        // The connection's own end, which follows what the server has asked for.
        void end(const core::CloseReason& reason) {
            if (std::exchange(ended, true)) return;
            link.close(reason);
            socket->on_closed(reason);
        }
        TestSocketLink link;
        std::unique_ptr<EngineSocket> socket;
        bool ended = false;
    };

    EngineFixture()
        : hub_(core::Config{}, {&thread_}, start_, 1),
          gate_((thread_.attach(hub_.shard(0)), thread_), TransportConfig{}, admission_, {}),
          sessions_(gate_, application_) {
        at(milliseconds(0));
    }

    // ---- time

    void at(milliseconds time) {
        time_ = time;
        hub_.shard(0).set_now({start_.mono + time, start_.wall + time});
        hub_.shard(0).timers().advance(start_.mono + time);
        settle();
    }
    void pass(milliseconds time) { at(time_ + time); }
    // What was put off until the loop comes round.
    void settle() {
        auto& loop = thread_.executor().context();
        do {
            loop.restart();
            loop.poll();
        } while (finish_polls());
    }

    // ---- the client

    EngineSession::Pointer open_polling() {
        const EngineSession::Pointer session = sessions_.make({"192.0.2.1", "EIO=4"});
        handler = application_.last;
        const HttpResponse answer = session->open_polling({});
        EXPECT_TRUE(answer.body.starts_with("0{")) << answer.body;
        sid = session->sid();
        return session;
    }
    EngineSession::Pointer open_socket() {
        const EngineSession::Pointer session = sessions_.make({"192.0.2.1", "EIO=4"});
        handler = application_.last;
        socket.emplace(*session, EngineSocket::Part::carrying, transcript);
        EXPECT_EQ(transcript.controls.size(), 1U);
        transcript.controls.clear();
        sid = session->sid();
        return session;
    }
    // Its body, or "waits", or "gone".
    std::string poll() {
        EngineSession* const session = sessions_.find(sid);
        if (session == nullptr) return "gone";
        auto answer = session->poll();
        if (answer) return told(*answer);
        polls_.push_back(std::make_unique<Poll>(*session));
        session->park(*polls_.back());
        settle();
        return polls_.empty() ? std::exchange(answered_, {}) : "waits";
    }
    // Its body, or "later", or "gone".
    std::string post(std::string_view body, std::shared_ptr<LaterAnswer>* later = nullptr) {
        EngineSession* const session = sessions_.find(sid);
        if (session == nullptr) return "gone";
        HttpRequest request;
        request.body() = body;
        const boost::asio::ip::tcp::endpoint nobody;
        std::array<int, 2> pair{};
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair.data()), 0);
        ::close(pair[1]);
        AnyStream stream(std::in_place_type<TcpStream>, thread_.reactor(), pair[0]);
        Exchange exchange{request, "/", {}, nobody, nobody, stream, {}};
        const auto answer = session->post(exchange);
        if (later != nullptr) *later = exchange.later;
        if (!answer) return "later";
        return answer->status == 200 ? std::string(answer->content())
                                     : std::to_string(answer->status);
    }
    [[nodiscard]] bool poll_waits() const noexcept { return !polls_.empty(); }
    // The client hangs up while it waits.
    void give_up_poll() {
        const std::unique_ptr<Poll> poll = std::move(polls_.back());
        polls_.pop_back();
        poll->session().poll_lost(*poll);
        settle();
    }
    std::string told(const HttpResponse& answer) {
        if (answer.status != 200) return std::to_string(answer.status);
        transcript.add_body(answer.body);
        last_undelivered = answer.undelivered;
        return answer.body;
    }
    [[nodiscard]] std::uint64_t total(core::Metric metric) const { return hub_.total(metric); }
    [[nodiscard]] EngineConfig& config() noexcept { return sessions_.config(); }

    ~EngineFixture() override { socket.reset(); }

private:
    bool finish_polls() {
        bool any = false;
        for (std::size_t i = 0; i < polls_.size();) {
            if (polls_[i]->due) polls_[i]->finish();
            if (!polls_[i]->answer) {
                ++i;
                continue;
            }
            any = true;
            answered_ = told(*polls_[i]->answer);
            polls_.erase(polls_.begin() + static_cast<std::ptrdiff_t>(i));
        }
        return any;
    }

    core::Instant start_ = core::machine_now();
    milliseconds time_{0};
    Admission admission_;
    ShardThread thread_;
    core::Hub hub_;

protected:
    TestEngineApplication application_;
    Gate gate_;
    EngineSessions sessions_;
    Transcript transcript;
    std::optional<Socket> socket;
    std::string sid;
    std::shared_ptr<TestEngineHandler> handler;
    std::function<void()> last_undelivered;
    // The answer of the poll that waited and waits no more.
    std::string answered_;

private:
    std::vector<std::unique_ptr<Poll>> polls_;
};

}  // namespace parley::transports::test
