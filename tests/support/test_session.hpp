// TestSession: one participant in a test: a session over a TestTransport, and what it was told.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/subscriber.hpp"
#include "support/test_hub.hpp"
#include "support/test_transport.hpp"

namespace parley::test {

class TestSession {
public:
    TestSession(TestHub& hub, std::size_t shard, std::optional<std::string> name,
                std::string address = "127.0.0.1")
        : subscriber_(core::Subscriber::open(hub.shard(shard), transport_,
                                             {std::move(address), std::move(name)})) {}
    ~TestSession() {
        if (subscriber_) end(core::close_reasons::normal);
    }
    TestSession(const TestSession&) = delete;
    TestSession& operator=(const TestSession&) = delete;

    [[nodiscard]] core::Subscriber& subscriber() const noexcept { return *subscriber_; }
    [[nodiscard]] TestTransport& transport() noexcept { return transport_; }
    [[nodiscard]] protocol::User user() const { return subscriber_->session().user()->who; }

    void say(protocol::Command command, protocol::CommandId id = std::int64_t{1}) {
        subscriber_->handle({std::move(id), std::move(command)});
    }
    void join(const std::string& room, bool presence = false, std::uint32_t history = 50) {
        say(protocol::Join{room, std::nullopt, history, presence});
    }
    void send(const std::string& room, std::string text, std::string key = {},
              protocol::CommandId id = std::int64_t{1}) {
        say(protocol::Send{room, {protocol::Body::Kind::text, std::move(text)}, std::move(key), {}},
            std::move(id));
    }
    // The connection ends, and the session with it.
    void end(const core::CloseReason& reason) {
        subscriber_->closed(reason);
        subscriber_.reset();
    }
    void block() noexcept { transport_.frames_left = 0; }
    void unblock() {
        transport_.frames_left = TestTransport::unlimited;
        subscriber_->writable();
    }

    // Everything it was told so far, in order.
    [[nodiscard]] const std::vector<protocol::ServerFrame>& heard() {
        for (const auto& text : transport_.take_texts()) heard_.push_back(parsed(text));
        return heard_;
    }
    void forget() {
        static_cast<void>(transport_.take_texts());
        heard_.clear();
    }
    template <typename Message>
    [[nodiscard]] std::vector<Message> all() {
        std::vector<Message> found;
        for (const auto& frame : heard()) {
            if (const auto* message = std::get_if<Message>(&frame.message)) {
                found.push_back(*message);
            }
        }
        return found;
    }
    template <typename Message>
    [[nodiscard]] std::optional<Message> last() {
        auto found = all<Message>();
        if (found.empty()) return std::nullopt;
        return std::move(found.back());
    }
    // The code of the last refusal; empty where there was none.
    [[nodiscard]] std::string error() {
        const auto last_error = last<protocol::Error>();
        return last_error ? last_error->code : std::string();
    }
    // The texts of the messages pushed in that room, in order.
    [[nodiscard]] std::vector<std::string> texts(const std::string& room) {
        std::vector<std::string> found;
        for (auto& message : all<protocol::Message>()) {
            if (message.room == room) found.push_back(std::move(message.body.content));
        }
        return found;
    }

private:
    TestTransport transport_;
    std::shared_ptr<core::Subscriber> subscriber_;
    std::vector<protocol::ServerFrame> heard_;
};

}  // namespace parley::test
