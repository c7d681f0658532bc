#include "transports/websocket/parley_v1.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "transports/test_server.hpp"
#include "transports/websocket/websocket_connection.hpp"
#include "transports/websocket_client.hpp"

namespace parley::transports {
namespace {

using protocol::Opcode;
using std::chrono::milliseconds;
using test::client_frame;
using test::LoopbackClient;
using test::TestServer;
using test::WebSocketClient;
using testing::HasSubstr;
using Event = protocol::WebSocketDecoder::Event;

// The next message that contains the text; those before it are skipped.
std::string receive_until(WebSocketClient& client, std::string_view text) {
    for (;;) {
        const auto received = client.receive();
        if (received.ended || received.event == Event::close) {
            ADD_FAILURE() << "closed with " << received.close_code << " before " << text;
            return {};
        }
        if (received.payload.find(text) != std::string::npos) return received.payload;
    }
}

TEST(ReadOpening, DecodesNameAndRoom) {
    const auto opening = read_opening("name=J%C3%B6rg+B%26C&x=y&room=lobby%3A1");
    ASSERT_TRUE(opening);
    EXPECT_EQ(opening->peer.name, "J\xC3\xB6rg B&C");
    EXPECT_EQ(opening->room, "lobby:1");
    EXPECT_TRUE(read_opening(""));
    EXPECT_FALSE(read_opening("")->room);
    for (const std::string_view bad : {"name=%", "name=%4", "name=%GG", "room=%C3", "name=%FF"}) {
        EXPECT_FALSE(read_opening(bad)) << bad;
    }
}

TEST(ParleyV1, WelcomesAndJoinsTheRoomOfTheUrlInOneSegment) {
    TestServer server;
    LoopbackClient client(server.port());
    client.send(
        "GET /ws?name=ann&room=lobby HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    const std::string all = client.read_some();
    EXPECT_THAT(all, testing::StartsWith("HTTP/1.1 101 "));
    EXPECT_THAT(all, HasSubstr(R"({"type":"welcome")"));
    EXPECT_THAT(all, HasSubstr(R"("name":"ann")"));
    EXPECT_THAT(all, HasSubstr(R"({"type":"joined","room":"lobby")"));
}

TEST(ParleyV1, AnswersAtOnceWhileAFlushIsHeldWhichADrainEnds) {
    core::Config config = test::unlimited();
    config.flush.delay = {false, std::chrono::hours(1)};
    TestServer server(config);
    WebSocketClient ann(server.port(), "/ws?name=ann&room=lobby");
    receive_until(ann, "joined");
    for (int i = 1; i <= 3; ++i) {
        ann.send_text(R"({"type":"send","id":)" + std::to_string(i) +
                      R"(,"room":"lobby","text":"hello"})");
        // The next that comes, and no message before it.
        const std::string next = ann.receive().payload;
        EXPECT_THAT(next, HasSubstr(R"("type":"ack")"));
        EXPECT_THAT(next, HasSubstr(R"("id":)" + std::to_string(i)));
    }
    const auto gone = server.drain(std::chrono::seconds(10));
    for (int i = 1; i <= 3; ++i) {
        EXPECT_THAT(ann.receive().payload, HasSubstr(R"("offset":)" + std::to_string(i)));
    }
    EXPECT_THAT(ann.receive().payload, HasSubstr(R"("type":"drain")"));
}

TEST(ParleyV1, CarriesAMessageToEverybodyInTheRoom) {
    TestServer server;
    WebSocketClient ann(server.port(), "/ws?name=ann&room=lobby");
    receive_until(ann, "joined");
    WebSocketClient bob(server.port(), "/ws?name=bob");
    receive_until(bob, "welcome");
    bob.send_text(R"({"type":"join","id":1,"room":"lobby"})");
    EXPECT_THAT(receive_until(bob, "joined"), HasSubstr(R"("id":1)"));
    // A bare text is a message to the room of the URL.
    ann.send_text("hello, all");
    for (WebSocketClient* client : {&ann, &bob}) {
        const std::string message = receive_until(*client, R"("type":"message")");
        EXPECT_THAT(message, HasSubstr(R"("text":"hello, all")"));
        EXPECT_THAT(message, HasSubstr(R"("name":"ann")"));
    }
    bob.send_text(R"(  {"type":"send","id":"x","room":"lobby","text":"hi, ann"})");
    EXPECT_THAT(receive_until(ann, "hi, ann"), HasSubstr(R"("offset":2)"));
    EXPECT_THAT(receive_until(bob, R"("type":"ack")"), HasSubstr(R"("id":"x")"));
}

TEST(ParleyV1, CarriesMessagesAcrossShardsInOneOrder) {
    core::Config config;
    config.shards = 3;
    config.limits.enabled = false;
    TestServer server(config);
    constexpr int clients_max = 9;
    constexpr int messages_max = 20;
    std::vector<std::unique_ptr<WebSocketClient>> clients;
    for (int i = 0; i < clients_max; ++i) {
        clients.push_back(std::make_unique<WebSocketClient>(server.port(), "/ws"));
        // Joins are answered by the room's home, whichever shard that is.
        clients.back()->send_text(R"({"type":"join","id":1,"room":"lobby"})");
        clients.back()->send_text(R"({"type":"members","id":2,"room":"lobby"})");
        receive_until(*clients.back(), "joined");
        receive_until(*clients.back(), R"("type":"members")");
    }
    for (int i = 0; i < clients_max; ++i) {
        std::string all;
        for (int k = 0; k < messages_max; ++k) {
            all += client_frame(Opcode::text, R"({"type":"send","room":"lobby","text":"m)" +
                                                  std::to_string(i) + "-" + std::to_string(k) +
                                                  R"("})");
        }
        clients[static_cast<std::size_t>(i)]->socket().send(all);
    }
    std::vector<std::string> first;
    for (auto& client : clients) {
        std::vector<std::string> heard;
        while (heard.size() < clients_max * messages_max) {
            heard.push_back(receive_until(*client, R"("type":"message")"));
            if (heard.back().empty()) return;
        }
        if (first.empty()) first = heard;
        EXPECT_TRUE(heard == first);
    }
}

TEST(ParleyV1, SendsAnAckAndTheMessageItselfInOneSegment) {
    TestServer server;
    LoopbackClient client(server.port());
    client.send(
        "GET /ws?name=ann&room=lobby HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    client.read_through(R"("type":"joined")");
    client.read_through("}");
    for (int i = 0; i < 3; ++i) {
        client.send(
            client_frame(Opcode::text, R"({"type":"send","id":1,"room":"lobby","text":"hello"})"));
        const std::string both = client.read_some();
        EXPECT_THAT(both, HasSubstr(R"({"type":"ack")"));
        EXPECT_THAT(both, HasSubstr(R"({"type":"message")"));
        EXPECT_LT(both.find("ack"), both.find("message"));
    }
}

TEST(ParleyV1, DeflatesWhatIsLargeForThoseWhoAgreed) {
    TestServer server;
    const std::string_view offer = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
    WebSocketClient deflated(server.port(), "/ws?name=ann&room=lobby", offer);
    WebSocketClient second(server.port(), "/ws?name=joe&room=lobby", offer);
    WebSocketClient plain(server.port(), "/ws?name=bob&room=lobby");
    ASSERT_TRUE(deflated.deflate());
    ASSERT_FALSE(plain.deflate());
    for (WebSocketClient* client : {&deflated, &second, &plain}) receive_until(*client, "joined");
    const std::string text(10'000, 'x');
    plain.send_text(text);
    plain.send_text("short");
    for (WebSocketClient* client : {&deflated, &second, &plain}) {
        // Not HasSubstr: nobody reads 10,000 bytes of difference.
        EXPECT_NE(receive_until(*client, "message").find(text), std::string::npos);
        EXPECT_THAT(receive_until(*client, "message"), HasSubstr("short"));
    }
    // Two deflated copies and replies stay below one plain copy.
    EXPECT_LT(server.total(core::Metric::bytes_written), 2 * text.size());
}

TEST(ParleyV1, RefusesWhatIsNoCommandAndLivesOn) {
    TestServer server;
    WebSocketClient client(server.port(), "/ws");
    receive_until(client, "welcome");
    for (const std::string_view bad :
         {"hello", "", "[1,2]", "{", R"({"type":"nonsense"})", R"({"id":7})"}) {
        SCOPED_TRACE(bad);
        client.send_text(bad);
        EXPECT_THAT(receive_until(client, "error"), HasSubstr(R"("code":"bad_request")"));
    }
    client.send_text(R"({"type":"ping","id":5})");
    EXPECT_THAT(receive_until(client, "pong"), HasSubstr(R"("id":5)"));
}

TEST(ParleyV1, AnswersInOrderAndManyInOneSegment) {
    core::Config config;
    config.limits.enabled = false;
    TestServer server(config);
    WebSocketClient client(server.port(), "/ws");
    receive_until(client, "welcome");
    std::string all;
    for (int i = 0; i < 500; ++i) {
        all += client_frame(Opcode::text, R"({"type":"ping","id":)" + std::to_string(i) + "}");
    }
    client.socket().send(all);
    for (int i = 0; i < 500; ++i) {
        ASSERT_THAT(client.receive_message(), HasSubstr("\"id\":" + std::to_string(i) + "}"));
    }
}

TEST(ParleyV1, RefusesUnreadWhatComesTooFast) {
    core::Config config;
    config.limits.session = {0.001, 2};
    config.limits.errors_in_a_row = 3;
    TestServer server(config);
    WebSocketClient client(server.port(), "/ws");
    receive_until(client, "welcome");
    for (int i = 0; i < 2; ++i) {
        client.send_text(R"({"type":"ping"})");
        receive_until(client, "pong");
    }
    client.send_text(R"({"type":"ping","id":"late"})");
    const std::string error = receive_until(client, "error");
    EXPECT_THAT(error, HasSubstr(R"("id":"late")"));
    EXPECT_THAT(error, HasSubstr(R"("code":"rate_limited")"));
    for (int i = 0; i < 2; ++i) client.send_text("{}");
    EXPECT_EQ(client.receive_close(), 4129);
}

TEST(ParleyV1, ClosesOnWhatAChatHasNoUseFor) {
    TestServer server;
    WebSocketClient binary(server.port(), "/ws");
    binary.send(Opcode::binary, "x");
    EXPECT_EQ(binary.receive_close(), 1003);
    WebSocketClient large(server.port(), "/ws");
    large.send_text(std::string(64 * 1024 + 1, 'x'));
    EXPECT_EQ(large.receive_close(), 1009);
}

TEST(ParleyV1, EndsTheSessionHoweverTheConnectionEnds) {
    TestServer server;
    {
        WebSocketClient polite(server.port(), "/ws");
        receive_until(polite, "welcome");
        polite.socket().send(test::client_close(1000));
        EXPECT_EQ(polite.receive_close(), 1000);
        EXPECT_TRUE(polite.at_end());
    }
    WebSocketClient vanished(server.port(), "/ws");
    receive_until(vanished, "welcome");
    vanished.socket().close();
    WebSocketClient reset(server.port(), "/ws");
    receive_until(reset, "welcome");
    reset.socket().reset();
    await_total(server, core::Metric::sessions_closed, 3);
    EXPECT_EQ(server.total(core::Metric::sessions_opened), 3U);
}

TEST(ParleyV1, PingsAndClosesOnAPeerThatFallsSilent) {
    core::Config config;
    config.heartbeat.ping_every = milliseconds(10);
    // A server that is held up for longer than this closes without having pinged.
    config.heartbeat.dead_after = milliseconds(1'000);
    TestServer server(config);
    WebSocketClient client(server.port(), "/ws");
    receive_until(client, "welcome");
    EXPECT_EQ(client.receive().event, Event::ping);
    EXPECT_EQ(client.receive_close(), 4110);
}

TEST(ParleyV1, KeepsAPeerThatAnswersPings) {
    core::Config config;
    config.heartbeat.ping_every = milliseconds(2);
    config.heartbeat.dead_after = milliseconds(2'000);
    TestServer server(config);
    WebSocketClient client(server.port(), "/ws");
    receive_until(client, "welcome");
    for (int i = 0; i < 20; ++i) {
        const auto ping = client.receive();
        ASSERT_EQ(ping.event, Event::ping);
        client.send(Opcode::pong, ping.payload);
    }
    client.send_text(R"({"type":"ping"})");
    receive_until(client, "pong");
}

TEST(Gate, DrainsEverySessionWithinTheDeadline) {
    TestServer server;
    std::vector<std::unique_ptr<WebSocketClient>> clients;
    for (int i = 0; i < 10; ++i) {
        clients.push_back(std::make_unique<WebSocketClient>(server.port(), "/ws?room=lobby"));
        receive_until(*clients.back(), "joined");
    }
    LoopbackClient idle(server.port());
    idle.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(test::status_of(idle.read_answer()), 200);
    const auto begin = core::monotonic_now();
    // The last is closed some 400 ms before the deadline: time enough on a busy machine.
    constexpr milliseconds deadline(1'500);
    auto gone = server.drain(deadline);
    // A session that neither reads nor answers is cut off at the deadline.
    for (std::size_t i = 1; i < clients.size(); ++i) {
        EXPECT_THAT(receive_until(*clients[i], "drain"), HasSubstr("retry_after_ms"));
        EXPECT_EQ(clients[i]->receive_close(), 1012);
        clients[i]->socket().send(test::client_close(1012));
        EXPECT_TRUE(clients[i]->at_end());
    }
    EXPECT_TRUE(idle.at_end());
    ASSERT_EQ(gone.wait_for(std::chrono::seconds(10)), std::future_status::ready);
    EXPECT_GE(core::monotonic_now() - begin, deadline);
    EXPECT_EQ(server.total(core::Metric::sessions_closed), clients.size());
}

TEST(Gate, TellsThatItDrainsAndAcceptsNoMore) {
    TestServer server;
    WebSocketClient session(server.port(), "/ws");
    receive_until(session, "welcome");
    LoopbackClient idle(server.port());
    idle.send("GET /healthz HTTP/1.1\r\nHost: a\r\n");
    auto gone = server.drain(std::chrono::hours(1));
    idle.send("\r\n");
    const std::string answer = idle.read_to_end();
    EXPECT_EQ(test::status_of(answer), 503);
    EXPECT_THAT(answer, HasSubstr(R"({"status":"draining"})"));
    receive_until(session, "drain");
    session.socket().send(test::client_close(1001));
    session.receive_close();
    EXPECT_EQ(gone.wait_for(std::chrono::seconds(10)), std::future_status::ready);
}

TEST(Gate, IsGoneAtOnceWhereNobodyIsConnected) {
    TestServer server;
    auto gone = server.drain(std::chrono::hours(1));
    EXPECT_EQ(gone.wait_for(std::chrono::seconds(10)), std::future_status::ready);
}

TEST(WebSocketConnection, StaysSmall) {
    // The budget of an idle connection is 1 KiB of user-space memory in all.
    EXPECT_LE(sizeof(WebSocketConnection<TcpStream>), 200U);
    // The name of the URL's room included.
    EXPECT_LE(sizeof(ParleyV1), 104U);
}

}  // namespace
}  // namespace parley::transports
