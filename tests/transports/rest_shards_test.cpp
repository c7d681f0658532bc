// REST over several shards, and beside WebSocket: the same rooms, order and cursors.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <deque>
#include <string>

#include "protocol/json_codec.hpp"
#include "transports/rest_client.hpp"
#include "transports/test_server.hpp"
#include "transports/websocket_client.hpp"

namespace parley::transports {
namespace {

using test::RestAnswer;
using test::RestClient;
using test::TestServer;
using test::WebSocketClient;
using testing::HasSubstr;

constexpr int rooms = 8;

std::string room(int i) {
    return "/api/v1/rooms/room-" + std::to_string(i);
}

// The next frame with that in it.
std::string receive_until(WebSocketClient& client, std::string_view text) {
    for (;;) {
        std::string message = client.receive_message();
        if (message.empty() || message.find(text) != std::string::npos) return message;
    }
}

TEST(RestShards, AnswerEachCallWhereverTheRoomHasItsHome) {
    TestServer server(test::unlimited(3));
    // Connections land on shards by chance; eight rooms from six of them meet every pair.
    std::deque<RestClient> clients;
    for (int i = 0; i < 6; ++i) clients.emplace_back(server.port());
    for (int i = 0; i < rooms; ++i) {
        const RestAnswer keyed = clients[0].post(room(i) + "/messages", "text=k&name=n&key=k", "");
        ASSERT_EQ(keyed.status, 201) << keyed.body;
        std::int64_t offset = 1;
        for (RestClient& client : clients) {
            const RestAnswer sent = client.post(room(i) + "/messages", "text=a");
            ASSERT_EQ(sent.status, 201) << sent.body;
            EXPECT_EQ(sent.number("offset"), ++offset);
            EXPECT_EQ(client.post(room(i) + "/messages", "text=k&name=n&key=k").body, keyed.body);
            const RestAnswer page = client.get(room(i) + "/messages?since=" + keyed.text("cursor"));
            EXPECT_EQ(page.text("cursor"), sent.text("cursor"));
            EXPECT_EQ(page.json().at("messages").as_array().size(), offset - 1u);
            const RestAnswer visit = client.ask("PUT", room(i) + "/members/me?name=ann");
            EXPECT_EQ(visit.number("count"), 1) << visit.body;
            EXPECT_EQ(client.get(room(i) + "/members").json().at("members").at(0),
                      visit.json().at("user"));
            EXPECT_EQ(client.post(room(i) + "/typing", "name=ann").status, 204);
            EXPECT_EQ(client.post(room(i) + "/read", "offset=1").status, 204);
            EXPECT_EQ(client.ask("DELETE", room(i) + "/members/me?name=ann").status, 204);
            EXPECT_EQ(client.get(room(i) + "/members").number("count"), 0);
        }
    }
    EXPECT_EQ(server.total(core::Metric::duplicates_answered), 6u * rooms);
    EXPECT_EQ(server.total(core::Metric::answers_overdue), 0u);
}

TEST(RestShards, CountWhatIsRefusedElsewhereToo) {
    TestServer server(test::unlimited(3));
    RestClient client(server.port());
    for (int i = 0; i < rooms; ++i) {
        const RestAnswer answer = client.get(room(i) + "/members");
        EXPECT_EQ(answer.status, 404);
        EXPECT_EQ(answer.header("Cache-Control"), "no-store");
    }
    EXPECT_EQ(server.total(core::Metric::errors), static_cast<std::uint64_t>(rooms));
}

TEST(RestShards, SpeakWithSessionsInOneOrderAndByOneCursor) {
    TestServer server(test::unlimited(2));
    WebSocketClient session(server.port(), "/ws?name=ann&room=lobby");
    EXPECT_THAT(receive_until(session, "joined"), HasSubstr(R"("count":1)"));
    RestClient client(server.port());
    const std::string path = "/api/v1/rooms/lobby";
    for (int i = 1; i <= 20; ++i) {
        const RestAnswer sent =
            client.post(path + "/messages", "name=bob&text=" + std::to_string(i));
        ASSERT_EQ(sent.status, 201);
        const std::string pushed = receive_until(session, R"("type":"message")");
        EXPECT_THAT(pushed, HasSubstr("\"cursor\":\"" + sent.text("cursor") + "\""));
        EXPECT_THAT(client.get(path + "/messages?limit=1").body, HasSubstr(pushed))
            << "the very bytes that the session was sent";
    }
    session.send_text("from the session");
    const auto echoed = protocol::decode_server_frame(receive_until(session, "from the session"));
    const auto& said = std::get<protocol::Message>(echoed->message);
    EXPECT_EQ(said.cursor.offset, 21u);
    EXPECT_EQ(client.get(path + "/messages").text("cursor"), said.cursor.to_string());
}

TEST(RestShards, TellSessionsWhoVisitsTypesAndReads) {
    TestServer server(test::unlimited(2));
    WebSocketClient session(server.port(), "/ws?name=ann");
    session.send_text(R"({"type":"join","room":"lobby","presence":true})");
    static_cast<void>(receive_until(session, "joined"));
    RestClient client(server.port());
    const std::string path = "/api/v1/rooms/lobby";
    const RestAnswer visit = client.ask("PUT", path + "/members/me?name=bob");
    EXPECT_EQ(visit.number("count"), 2);
    EXPECT_EQ(visit.number("ttl_ms"), 30'000);
    const std::string bob = boost::json::serialize(visit.json().at("user"));
    EXPECT_EQ(
        receive_until(session, "presence"),
        R"({"type":"presence","room":"lobby","action":"join","user":)" + bob + R"(,"count":2})");
    EXPECT_EQ(client.post(path + "/typing", "active=false&name=bob").status, 204);
    EXPECT_EQ(receive_until(session, "typing"),
              R"({"type":"typing","room":"lobby","user":)" + bob + R"(,"active":false})");
    EXPECT_EQ(client.post(path + "/messages", "name=bob&text=hello").status, 201);
    EXPECT_EQ(client.post(path + "/read", R"({"offset":7,"name":"bob"})").status, 204);
    EXPECT_EQ(receive_until(session, "\"read\""),
              R"({"type":"read","room":"lobby","user":)" + bob + R"(,"offset":1})")
        << "nobody has read further than what was said";
    EXPECT_EQ(client.ask("DELETE", path + "/members/me?name=bob").status, 204);
    EXPECT_EQ(
        receive_until(session, "presence"),
        R"({"type":"presence","room":"lobby","action":"leave","user":)" + bob + R"(,"count":1})");
    // The same name from the same address is the same user, whatever they came by.
    EXPECT_EQ(client.ask("PUT", path + "/members/me?name=ann").number("count"), 1);
}

TEST(RestShards, MayEndWithQuestionsUnderWay) {
    for (int round = 0; round < 20; ++round) {
        TestServer server(test::unlimited(3));
        std::deque<test::LoopbackClient> clients;
        for (int i = 0; i < 8; ++i) {
            clients.emplace_back(server.port())
                .send(
                    "GET /api/v1/rooms HTTP/1.1\r\nHost: a\r\n\r\n"
                    "PUT " +
                    room(i) + "/members/me HTTP/1.1\r\nHost: a\r\n\r\n");
            if (i % 2 == 0) clients.back().reset();
        }
    }
}

}  // namespace
}  // namespace parley::transports
