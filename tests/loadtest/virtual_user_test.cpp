#include "loadtest/virtual_user.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "protocol/json_codec.hpp"
#include "protocol/websocket_handshake.hpp"

namespace parley::load {
namespace {

using protocol::Opcode;

constexpr std::int64_t opened_ns = 1'000'000;
constexpr std::int64_t now_ns = 9'000'000;

Scenario two_rooms() {
    Scenario scenario;
    scenario.url = {"127.0.0.1", 8080, "/ws"};
    scenario.connections = 6;
    scenario.rooms = 2;
    scenario.payload_bytes = 50;
    return scenario;
}

Target socketio() {
    const auto target = parse_target(
        "path=/socket.io/\nexpect=0{\nsend=40\nexpect=40{\nsend=42[\"join\",\"{room}\"]\n"
        "expect=42[\"joined\"\nreply=2=>3\npublish=42[\"msg\",\"{room}\",\"{payload}\"]",
        "socketio");
    return *target;
}

// A user without a network: what it says is collected, what the server says is given to it.
struct Stage {
    explicit Stage(Target target, std::uint32_t index = 2)
        : plan(two_rooms(), std::move(target)), user(index, plan) {
        tally().window_from_ns = 0;
        tally().window_to_ns = 1'000'000'000;
        user.open(said, opened_ns, true, context);
        request = std::exchange(said, {});
    }
    void give(std::string bytes) { user.receive(bytes, now_ns, said, context); }
    void give_split(const std::string& bytes, std::size_t at) {
        give(bytes.substr(0, at));
        give(bytes.substr(at));
    }
    // The server's answer to the upgrade request.
    [[nodiscard]] std::string accepted() const {
        constexpr std::string_view name = "Sec-WebSocket-Key: ";
        const std::size_t at = request.find(name) + name.size();
        const std::string key = request.substr(at, request.find("\r\n", at) - at);
        return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
               "Sec-WebSocket-Accept: " +
               protocol::accept_for_key(key) + "\r\n\r\n";
    }
    // The texts of the frames that the user has sent; other frames as "(opcode)".
    [[nodiscard]] std::vector<std::string> frames() {
        const protocol::WebSocketDecoderConfig config;
        protocol::WebSocketDecoder decoder(config);
        std::string bytes = std::exchange(said, {});
        std::span<char> rest(bytes);
        std::vector<std::string> texts;
        while (!rest.empty()) {
            const auto step = decoder.feed(rest);
            using Event = protocol::WebSocketDecoder::Event;
            switch (step.event) {
                case Event::need_more:
                    break;
                case Event::message:
                    texts.emplace_back(decoder.payload());
                    break;
                case Event::ping:
                    texts.emplace_back("(ping)");
                    break;
                case Event::pong:
                    texts.push_back("(pong)" + std::string(decoder.payload()));
                    break;
                case Event::close:
                    texts.push_back("(close)" + std::to_string(decoder.close_code()));
                    break;
                case Event::failed:
                    texts.emplace_back("(failed)");
                    break;
            }
            rest = rest.subspan(step.consumed);
            if (step.event == Event::need_more || step.event == Event::failed) break;
        }
        return texts;
    }
    [[nodiscard]] const DeliveryCounts& counts() const {
        return context.tallies[static_cast<std::size_t>(Transport::websocket)].steady;
    }
    [[nodiscard]] Tally& tally() { return context.tally_of(Transport::websocket); }

    Plan plan;
    Control control{plan.scenario};
    UserContext context{plan, control, 1};
    VirtualUser user;
    std::string said;
    std::string request;
};

std::string text_frame(std::string_view text) {
    std::string out;
    protocol::append_frame(out, Opcode::text, text);
    return out;
}

std::string pushed(const protocol::ServerMessage& message) {
    std::string json;
    protocol::append_server_frame(json, {{}, message});
    return text_frame(json);
}

protocol::Cursor cursor(std::uint64_t offset) {
    return {*protocol::Epoch::parse("e1"), offset};
}

std::string joined(std::uint64_t offset) {
    protocol::Joined reply;
    reply.room = "load-0";
    reply.cursor = cursor(offset);
    protocol::Message old;
    old.room = "load-0";
    old.cursor = cursor(offset);
    append_stamp(old.body.content, {1, 0, 999});
    reply.history = {old};
    return pushed(reply);
}

std::string stamp_text(std::uint32_t sequence, std::uint32_t publisher = 0,
                       std::int64_t intended_ns = 4'000'000) {
    std::string text;
    append_stamp(text, {intended_ns, publisher, sequence});
    return text;
}

std::string message(std::uint64_t offset, const std::string& text) {
    protocol::Message push;
    push.room = "load-0";
    push.cursor = cursor(offset);
    push.from = {"1", "u0"};
    push.body.content = text;
    push.at = "2026-01-01T00:00:00.000Z";
    return pushed(push);
}
std::string message(std::uint64_t offset, std::uint32_t sequence) {
    return message(offset, stamp_text(sequence));
}

TEST(VirtualUser, AsksForItsRoomOnTheUrl) {
    const Stage stage(parley_target("/ws"));
    EXPECT_TRUE(stage.request.starts_with("GET /ws?name=u2&room=load-0 HTTP/1.1\r\n"));
    EXPECT_NE(stage.request.find("parley.v1"), std::string::npos);
}

TEST(VirtualUser, HandshakeAndDeliveriesMayBeSplitAnywhere) {
    const std::string tail = joined(40) + message(41, 1) + message(42, 2) + message(43, 3);
    const std::size_t size = Stage(parley_target("/ws")).accepted().size() + tail.size();
    for (std::size_t at = 0; at <= size; ++at) {
        Stage stage(parley_target("/ws"));
        stage.give_split(stage.accepted() + tail, at);
        ASSERT_EQ(stage.user.state(), VirtualUser::State::ready) << "split at " << at;
        EXPECT_EQ(stage.counts().received, 3u) << "split at " << at;
        EXPECT_EQ(stage.counts().duplicate + stage.counts().out_of_order, 0u);
        EXPECT_EQ(stage.tally().latency.count(), 3u);
        EXPECT_EQ(stage.tally().latency.max(), 5'000'000u);
        EXPECT_EQ(stage.tally().handshake.max(), 8'000'000u);
    }
}

TEST(VirtualUser, TakesEverythingByteByByte) {
    Stage stage(parley_target("/ws"));
    for (const char byte : stage.accepted() + joined(7) + message(8, 1)) {
        stage.give(std::string(1, byte));
    }
    EXPECT_EQ(stage.counts().received, 1u);
}

// What the server does to messages 1 to 4, and what the books say when 4 were due.
struct Fault {
    const char* name;
    std::vector<std::uint32_t> delivered;
    std::uint64_t lost, duplicate, out_of_order;
};
const Fault faults[] = {
    {"none", {1, 2, 3, 4}, 0, 0, 0},
    {"first lost", {2, 3, 4}, 1, 0, 0},
    {"middle lost", {1, 2, 4}, 1, 0, 0},
    {"last lost", {1, 2, 3}, 1, 0, 0},
    {"all lost", {}, 4, 0, 0},
    {"repeated", {1, 2, 2, 3, 4}, 0, 1, 0},
    {"swapped", {1, 3, 2, 4}, 0, 0, 1},
    {"repeated at the end", {1, 2, 3, 4, 1}, 0, 1, 0},
    {"lost and repeated", {1, 1, 3, 4}, 1, 1, 0},
};

void expect_books(Stage& stage, const Fault& fault) {
    stage.user.settle(4, stage.context);
    const DeliveryCounts& counts = stage.counts();
    EXPECT_EQ(counts.expected, 4u) << fault.name;
    EXPECT_EQ(counts.lost, fault.lost) << fault.name;
    EXPECT_EQ(counts.duplicate, fault.duplicate) << fault.name;
    EXPECT_EQ(counts.out_of_order, fault.out_of_order) << fault.name;
    EXPECT_EQ(counts.expected, counts.received + counts.announced + counts.lost) << fault.name;
}

TEST(VirtualUser, LossDuplicatesAndReorderingAreFoundByOffsets) {
    for (const Fault& fault : faults) {
        Stage stage(parley_target("/ws"));
        stage.give(stage.accepted() + joined(10));
        for (const std::uint32_t n : fault.delivered) stage.give(message(10 + n, n));
        expect_books(stage, fault);
    }
}

TEST(VirtualUser, LossDuplicatesAndReorderingAreFoundByStampsAlone) {
    Target echo;
    echo.path = "/r/{room}";
    for (const Fault& fault : faults) {
        Stage stage(echo);
        stage.give(stage.accepted());
        for (const std::uint32_t n : fault.delivered) stage.give(text_frame(stamp_text(n)));
        expect_books(stage, fault);
    }
}

TEST(VirtualUser, AGapIsAnnouncedLoss) {
    Stage stage(parley_target("/ws"));
    stage.give(stage.accepted() + joined(10) + message(11, 1));
    stage.give(pushed(protocol::Gap{"load-0", 12, 13, cursor(13)}) + message(14, 4));
    stage.user.settle(4, stage.context);
    EXPECT_EQ(stage.counts().received, 2u);
    EXPECT_EQ(stage.counts().announced, 2u);
    EXPECT_EQ(stage.counts().lost, 0u);
    EXPECT_EQ(stage.counts().out_of_order, 0u);
}

TEST(VirtualUser, SomebodyElsesMessageKeepsTheOffsetsWhole) {
    Stage stage(parley_target("/ws"));
    stage.give(stage.accepted() + joined(0) + message(1, "hello \"offset\":99") + message(2, 1));
    EXPECT_EQ(stage.counts().received, 1u);
    stage.user.settle(std::nullopt, stage.context);
    EXPECT_EQ(stage.counts().lost, 0u);
}

TEST(VirtualUser, AMessageOfAnotherRoomIsStray) {
    Target echo;
    Stage stage(echo);
    stage.give(stage.accepted() + text_frame(stamp_text(1, 1)) + text_frame(stamp_text(1, 77)));
    EXPECT_EQ(stage.counts().stray, 2u);
    EXPECT_EQ(stage.counts().received, 0u);
}

TEST(VirtualUser, OnlyTheMeasuredWindowsMessagesAreTimed) {
    Target echo;
    Stage stage(echo);
    stage.tally().window_from_ns = 5'000'000;
    stage.give(stage.accepted() + text_frame(stamp_text(1, 0, 4'999'999)) +
               text_frame(stamp_text(2, 0, 5'000'000)));
    EXPECT_EQ(stage.counts().received, 2u);
    EXPECT_EQ(stage.tally().latency.count(), 1u);
    EXPECT_EQ(stage.tally().received_in_window, 2u);
}

TEST(VirtualUser, SeveralDeliveriesInOneFrameAllCount) {
    Target echo;
    Stage stage(echo);
    stage.give(stage.accepted() +
               text_frame("[" + stamp_text(1) + "," + stamp_text(2) + "," + stamp_text(3) + "]"));
    EXPECT_EQ(stage.counts().received, 3u);
}

TEST(VirtualUser, ADeliveryMarkMustBeThereWhereOneIsGiven) {
    Target target;
    target.delivery = "\"event\":";
    Stage stage(target);
    stage.give(stage.accepted() + text_frame("ack " + stamp_text(1)) +
               text_frame("\"event\":" + stamp_text(1)));
    EXPECT_EQ(stage.counts().received, 1u);
    EXPECT_EQ(stage.counts().duplicate, 0u);
}

TEST(VirtualUser, PublishesTheStampAndTheFillerInTheTargetsForm) {
    Stage stage(parley_target("/ws"), 0);
    stage.give(stage.accepted() + joined(0));
    stage.user.publish({123, 0, 1}, stage.said, stage.context);
    stage.user.publish({456, 0, 2}, stage.said, stage.context);
    const auto frames = stage.frames();
    ASSERT_EQ(frames.size(), 2u);
    const auto command = protocol::decode_command(frames[1]);
    ASSERT_TRUE(command);
    const auto& send = std::get<protocol::Send>(command->command);
    EXPECT_EQ(send.room, "load-0");
    EXPECT_EQ(send.body.content.size(), 50u);
    const auto found = find_stamp(send.body.content);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->stamp, (Stamp{456, 0, 2}));
}

TEST(VirtualUser, ARefusedMessageIsCountedUnderItsCode) {
    Stage stage(parley_target("/ws"), 0);
    stage.give(stage.accepted() + joined(0));
    stage.give(pushed(protocol::Error{"rate_limited", "slow down", true, 100}));
    EXPECT_EQ(stage.control.refused[0].load(), 1u);
    EXPECT_EQ(stage.tally().refusals.at("rate_limited"), 1u);
}

TEST(VirtualUser, TakesTheStepsOfATargetInTheirOrder) {
    Stage stage(socketio());
    EXPECT_TRUE(stage.request.starts_with("GET /socket.io/ HTTP/1.1\r\n"));
    stage.give(stage.accepted());
    EXPECT_TRUE(stage.frames().empty());
    stage.give(text_frame(R"(0{"sid":"x"})"));
    EXPECT_EQ(stage.frames(), std::vector<std::string>{"40"});
    stage.give(text_frame("2"));
    EXPECT_EQ(stage.frames(), std::vector<std::string>{"3"});
    stage.give(text_frame(R"(40{"sid":"y"})"));
    EXPECT_EQ(stage.frames(), std::vector<std::string>{R"(42["join","load-0"])"});
    EXPECT_EQ(stage.user.state(), VirtualUser::State::opening);
    stage.give(text_frame(R"(42["joined","load-0"])"));
    EXPECT_EQ(stage.user.state(), VirtualUser::State::ready);
    stage.give(text_frame("2") + text_frame(R"(42["msg",")" + stamp_text(1) + R"("])"));
    EXPECT_EQ(stage.frames(), std::vector<std::string>{"3"});
    EXPECT_EQ(stage.counts().received, 1u);
}

TEST(VirtualUser, AnswersPingsAndCloses) {
    Stage stage(parley_target("/ws"));
    stage.give(stage.accepted() + joined(0));
    std::string bytes;
    protocol::append_frame(bytes, Opcode::ping, "beat");
    protocol::append_close_frame(bytes, 4108, "slow");
    stage.give(bytes);
    const std::vector<std::string> expected = {"(pong)beat", "(close)4108"};
    EXPECT_EQ(stage.frames(), expected);
    EXPECT_EQ(stage.user.state(), VirtualUser::State::closed);
    EXPECT_EQ(stage.tally().closes.at(4108), 1u);
    EXPECT_EQ(stage.tally().dropped, 1u);
    EXPECT_EQ(stage.tally().failed, 0u);
}

TEST(VirtualUser, WhatGoesWrongBeforeItIsReadyIsAFailureWithAReason) {
    struct Case {
        const char* reason;
        std::function<void(Stage&)> happen;
    };
    const Case cases[] = {
        {"503", [](Stage& s) { s.give("HTTP/1.1 503 Service Unavailable\r\n\r\n"); }},
        {"no end", [](Stage& s) { s.give(std::string(20000, 'x')); }},
        {"forbidden",
         [](Stage& s) {
             s.give(s.accepted() + pushed(protocol::Error{"forbidden", "no", false, {}}));
         }},
        {"another room",
         [](Stage& s) {
             protocol::Joined reply;
             reply.room = "load-0x";
             reply.cursor = cursor(0);
             s.give(s.accepted() + pushed(reply));
         }},
        {"4001",
         [](Stage& s) {
             std::string bytes = s.accepted();
             protocol::append_close_frame(bytes, 4001, {});
             s.give(bytes);
         }},
        {"broken frame", [](Stage& s) { s.give(s.accepted() + "\xff\xff\xff\xff"); }},
        {"gone", [](Stage& s) { s.user.cut_off("gone", s.context); }},
    };
    for (const Case& c : cases) {
        Stage stage(parley_target("/ws"));
        c.happen(stage);
        const Tally& tally = stage.tally();
        EXPECT_EQ(stage.user.state(), VirtualUser::State::closed) << c.reason;
        EXPECT_EQ(tally.failed, 1u) << c.reason;
        EXPECT_EQ(tally.opened + tally.dropped, 0u) << c.reason;
        ASSERT_EQ(tally.failures.size(), 1u) << c.reason;
        EXPECT_NE(tally.failures.begin()->first.find(c.reason), std::string::npos)
            << tally.failures.begin()->first;
    }
}

TEST(VirtualUser, LeavingAndComingBackIsHeldToContinuityOnly) {
    Stage stage(parley_target("/ws"));
    stage.give(stage.accepted() + joined(0) + message(1, 1));
    EXPECT_TRUE(stage.user.full_member());
    stage.user.settle(std::nullopt, stage.context);
    stage.user.leave(stage.said, stage.context);
    EXPECT_EQ(stage.frames(), std::vector<std::string>{"(close)1000"});
    std::string close;
    protocol::append_close_frame(close, 1000, {});
    stage.give(message(2, 2) + close);
    EXPECT_EQ(stage.user.state(), VirtualUser::State::closed);
    EXPECT_EQ(stage.tally().dropped, 0u);

    stage.user.open(stage.request, now_ns, false, stage.context);
    stage.request.erase(0, stage.request.rfind("GET "));
    stage.give(stage.accepted() + joined(5) + message(6, 6) + message(8, 8));
    EXPECT_FALSE(stage.user.full_member());
    stage.user.settle(std::nullopt, stage.context);
    EXPECT_EQ(stage.tally().rejoined, 1u);
    EXPECT_EQ(stage.counts().received, 3u);
    EXPECT_EQ(stage.counts().lost, 1u);
}

}  // namespace
}  // namespace parley::load
