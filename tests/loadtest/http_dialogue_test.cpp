// The HTTP transports' dialogues, through the user who speaks them: without a network, cut at every
// byte.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <vector>

#include "loadtest/virtual_user.hpp"
#include "protocol/json_codec.hpp"
#include "protocol/sse.hpp"

namespace parley::load {
namespace {

constexpr std::int64_t opened_ns = 1'000'000;
constexpr std::int64_t now_ns = 9'000'000;

Scenario two_rooms(Transport transport) {
    Scenario scenario;
    scenario.url = {"127.0.0.1", 8080, "/"};
    scenario.mix = Mix(transport);
    scenario.connections = 6;
    scenario.rooms = 2;
    scenario.payload_bytes = 40;
    return scenario;
}

// A user without a network: what it says is collected, what the server says is given to it.
struct Stage {
    explicit Stage(Transport transport, std::uint32_t index = 2)
        : plan(two_rooms(transport), parley_target("/ws")), user(index, plan) {
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
    [[nodiscard]] Tally& tally() { return user.tally(context); }
    [[nodiscard]] const DeliveryCounts& counts() { return tally().steady; }

    Plan plan;
    Control control{plan.scenario};
    UserContext context{plan, control, 1};
    std::string said;
    VirtualUser user;
};

std::string answer(const std::string& body, unsigned status = 200, const char* more = "") {
    return "HTTP/1.1 " + std::to_string(status) +
           " x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + more + "\r\n" + body;
}

std::string message(std::uint64_t offset, std::uint32_t sequence) {
    protocol::Message push;
    push.room = "load-0";
    push.cursor = {*protocol::Epoch::parse("e1"), offset};
    push.from = {"1", "u0"};
    append_stamp(push.body.content, {4'000'000, 0, sequence});
    push.at = "2026-01-01T00:00:00.000Z";
    std::string json;
    protocol::append_message(json, push);
    return json;
}

std::string page(std::uint64_t cursor, const std::vector<std::string>& messages,
                 bool recovered = true) {
    std::string json = R"({"room":"load-0","cursor":"e1:)" + std::to_string(cursor) +
                       R"(","recovered":)" + (recovered ? "true" : "false") + R"(,"messages":[)";
    for (const std::string& each : messages) json += (json.back() == '[' ? "" : ",") + each;
    return json + R"(],"more":false})";
}

const std::string stream_head =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

std::string chunk(const std::string& bytes) {
    char size[16];
    std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
    return size + bytes + "\r\n";
}

std::string position(std::uint64_t offset) {
    std::string out;
    protocol::append_sse_position(out, "e1:" + std::to_string(offset), 1000);
    return chunk(out);
}

std::string event(std::uint64_t offset, std::uint32_t sequence) {
    std::string out;
    protocol::append_sse(out, "e1:" + std::to_string(offset), "message", message(offset, sequence));
    return chunk(out);
}

const std::string poll_from = "GET /api/v1/rooms/load-0/messages?since=e1:";

// ---- long-poll -----------------------------------------------------------------------------------

TEST(LongPollDialogue, AsksForTheRoomsEndAndThenForWhatFollows) {
    Stage stage(Transport::longpoll);
    EXPECT_TRUE(stage.take_said().starts_with(
        "GET /api/v1/rooms/load-0/messages?limit=1&wait=0s HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n"));
    EXPECT_EQ(stage.user.state(), VirtualUser::State::opening);
    stage.give(answer(page(40, {message(40, 999)})));
    EXPECT_EQ(stage.user.state(), VirtualUser::State::ready);
    EXPECT_TRUE(stage.take_said().starts_with(poll_from + "40&wait=25s HTTP/1.1\r\n"));
    EXPECT_EQ(stage.counts().received, 0u);
    stage.give(answer(page(40, {})));
    EXPECT_TRUE(stage.take_said().starts_with(poll_from + "40&wait=25s HTTP/1.1\r\n"));
}

TEST(LongPollDialogue, AnswersMayBeSplitAnywhere) {
    const std::string bytes = answer(page(40, {})) +
                              answer(page(42, {message(41, 1), message(42, 2)})) +
                              answer(page(43, {message(43, 3)}));
    for (std::size_t at = 0; at <= bytes.size(); ++at) {
        Stage stage(Transport::longpoll);
        stage.give_split(bytes, at);
        ASSERT_EQ(stage.user.state(), VirtualUser::State::ready) << "split at " << at;
        EXPECT_EQ(stage.counts().received, 3u) << "split at " << at;
        EXPECT_EQ(stage.counts().duplicate + stage.counts().out_of_order, 0u);
        EXPECT_EQ(stage.tally().latency.max(), 5'000'000u);
        EXPECT_EQ(stage.tally().handshake.max(), 8'000'000u);
        EXPECT_NE(stage.said.find(poll_from + "43&"), std::string::npos);
    }
}

TEST(LongPollDialogue, GoesOnOverAFreshConnectionWhereTheServerEndsOne) {
    Stage stage(Transport::longpoll);
    stage.give(answer(page(40, {})));
    (void)stage.take_said();
    EXPECT_FALSE(stage.user.reconnects());
    stage.give(answer(page(41, {message(41, 1)}), 200, "Connection: close\r\n"));
    EXPECT_TRUE(stage.user.reconnects());
    EXPECT_TRUE(stage.said.empty());
    stage.user.reopen(stage.said, stage.context);
    EXPECT_FALSE(stage.user.reconnects());
    EXPECT_TRUE(stage.take_said().starts_with(poll_from + "41&wait"));
    stage.give(answer(page(42, {message(42, 2)})));
    EXPECT_EQ(stage.counts().received, 2u);
    EXPECT_EQ(stage.tally().reconnected, 1u);
    EXPECT_TRUE(stage.user.full_member());
}

TEST(LongPollDialogue, WhatACursorCannotGoOnToIsAnnounced) {
    Stage stage(Transport::longpoll);
    stage.give(answer(page(40, {})) + answer(page(45, {message(45, 5)}, false)));
    stage.user.settle(std::nullopt, stage.context);
    EXPECT_EQ(stage.counts().announced, 4u);
    EXPECT_EQ(stage.counts().lost, 0u);
    EXPECT_TRUE(stage.tally().failures.empty());
}

TEST(LongPollDialogue, AnEmptyRoomMayBeForgottenBetweenTwoPolls) {
    Stage stage(Transport::longpoll);
    stage.give(answer(page(0, {})) + answer(page(1, {message(1, 1)}, false)));
    stage.user.settle(1, stage.context);
    EXPECT_TRUE(stage.tally().failures.empty());
    EXPECT_EQ(stage.counts().received, 1u);
    EXPECT_EQ(stage.counts().lost, 0u);
}

TEST(LongPollDialogue, AnyOtherAnswerEndsTheUserUnderItsStatus) {
    for (const bool ready : {false, true}) {
        Stage stage(Transport::longpoll);
        if (ready) stage.give(answer(page(40, {})));
        stage.give(answer(R"({"status":503,"code":"unavailable"})", 503));
        EXPECT_EQ(stage.user.state(), VirtualUser::State::closed);
        EXPECT_EQ(stage.tally().statuses.at(503), 1u);
        EXPECT_EQ(stage.tally().failures.count("the poll was answered 503 unavailable"), 1u);
        EXPECT_EQ(stage.tally().dropped, ready ? 1u : 0u);
        EXPECT_EQ(stage.tally().failed, ready ? 0u : 1u);
    }
}

// ---- SSE -----------------------------------------------------------------------------------------

TEST(SseDialogue, AsksForTheStreamAndIsReadyWithItsHead) {
    Stage stage(Transport::sse);
    EXPECT_TRUE(stage.said.starts_with("GET /api/v1/rooms/load-0/events HTTP/1.1\r\n"));
    EXPECT_NE(stage.said.find("Accept: text/event-stream\r\n"), std::string::npos);
    stage.give(stream_head);
    EXPECT_EQ(stage.user.state(), VirtualUser::State::ready);
}

TEST(SseDialogue, EventsMayBeSplitAnywhere) {
    const std::string bytes = stream_head + position(40) +
                              chunk(std::string(protocol::sse_heartbeat)) + event(41, 1) +
                              event(42, 2) + event(43, 3);
    for (std::size_t at = 0; at <= bytes.size(); ++at) {
        Stage stage(Transport::sse);
        stage.give_split(bytes, at);
        ASSERT_EQ(stage.user.state(), VirtualUser::State::ready) << "split at " << at;
        EXPECT_EQ(stage.counts().received, 3u) << "split at " << at;
        EXPECT_EQ(stage.counts().duplicate + stage.counts().out_of_order, 0u);
        EXPECT_EQ(stage.tally().latency.max(), 5'000'000u);
    }
}

TEST(SseDialogue, TheStreamsEndIsALostConnection) {
    Stage stage(Transport::sse);
    stage.give(stream_head + event(1, 1) + "0\r\n\r\n");
    EXPECT_EQ(stage.user.state(), VirtualUser::State::closed);
    EXPECT_EQ(stage.tally().dropped, 1u);
    EXPECT_EQ(stage.counts().received, 1u);
}

TEST(SseDialogue, ARefusalIsCountedUnderItsStatus) {
    const std::string bytes = answer(R"({"code":"rate_limited"})", 429);
    for (std::size_t at = 0; at <= bytes.size(); ++at) {
        Stage stage(Transport::sse);
        stage.give_split(bytes, at);
        EXPECT_EQ(stage.user.state(), VirtualUser::State::closed);
        EXPECT_EQ(stage.tally().statuses.at(429), 1u);
        EXPECT_EQ(stage.tally().failures.count("the stream was answered 429 rate_limited"), 1u);
    }
}

TEST(SseDialogue, AGapIsAnnouncedLoss) {
    Stage stage(Transport::sse);
    std::string json;
    protocol::append_server_frame(
        json, {{}, protocol::Gap{"load-0", 42, 43, {*protocol::Epoch::parse("e1"), 43}}});
    std::string gap;
    protocol::append_sse(gap, "e1:43", "gap", json);
    stage.give(stream_head + position(40) + event(41, 1) + chunk(gap) + event(44, 4));
    stage.user.settle(4, stage.context);
    EXPECT_EQ(stage.counts().announced, 2u);
    EXPECT_EQ(stage.counts().lost, 0u);
}

// ---- both --------------------------------------------------------------------------------------

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

TEST(HttpDialogues, LossDuplicatesAndReorderingAreFound) {
    for (const Transport transport : {Transport::longpoll, Transport::sse}) {
        for (const Fault& fault : faults) {
            Stage stage(transport);
            stage.give(transport == Transport::sse ? stream_head + position(10)
                                                   : answer(page(10, {})));
            for (const std::uint32_t n : fault.delivered) {
                stage.give(transport == Transport::sse ? event(10 + n, n)
                                                       : answer(page(14, {message(10 + n, n)})));
            }
            stage.user.settle(4, stage.context);
            const DeliveryCounts& counts = stage.counts();
            EXPECT_EQ(counts.lost, fault.lost) << fault.name;
            EXPECT_EQ(counts.duplicate, fault.duplicate) << fault.name;
            EXPECT_EQ(counts.out_of_order, fault.out_of_order) << fault.name;
            EXPECT_EQ(counts.expected, counts.received + counts.lost) << fault.name;
        }
    }
}

TEST(HttpDialogues, WhatIsNoHttpIsAFailure) {
    for (const Transport transport : {Transport::longpoll, Transport::sse, Transport::rest}) {
        Stage stage(transport);
        stage.give("220 mail.example ESMTP\r\n\r\n");
        EXPECT_EQ(stage.user.state(), VirtualUser::State::closed);
        EXPECT_EQ(stage.tally().failed, 1u);
        EXPECT_TRUE(stage.tally().failures.begin()->first.starts_with("broken answer: "));
    }
}

TEST(HttpDialogues, LeavingSaysNothingAndIsOver) {
    for (const Transport transport : {Transport::longpoll, Transport::sse, Transport::rest}) {
        Stage stage(transport);
        (void)stage.take_said();
        stage.user.leave(stage.said, stage.context);
        EXPECT_TRUE(stage.said.empty());
        EXPECT_EQ(stage.user.state(), VirtualUser::State::closed);
    }
}

// ---- REST ----------------------------------------------------------------------------------------

struct RestStage : Stage {
    RestStage() : Stage(Transport::rest) {
        give(answer(R"({"status":"ok"})"));
        (void)take_said();
    }
    void publish(std::uint32_t sequence) { user.publish({4'000'000, 2, sequence}, said, context); }
};

TEST(RestDialogue, IsReadyWhenTheServerIs) {
    Stage stage(Transport::rest);
    EXPECT_TRUE(stage.take_said().starts_with("GET /healthz HTTP/1.1\r\n"));
    stage.give(answer(R"({"status":"ok"})"));
    EXPECT_EQ(stage.user.state(), VirtualUser::State::ready);
    Stage draining(Transport::rest);
    draining.give(answer(R"({"status":"draining"})", 503));
    EXPECT_EQ(draining.user.state(), VirtualUser::State::closed);
    EXPECT_EQ(draining.tally().statuses.at(503), 1u);
}

TEST(RestDialogue, SendsOneRequestAtATimeAndTimesEachFromItsIntendedInstant) {
    const std::string created = answer(R"({"offset":1})", 201);
    for (std::size_t at = 0; at <= created.size(); ++at) {
        RestStage stage;
        stage.publish(1);
        stage.publish(2);
        const std::string request = stage.take_said();
        EXPECT_TRUE(request.starts_with("POST /api/v1/rooms/load-0/messages HTTP/1.1\r\n"));
        EXPECT_NE(request.find("X-Parley-Name: u2\r\n"), std::string::npos);
        EXPECT_EQ(request.find("POST", 1), std::string::npos);
        const auto body = boost::json::parse(request.substr(request.find("\r\n\r\n") + 4));
        const auto stamp = find_stamp(std::string_view(body.at("text").as_string()));
        EXPECT_EQ(stamp->stamp, (Stamp{4'000'000, 2, 1}));
        EXPECT_EQ(body.at("text").as_string().size(), 40u);
        EXPECT_EQ(stage.user.pending(), 2u);
        stage.give_split(created, at);
        EXPECT_TRUE(stage.take_said().starts_with("POST "));
        EXPECT_EQ(stage.user.pending(), 1u);
        EXPECT_EQ(stage.tally().answered, 1u);
        EXPECT_EQ(stage.tally().answer.max(), 5'000'000u);
    }
}

TEST(RestDialogue, ARefusalIsCountedAndTheNextIsSent) {
    RestStage stage;
    stage.publish(1);
    stage.publish(2);
    (void)stage.take_said();
    stage.give(answer(R"({"code":"rate_limited"})", 429));
    EXPECT_TRUE(stage.said.starts_with("POST "));
    EXPECT_EQ(stage.tally().refused, 1u);
    EXPECT_EQ(stage.tally().refusals.at("429 rate_limited"), 1u);
    EXPECT_EQ(stage.control.refused[2].load(), 1u);
    EXPECT_EQ(stage.tally().answer.count(), 0u);
}

TEST(RestDialogue, AnIdleConnectionMayEndAndABusyOneMayNot) {
    RestStage stage;
    EXPECT_TRUE(stage.user.resumes());
    stage.publish(1);
    EXPECT_FALSE(stage.user.resumes());
    stage.publish(2);
    stage.give(answer("{}", 201, "Connection: close\r\n"));
    EXPECT_TRUE(stage.user.reconnects());
    (void)stage.take_said();
    stage.user.reopen(stage.said, stage.context);
    EXPECT_TRUE(stage.take_said().starts_with("POST "));
    // Closed again, before anything was answered: going on so would never end.
    EXPECT_FALSE(stage.user.resumes());
    EXPECT_EQ(stage.user.pending(), 1u);
}

TEST(RestDialogue, WhatIsGivenUpIsNeverAnsweredOrNeverSaid) {
    RestStage stage;
    for (const std::uint32_t sequence : {1u, 2u, 3u}) stage.publish(sequence);
    stage.user.give_up(stage.context);
    EXPECT_EQ(stage.tally().unanswered, 1u);
    EXPECT_EQ(stage.tally().withheld, 2u);
    EXPECT_EQ(stage.control.refused[2].load(), 2u);
    EXPECT_EQ(stage.user.pending(), 0u);
    stage.give(answer("{}", 201));
    EXPECT_EQ(stage.user.state(), VirtualUser::State::ready);
}

TEST(RestDialogue, AfterGivingUpTheNextMessageIsSentWhenTheOldAnswerHasCome) {
    RestStage stage;
    stage.publish(1);
    stage.user.give_up(stage.context);
    EXPECT_TRUE(stage.take_said().starts_with("POST "));
    stage.publish(2);
    EXPECT_EQ(stage.take_said(), "");
    stage.give(answer("{}", 201));
    EXPECT_EQ(stage.tally().answered, 0u);
    EXPECT_TRUE(stage.take_said().starts_with("POST "));
    stage.give(answer("{}", 201));
    EXPECT_EQ(stage.tally().answered, 1u);
}

TEST(RestDialogue, ATimeoutBeforeAnIdleConnectionIsClosedIsNoAnswer) {
    RestStage stage;
    stage.give(answer("", 408, "Connection: close\r\n"));
    EXPECT_TRUE(stage.user.reconnects());
    EXPECT_EQ(stage.tally().refused, 0u);
    RestStage other;
    other.give(answer("{}", 201));
    EXPECT_EQ(other.user.state(), VirtualUser::State::closed);
}

}  // namespace
}  // namespace parley::load
