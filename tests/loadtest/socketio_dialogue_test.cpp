// Socket.IO's dialogues, over WebSocket and polling, through the user who speaks them: without a
// network, cut at every byte.
#include "loadtest/socketio_dialogue.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "loadtest/engine_posts.hpp"
#include "loadtest/socketio_packets.hpp"
#include "loadtest/virtual_user.hpp"
#include "protocol/websocket_handshake.hpp"

namespace parley::load {
namespace {

constexpr std::int64_t opened_ns = 1'000'000;
constexpr std::int64_t now_ns = 9'000'000;
constexpr std::uint32_t publisher = 0;
constexpr std::uint32_t listener = 2;

Scenario two_rooms(Transport transport) {
    Scenario scenario;
    scenario.url = {"127.0.0.1", 8080, "/"};
    scenario.mix = Mix(transport);
    scenario.connections = 6;
    scenario.rooms = 2;
    scenario.payload_bytes = 40;
    return scenario;
}

Target events_of_another() {
    return *parse_target(
        "path=/socket.io/?EIO=4&transport=websocket&key=k\nexpect=0{\nsend=40\nexpect=40{\n"
        "send=42[\"join\",\"{room}\"]\nexpect=42[\"joined\"\nreply=2=>3\n"
        "publish=42[\"msg\",\"{room}\",\"{payload}\"]",
        "other");
}

// A user without a network: what it says is collected, what the server says is given to it.
struct Stage {
    Stage(Transport transport, std::uint32_t index, const Target& target = parley_target("/ws"))
        : plan(two_rooms(transport), target), user(index, plan) {
        for (Tally& each : context.tallies) {
            each.window_from_ns = 0;
            each.window_to_ns = 1'000'000'000;
        }
        user.open(said, opened_ns, true, context);
    }
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

std::string stamp_text(std::uint32_t sequence) {
    std::string text;
    append_stamp(text, {4'000'000, publisher, sequence});
    return text;
}
std::string message(std::uint64_t offset, std::uint32_t sequence) {
    return socketio_event(socketio_message("load-0", offset, stamp_text(sequence)), offset);
}
// What the room held before, the last of it at `offset`; 0: nothing.
std::string history(std::uint64_t offset) {
    std::string messages;
    if (offset > 1) messages = socketio_message("load-0", offset - 1, stamp_text(998)) + ",";
    if (offset > 0) messages += socketio_message("load-0", offset, stamp_text(999));
    return R"(42["message_history",[)" + messages + "]]";
}
const std::string connected = R"(40{"sid":"y"})";
const std::string connect_packet = R"(40{"username":"u2","room":"load-0"})";

std::string joined(const std::vector<std::string>& packets) {
    std::string body;
    for (const std::string& each : packets) body += (body.empty() ? "" : "\x1e") + each;
    return body;
}

// ---- polling -------------------------------------------------------------------------------------

std::string answer(const std::string& body, unsigned status = 200, const char* more = "") {
    return "HTTP/1.1 " + std::to_string(status) +
           " x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + more + "\r\n" + body;
}
std::string body_of(const std::string& request) {
    const std::size_t end = request.find("\r\n\r\n");
    return end == std::string::npos ? std::string() : request.substr(end + 4);
}
const std::string session_path = "/socket.io/?EIO=4&transport=polling&sid=abc";

// Listening: the session is open, the connect posted and answered, the first poll out.
struct PollStage : Stage {
    explicit PollStage(std::uint64_t offset = 40) : Stage(Transport::socketio_polling, listener) {
        give(answer(engine_open("abc")) + answer("ok") +
             answer(joined({connected, history(offset)})));
        (void)take_said();
    }
};

TEST(SocketIoPollingDialogue, OpensASessionConnectsAndPolls) {
    Stage stage(Transport::socketio_polling, listener);
    EXPECT_TRUE(stage.take_said().starts_with(
        "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n"));
    stage.give(answer(engine_open("abc")));
    const std::string post = stage.take_said();
    EXPECT_TRUE(post.starts_with("POST " + session_path + " HTTP/1.1\r\n"));
    EXPECT_NE(post.find("\r\nContent-Type: text/plain;charset=UTF-8\r\n"), std::string::npos);
    EXPECT_EQ(body_of(post), connect_packet);
    EXPECT_EQ(stage.user.posts(), nullptr);
    stage.give(answer("ok"));
    EXPECT_TRUE(stage.take_said().starts_with("GET " + session_path + " HTTP/1.1\r\n"));
    stage.give(answer(connected));
    EXPECT_EQ(stage.user.state(), VirtualUser::State::opening);
    EXPECT_TRUE(stage.take_said().starts_with("GET " + session_path));
    stage.give(answer(history(40)));
    EXPECT_EQ(stage.user.state(), VirtualUser::State::ready);
    EXPECT_EQ(stage.counts().received, 0u);
}

TEST(SocketIoPollingDialogue, AnswersMayBeSplitAnywhere) {
    const std::string bytes = answer(engine_open("abc")) + answer("ok") +
                              answer(joined({connected, history(40), message(41, 1)})) +
                              answer(joined({message(42, 2), "2", message(43, 3)})) + answer("ok") +
                              answer("6") + answer(message(44, 4));
    for (std::size_t at = 0; at <= bytes.size(); ++at) {
        Stage stage(Transport::socketio_polling, listener);
        stage.give_split(bytes, at);
        ASSERT_EQ(stage.user.state(), VirtualUser::State::ready) << "split at " << at;
        EXPECT_EQ(stage.counts().received, 4u) << "split at " << at;
        EXPECT_EQ(stage.counts().duplicate + stage.counts().out_of_order, 0u);
        EXPECT_EQ(stage.tally().latency.max(), 5'000'000u);
        EXPECT_EQ(stage.tally().handshake.max(), 8'000'000u);
        EXPECT_TRUE(stage.tally().failures.empty());
    }
}

TEST(SocketIoPollingDialogue, AListenersPongGoesBetweenTwoPolls) {
    PollStage stage;
    stage.give(answer("2"));
    const std::string post = stage.take_said();
    EXPECT_TRUE(post.starts_with("POST " + session_path));
    EXPECT_EQ(body_of(post), "3");
    stage.give(answer("ok"));
    EXPECT_TRUE(stage.take_said().starts_with("GET " + session_path));
}

TEST(SocketIoPollingDialogue, GoesOnOverAFreshConnectionWhereTheServerEndsOne) {
    PollStage stage;
    stage.give(answer(message(41, 1), 200, "Connection: close\r\n"));
    EXPECT_TRUE(stage.user.reconnects());
    EXPECT_TRUE(stage.said.empty());
    stage.user.reopen(stage.said, stage.context);
    EXPECT_TRUE(stage.take_said().starts_with("GET " + session_path));
    stage.give(answer(message(42, 2)));
    EXPECT_EQ(stage.counts().received, 2u);
    EXPECT_TRUE(stage.user.full_member());
    // An aborted poll ends the session.
    EXPECT_FALSE(stage.user.resumes());
}

// Publishing: polls on the first connection, and posts on the second.
struct PostStage : Stage {
    explicit PostStage(std::size_t payload_bytes_max = 1'000'000)
        : Stage(Transport::socketio_polling, publisher) {
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

TEST(SocketIoPollingDialogue, APublisherPollsWhileItPosts) {
    PostStage stage;
    EXPECT_TRUE(stage.first_poll.starts_with("GET " + session_path));
    EXPECT_TRUE(stage.connect.starts_with("POST " + session_path));
    EXPECT_EQ(body_of(stage.connect), R"(40{"username":"u0","room":"load-0"})");
    EXPECT_EQ(stage.user.state(), VirtualUser::State::ready);
    EXPECT_FALSE(stage.user.posts()->due());
    EXPECT_EQ(stage.user.pending(), 0u);
}

TEST(SocketIoPollingDialogue, OneRequestIsUnansweredAndTheRestWaitsForTheNext) {
    PostStage stage;
    stage.publish(1);
    const std::string post = stage.take_post();
    const std::string body = body_of(post);
    EXPECT_TRUE(body.starts_with(R"(421["message",{"room":"load-0","text":"~P)")) << body;
    EXPECT_TRUE(stage.take_said().empty());
    stage.publish(2);
    stage.give(answer("2"));
    EXPECT_TRUE(body_of(stage.take_said()).empty());
    stage.publish(3);
    EXPECT_TRUE(stage.take_post().empty());
    EXPECT_FALSE(stage.user.posts()->may_end());
    stage.post_answer("ok");
    EXPECT_TRUE(stage.user.posts()->may_end());
    const std::string next = body_of(stage.take_post());
    const std::size_t pong = next.find(
        "\x1e"
        "3\x1e");
    EXPECT_TRUE(next.starts_with("422[")) << next;
    ASSERT_NE(pong, std::string::npos) << next;
    EXPECT_TRUE(next.substr(pong + 3).starts_with("423[")) << next;
}

TEST(SocketIoPollingDialogue, NoRequestIsLargerThanTheServerTakes) {
    for (std::size_t bytes_max = 1; bytes_max < 400; ++bytes_max) {
        PostStage stage(bytes_max);
        for (const std::uint32_t n : {1u, 2u, 3u, 4u}) stage.publish(n);
        std::string all;
        while (stage.user.posts()->due()) {
            const std::string body = body_of(stage.take_post());
            ASSERT_FALSE(body.empty());
            EXPECT_TRUE(body.size() <= bytes_max || body.find('\x1e') == std::string::npos);
            all += (all.empty() ? "" : "\x1e") + body;
            stage.post_answer("ok");
        }
        EXPECT_EQ(std::count(all.begin(), all.end(), '\x1e'), 3) << bytes_max;
        EXPECT_NE(all.find("424["), std::string::npos);
    }
}

TEST(SocketIoPollingDialogue, ItsPostsGoOnOverAFreshConnection) {
    PostStage stage;
    stage.publish(1);
    (void)stage.take_post();
    stage.publish(2);
    stage.post_answer("ok", 200, "Connection: close\r\n");
    EXPECT_TRUE(stage.user.posts()->must_end());
    EXPECT_TRUE(stage.user.posts()->due());
    stage.user.posts()->on_fresh_connection();
    EXPECT_FALSE(stage.user.posts()->must_end());
    EXPECT_TRUE(body_of(stage.take_post()).starts_with("422["));
}

TEST(SocketIoPollingDialogue, APostThatIsNotAnsweredOkEndsTheUser) {
    struct Case {
        const char* body;
        unsigned status;
        const char* reason;
    };
    for (const Case& c :
         {Case{R"({"code":1,"message":"Session ID unknown"})", 400,
               "a POST was answered 400 Session ID unknown"},
          Case{"", 413, "a POST was answered 413"}, Case{"no", 200, "a POST was answered 200"}}) {
        PostStage stage;
        stage.publish(1);
        (void)stage.take_post();
        stage.post_answer(c.body, c.status);
        EXPECT_EQ(stage.user.state(), VirtualUser::State::closed);
        EXPECT_EQ(stage.tally().failures.begin()->first, c.reason);
        EXPECT_EQ(stage.tally().statuses.at(static_cast<std::uint16_t>(c.status)), 1u);
        EXPECT_EQ(stage.tally().unanswered, 1u);
    }
    PostStage stage;
    stage.post_answer("ok");
    EXPECT_EQ(stage.user.state(), VirtualUser::State::closed);
    EXPECT_TRUE(stage.tally().failures.begin()->first.starts_with("an answer to no request"));
}

TEST(SocketIoPollingDialogue, LeavingSaysNothingAndIsOver) {
    PollStage stage;
    stage.user.leave(stage.said, stage.context);
    EXPECT_TRUE(stage.said.empty());
    EXPECT_EQ(stage.user.state(), VirtualUser::State::closed);
}

// ---- over WebSocket ------------------------------------------------------------------------------

std::string frame(std::string_view text) {
    std::string out;
    protocol::append_frame(out, protocol::Opcode::text, text);
    return out;
}
std::string frames(const std::vector<std::string>& packets) {
    std::string out;
    for (const std::string& each : packets) out += frame(each);
    return out;
}

struct FrameStage : Stage {
    explicit FrameStage(std::uint32_t index = listener, const Target& target = parley_target("/ws"))
        : Stage(Transport::socketio, index, target), request(take_said()) {
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

using Texts = std::vector<std::string>;

TEST(SocketIoWebSocketDialogue, UpgradesConnectsAndAwaitsTheHistory) {
    FrameStage stage;
    EXPECT_TRUE(stage.request.starts_with("GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n"))
        << stage.request;
    stage.give(stage.accepted);
    EXPECT_TRUE(stage.said.empty());
    stage.give(frame(engine_open("abc")));
    EXPECT_EQ(stage.spoken(), Texts{connect_packet});
    stage.give(frame(connected));
    EXPECT_EQ(stage.user.state(), VirtualUser::State::opening);
    stage.give(frame(R"(42["user_joined",{"username":"u2","room":"load-0","count":1}])"));
    EXPECT_EQ(stage.user.state(), VirtualUser::State::opening);
    stage.give(frame(history(40)));
    EXPECT_EQ(stage.user.state(), VirtualUser::State::ready);
}

TEST(SocketIoWebSocketDialogue, MayBeSplitAnywhere) {
    const std::string tail =
        frames({engine_open("abc"), connected, history(40), message(41, 1), "2", message(42, 2)});
    const std::size_t size = FrameStage().accepted.size() + tail.size();
    for (std::size_t at = 0; at <= size; ++at) {
        FrameStage stage;
        stage.give_split(stage.accepted + tail, at);
        ASSERT_EQ(stage.user.state(), VirtualUser::State::ready) << "split at " << at;
        EXPECT_EQ(stage.counts().received, 2u) << "split at " << at;
        EXPECT_EQ(stage.spoken(), (Texts{connect_packet, "3"}));
    }
}

TEST(SocketIoWebSocketDialogue, SaysGoodbye) {
    FrameStage stage;
    stage.join();
    stage.user.leave(stage.said, stage.context);
    EXPECT_EQ(stage.spoken(), (Texts{"41", "1000"}));
    std::string close;
    protocol::append_close_frame(close, 1000, {});
    stage.give(frame("41") + close);
    EXPECT_EQ(stage.user.state(), VirtualUser::State::closed);
    EXPECT_EQ(stage.tally().dropped, 0u);
}

TEST(SocketIoWebSocketDialogue, PassesOverAttachments) {
    FrameStage stage;
    stage.join();
    std::string bytes = frame(R"(451-["file",{"_placeholder":true,"num":0}])");
    protocol::append_frame(bytes, protocol::Opcode::binary, "1234");
    stage.give(bytes + frame(message(1, 1)));
    EXPECT_EQ(stage.user.state(), VirtualUser::State::ready);
    EXPECT_EQ(stage.counts().received, 1u);
}

TEST(SocketIoWebSocketDialogue, SpeaksATargetsEventsWhetherItHasTheHeartbeatOrNot) {
    FrameStage stage(publisher, events_of_another());
    EXPECT_TRUE(
        stage.request.starts_with("GET /socket.io/?EIO=4&transport=websocket&key=k HTTP/1.1\r\n"))
        << stage.request;
    stage.give(stage.accepted + frames({engine_open("abc"), "2", connected}));
    EXPECT_EQ(stage.spoken(), (Texts{"40", "3", R"(42["join","load-0"])"}));
    stage.give(frame(R"(42["joined","load-0"])"));
    EXPECT_EQ(stage.user.state(), VirtualUser::State::ready);
    stage.publish(1);
    EXPECT_TRUE(stage.spoken().front().starts_with(R"(42["msg","load-0","~P)"));
    EXPECT_EQ(stage.user.pending(), 0u);
    stage.give(frames({R"(42["msg",")" + stamp_text(1) + R"("])", R"(42["other",1])"}));
    EXPECT_EQ(stage.counts().received, 1u);
    EXPECT_TRUE(stage.tally().failures.empty());
}

// ---- both ----------------------------------------------------------------------------------------

constexpr std::array both{Transport::socketio, Transport::socketio_polling};

// A publisher who is ready, and packets to it, whatever carries them.
struct ReadyStage {
    explicit ReadyStage(Transport transport, std::uint64_t offset = 0)
        : stage(transport == Transport::socketio
                    ? static_cast<std::unique_ptr<Stage>>(std::make_unique<FrameStage>(publisher))
                    : std::make_unique<PostStage>()),
          polls(transport == Transport::socketio_polling) {
        if (!polls) static_cast<FrameStage&>(*stage).join(offset);
    }
    void give(const std::vector<std::string>& packets) {
        stage->give(polls ? answer(joined(packets)) : frames(packets));
    }
    std::unique_ptr<Stage> stage;
    bool polls;
};

TEST(SocketIoDialogue, AnAcknowledgementIsTimedFromItsMessagesIntendedInstant) {
    for (const Transport transport : both) {
        ReadyStage ready(transport);
        Stage& stage = *ready.stage;
        for (const std::uint32_t n : {1u, 2u, 3u}) stage.publish(n);
        EXPECT_GE(stage.user.pending(), 3u);
        ready.give({R"(431[{"room":"load-0","offset":1}])", R"(433[])"});
        EXPECT_EQ(stage.tally().answered, 2u);
        EXPECT_EQ(stage.tally().answer.max(), 5'000'000u);
        ready.give({R"(431[])"});
        EXPECT_EQ(stage.tally().failures.begin()->first,
                  "an acknowledgement of nothing that was sent");
        stage.user.give_up(stage.context);
        EXPECT_EQ(stage.tally().unanswered, 1u);
    }
}

TEST(SocketIoDialogue, ARefusalIsCountedUnderItsCode) {
    for (const Transport transport : both) {
        ReadyStage ready(transport);
        ready.stage->publish(1);
        ready.give({R"(431[{"error":{"code":"rate_limited","message":"slow","temporary":true}}])"});
        EXPECT_EQ(ready.stage->tally().refusals.at("rate_limited"), 1u);
        EXPECT_EQ(ready.stage->control.refused[publisher].load(), 1u);
        EXPECT_EQ(ready.stage->tally().answered, 0u);
    }
}

struct Fault {
    const char* name;
    std::vector<std::uint32_t> delivered;  // of 1 to 4
    std::uint64_t lost, duplicate, out_of_order;
};
const Fault faults[] = {
    {"none", {1, 2, 3, 4}, 0, 0, 0},        {"first lost", {2, 3, 4}, 1, 0, 0},
    {"middle lost", {1, 2, 4}, 1, 0, 0},    {"last lost", {1, 2, 3}, 1, 0, 0},
    {"repeated", {1, 2, 2, 3, 4}, 0, 1, 0}, {"swapped", {1, 3, 2, 4}, 0, 0, 1},
};

TEST(SocketIoDialogue, LossDuplicatesAndReorderingAreFound) {
    for (const Transport transport : both) {
        for (const Fault& fault : faults) {
            ReadyStage ready(transport);
            std::vector<std::string> packets;
            for (const std::uint32_t n : fault.delivered) packets.push_back(message(n, n));
            ready.give(packets);
            ready.stage->user.settle(4, ready.stage->context);
            const DeliveryCounts& counts = ready.stage->counts();
            EXPECT_EQ(counts.lost, fault.lost) << fault.name;
            EXPECT_EQ(counts.duplicate, fault.duplicate) << fault.name;
            EXPECT_EQ(counts.out_of_order, fault.out_of_order) << fault.name;
            EXPECT_EQ(counts.expected, counts.received + counts.lost) << fault.name;
        }
    }
}

TEST(SocketIoDialogue, WhatOthersSayKeepsTheOffsetsWhole) {
    for (const Transport transport : both) {
        ReadyStage ready(transport);
        const std::string quoted = R"(hi \"offset\":99)";
        ready.give({socketio_event(socketio_message("load-0", 1, quoted), 1), message(2, 1)});
        ready.stage->user.settle(std::nullopt, ready.stage->context);
        EXPECT_EQ(ready.stage->counts().received, 1u);
        EXPECT_EQ(ready.stage->counts().lost, 0u);
    }
}

TEST(SocketIoDialogue, TheHistoryTellsWhereTheRoomIs) {
    FrameStage stage;
    stage.join(40);
    stage.give(frame(message(42, 2)));
    stage.user.settle(std::nullopt, stage.context);
    EXPECT_EQ(stage.counts().lost, 1u);
    PollStage polling(40);
    polling.give(answer(message(42, 2)));
    polling.user.settle(std::nullopt, polling.context);
    EXPECT_EQ(polling.counts().lost, 1u);
}

TEST(SocketIoDialogue, WhatEndsAReadyUserIsCounted) {
    struct Case {
        const char* packet;
        const char* failure;  // empty: none but the lost connection
    };
    for (const Transport transport : both) {
        for (const Case& c : {Case{"1", ""}, Case{"41", ""}, Case{"5", "no packet"},
                              Case{"3", "no packet"}, Case{"abc", "no packet"}}) {
            ReadyStage ready(transport);
            ready.give({c.packet});
            Stage& stage = *ready.stage;
            EXPECT_EQ(stage.user.state(), VirtualUser::State::closed) << c.packet;
            EXPECT_EQ(stage.tally().closes.at(1006), 1u) << c.packet;
            EXPECT_EQ(stage.tally().failures.size(), *c.failure == '\0' ? 0u : 1u) << c.packet;
        }
    }
}

TEST(SocketIoDialogue, WhatGoesWrongBeforeItIsReadyIsAFailureWithAReason) {
    struct Case {
        const char* reason;
        std::vector<std::string> packets;
    };
    const Case cases[] = {
        {"connect refused: Invalid namespace",
         {engine_open("abc"), R"(44{"message":"Invalid namespace"})"}},
        {"join refused: forbidden",
         {engine_open("abc"), connected, R"(42["error",{"code":"forbidden","message":"no"}])"}},
        {"closed the session", {engine_open("abc"), "1"}},
        {"disconnected", {engine_open("abc"), connected, "41"}},
        {"no packet", {"abc"}},
    };
    for (const Case& c : cases) {
        FrameStage framed;
        framed.give(framed.accepted + frames(c.packets));
        Stage polling(Transport::socketio_polling, listener);
        polling.give(answer(c.packets.front()));
        if (c.packets.size() > 1) {
            polling.give(answer("ok") + answer(joined({c.packets.begin() + 1, c.packets.end()})));
        }
        for (Stage* const stage : {static_cast<Stage*>(&framed), &polling}) {
            EXPECT_EQ(stage->user.state(), VirtualUser::State::closed) << c.reason;
            EXPECT_EQ(stage->tally().failed, 1u) << c.reason;
            ASSERT_EQ(stage->tally().failures.size(), 1u) << c.reason;
            EXPECT_NE(stage->tally().failures.begin()->first.find(c.reason), std::string::npos)
                << stage->tally().failures.begin()->first;
        }
    }
}

TEST(SocketIoPollingDialogue, WhatIsNoSessionIsAFailureWithAReason) {
    struct Case {
        const char* reason;
        std::string answer;
    };
    const Case cases[] = {
        {"answered 400 Transport unknown",
         answer(R"({"code":0,"message":"Transport unknown"})", 400)},
        {"answered 503", answer("", 503)},
        {"without a session", answer("6")},
        {"no packet", answer("")},
        {"without an id", answer("0{}")},
        {"broken answer", "220 mail.example ESMTP\r\n\r\n"},
    };
    for (const Case& c : cases) {
        Stage stage(Transport::socketio_polling, listener);
        stage.give(c.answer);
        EXPECT_EQ(stage.user.state(), VirtualUser::State::closed) << c.reason;
        EXPECT_EQ(stage.tally().failed, 1u) << c.reason;
        EXPECT_NE(stage.tally().failures.begin()->first.find(c.reason), std::string::npos)
            << stage.tally().failures.begin()->first;
    }
}

TEST(SocketIoDialogue, AMessageWithoutAnOffsetIsAFault) {
    for (const Transport transport : both) {
        ReadyStage ready(transport);
        ready.give({R"(42["message",{"text":"x"}])"});
        EXPECT_EQ(ready.stage->tally().failures.at("a message without an offset"), 1u);
    }
}

TEST(SocketIoDialogue, AGapIsAnnouncedLossAndAnErrorAFault) {
    for (const Transport transport : both) {
        ReadyStage ready(transport);
        ready.give({message(1, 1), R"(42["gap",{"room":"load-0","from":2,"to":3,"cursor":"e1:3"}])",
                    message(4, 4)});
        ready.stage->user.settle(4, ready.stage->context);
        EXPECT_EQ(ready.stage->counts().announced, 2u);
        EXPECT_EQ(ready.stage->counts().lost, 0u);
        EXPECT_TRUE(ready.stage->tally().failures.empty());
        ready.give({R"(42["error",{"code":"rate_limited","message":"x","temporary":true}])"});
        EXPECT_EQ(ready.stage->tally().failures.at("error: rate_limited"), 1u);
        ready.give({R"(42["gap",{}])"});
        EXPECT_EQ(ready.stage->tally().failures.at("a gap without its offsets"), 1u);
    }
}

TEST(EnginePath, KeepsAllParametersButItsOwn) {
    EXPECT_EQ(engine_path("/socket.io/", "polling", {}), "/socket.io/?EIO=4&transport=polling");
    EXPECT_EQ(engine_path("/x/?token=t&EIO=3&sid=old&a", "websocket", "s"),
              "/x/?EIO=4&transport=websocket&token=t&a&sid=s");
    EXPECT_EQ(engine_path("/x/?transport=polling", "websocket", {}),
              "/x/?EIO=4&transport=websocket");
}

}  // namespace
}  // namespace parley::load
