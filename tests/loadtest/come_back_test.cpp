// Users who leave and come back to where they were: what was said while they were away is due to them.
#include <gtest/gtest.h>

#include "loadtest/virtual_user.hpp"
#include "protocol/json_codec.hpp"
#include "protocol/websocket_handshake.hpp"

namespace parley::load {
namespace {

constexpr std::int64_t left_ns = 50'000'000;
constexpr std::int64_t back_ns = 90'000'000;

Scenario scenario_with(Transport transport) {
    Scenario s;
    s.url = {"127.0.0.1", 8080, "/ws", false};
    s.connections = 4;
    s.rooms = 1;
    Persona talker;
    talker.name = "talker";
    talker.kind = Persona::Kind::talker;
    talker.weight = 1;
    Persona churner;
    churner.name = "churner";
    churner.kind = Persona::Kind::churner;
    churner.churn_per_s = 1;
    churner.weight = 3;
    churner.transport = transport;
    churner.resumes = true;
    s.personas = {talker, churner};
    assign_parts(s);
    return s;
}

struct Stage {
    explicit Stage(Transport transport)
        : plan(scenario_with(transport), parley_target("/ws")), user(3, plan) {
        for (Tally& each : context.tallies) {
            each.window_from_ns = 0;
            each.window_to_ns = 1'000'000'000;
        }
        user.open(said, 1, true, context);
    }
    void give(std::string bytes, std::int64_t now_ns) {
        user.receive(bytes, now_ns, said, context);
    }
    [[nodiscard]] Tally& tally() { return context.tally_of_user(3); }

    Plan plan;
    Control control{plan.scenario};
    UserContext context{plan, control, 1};
    VirtualUser user;
    std::string said;
};

std::string message(std::uint64_t offset, std::int64_t intended_ns) {
    std::string stamp;
    append_stamp(stamp, {intended_ns, 0, static_cast<std::uint32_t>(offset)});
    return R"({"type":"message","room":"load-0","offset":)" + std::to_string(offset) +
           R"(,"cursor":"e1:)" + std::to_string(offset) + R"(","text":")" + stamp + R"("})";
}

std::string frame(std::string_view text) {
    std::string out;
    protocol::append_frame(out, protocol::Opcode::text, text);
    return out;
}

std::string joined(std::uint64_t offset, bool recovered, const std::string& history = {},
                   const char* epoch = "e1") {
    return frame(R"({"type":"joined","room":"load-0","cursor":")" + std::string(epoch) + ":" +
                 std::to_string(offset) + R"(","recovered":)" + (recovered ? "true" : "false") +
                 R"(,"history":[)" + history + "],\"count\":1}");
}

// The server's answer to the last upgrade that was asked for.
std::string accepted(std::string& said) {
    constexpr std::string_view name = "Sec-WebSocket-Key: ";
    const std::size_t at = said.rfind(name) + name.size();
    const std::string key = said.substr(at, said.find("\r\n", at) - at);
    said.clear();
    return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Accept: " +
           protocol::accept_for_key(key) + "\r\n\r\n";
}

// A WebSocket user that was told messages 1 and 2, left, and asked to come back.
struct Returning : Stage {
    Returning() : Stage(Transport::websocket) {
        give(accepted(said), 2);
        give(joined(0, false), 3);
        give(frame(message(1, 4)), 5);
        give(frame(message(2, 6)), 7);
        EXPECT_TRUE(user.may_come_back());
        user.leave(said, context);
        said.clear();
        user.come_back(said, left_ns, context);
        request = said;
        give(accepted(said), left_ns);
        joins = unmasked();
    }
    // The text of the frame that the user has sent.
    std::string unmasked() {
        const protocol::WebSocketDecoderConfig config;
        protocol::WebSocketDecoder decoder(config);
        std::string bytes = std::exchange(said, {});
        (void)decoder.feed(bytes);
        return std::string(decoder.payload());
    }
    std::string request;
    std::string joins;
};

TEST(ComeBack, AWebSocketUserAsksForWhatFollowedAndIsHeldToAllOfIt) {
    Returning stage;
    EXPECT_NE(stage.request.find("GET /ws?name=u3 HTTP/1.1"), std::string::npos);
    EXPECT_EQ(stage.joins, R"({"type":"join","room":"load-0","since":"e1:2"})");
    stage.give(joined(4, true, message(3, left_ns - 5) + "," + message(4, left_ns - 4)), back_ns);
    EXPECT_TRUE(stage.user.full_member());
    stage.give(frame(message(5, back_ns + 10)), back_ns + 1000);
    EXPECT_EQ(stage.user.accounted(), 5u);
    EXPECT_EQ(stage.tally().caught_up, 2u);
    EXPECT_EQ(stage.tally().rejoined, 1u);
    // What was said while it was away says nothing of how fast it is delivered.
    EXPECT_EQ(stage.tally().latency.count(), 3u);
    EXPECT_EQ(stage.tally().latency.max(), 990u);
    stage.user.settle(5, stage.context);
    EXPECT_EQ(stage.tally().steady.expected, 5u);
    EXPECT_EQ(stage.tally().steady.received, 5u);
    EXPECT_EQ(stage.tally().steady.lost, 0u);
}

TEST(ComeBack, WhatTheServerForgotToSendAgainIsLost) {
    Returning stage;
    stage.give(joined(4, true, message(4, 40)), back_ns);
    stage.user.settle(4, stage.context);
    EXPECT_EQ(stage.tally().steady.received, 3u);
    EXPECT_EQ(stage.tally().steady.lost, 1u);
}

TEST(ComeBack, WhoFailsToComeBackIsSettledOnce) {
    Returning stage;
    stage.user.cut_off("refused", stage.context);
    stage.user.cut_off("refused", stage.context);
    EXPECT_EQ(stage.tally().failed, 1u);
    EXPECT_EQ(stage.tally().steady.expected, 2u);
    EXPECT_EQ(stage.tally().steady.received, 2u);
    EXPECT_EQ(stage.tally().steady.lost, 0u);
}

TEST(ComeBack, WhatTheServerSendsTwiceIsADuplicate) {
    Returning stage;
    stage.give(joined(3, true, message(2, 6) + "," + message(3, 40)), back_ns);
    EXPECT_EQ(stage.tally().steady.duplicate, 1u);
}

TEST(ComeBack, WhatIsNotToBeHadAnyMoreIsAnnounced) {
    Returning stage;
    stage.give(joined(9, false, message(8, 40) + "," + message(9, 41)), back_ns);
    stage.user.settle(9, stage.context);
    EXPECT_EQ(stage.tally().steady.announced, 5u);
    EXPECT_EQ(stage.tally().steady.received, 4u);
    EXPECT_EQ(stage.tally().steady.lost, 0u);
}

TEST(ComeBack, ARoomThatBeganAnewIsAFault) {
    Returning stage;
    stage.give(joined(1, false, {}, "e2"), back_ns);
    EXPECT_EQ(stage.tally().failures.at("the room began anew"), 1u);
}

std::string answer(const std::string& body, const char* type = "application/json") {
    return "HTTP/1.1 200 OK\r\nContent-Type: " + std::string(type) +
           "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

TEST(ComeBack, APollerGoesOnAtItsCursorAndIsReadyOnceToldWhatItMissed) {
    Stage stage(Transport::longpoll);
    stage.give(answer(R"({"room":"load-0","cursor":"e1:0","recovered":true,"messages":[]})"), 2);
    ASSERT_TRUE(stage.user.may_come_back());
    stage.user.leave(stage.said, stage.context);
    stage.said.clear();
    stage.user.come_back(stage.said, left_ns, stage.context);
    EXPECT_NE(stage.said.find("since=e1:0&wait=0s"), std::string::npos) << stage.said;
    stage.said.clear();
    stage.give(answer(R"({"room":"load-0","cursor":"e1:2","recovered":true,"messages":[)" +
                      message(1, 5) + "," + message(2, 6) + "]}"),
               back_ns);
    EXPECT_EQ(stage.user.state(), VirtualUser::State::ready);
    EXPECT_NE(stage.said.find("since=e1:2&wait=25s"), std::string::npos) << stage.said;
    EXPECT_EQ(stage.user.accounted(), 2u);
    EXPECT_EQ(stage.tally().caught_up, 2u);
    EXPECT_EQ(stage.tally().latency.count(), 0u);
}

TEST(ComeBack, AStreamGoesOnAtTheLastId) {
    Stage stage(Transport::sse);
    const std::string head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
    stage.give(head + "id: e1:0\n\n", 2);
    stage.give("id: e1:1\nevent: message\ndata: " + message(1, 3) + "\n\n", 4);
    ASSERT_TRUE(stage.user.may_come_back());
    stage.user.vanish(stage.context);
    stage.said.clear();
    stage.user.come_back(stage.said, left_ns, stage.context);
    EXPECT_NE(stage.said.find("/events?since=e1:1 "), std::string::npos) << stage.said;
    stage.give(head + "id: e1:1\n\n", back_ns);
    stage.give("id: e1:2\nevent: message\ndata: " + message(2, 40) + "\n\n", back_ns);
    EXPECT_EQ(stage.user.accounted(), 2u);
    EXPECT_TRUE(stage.user.full_member());
    EXPECT_EQ(stage.tally().caught_up, 1u);
    EXPECT_EQ(stage.tally().dropped, 0u);
}

}  // namespace
}  // namespace parley::load
