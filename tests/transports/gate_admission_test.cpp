// Who is let in, who is told to come back, and who never notices.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "transports/gate.hpp"
#include "transports/loopback_client.hpp"
#include "transports/test_server.hpp"
#include "transports/websocket_client.hpp"

namespace parley::transports {
namespace {

using core::Metric;
using std::chrono::milliseconds;
using test::LoopbackClient;
using test::status_of;
using test::TestServer;
using test::WebSocketClient;
using testing::HasSubstr;

constexpr std::string_view page = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view health = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";

std::string told(std::uint16_t port, std::string_view request) {
    LoopbackClient client(port);
    client.send(request);
    return client.read_to_end();
}

// The newcomer is told, and who is in goes on talking.
void expect_refusal(TestServer& server, WebSocketClient& inside, Metric cause) {
    const auto before = server.total(cause);
    const std::string answer = told(server.port(), page);
    EXPECT_EQ(status_of(answer), 503) << answer;
    EXPECT_THAT(answer, HasSubstr("Retry-After: "));
    EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
    EXPECT_THAT(answer, HasSubstr(R"("code":"unavailable")"));
    EXPECT_EQ(server.total(cause), before + 1);
    inside.send_text(R"({"type":"send","room":"lobby","text":"still here"})");
    EXPECT_THAT(inside.receive_message(), HasSubstr("still here"));
}

void enter(WebSocketClient& session) {
    EXPECT_THAT(session.receive_message(), HasSubstr("welcome"));
    EXPECT_THAT(session.receive_message(), HasSubstr("joined"));
}

TEST(GateAdmission, RefusesMoreConnectionsThanOneAddressMayHave) {
    core::Config config;
    config.limits.connections_per_address = 2;
    TestServer server(config);
    WebSocketClient inside(server.port(), "/ws?room=lobby");
    enter(inside);
    {
        LoopbackClient second(server.port());
        second.send(health);
        EXPECT_EQ(status_of(second.read_answer()), 200);
        expect_refusal(server, inside, Metric::refused_address);
        EXPECT_THAT(told(server.port(), health), HasSubstr(R"({"status":"ok"})"))
            << "the server is well, whatever one address has";
        second.send("GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        second.read_to_end();
    }
    // The server sees to its end in its own time.
    int status = 503;
    while (status == 503) {
        LoopbackClient again(server.port());
        again.send(page);
        status = status_of(again.read_answer());
    }
    EXPECT_EQ(status, 200);
}

TEST(GateAdmission, RefusesMoreHandshakesThanTheirRate) {
    core::Config config;
    config.limits.handshakes = {0.001, 1};
    TestServer server(config);
    WebSocketClient inside(server.port(), "/ws?room=lobby");
    enter(inside);
    expect_refusal(server, inside, Metric::refused_handshakes);
}

TEST(GateAdmission, RefusesNewcomersAboveTheMarkOfMemoryAndIsNotReady) {
    core::Config config;
    config.limits.memory = 1'000;
    test::pretended_memory = 500;
    TestServer server(config);
    WebSocketClient inside(server.port(), "/ws?room=lobby");
    enter(inside);
    test::pretended_memory = 1'000;
    // A second later it is looked at again.
    EXPECT_TRUE(server.admission().overloaded({config.limits.connections, config.limits.memory},
                                              core::monotonic_now() + std::chrono::seconds(1)));
    expect_refusal(server, inside, Metric::refused_memory);
    const std::string answer = told(server.port(), health);
    EXPECT_EQ(status_of(answer), 503);
    EXPECT_THAT(answer, HasSubstr(R"({"status":"overloaded"})"));
    test::pretended_memory = 0;
}

TEST(GateAdmission, OnlyCountsInADryRun) {
    core::Config config;
    config.limits.dry_run = true;
    config.limits.memory = 1;
    config.limits.handshakes = {0.001, 1};
    config.limits.connections_per_address = 1;
    for (const std::size_t memory : {0U, 2U}) {
        test::pretended_memory = memory;
        TestServer server(config);
        std::vector<LoopbackClient> clients;
        for (int i = 0; i < 3; ++i) {
            clients.emplace_back(server.port());
            clients.back().send(health);
            EXPECT_EQ(status_of(clients.back().read_answer()), 200);
        }
        EXPECT_EQ(server.total(Metric::connections_accepted), 3U);
        EXPECT_EQ(server.total(Metric::connections_refused), 0U);
        EXPECT_EQ(server.total(Metric::refused_address), 2U);
        EXPECT_EQ(server.total(Metric::refused_memory), memory > 0 ? 3U : 0U);
        EXPECT_EQ(server.total(Metric::refused_handshakes), memory > 0 ? 0U : 2U);
    }
    test::pretended_memory = 0;
}

TEST(GateAdmission, HoldsNothingButTheirNumberWhereLimitsAreOff) {
    core::Config config;
    config.limits.enabled = false;
    config.limits.memory = 1;
    config.limits.handshakes = {0.001, 1};
    config.limits.connections_per_address = 1;
    config.limits.connections = 5;
    test::pretended_memory = 2;
    TestServer server(config);
    std::vector<LoopbackClient> clients;
    for (int i = 0; i < 5; ++i) {
        clients.emplace_back(server.port());
        clients.back().send(page);
        EXPECT_EQ(status_of(clients.back().read_answer()), 200);
    }
    EXPECT_EQ(status_of(told(server.port(), page)), 503);
    EXPECT_EQ(server.total(Metric::refused_connections), 1U);
    test::pretended_memory = 0;
}

TEST(GateAdmission, ExemptsTrustedProxiesFromTheLimitOfAnAddress) {
    core::Config config;
    config.limits.connections_per_address = 1;
    TransportConfig transports;
    transports.trusted_proxies = {"127.0.0.0/8"};
    TestServer server(config, transports);
    std::vector<LoopbackClient> clients;
    for (int i = 0; i < 3; ++i) {
        clients.emplace_back(server.port());
        clients.back().send(health);
        EXPECT_EQ(status_of(clients.back().read_answer()), 200);
    }
}

TEST(GateAdmission, AnIdleConnectionHoldsNoDrainUp) {
    TestServer server;
    std::vector<LoopbackClient> clients;
    for (int i = 0; i < 3; ++i) {
        clients.emplace_back(server.port());
        clients.back().send(health);
        EXPECT_EQ(status_of(clients.back().read_answer()), 200);
    }
    clients.emplace_back(server.port());  // has said nothing
    test::await_total(server, Metric::connections_accepted, 4);
    auto gone = server.drain(std::chrono::hours(1));
    for (LoopbackClient& client : clients) EXPECT_TRUE(client.at_end());
    EXPECT_EQ(gone.wait_for(LoopbackClient::patience), std::future_status::ready);
    EXPECT_EQ(server.total(Metric::http_idle_timeouts), 0U);
}

TEST(GateAdmission, WhoIsIdleInADrainAndAsksSoonIsTold) {
    std::string answer;
    // They have a second: one that is not enough for this machine is tried again.
    for (int tries = 0; tries < 10 && answer.empty(); ++tries) {
        TestServer server;
        LoopbackClient client(server.port());
        client.send(health);
        EXPECT_EQ(status_of(client.read_answer()), 200);
        auto gone = server.drain(std::chrono::hours(1));
        client.send(health);
        answer = client.read_to_end();
        EXPECT_EQ(gone.wait_for(LoopbackClient::patience), std::future_status::ready);
    }
    EXPECT_EQ(status_of(answer), 503);
    EXPECT_THAT(answer, HasSubstr(R"({"status":"draining"})"));
    EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
}

TEST(GateAdmission, TellsNewcomersThatTheServerDrains) {
    TestServer server;
    WebSocketClient inside(server.port(), "/ws?room=lobby");
    enter(inside);
    LoopbackClient accepted(server.port());
    accepted.send(health);
    EXPECT_EQ(status_of(accepted.read_answer()), 200);
    auto gone = server.drain(std::chrono::hours(1));
    for (const std::string_view request : {page, health}) {
        const std::string answer = told(server.port(), request);
        EXPECT_EQ(status_of(answer), 503);
        EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
        EXPECT_THAT(answer,
                    HasSubstr(request == health ? R"({"status":"draining"})" : "Retry-After: "));
    }
    EXPECT_THAT(told(server.port(),
                     "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     "Sec-WebSocket-Version: 13\r\n"
                     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"),
                HasSubstr("503 Service Unavailable"));
    EXPECT_EQ(server.total(Metric::refused_draining), 3U);
    // One that has said nothing keeps no drain from ending.
    LoopbackClient silent(server.port());
    await_total(server, Metric::refused_draining, 4);
    accepted.close();
    inside.socket().send(test::client_close(1001));
    EXPECT_EQ(gone.wait_for(std::chrono::seconds(10)), std::future_status::ready);
    EXPECT_THAT(told(server.port(), health), HasSubstr("draining")) << "until the process ends";
}

}  // namespace
}  // namespace parley::transports
