// What holds the REST interface: rates, and a server that has no more to give.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "transports/loopback_client.hpp"
#include "transports/rest_client.hpp"
#include "transports/test_server.hpp"

namespace parley::transports {
namespace {

using test::RestAnswer;
using test::RestClient;
using test::TestServer;
using testing::HasSubstr;

const std::string messages = "/api/v1/rooms/lobby/messages";

// So slow that no token comes back within a test.
core::Config slow(double user_burst, double address_burst) {
    core::Config config;
    config.limits.user = {0.01, user_burst};
    config.limits.address = {0.01, address_burst};
    return config;
}

void expect_too_fast(const RestAnswer& answer) {
    EXPECT_EQ(answer.status, 429) << answer.body;
    EXPECT_EQ(answer.text("code"), "rate_limited");
    const auto retry_ms = answer.number("retry_after_ms");
    EXPECT_GT(retry_ms, 0);
    EXPECT_EQ(answer.header("Retry-After"), std::to_string((retry_ms + 999) / 1000));
    EXPECT_NE(answer.header("RateLimit-Policy"), "");
}

TEST(RestLimits, HoldAUserAndSayWhatIsLeft) {
    TestServer server(slow(3, 100));
    RestClient client(server.port());
    for (int left = 2; left >= 0; --left) {
        const RestAnswer answer = client.post(messages, "text=a&name=ann");
        EXPECT_EQ(answer.status, 201);
        EXPECT_EQ(answer.header("RateLimit-Policy"),
                  R"("user";q=3;w=300, "address";q=100;w=10000)");
        EXPECT_THAT(answer.header("RateLimit"),
                    HasSubstr("\"user\";r=" + std::to_string(left) + ";"));
    }
    expect_too_fast(client.post(messages, "text=a&name=ann"));
    EXPECT_EQ(client.post(messages, "text=a&name=bob").status, 201);
    EXPECT_EQ(server.total(core::Metric::rate_limited), 1u);
    EXPECT_EQ(server.total(core::Metric::commands), 5u);
}

TEST(RestLimits, HoldAnAddressWhateverItCallsItself) {
    TestServer server(slow(100, 4));
    RestClient client(server.port());
    for (int i = 0; i < 4; ++i) {
        EXPECT_EQ(client.post(messages, "text=a&name=n" + std::to_string(i)).status, 201);
    }
    expect_too_fast(client.post(messages, "text=a&name=another"));
    expect_too_fast(client.get("/api/v1/rooms"));
    EXPECT_EQ(client.get("/api/v1/openapi.json").status, 200) << "not limited";
    EXPECT_EQ(client.get("/api/v1/openapi.json").header("RateLimit"), "");
}

// One after another from one address: a long-poll that is over, a stream that begins, a stream that
// there is no place for, and one that is refused.
TEST(RestLimits, AreToldWithLongPollsAndStreamsToo) {
    core::Config config = slow(100, 3);
    config.limits.rooms = 1;
    TestServer server(config);
    const std::string events = "/events HTTP/1.1\r\nHost: a\r\n\r\n";
    const std::pair<std::string, int> expected[] = {
        {"lobby/messages?wait=0 HTTP/1.1\r\nHost: a\r\n\r\n", 200},
        {"lobby" + events, 200},
        {"another" + events, 503},
        {"lobby" + events, 429},
    };
    int left = 3;
    std::vector<test::LoopbackClient> clients;  // the stream's keeps its room
    for (const auto& [request, status] : expected) {
        test::LoopbackClient& client = clients.emplace_back(server.port());
        client.send("GET /api/v1/rooms/" + request);
        const std::string head = client.read_answer();
        EXPECT_EQ(test::status_of(head), status) << head;
        EXPECT_THAT(head,
                    HasSubstr("RateLimit-Policy: \"user\";q=100;w=10000, \"address\";q=3;w=300"
                              "\r\n"));
        left = std::max(0, left - 1);
        EXPECT_THAT(head, HasSubstr("\"address\";r=" + std::to_string(left) + ";"));
    }
    config.limits.enabled = false;
    TestServer unlimited(config);
    for (const auto& [request, status] : std::span(expected).first(2)) {
        test::LoopbackClient client(unlimited.port());
        client.send("GET /api/v1/rooms/" + request);
        const std::string head = client.read_answer();
        EXPECT_EQ(test::status_of(head), status) << head;
        EXPECT_EQ(head.find("RateLimit"), std::string::npos);
    }
}

TEST(RestLimits, CostATokenForWhatIsMalformedToo) {
    TestServer server(slow(2, 100));
    RestClient client(server.port());
    EXPECT_EQ(client.post(messages, "{").status, 400);
    EXPECT_EQ(client.post(messages, "{").status, 400);
    expect_too_fast(client.post(messages, "{"));
}

TEST(RestLimits, RefuseNothingInADryRunAndNothingWhereTheyAreOff) {
    core::Config dry = slow(1, 1);
    dry.limits.dry_run = true;
    core::Config off = slow(1, 1);
    off.limits.enabled = false;
    for (const core::Config& config : {dry, off}) {
        TestServer server(config);
        RestClient client(server.port());
        for (int i = 0; i < 3; ++i) EXPECT_EQ(client.post(messages, "text=a").status, 201);
        EXPECT_EQ(server.total(core::Metric::rate_limited), config.limits.dry_run ? 2u : 0u);
    }
}

TEST(RestLimits, HoldARoomAndSayWhenToComeBack) {
    core::Config config;
    config.limits.room = {0.01, 2};
    TestServer server(config);
    RestClient client(server.port());
    EXPECT_EQ(client.post(messages, "text=a").status, 201);
    EXPECT_EQ(client.post(messages, "text=b").status, 201);
    expect_too_fast(client.post(messages, "text=c"));
    EXPECT_EQ(client.post("/api/v1/rooms/another/messages", "text=c").status, 201);
}

TEST(RestLimits, AnswerUnavailableWhereThereAreAsManyRoomsAsAreKept) {
    core::Config config;
    config.limits.rooms = 1;
    TestServer server(config);
    RestClient client(server.port());
    EXPECT_EQ(client.post(messages, "text=a").status, 201);
    for (const auto& answer : {client.post("/api/v1/rooms/another/messages", "text=a"),
                               client.ask("PUT", "/api/v1/rooms/another/members/me")}) {
        EXPECT_EQ(answer.status, 503);
        EXPECT_EQ(answer.text("code"), "unavailable");
        EXPECT_EQ(answer.header("Retry-After"), "1");
    }
    EXPECT_EQ(client.post(messages, "text=b").status, 201);
}

}  // namespace
}  // namespace parley::transports
