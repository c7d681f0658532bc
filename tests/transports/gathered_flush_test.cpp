// What a flush slice says reaches everybody in order, whether it leaves write by write (epoll) or
// gathered (io_uring), whatever becomes of single peers meanwhile.
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "transports/send_ring.hpp"
#include "transports/test_server.hpp"
#include "transports/websocket_client.hpp"

namespace parley::transports {
namespace {

using core::Metric;
using protocol::Opcode;
using test::client_frame;
using test::TestServer;
using test::WebSocketClient;
using Event = protocol::WebSocketDecoder::Event;

core::Config roomy() {
    core::Config config = test::unlimited();
    config.limits.text_bytes = 64 * 1024;
    config.limits.message_bytes = 128 * 1024;
    config.window.bytes = 64 * 1024 * 1024;
    config.history.messages = 1;
    // Nobody reads, or answers a ping, while a slow machine gets on.
    config.heartbeat.dead_after = std::chrono::minutes(10);
    return config;
}

TransportConfig with_io(IoChoice io) {
    TransportConfig config;
    config.io = io;
    return config;
}

class GatheredFlush : public testing::TestWithParam<IoChoice> {
protected:
    explicit GatheredFlush(const core::Config& config = roomy())
        : server(config, with_io(GetParam())) {}

    void SetUp() override {
        if (GetParam() != IoChoice::uring) return;
        if (const auto refusal = send_ring_refusal()) GTEST_SKIP() << *refusal;
    }

    std::unique_ptr<WebSocketClient> listen(const std::string& rooms = "r",
                                            int receive_buffer = 0) {
        auto client = std::make_unique<WebSocketClient>(server.port(), "/ws?room=" + rooms, "",
                                                        receive_buffer);
        next(*client, R"("type":"joined")");
        return client;
    }
    // The next message that contains the text; those before it are skipped.
    static std::string next(WebSocketClient& client, std::string_view text) {
        for (;;) {
            const auto received = client.receive();
            if (received.ended || received.event == Event::close) {
                ADD_FAILURE() << "closed with " << received.close_code << " before " << text;
                return {};
            }
            if (received.payload.find(text) != std::string::npos) return received.payload;
        }
    }
    // Waits until the turn that is under way has ended: what it wrote is counted then.
    void wait_for_turn() {
        std::promise<void> done;
        server.hub().shard(0).post([&](core::Shard&) { done.set_value(); });
        done.get_future().get();
    }
    static std::string sending(int number, std::string_view padding, const std::string& room = "r",
                               const std::string& id = "") {
        return client_frame(Opcode::text, R"({"type":"send",)" + id + R"("room":")" + room +
                                              R"(","text":"n)" + std::to_string(number) + '|' +
                                              std::string(padding) + R"("})");
    }
    // Hears those numbers, all and in order.
    static void expect_numbers(WebSocketClient& client, int first, int last) {
        for (int number = first; number <= last; ++number) {
            const std::string heard = next(client, R"("type":"message")");
            ASSERT_NE(heard.find("\"n" + std::to_string(number) + '|'), std::string::npos)
                << "instead of " << number << ": " << heard.substr(0, 200);
        }
    }

    TestServer server;
};

TEST_P(GatheredFlush, ReachesMoreThanABatchOfPeersInOrder) {
    std::vector<std::unique_ptr<WebSocketClient>> listeners;
    for (unsigned i = 0; i < SendRing::sends_max + 7; ++i) listeners.push_back(listen());
    for (int number = 1; number <= 20; ++number) {
        listeners[0]->socket().send(sending(number, "x"));
        // One at a time: each is a pass of its own over the room, which ends with who came first.
        expect_numbers(*listeners[1], number, number);
    }
    listeners.erase(listeners.begin() + 1);
    for (const auto& listener : listeners) expect_numbers(*listener, 1, 20);
    wait_for_turn();
    const bool gathers = GetParam() == IoChoice::uring;
    EXPECT_EQ(server.total(Metric::send_batches) > 0, gathers);
    // Who spoke is written to with its ack, and on its own.
    EXPECT_EQ(server.total(Metric::sends_gathered) >= 20 * SendRing::sends_max, gathers);
    EXPECT_EQ(server.total(Metric::deliveries_written), server.total(Metric::deliveries_due));
}

// A peer that reads nothing for a while: sends are taken in part and then not at all, and what is
// left of each comes before what follows.
TEST_P(GatheredFlush, GoesOnExactlyWhereAPeerThatReadsLateHadBlocked) {
    const auto talker = listen();
    const auto quick = listen();
    const auto late = listen("r", 65'536);
    const std::string padding(50'000, 'p');
    constexpr int messages = 120;  // 6 MB, more than the socket's buffers hold
    for (int number = 1; number <= messages; ++number) {
        talker->socket().send(sending(number, padding));
        expect_numbers(*quick, number, number);
    }
    EXPECT_GT(server.total(Metric::writes_blocked), 0U);
    EXPECT_LT(server.total(Metric::deliveries_written), server.total(Metric::deliveries_due));
    expect_numbers(*late, 1, messages);
    talker->socket().send(sending(messages + 1, "x"));
    expect_numbers(*late, messages + 1, messages + 1);
    EXPECT_EQ(server.total(Metric::deliveries_skipped), 0U);
}

TEST_P(GatheredFlush, LosesNobodyElseWithAPeerThatWasReset) {
    const auto talker = listen();
    std::vector<std::unique_ptr<WebSocketClient>> listeners;
    for (int i = 0; i < 30; ++i) listeners.push_back(listen());
    int number = 0;
    for (std::size_t i = 0; i < listeners.size(); i += 3) {
        listeners[i]->socket().reset();
        for (int k = 0; k < 3; ++k) talker->socket().send(sending(++number, "x"));
    }
    for (std::size_t i = 0; i < listeners.size(); ++i) {
        if (i % 3 != 0) expect_numbers(*listeners[i], 1, number);
    }
    expect_numbers(*talker, 1, number);
}

// An ack stands before what is said later, and what one says comes in the order of its saying,
// though some of it is gathered and some goes with the ack.
TEST_P(GatheredFlush, KeepsTheOrderOfRepliesAndPublications) {
    const auto one = listen();
    const auto other = listen();
    constexpr int rounds = 50;
    for (int number = 1; number <= rounds; ++number) {
        const std::string id = R"("id":)" + std::to_string(number) + ',';
        const std::string before = sending(2 * number - 1, "x");
        one->socket().send(before + sending(2 * number, "x", "r", id));
        const std::string first = next(*one, R"("type":)");
        // The first message, the ack, the second message; the ack may be ahead of the first, too.
        const std::string second = next(*one, R"("type":)");
        EXPECT_NE((first + second).find(R"("type":"ack")"), std::string::npos);
        EXPECT_NE((first + second).find("\"n" + std::to_string(2 * number - 1) + '|'),
                  std::string::npos);
        EXPECT_NE(next(*one, R"("type":)").find("\"n" + std::to_string(2 * number) + '|'),
                  std::string::npos);
    }
    expect_numbers(*other, 1, 2 * rounds);
}

// A session of several rooms may be written to several times in one slice.
TEST_P(GatheredFlush, WritesToOneOfSeveralRoomsInTheirOrder) {
    const auto talker = listen();
    const auto listener = listen();
    constexpr int rooms = 5;
    for (int room = 0; room < rooms; ++room) {
        for (const auto* client : {&talker, &listener}) {
            (*client)->send_text(R"({"type":"join","id":1,"room":"s)" + std::to_string(room) +
                                 R"("})");
            next(**client, R"("type":"joined")");
        }
    }
    constexpr int messages = 100;
    for (int number = 1; number <= messages; ++number) {
        std::string all;
        for (int room = 0; room < rooms; ++room) {
            all += sending(number, "x", "s" + std::to_string(room));
        }
        talker->socket().send(all);
    }
    std::vector<int> heard(rooms, 0);
    for (int i = 0; i < messages * rooms; ++i) {
        const std::string message = next(*listener, R"("type":"message")");
        const auto at = message.find(R"("room":"s)");
        ASSERT_NE(at, std::string::npos) << message;
        int& last = heard[static_cast<std::size_t>(message[at + 9] - '0')];
        EXPECT_NE(message.find("\"n" + std::to_string(++last) + '|'), std::string::npos) << message;
    }
}

class LaggingFlush : public GatheredFlush {
protected:
    static core::Config narrow() {
        core::Config config = roomy();
        config.window.messages = 16;
        return config;
    }
    LaggingFlush() : GatheredFlush(narrow()) {}
};

// Its session is ended from within a slice that writes to the others.
TEST_P(LaggingFlush, EndsWhoFallsBehindAndKeepsTheOthers) {
    const auto talker = listen();
    const auto quick = listen();
    const auto late = listen("r", 65'536);
    const std::string padding(50'000, 'p');
    int number = 0;
    while (server.total(Metric::slow_disconnects) == 0 && number < 1000) {
        talker->socket().send(sending(++number, padding));
        expect_numbers(*quick, number, number);
    }
    EXPECT_EQ(server.total(Metric::slow_disconnects), 1U);
    int heard = 0;
    for (;;) {
        const auto received = late->receive();
        if (received.ended || received.event == Event::close) {
            EXPECT_EQ(received.close_code, core::close_reasons::slow_consumer.code);
            break;
        }
        EXPECT_NE(received.payload.find("\"n" + std::to_string(++heard) + '|'), std::string::npos);
    }
    EXPECT_LT(heard, number);
    talker->socket().send(sending(++number, "x"));
    expect_numbers(*quick, number, number);
}

std::string name_of(const testing::TestParamInfo<IoChoice>& info) {
    return info.param == IoChoice::uring ? "uring" : "epoll";
}
INSTANTIATE_TEST_SUITE_P(With, GatheredFlush, testing::Values(IoChoice::epoll, IoChoice::uring),
                         name_of);
INSTANTIATE_TEST_SUITE_P(With, LaggingFlush, testing::Values(IoChoice::epoll, IoChoice::uring),
                         name_of);

}  // namespace
}  // namespace parley::transports
