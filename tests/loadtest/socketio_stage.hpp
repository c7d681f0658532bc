// Users of Socket.IO without a network, for the tests of their dialogues: what a user says is collected,
// what the server says is given to it.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "loadtest/engine_posts.hpp"
#include "loadtest/socketio_packets.hpp"
#include "loadtest/virtual_user.hpp"
#include "protocol/websocket_handshake.hpp"

namespace parley::load {

inline constexpr std::int64_t opened_ns = 1'000'000;
inline constexpr std::int64_t now_ns = 9'000'000;
inline constexpr std::uint32_t publisher = 0;
inline constexpr std::uint32_t listener = 2;

inline Scenario two_rooms(Transport transport) {
    Scenario scenario;
    scenario.url = {"127.0.0.1", 8080, "/"};
    scenario.mix = Mix(transport);
    scenario.connections = 6;
    scenario.rooms = 2;
    scenario.payload_bytes = 40;
    return scenario;
}

// A user without a network: what it says is collected, what the server says is given to it.
struct SocketIoStage {
    SocketIoStage(Transport transport, std::uint32_t index,
                  const Target& target = parley_target("/ws"))
        : plan(two_rooms(transport), target), user(index, plan) {
        for (Tally& each : context.tallies) {
            each.window_from_ns = 0;
            each.window_to_ns = 1'000'000'000;
        }
        user.open(said, opened_ns, true, context);
    }
    virtual ~SocketIoStage() = default;
    void give(std::string bytes) { user.receive(bytes, now_ns, said, context); }
    void give_split(const std::string& bytes, std::size_t at) {
        give(bytes.substr(0, at));
        if (user.state() != VirtualUser::State::closed) give(bytes.substr(at));
    }
    [[nodiscard]] std::string take_said() { return std::exchange(said, {}); }
    // What would be posted on the second connection now.
    [[nodiscard]] std::string take_post() {
        std::string post;
        user.posts()->append(post, context);
        return post;
    }
    void publish(std::uint32_t sequence) {
        user.publish({4'000'000, publisher, sequence}, said, context);
    }
    [[nodiscard]] Tally& tally() { return user.tally(context); }
    [[nodiscard]] const DeliveryCounts& counts() { return tally().steady; }

    Plan plan;
    Control control{plan.scenario};
    UserContext context{plan, control, 1};
    std::string said;
    VirtualUser user;
};

inline std::string stamp_text(std::uint32_t sequence) {
    std::string text;
    append_stamp(text, {4'000'000, publisher, sequence});
    return text;
}
inline std::string message(std::uint64_t offset, std::uint32_t sequence) {
    return socketio_event(socketio_message("load-0", offset, stamp_text(sequence)), offset);
}
// What the room held before, the last of it at `offset`; 0: nothing.
inline std::string history(std::uint64_t offset) {
    std::string messages;
    if (offset > 1) messages = socketio_message("load-0", offset - 1, stamp_text(998)) + ",";
    if (offset > 0) messages += socketio_message("load-0", offset, stamp_text(999));
    return R"(42["message_history",[)" + messages + "]]";
}
inline const std::string connected = R"(40{"sid":"y"})";
inline const std::string connect_packet = R"(40{"username":"u2","room":"load-0"})";

inline std::string joined(const std::vector<std::string>& packets) {
    std::string body;
    for (const std::string& each : packets) body += (body.empty() ? "" : "\x1e") + each;
    return body;
}
// ---- polling -------------------------------------------------------------------------------------

inline std::string answer(const std::string& body, unsigned status = 200, const char* more = "") {
    return "HTTP/1.1 " + std::to_string(status) +
           " x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + more + "\r\n" + body;
}
inline std::string body_of(const std::string& request) {
    const std::size_t end = request.find("\r\n\r\n");
    return end == std::string::npos ? std::string() : request.substr(end + 4);
}
inline const std::string session_path = "/socket.io/?EIO=4&transport=polling&sid=abc";

// Listening: the session is open, the connect posted and answered, the first poll out.
struct SocketIoPollStage : SocketIoStage {
    explicit SocketIoPollStage(std::uint64_t offset = 40)
        : SocketIoStage(Transport::socketio_polling, listener) {
        give(answer(engine_open("abc")) + answer("ok") +
             answer(joined({connected, history(offset)})));
        (void)take_said();
    }
};

// Publishing: polls on the first connection, and posts on the second.
struct SocketIoPostStage : SocketIoStage {
    explicit SocketIoPostStage(std::size_t payload_bytes_max = 1'000'000)
        : SocketIoStage(Transport::socketio_polling, publisher) {
        (void)take_said();
        give(answer(engine_open("abc", payload_bytes_max)));
        first_poll = take_said();
        connect = take_post();
        post_answer("ok");
        give(answer(joined({connected, history(0)})));
        (void)take_said();
    }
    void post_answer(const std::string& body, unsigned status = 200, const char* more = "") {
        const std::string bytes = answer(body, status, more);
        user.posts()->receive(user, bytes, context);
    }

    std::string first_poll, connect;
};

// ---- over WebSocket ------------------------------------------------------------------------------

inline std::string frame(std::string_view text) {
    std::string out;
    protocol::append_frame(out, protocol::Opcode::text, text);
    return out;
}
inline std::string frames(const std::vector<std::string>& packets) {
    std::string out;
    for (const std::string& each : packets) out += frame(each);
    return out;
}

struct SocketIoFrameStage : SocketIoStage {
    explicit SocketIoFrameStage(std::uint32_t index = listener,
                                const Target& target = parley_target("/ws"))
        : SocketIoStage(Transport::socketio, index, target), request(take_said()) {
        const std::string name = "Sec-WebSocket-Key: ";
        const std::size_t at = request.find(name) + name.size();
        accepted =
            "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Accept: " +
            protocol::accept_for_key(request.substr(at, request.find("\r\n", at) - at)) +
            "\r\n\r\n";
    }
    void join(std::uint64_t offset = 0) {
        give(accepted + frames({engine_open("abc"), connected, history(offset)}));
        (void)spoken();
    }
    // The texts that were sent; a close frame as its code.
    [[nodiscard]] std::vector<std::string> spoken() {
        const protocol::WebSocketDecoderConfig config;
        protocol::WebSocketDecoder decoder(config);
        std::string bytes = take_said();
        std::span<char> rest(bytes);
        std::vector<std::string> texts;
        while (!rest.empty()) {
            const auto step = decoder.feed(rest);
            using Event = protocol::WebSocketDecoder::Event;
            if (step.event == Event::message) texts.emplace_back(decoder.payload());
            if (step.event == Event::close) texts.push_back(std::to_string(decoder.close_code()));
            if (step.event == Event::failed) texts.emplace_back("broken");
            rest = rest.subspan(step.consumed);
        }
        return texts;
    }

    std::string request, accepted;
};

}  // namespace parley::load
