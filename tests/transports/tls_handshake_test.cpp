#include "transports/tls_handshake.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "transports/test_server.hpp"
#include "transports/tls_pair.hpp"
#include "transports/websocket_client.hpp"

namespace parley::transports {
namespace {

using core::Metric;
using parley::test::make_certificate;
using parley::test::TestFolder;
using std::chrono::milliseconds;
using test::LoopbackClient;
using test::TestServer;
using test::TlsClient;
using test::TlsWish;
using testing::HasSubstr;
using testing::StartsWith;
using TlsWebSocket = test::BasicWebSocketClient<TlsClient>;
using Event = protocol::WebSocketDecoder::Event;

struct TlsServer : TestServer {
    explicit TlsServer(
        const core::Config& core = {}, const TransportConfig& transports = {},
        const std::shared_ptr<const TlsContexts>& tls = test::shared_plain_contexts())
        : TestServer(core, transports, frontends, tls) {}
};

std::shared_ptr<const TlsContexts> contexts_of(const std::string& name,
                                               milliseconds timeout = milliseconds(10'000)) {
    const TestFolder folder;
    TlsConfig config;
    config.handshake_timeout = timeout;
    folder.add(config, name, make_certificate({name, {"localhost"}}));
    return std::make_shared<const TlsContexts>(config, std::make_shared<TicketKeys>(), 0);
}

// Counters move on the shard's thread, a moment behind what a client sees.
template <typename Server>
void await_total(const Server& server, Metric metric, std::uint64_t wanted) {
    const auto end = std::chrono::steady_clock::now() + LoopbackClient::patience;
    while (server.total(metric) < wanted && std::chrono::steady_clock::now() < end) {
        std::this_thread::yield();
    }
    EXPECT_EQ(server.total(metric), wanted) << name_of(metric);
}

template <typename Client>
std::string receive_until(Client& client, std::string_view text) {
    for (;;) {
        const auto received = client.receive();
        if (received.ended || received.event == Event::close) {
            ADD_FAILURE() << "closed with " << received.close_code << " before " << text;
            return {};
        }
        if (received.payload.find(text) != std::string::npos) return received.payload;
    }
}

const std::string ask = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";

TEST(TlsHandshake, LeadsToTheSameHttp) {
    TlsServer server;
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        TlsWish wish;
        wish.version_min = wish.version_max = version;
        TlsClient client(server.tls_port(), wish);
        ASSERT_TRUE(client.connected());
        for (int i = 0; i < 3; ++i) {  // kept alive
            ASSERT_TRUE(client.send(ask));
            EXPECT_THAT(client.read_through("\r\n\r\n"), StartsWith("HTTP/1.1 200 OK"));
            EXPECT_EQ(client.read_exactly(15), R"({"status":"ok"})");
        }
        client.send("GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        client.read_through(R"({"status":"ok"})");
        EXPECT_TRUE(client.at_end());
        EXPECT_TRUE(client.ended_well()) << "the end was not announced";
    }
    await_total(server, Metric::tls_handshakes, 2);
    EXPECT_EQ(server.total(Metric::tls_resumptions), 0U);
    EXPECT_EQ(server.total(Metric::tls_handshake_failures), 0U);
}

TEST(TlsHandshake, LeadsToTheSameRoomAsThePlainDoor) {
    TlsServer server;
    TlsWebSocket ann(TlsClient(server.tls_port()), "/ws?name=ann&room=lobby", "");
    receive_until(ann, "joined");
    test::WebSocketClient bob(server.port(), "/ws?name=bob&room=lobby");
    receive_until(bob, "joined");
    bob.send_text("from the plain door");
    EXPECT_THAT(receive_until(ann, "from the plain door"), HasSubstr("bob"));
    ann.send_text("from the other");
    EXPECT_THAT(receive_until(bob, "from the other"), HasSubstr("ann"));
    ann.socket().send(test::client_close(1000));
    EXPECT_EQ(ann.receive_close(), 1000);
    EXPECT_TRUE(ann.at_end());
    EXPECT_TRUE(ann.socket().ended_well());
}

TEST(TlsHandshake, CarriesMoreThanTheKernelTakesToAPeerThatReadsSlowly) {
    core::Config config;
    config.limits.enabled = false;
    config.window.bytes = std::size_t{64} * 1024 * 1024;
    TransportConfig transports;
    transports.deflate = false;
    TlsServer server(config, transports);
    TlsWebSocket slow(TlsClient(server.tls_port(), {}, 4096), "/ws?name=slow&room=lobby", "");
    receive_until(slow, "joined");
    test::WebSocketClient fast(server.port(), "/ws?name=fast&room=lobby");
    receive_until(fast, "joined");
    constexpr int messages = 700;
    const std::string text(12'000, 'x');
    for (int i = 0; i < messages; ++i) {
        fast.send_text("message " + std::to_string(i) + " " + text);
        receive_until(fast, "message " + std::to_string(i) + " ");
    }
    for (int i = 0; i < messages; ++i) {
        EXPECT_THAT(receive_until(slow, "message ").substr(0, 400),
                    HasSubstr("message " + std::to_string(i) + " "));
    }
    EXPECT_GT(server.total(Metric::writes_blocked), 0U) << "it was never blocked: a weak test";
}

TEST(TlsHandshake, TellsWhoSpeaksPlainHttpThatThisPortSpeaksTls) {
    TlsServer server;
    LoopbackClient client(server.tls_port());
    client.send(ask);
    const std::string answer = client.read_answer();
    EXPECT_EQ(test::status_of(answer), 400);
    EXPECT_THAT(answer, HasSubstr("This port speaks TLS"));
    EXPECT_TRUE(client.at_end());
    await_total(server, Metric::tls_handshake_failures, 1);
}

TEST(TlsHandshake, EndsOnGarbageWithAnAlert) {
    TlsServer server;
    LoopbackClient client(server.tls_port());
    client.send(std::string("\x16\x03\x01\x00\x05garbage and more", 21));
    const std::string answer = client.read_some();
    EXPECT_EQ(answer.substr(0, 1), "\x15") << "an alert is a record of type 21";
    EXPECT_TRUE(client.at_end());
    await_total(server, Metric::tls_handshake_failures, 1);
}

TEST(TlsHandshake, IsGivenUpAfterItsTime) {
    // As long as a handshake may take on a busy machine.
    TlsServer server({}, {}, contexts_of("quick", milliseconds(1'000)));
    TlsClient client(server.tls_port());
    ASSERT_TRUE(client.connected());
    LoopbackClient silent(server.tls_port());
    LoopbackClient dripping(server.tls_port());
    dripping.send("\x16\x03\x01\x02");
    EXPECT_TRUE(silent.at_end());
    EXPECT_TRUE(dripping.at_end());
    await_total(server, Metric::tls_handshake_timeouts, 2);
    EXPECT_EQ(server.total(Metric::tls_handshake_failures), 0U);
    // Who was done in time, and before them, is not bound by it any more.
    client.send(ask);
    EXPECT_THAT(client.read_through("\r\n\r\n"), StartsWith("HTTP/1.1 200 OK"));
}

TEST(TlsHandshake, CountsResumptions) {
    core::Config config;
    config.shards = 2;  // a ticket of one is good for the other
    TlsServer server(config);
    test::SessionHandle session;
    for (int i = 0; i < 8; ++i) {
        TlsWish wish;
        wish.session = session.get();
        TlsClient client(server.tls_port(), wish);
        ASSERT_TRUE(client.connected());
        EXPECT_EQ(client.side().resumed(), i > 0);
        client.send(ask);
        client.read_through(R"({"status":"ok"})");
        session = client.side().session();
    }
    await_total(server, Metric::tls_handshakes, 8);
    EXPECT_EQ(server.total(Metric::tls_resumptions), 7U);
}

TEST(TlsHandshake, GoesByNewContextsWhileOldConnectionsGoOn) {
    TlsServer server({}, {}, contexts_of("before"));
    std::deque<TlsWebSocket> old;
    for (int i = 0; i < 20; ++i) {
        old.emplace_back(TlsClient(server.tls_port()), "/ws?room=lobby", "");
        EXPECT_EQ(old.back().socket().side().common_name(), "before");
        receive_until(old.back(), "joined");
    }
    server.set_tls(contexts_of("after"));
    TlsClient fresh(server.tls_port());
    EXPECT_EQ(fresh.side().common_name(), "after");
    old.front().send_text("still here");
    for (TlsWebSocket& session : old) receive_until(session, "still here");
}

TEST(TlsHandshake, DoesNotHoldUpADrain) {
    TlsServer server;
    LoopbackClient silent(server.tls_port());
    TlsClient done(server.tls_port());  // behind it: the first is accepted
    ASSERT_TRUE(done.connected());
    auto gone = server.drain(std::chrono::seconds(1));
    EXPECT_TRUE(silent.at_end());
    EXPECT_TRUE(done.at_end());
    EXPECT_EQ(gone.wait_for(LoopbackClient::patience), std::future_status::ready);
}

TEST(TlsHandshake, AnswersWhoIsOneTooManyOverTls) {
    core::Config config;
    config.limits.connections = 1;
    TlsServer server(config);
    TlsClient first(server.tls_port());
    ASSERT_TRUE(first.connected());
    first.send(ask);
    EXPECT_NE(first.read_through("\r\n\r\n"), "");
    TlsClient second(server.tls_port());
    ASSERT_TRUE(second.connected());
    second.send(ask);
    EXPECT_THAT(second.read_through("\r\n\r\n"), StartsWith("HTTP/1.1 503"));
}

}  // namespace
}  // namespace parley::transports
