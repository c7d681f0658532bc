// Target files for servers with protocols of their own: NATS and MQTT in binary frames, publishers
// that POST.
#include <gtest/gtest.h>

#include "loadtest/command_line.hpp"
#include "loadtest/virtual_user.hpp"
#include "protocol/websocket_frame.hpp"
#include "protocol/websocket_handshake.hpp"

namespace parley::load {
namespace {

using namespace std::string_literals;

std::string filled(std::string_view text, const Placeholders& values) {
    std::string out;
    append_filled(out, text, values);
    return out;
}

Target shipped(const std::string& name) {
    const auto target = load_target(std::string(PARLEY_LOAD_TARGETS) + "/" + name);
    EXPECT_TRUE(target) << (target ? "" : target.error().text);
    return target ? *target : Target{};
}

TEST(TargetGroups, ALengthStandsBeforeWhatIsFilledIn) {
    EXPECT_EQ(filled("{payload_bytes}:{payload}", {"r", 1, "hello"}), "5:hello");
    EXPECT_EQ(filled("<{u16:{room}}>", {"lobby", 1, {}}), "<\x00\x05lobby>"s);
    EXPECT_EQ(filled("{varint:}", {"r", 1, {}}), "\x00"s);
    EXPECT_EQ(filled("{varint:{u16:{room}}{payload}}", {"ab", 1, "xyz"}),
              "\x07\x00\x02"s + "abxyz");
    EXPECT_EQ(filled(R"({varint:{"a":{id}}})", {"r", 42, {}}), "\x08{\"a\":42}");
}

TEST(TargetGroups, AVarintHasSevenBitsAByte) {
    struct Case {
        std::size_t size;
        std::string head;
    };
    const Case cases[] = {
        {1, "\x01"},         {127, "\x7f"},           {128, "\x80\x01"},        {300, "\xac\x02"},
        {16383, "\xff\x7f"}, {16384, "\x80\x80\x01"}, {1 << 20, "\x80\x80\x40"}};
    for (const Case& c : cases) {
        const std::string payload(c.size, 'x');
        EXPECT_EQ(filled("{varint:{payload}}", {"r", 1, payload}), c.head + payload) << c.size;
    }
}

TEST(TargetGroups, WhatCannotBeCountedIsRefused) {
    const auto problem_of = [](const char* line) {
        const auto target = parse_target(line, "f");
        return target ? std::string() : target.error().text;
    };
    EXPECT_NE(problem_of("send={u16:{room}").find("f:1: '{u16:' is not closed"), std::string::npos);
    EXPECT_NE(problem_of("publish={varint:{payload}").find("not closed"), std::string::npos);
    EXPECT_NE(problem_of("publish={u16:{payload}}").find("expected '{varint:'"), std::string::npos);
    EXPECT_NE(problem_of("frames=round").find("text or binary"), std::string::npos);
    EXPECT_NE(problem_of("publish_http=x").find("'/'"), std::string::npos);
    EXPECT_EQ(problem_of("publish={\"a\":{payload}}"), "");
}

TEST(ForeignTargets, AConnectOfMqttIsWhatItsStandardShows) {
    const Target mqtt = shipped("mqtt.txt");
    ASSERT_EQ(mqtt.steps.size(), 4u);
    EXPECT_TRUE(mqtt.binary);
    EXPECT_EQ(mqtt.subprotocol, "mqtt");
    const Placeholders values{"load-0", 7, "payload"};
    // MQTT 3.1.1, 3.1: length 14, the protocol's name and level, a clean session, no keep-alive.
    EXPECT_EQ(filled(mqtt.steps[0].text, values),
              "\x10\x0e\x00\x04MQTT\x04\x02\x00\x00\x00\x02u7"s);
    EXPECT_EQ(filled(mqtt.steps[2].text, values), "\x82\x0b\x00\x01\x00\x06load-0\x00"s);
    EXPECT_EQ(filled(mqtt.publish, values), "\x30\x0f\x00\x06load-0payload"s);
}

TEST(ForeignTargets, NatsCountsThePayload) {
    const Target nats = shipped("nats.txt");
    EXPECT_TRUE(nats.binary);
    EXPECT_EQ(filled(nats.publish, {"load-0", 7, "payload"}), "PUB load-0 7\r\npayload\r\n");
}

// A user of a target without a network.
struct ForeignStage {
    ForeignStage(Target target, std::uint32_t index)
        : plan(scenario(), std::move(target)), user(index, plan) {
        for (Tally& each : context.tallies) {
            each.window_from_ns = 0;
            each.window_to_ns = 1'000'000'000;
        }
        user.open(said, 1'000'000, true, context);
    }
    static Scenario scenario() {
        Scenario scenario;
        scenario.url = {"127.0.0.1", 8080, "/"};
        scenario.connections = 6;
        scenario.payload_bytes = 40;
        return scenario;
    }
    void give(std::string bytes) { user.receive(bytes, 9'000'000, said, context); }
    void accept() {
        constexpr std::string_view name = "Sec-WebSocket-Key: ";
        const std::size_t at = said.find(name) + name.size();
        const std::string key = said.substr(at, said.find("\r\n", at) - at);
        said.clear();
        give(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Accept: " +
            protocol::accept_for_key(key) + "\r\n\r\n");
    }
    void give_binary(std::string_view payload) {
        std::string frame;
        protocol::append_frame(frame, protocol::Opcode::binary, payload);
        give(frame);
    }
    // The one frame that was said, which must be binary.
    std::string take_binary() {
        const protocol::WebSocketDecoderConfig config;
        protocol::WebSocketDecoder decoder(config);
        std::string bytes = std::exchange(said, {});
        const auto step = decoder.feed(bytes);
        EXPECT_EQ(step.event, protocol::WebSocketDecoder::Event::message);
        EXPECT_EQ(decoder.opcode(), protocol::Opcode::binary);
        EXPECT_EQ(step.consumed, bytes.size());
        return std::string(decoder.payload());
    }

    Plan plan;
    Control control{plan.scenario};
    UserContext context{plan, control, 1};
    std::string said;
    VirtualUser user;
};

TEST(ForeignTargets, ASubscriptionOfMqttInBinaryFrames) {
    ForeignStage stage(shipped("mqtt.txt"), 2);
    stage.accept();
    EXPECT_TRUE(stage.take_binary().starts_with("\x10\x0e\x00\x04MQTT"s));
    stage.give_binary("\x20\x02\x00\x00"s);
    EXPECT_EQ(stage.take_binary(), "\x82\x0b\x00\x01\x00\x06load-0\x00"s);
    stage.give_binary("\x90\x03\x00\x01\x00"s);
    EXPECT_EQ(stage.user.state(), VirtualUser::State::ready);
    std::string stamp;
    append_stamp(stamp, {4'000'000, 0, 1});
    stage.give_binary("\x30\x2a\x00\x06load-0"s + stamp);
    EXPECT_EQ(stage.user.tally(stage.context).steady.received, 1u);
    EXPECT_EQ(stage.user.tally(stage.context).latency.max(), 5'000'000u);
}

TEST(ForeignTargets, APingOfNatsIsAnswered) {
    ForeignStage stage(shipped("nats.txt"), 2);
    stage.accept();
    stage.give_binary("INFO {\"server_id\":\"x\"} \r\n");
    EXPECT_TRUE(stage.take_binary().ends_with("SUB load-0 1\r\nPING\r\n"));
    stage.give_binary("PONG\r\n");
    EXPECT_EQ(stage.user.state(), VirtualUser::State::ready);
    stage.give_binary("PING\r\n");
    EXPECT_EQ(stage.take_binary(), "PONG\r\n");
}

TEST(ForeignTargets, ASenderPostsWhatTheTargetSays) {
    ForeignStage stage(shipped("nchan.txt"), ForeignStage::scenario().connections);
    EXPECT_TRUE(std::exchange(stage.said, {}).starts_with("GET / HTTP/1.1\r\n"));
    // A server that has nothing at that path is ready all the same.
    stage.give("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    EXPECT_EQ(stage.user.state(), VirtualUser::State::ready);
    const Stamp message{4'000'000, 0, 1};
    const std::string payload = stage.context.payload_of(message);
    stage.user.publish(message, stage.said, stage.context);
    EXPECT_EQ(std::exchange(stage.said, {}),
              "POST /pub/load-0 HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nAccept: application/json\r\n"
              "Content-Type: text/plain\r\nContent-Length: 40\r\n\r\n" +
                  payload);
    stage.give("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n");
    EXPECT_EQ(stage.context.tally_of(Transport::websocket).answered, 1u);
}

TEST(ForeignTargets, PublishersThatPostHaveNoWordOfTheirOwn) {
    const Plan nchan(ForeignStage::scenario(), shipped("nchan.txt"));
    const Plan nats(ForeignStage::scenario(), shipped("nats.txt"));
    EXPECT_FALSE(nchan.speaks(Transport::websocket));
    EXPECT_TRUE(nats.speaks(Transport::websocket));
    EXPECT_FALSE(nats.speaks(Transport::sse));
}

TEST(ForeignTargets, PostingIsForWebSocketAlone) {
    const auto line =
        parse_command_line({"--url", "http://127.0.0.1:8080", "--transport", "socketio", "--target",
                            std::string(PARLEY_LOAD_TARGETS) + "/nchan.txt"});
    ASSERT_FALSE(line);
    EXPECT_EQ(line.error().text, "a target with publish_http goes with websocket alone");
}

}  // namespace
}  // namespace parley::load
