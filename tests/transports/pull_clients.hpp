// The clients of long-poll and Server-Sent Events, for tests, and somebody who speaks to them.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "protocol/json_codec.hpp"
#include "protocol/sse.hpp"
#include "transports/test_server.hpp"
#include "transports/websocket_client.hpp"

namespace parley::transports::test {

template <typename Message>
Message decoded(std::string_view json) {
    auto frame = protocol::decode_server_frame(json);
    const auto* message = frame ? std::get_if<Message>(&frame->message) : nullptr;
    if (message == nullptr) {
        ADD_FAILURE() << "not what was expected: " << json;
        return {};
    }
    return *message;
}

// A request without its version and headers, and what is answered.
struct Refused {
    std::string request;
    int status;
    std::string_view says;
};
inline void expect_refused(LoopbackClient& client, const Refused& refused) {
    SCOPED_TRACE(refused.request);
    client.send(refused.request + " HTTP/1.1\r\nHost: a\r\n\r\n");
    const std::string answer = client.read_answer();
    EXPECT_EQ(status_of(answer), refused.status);
    EXPECT_NE(answer.find(refused.says), std::string::npos) << answer;
}

// How a peer goes.
using Going = void (*)(LoopbackClient& client);
inline constexpr std::array<Going, 3> goings{
    [](LoopbackClient& client) { client.close(); },
    [](LoopbackClient& client) { client.reset(); },
    [](LoopbackClient& client) { client.shutdown_write(); },
};

// Speaks in the room over a WebSocket.
class Speaker {
public:
    Speaker(std::uint16_t port, const std::string& room, std::string_view name = "ann")
        : socket_(port, "/ws?room=" + room + "&name=" + std::string(name)), room_(room) {
        joined_ = decoded<protocol::Joined>(receive(R"("type":"joined")"));
    }

    // Says it and waits for the ack; its cursor.
    protocol::Cursor say(std::string_view text) {
        socket_.send_text(command("send", R"(,"id":1,"text":")" + std::string(text) + R"(")"));
        return decoded<protocol::Ack>(receive(R"("type":"ack")")).cursor;
    }
    // Says all of it in one segment.
    protocol::Cursor say_at_once(const std::vector<std::string>& texts) {
        std::string bytes;
        for (const auto& text : texts) {
            bytes += client_frame(protocol::Opcode::text,
                                  command("send", R"(,"id":1,"text":")" + text + R"(")"));
        }
        socket_.socket().send(bytes);
        protocol::Cursor last;
        for (std::size_t i = 0; i < texts.size(); ++i) {
            last = decoded<protocol::Ack>(receive(R"("type":"ack")")).cursor;
        }
        return last;
    }
    void command_and_ack(std::string_view type, std::string_view fields = {}) {
        socket_.send_text(command(type, R"(,"id":1)" + std::string(fields)));
        receive(R"("type":"ack")");
    }
    [[nodiscard]] protocol::MemberList members() {
        socket_.send_text(command("members", R"(,"id":1)"));
        return decoded<protocol::MemberList>(receive(R"("type":"members")"));
    }
    [[nodiscard]] const protocol::Joined& joined() const noexcept { return joined_; }
    [[nodiscard]] const protocol::Epoch& epoch() const noexcept { return joined_.cursor.epoch; }
    [[nodiscard]] std::string cursor(std::uint64_t offset) const {
        return protocol::Cursor{epoch(), offset}.to_string();
    }

private:
    [[nodiscard]] std::string command(std::string_view type, const std::string& fields) const {
        return R"({"type":")" + std::string(type) + R"(","room":")" + room_ + R"(")" + fields + "}";
    }
    std::string receive(std::string_view text) {
        for (;;) {
            const auto received = socket_.receive();
            if (received.ended) {
                ADD_FAILURE() << "the speaker's connection ended before " << text;
                return {};
            }
            if (received.payload.find(text) != std::string::npos) return received.payload;
        }
    }

    WebSocketClient socket_;
    std::string room_;
    protocol::Joined joined_;
};

// The texts of messages.
inline std::vector<std::string> texts_of(const std::vector<protocol::Message>& messages) {
    std::vector<std::string> texts;
    for (const auto& message : messages) texts.push_back(message.body.content);
    return texts;
}

// "1", "2", … "n" from the first to the last.
inline std::vector<std::string> numbers(std::uint64_t first, std::uint64_t last) {
    std::vector<std::string> texts;
    for (auto i = first; i <= last; ++i) texts.push_back(std::to_string(i));
    return texts;
}

struct PolledPage {
    int status = 0;
    std::string answer;  // with its head
    bool recovered = false;
    protocol::HistoryPage page;  // of a 200
};

class PollClient {
public:
    explicit PollClient(std::uint16_t port) : socket_(port) {}

    [[nodiscard]] LoopbackClient& socket() noexcept { return socket_; }

    void ask(const std::string& room, std::string_view query, std::string_view headers = {}) {
        socket_.send("GET /api/v1/rooms/" + room + "/messages?" + std::string(query) +
                     " HTTP/1.1\r\nHost: a\r\n" + std::string(headers) + "\r\n");
    }
    PolledPage receive() {
        PolledPage polled;
        polled.answer = socket_.read_answer();
        polled.status = status_of(polled.answer);
        if (polled.status != 200) return polled;
        const std::string body = polled.answer.substr(polled.answer.find("\r\n\r\n") + 4);
        polled.recovered = body.find(R"("recovered":true)") != std::string::npos;
        polled.page = decoded<protocol::HistoryPage>(R"({"type":"history",)" + body.substr(1));
        return polled;
    }
    PolledPage poll(const std::string& room, std::string_view query,
                    std::string_view headers = {}) {
        ask(room, query, headers);
        return receive();
    }

private:
    LoopbackClient socket_;
};

class EventStreamClient {
public:
    EventStreamClient(std::uint16_t port, const std::string& room, std::string_view query = {},
                      std::string_view headers = {}, int receive_buffer = 0,
                      std::string_view version = "1.1")
        : socket_(port, receive_buffer) {
        socket_.send("GET /api/v1/rooms/" + room + "/events?" + std::string(query) + " HTTP/" +
                     std::string(version) + "\r\nHost: a\r\n" + std::string(headers) + "\r\n");
        head_ = socket_.read_through("\r\n\r\n");
        chunked_ = head_.find("Transfer-Encoding: chunked\r\n") != std::string::npos;
    }

    [[nodiscard]] LoopbackClient& socket() noexcept { return socket_; }
    [[nodiscard]] const std::string& head() const noexcept { return head_; }
    [[nodiscard]] const protocol::SseDecoder& decoder() const noexcept { return decoder_; }
    // Where it would resume.
    [[nodiscard]] std::string last_event_id() const {
        return "Last-Event-ID: " + decoder_.last_id() + "\r\n";
    }
    // True where the stream ended as such, and not only its connection.
    [[nodiscard]] bool complete() const noexcept { return complete_; }

    // The next event; nothing at the end of the stream.
    std::optional<protocol::SseEvent> next() {
        for (;;) {
            const auto step = decoder_.feed(text_);
            text_.erase(0, step.consumed);
            if (step.status == protocol::SseDecoder::Status::event_ready) return decoder_.event();
            EXPECT_EQ(step.status, protocol::SseDecoder::Status::need_more);
            if (!read_more()) return std::nullopt;
        }
    }
    // The next event, whose name must be that one; its data.
    std::string next(std::string_view name) {
        const auto event = next();
        if (!event || event->name != name) {
            ADD_FAILURE() << "expected " << name << ", not " << (event ? event->data : "the end");
            return {};
        }
        return event->data;
    }
    // The texts of the next messages, which must come one after another.
    std::vector<std::string> messages(std::size_t count) {
        std::vector<std::string> texts;
        while (texts.size() < count) {
            const std::string data = next("message");
            if (data.empty()) break;
            const auto message = decoded<protocol::Message>(data);
            EXPECT_EQ(decoder_.event().id, message.cursor.to_string());
            texts.push_back(message.body.content);
        }
        return texts;
    }
    // Reads until that text has come in the stream, events or not.
    bool read_until(std::string_view text) {
        while (text_.find(text) == std::string::npos) {
            if (!read_more()) return false;
        }
        return true;
    }

private:
    bool read_more() {
        if (complete_) return false;
        if (!chunked_) {
            const std::string more = socket_.read_some();
            complete_ = more.empty();
            text_ += more;
            return !more.empty();
        }
        const std::string size = socket_.read_through("\r\n");
        if (size.empty()) return false;
        const std::size_t length = std::stoul(size, nullptr, 16);
        const std::string chunk = socket_.read_exactly(length + 2);
        if (chunk.size() != length + 2) return false;  // cut off
        EXPECT_TRUE(chunk.ends_with("\r\n"));
        text_.append(chunk, 0, length);
        complete_ = length == 0;
        return !complete_;
    }

    LoopbackClient socket_;
    std::string head_;
    std::string text_;  // unchunked, not yet decoded
    bool chunked_ = false;
    bool complete_ = false;
    protocol::SseDecoder decoder_;
};

}  // namespace parley::transports::test
