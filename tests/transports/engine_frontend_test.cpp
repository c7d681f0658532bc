// Engine.IO as its clients meet it: over every shard and over TLS, from pages, while the server
// drains, and at its bounds.
#include "transports/socketio/engine_frontend.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <string>
#include <vector>

#include "transports/engine_client.hpp"
#include "transports/test_server.hpp"
#include "transports/tls_client.hpp"
#include "transports/tls_pair.hpp"
#include "transports/websocket_client.hpp"

namespace parley::transports {
namespace {

using core::Metric;
using std::chrono::milliseconds;
using test::answered;
using test::BasicEngineClient;
using test::EngineClient;
using test::LoopbackClient;
using test::socket_path;
using test::status_of;
using test::TestServer;
using test::TlsClient;
using test::WebSocketClient;
using testing::HasSubstr;
using testing::Not;

// Says back what it hears; asked for "shard" it says on which one it lives.
class Echo final : public EngineHandler {
public:
    explicit Echo(Gate& gate) : gate_(&gate) {}
    void on_open(EngineLink& link) override { link_ = &link; }
    void on_message(MessageKind kind, std::string_view payload) override {
        if (payload == "close") return link_->close(core::close_reasons::going_away);
        if (payload == "vanish") return link_->close(core::close_reasons::vanished);
        if (payload == "shard") {
            return link_->send(kind, "shard " + std::to_string(gate_->shard().index()));
        }
        link_->send(kind, payload);
    }
    bool ready() const noexcept override { return true; }
    void on_writable() override {}
    void on_writer_changed() override {}
    void on_drain() override { link_->send(MessageKind::text, "drain"); }
    void on_closed(const core::CloseReason&) noexcept override {}

private:
    Gate* gate_;
    EngineLink* link_ = nullptr;
};

class Echoes final : public EngineApplication {
public:
    explicit Echoes(Gate& gate) : gate_(&gate) {}
    std::unique_ptr<EngineHandler> open(const EngineOpening& opening) override {
        if (opening.query.find("fail") != std::string::npos) throw std::runtime_error("asked to");
        return std::make_unique<Echo>(*gate_);
    }

private:
    Gate* gate_;
};

std::unique_ptr<Frontend> make_echoes(Gate& gate) {
    return std::make_unique<EngineFrontend>(
        gate, "/engine.io/",
        [](const Gate&) {
            EngineConfig config;
            config.max_payload = 300'000;
            return config;
        },
        std::make_unique<Echoes>(gate));
}

constexpr std::array frontends{FrontendEntry{"engine", &make_echoes}};

core::Config shards(std::uint32_t count) {
    core::Config config;
    config.shards = count;
    config.limits.enabled = false;
    return config;
}

// ---- shards ----------------------------------------------------------------------------------

// Every session is spoken to over the connection of every other: whichever shard that is accepted
// by, it is on the session's behind the first request.
template <typename Client>
void meet_every_shard(TestServer& server, std::uint16_t port) {
    constexpr int clients_count = 8;
    std::deque<Client> clients;
    std::vector<std::string> sids;
    std::vector<std::string> homes;
    for (int i = 0; i < clients_count; ++i) {
        sids.push_back(clients.emplace_back(port).open());
        EXPECT_EQ(clients.back().post(sids.back(), "4shard"), answered(200, "ok"));
        homes.push_back(clients.back().poll(sids.back()).body);
    }
    const std::string large(200'000, 'x');
    for (auto& client : clients) {
        for (std::size_t i = 0; i < sids.size(); ++i) {
            EXPECT_EQ(client.post(sids[i],
                                  "4shard\x1e"
                                  "4" +
                                      large),
                      answered(200, "ok"));
            EXPECT_EQ(client.poll(sids[i]), answered(200, homes[i] +
                                                              "\x1e"
                                                              "4" +
                                                              large));
        }
    }
    // Eight connections over four shards: all on one of them once in 16,000 runs.
    EXPECT_GT(server.total(Metric::connections_moved), 0U);
    EXPECT_EQ(server.admission().now(), 2U * clients_count) << "each connection and session once";
}

TEST(EngineShards, AnswerWhereverAConnectionWasAccepted) {
    TestServer server(shards(4), {}, frontends);
    meet_every_shard<EngineClient>(server, server.port());
}

TEST(EngineShards, AnswerWhereverATlsConnectionWasAccepted) {
    TestServer server(shards(4), {}, frontends, test::shared_plain_contexts());
    meet_every_shard<BasicEngineClient<TlsClient>>(server, server.tls_port());
}

// A session on another shard than that connection's, and how it is reached from there: the first of
// many new connections that had to move.
struct Stranger {
    explicit Stranger(TestServer& server) {
        for (int i = 0; i < 64; ++i) {
            const auto before = server.total(Metric::connections_moved);
            EngineClient owner(server.port());
            sid = owner.open();
            EngineClient probe(server.port());
            EXPECT_EQ(probe.post(sid, "3"), answered(200, "ok"));
            if (server.total(Metric::connections_moved) > before) return;
        }
        ADD_FAILURE() << "every connection came to one shard";
    }
    std::string sid;
};

// Chunked, announced by Expect, with another request behind it in the same segment: whatever is said
// of the body says it anew where it arrives.
TEST(EngineShards, MoveARequestHoweverItCame) {
    TestServer server(shards(4), {}, frontends);
    for (int i = 0; i < 16; ++i) {
        EngineClient owner(server.port());
        const std::string sid = owner.open();
        const std::string target = "/engine.io/?" + EngineClient::session(sid);
        EngineClient other(server.port());
        other.socket().send("POST " + target +
                            " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                            "5\r\n4one\x1e\r\n4\r\n4two\r\n0\r\nTrailer: x\r\n\r\n"
                            "GET " +
                            target + " HTTP/1.1\r\nHost: a\r\n\r\n");
        EXPECT_EQ(other.answer(), answered(200, "ok"));
        EXPECT_EQ(other.answer(), answered(200,
                                           "4one\x1e"
                                           "4two"));
        EngineClient expecting(server.port());
        expecting.socket().send("POST " + target +
                                " HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                                "Content-Length: 6\r\n\r\n");
        EXPECT_EQ(status_of(expecting.socket().read_through("\r\n\r\n")), 100);
        expecting.socket().send("4three");
        EXPECT_EQ(expecting.answer(), answered(200, "ok"));
        EXPECT_EQ(expecting.poll(sid), answered(200, "4three"));
    }
    EXPECT_GT(server.total(Metric::connections_moved), 0U);
}

TEST(EngineShards, CountARequestOnceThatMoved) {
    TestServer server(shards(4), {}, frontends);
    const Stranger stranger(server);
    EngineClient client(server.port());
    const auto before = server.total(Metric::http_requests);
    for (int i = 0; i < 10; ++i) EXPECT_EQ(client.post(stranger.sid, "3"), answered(200, "ok"));
    EXPECT_EQ(server.total(Metric::http_requests), before + 10);
}

template <typename Socket>
void upgrade_from_anywhere(TestServer& server, std::uint16_t port) {
    for (int i = 0; i < 16; ++i) {
        BasicEngineClient<Socket> client(port);
        const std::string sid = client.open();
        client.ask_poll(sid);
        test::BasicWebSocketClient<Socket> socket(Socket(port), socket_path(sid), {});
        socket.send_text("2probe");
        EXPECT_EQ(socket.receive_message(), "3probe");
        EXPECT_EQ(client.answer(), answered(200, "6"));
        socket.send_text("5");
        socket.send_text("4hello");
        EXPECT_EQ(socket.receive_message(), "4hello");
        EXPECT_EQ(client.poll(sid), answered(400, EngineClient::refused));
    }
    EXPECT_GT(server.total(Metric::connections_moved), 0U);
    EXPECT_EQ(server.total(Metric::engine_upgrades), 16U);
}

TEST(EngineShards, UpgradeOverAConnectionOfAnyShard) {
    TestServer server(shards(4), {}, frontends);
    upgrade_from_anywhere<LoopbackClient>(server, server.port());
}

TEST(EngineShards, UpgradeOverATlsConnectionOfAnyShard) {
    TestServer server(shards(4), {}, frontends, test::shared_plain_contexts());
    upgrade_from_anywhere<TlsClient>(server, server.tls_port());
}

template <typename Socket>
void give_up_anywhere(TestServer& server, std::uint16_t port) {
    for (int i = 0; i < 8; ++i) {
        const Stranger stranger(server);
        {
            BasicEngineClient<Socket> waiting(port);
            waiting.ask_poll(stranger.sid);
        }
        // Whichever comes first: the request that waits, or this one; the session ends by either.
        EngineClient other(server.port());
        int asked = 0;
        while (other.post(stranger.sid, "3").status == 200) ASSERT_LT(++asked, 10'000);
        EXPECT_EQ(other.poll(stranger.sid), answered(400, EngineClient::refused_sid));
    }
}

TEST(EngineShards, NoticeAtOnceThatAPollWhichMovedIsGivenUp) {
    TestServer server(shards(4), {}, frontends);
    give_up_anywhere<LoopbackClient>(server, server.port());
}

TEST(EngineShards, NoticeAtOnceThatAPollOverTlsIsGivenUp) {
    TestServer server(shards(4), {}, frontends, test::shared_plain_contexts());
    give_up_anywhere<TlsClient>(server, server.tls_port());
}

// A stop while connections are under way between shards leaves none behind: TestServer checks that.
TEST(EngineShards, StopWhileConnectionsMove) {
    for (int i = 0; i < 10; ++i) {
        TestServer server(shards(4), {}, frontends);
        const Stranger stranger(server);
        std::deque<EngineClient> clients;
        for (int j = 0; j < 16; ++j) clients.emplace_back(server.port()).ask_poll(stranger.sid);
        clients[0].answer();
    }
}

TEST(EngineShards, KnowNoSessionOfAShardThatIsNone) {
    TestServer server(shards(2), {}, frontends);
    EngineClient client(server.port());
    for (const std::string shard : {"A", "C", "_", "!", "%41"}) {
        EXPECT_EQ(client.poll(shard + "AAAAAAAAAAAAAAAAAAA"),
                  answered(400, EngineClient::refused_sid));
    }
}

// ---- pages -----------------------------------------------------------------------------------

TransportConfig pages(std::vector<std::string> origins) {
    TransportConfig config;
    config.allowed_origins = std::move(origins);
    return config;
}

TEST(EnginePages, AreAnsweredWhereTheirOriginIsAllowed) {
    TestServer server({}, pages({"https://chat.example"}), frontends);
    EngineClient client(server.port());
    const std::string origin = "Origin: https://chat.example\r\n";
    const auto opened = client.request("GET", "EIO=4&transport=polling", {}, origin);
    EXPECT_EQ(opened.status, 200);
    EXPECT_THAT(opened.head, HasSubstr("Access-Control-Allow-Origin: https://chat.example\r\n"));
    EXPECT_THAT(opened.head, HasSubstr("Access-Control-Allow-Credentials: true\r\n"));
    EXPECT_THAT(opened.head, HasSubstr("Vary: Origin\r\n"));
    const auto preflight = client.request("OPTIONS", "EIO=4&transport=polling", {},
                                          origin +
                                              "Access-Control-Request-Method: POST\r\n"
                                              "Access-Control-Request-Headers: x-my, x-other\r\n");
    EXPECT_EQ(preflight.status, 204);
    EXPECT_THAT(preflight.head, HasSubstr("Access-Control-Allow-Methods: GET, POST, OPTIONS\r\n"));
    EXPECT_THAT(preflight.head, HasSubstr("Access-Control-Allow-Headers: x-my, x-other\r\n"));
    EXPECT_THAT(preflight.head, HasSubstr("Access-Control-Allow-Credentials: true\r\n"));
    // An answer that came later, and one that refuses, are read by the page as well.
    const std::string sid = client.open();
    client.ask("GET", EngineClient::session(sid), {}, origin);
    EngineClient other(server.port());
    EXPECT_EQ(other.post(sid, "4hello"), answered(200, "ok"));
    const auto polled = client.answer();
    EXPECT_EQ(polled, answered(200, "4hello"));
    EXPECT_THAT(polled.head, HasSubstr("Access-Control-Allow-Origin: https://chat.example\r\n"));
    const auto refused = client.request("GET", "EIO=3&transport=polling", {}, origin);
    EXPECT_THAT(refused.head, HasSubstr("Access-Control-Allow-Origin: https://chat.example\r\n"));
}

TEST(EnginePages, OfAnywhereHaveNoCredentials) {
    TestServer server({}, pages({"*"}), frontends);
    EngineClient client(server.port());
    const auto opened =
        client.request("GET", "EIO=4&transport=polling", {}, "Origin: https://any.example\r\n");
    EXPECT_THAT(opened.head, HasSubstr("Access-Control-Allow-Origin: https://any.example\r\n"));
    EXPECT_THAT(opened.head, Not(HasSubstr("Access-Control-Allow-Credentials")));
}

TEST(EnginePages, AreForbiddenElsewhereOverPollingAndWebSocket) {
    TestServer server({}, pages({"https://chat.example"}), frontends);
    const std::string origin = "Origin: https://elsewhere.example\r\n";
    const std::string upgrade =
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    EngineClient client(server.port());
    const std::string forbidden = R"({"code":4,"message":"Forbidden"})";
    EXPECT_EQ(client.request("GET", "EIO=4&transport=polling", {}, origin),
              answered(403, forbidden));
    EXPECT_EQ(client.request("POST", "EIO=4&transport=polling&sid=x", "4x", origin),
              answered(403, forbidden));
    EXPECT_EQ(client.request("GET", "EIO=4&transport=websocket", {}, origin + upgrade),
              answered(403, forbidden));
    const auto preflight = client.request("OPTIONS", "EIO=4&transport=polling", {},
                                          origin + "Access-Control-Request-Method: POST\r\n");
    EXPECT_EQ(preflight.status, 403);
    EXPECT_THAT(preflight.head, Not(HasSubstr("Access-Control-Allow-Origin")));
}

// ---- bounds ----------------------------------------------------------------------------------

TEST(EngineBounds, OfABodyAreThePathsOwn) {
    TransportConfig config;
    config.body_bytes = 100;
    TestServer server(shards(1), config, frontends);
    EngineClient client(server.port());
    const std::string sid = client.open();
    const std::string body = "4" + std::string(299'999, 'x');
    EXPECT_EQ(client.post(sid, body), answered(200, "ok"));
    EXPECT_EQ(client.poll(sid), answered(200, body));
    LoopbackClient elsewhere(server.port());
    elsewhere.send("POST /elsewhere HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\n\r\n");
    EXPECT_EQ(status_of(elsewhere.read_answer()), 413);
    EXPECT_EQ(client.post(sid, body + "x").status, 413);
    EngineClient chunked(server.port());
    chunked.socket().send("POST /engine.io/?" + EngineClient::session(sid) +
                          " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n493E1\r\n");
    EXPECT_EQ(chunked.answer().status, 413);
    EngineClient again(server.port());
    EXPECT_EQ(again.post(sid, "4still there"), answered(200, "ok"));
}

// A session that polls outlives its connections: it has a place of its own among them.
TEST(EngineBounds, OfConnectionsHoldForSessionsThatPollBesideThem) {
    core::Config config;
    config.limits.connections_per_address = 4;
    TestServer server(config, {}, frontends);
    EngineClient client(server.port());
    std::vector<std::string> sids;
    for (int i = 0; i < 4; ++i) sids.push_back(client.open());
    const auto refused = client.request("GET", "EIO=4&transport=polling");
    EXPECT_EQ(refused.status, 503);
    EXPECT_THAT(refused.head, HasSubstr("Retry-After: "));
    EXPECT_EQ(server.total(Metric::refused_address), 1U);
    EXPECT_EQ(server.admission().now(), 5U);
    EXPECT_EQ(client.post(sids[0], "1"), answered(200, "ok"));
    EXPECT_EQ(client.request("GET", "EIO=4&transport=polling").status, 200);
}

TEST(EngineBounds, OfAnAddressCountASessionOnceThatWentOverToWebSocket) {
    TestServer server(shards(1), {}, frontends);
    EngineClient client(server.port());
    const std::string sid = client.open();
    EXPECT_EQ(server.admission().now(), 2U);
    WebSocketClient socket(server.port(), socket_path(sid));
    socket.send_text("5");
    socket.send_text("4x");
    EXPECT_EQ(socket.receive_message(), "4x");
    EXPECT_EQ(server.admission().now(), 2U);
}

TEST(EngineFrontend, OutlivesAnApplicationThatFails) {
    TestServer server(shards(1), {}, frontends);
    EngineClient client(server.port());
    EXPECT_EQ(client.request("GET", "EIO=4&transport=polling&fail=1").status, 500);
    EngineClient again(server.port());
    EXPECT_EQ(again.post(again.open(), "4x"), answered(200, "ok"));
}

// A session that another took over has vanished; 1006 itself is never sent (RFC 6455, 7.4.1).
TEST(EngineFrontend, SaysGoodbyeNormallyToAWebSocketWhoseSessionVanished) {
    TestServer server(shards(1), {}, frontends);
    WebSocketClient socket(server.port(), socket_path());
    socket.receive_message();
    socket.send_text("4vanish");
    EXPECT_EQ(socket.receive_close(), core::close_reasons::normal.code);
}

TEST(EngineFrontend, OwnsItsPathWithAndWithoutTheSlashAndNothingBelow) {
    TestServer server(shards(1), {}, frontends);
    EngineClient bare(server.port(), "/engine.io");
    EXPECT_EQ(bare.request("GET", "EIO=4&transport=polling").status, 200);
    EngineClient below(server.port(), "/engine.io/socket.io.js");
    EXPECT_EQ(below.request("GET", "").status, 404);
    EngineClient near(server.port(), "/engine.iox");
    EXPECT_EQ(near.request("GET", "EIO=4&transport=polling").status, 404);
}

TEST(EngineFrontend, TellsWhichMethodsThereAre) {
    TestServer server(shards(1), {}, frontends);
    EngineClient client(server.port());
    const auto options = client.request("OPTIONS", "");
    EXPECT_EQ(options.status, 204);
    EXPECT_THAT(options.head, HasSubstr("Allow: GET, POST, OPTIONS\r\n"));
}

// ---- the way out -----------------------------------------------------------------------------

TEST(EngineDrain, TellsWhoPollsAndEndsThoseWhoDoNot) {
    TestServer server(shards(1), {}, frontends);
    EngineClient waiting(server.port());
    EngineClient between(server.port());
    const std::string sid = waiting.open();
    const std::string lonely = between.open();
    waiting.ask_poll(sid);
    EXPECT_EQ(between.post(lonely, "3"), answered(200, "ok"));
    WebSocketClient socket(server.port(), socket_path());
    socket.receive_message();
    // The last is told some 400 ms before the deadline: time enough on a busy machine.
    auto gone = server.drain(milliseconds(1'000));
    EXPECT_EQ(waiting.answer(), answered(200, "4drain"));
    EXPECT_EQ(socket.receive_message(), "4drain");
    EXPECT_EQ(socket.receive_close(), core::close_reasons::draining.code);
    EXPECT_EQ(gone.wait_for(LoopbackClient::patience), std::future_status::ready);
}

}  // namespace
}  // namespace parley::transports
