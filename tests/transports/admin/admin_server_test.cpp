#include "transports/admin/admin_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <boost/json/parse.hpp>
#include <chrono>
#include <future>
#include <map>
#include <thread>

#include "core/metrics.hpp"
#include "transports/test_server.hpp"
#include "transports/websocket_client.hpp"

namespace parley::transports::admin {
namespace {

using std::chrono::milliseconds;
using test::LoopbackClient;
using test::TestServer;
using test::WebSocketClient;
using testing::HasSubstr;

core::Config two_shards() {
    core::Config config;
    config.shards = 2;
    return config;
}

// A server of two shards with an admin listener beside it.
class Watched {
public:
    explicit Watched(core::Config config = two_shards())
        : server_(std::move(config)),
          watch_(server_.hub()),
          admin_({}, {&server_.hub(),
                      &watch_,
                      milliseconds(20),
                      [this] { return state_.load(); },
                      {{"parley_answer", "What was asked for.", MetricSource::Kind::gauge, [] {
                            return std::vector<Sample>{{{{"of", "everything"}}, 42.5}};
                        }}}}) {
        port_ = admin_.listen({boost::asio::ip::address_v4::loopback(), 0}).port();
        admin_.start();
    }

    TestServer& server() { return server_; }
    ShardWatch& watch() { return watch_; }
    void set(Readiness state) { state_ = state; }

    std::string ask(const std::string& path, const std::string& method = "GET") {
        LoopbackClient client(port_);
        client.send(method + " " + path + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        return client.read_to_end();
    }
    // What it says once no shard but those owes its answer: on a busy machine others may, too.
    boost::json::value debug(const std::string& path, const boost::json::array& silent = {}) {
        const auto end = std::chrono::steady_clock::now() + LoopbackClient::patience;
        for (;;) {
            const std::string answer = ask(path);
            EXPECT_EQ(test::status_of(answer), 200) << answer;
            auto said = boost::json::parse(answer.substr(answer.find("\r\n\r\n") + 4));
            if (said.at("silent_shards") == silent) return said;
            if (std::chrono::steady_clock::now() >= end) {
                ADD_FAILURE() << answer;
                return said;
            }
        }
    }
    // The scrape, each sample by its name with labels.
    std::map<std::string, double> scrape() {
        const std::string answer = ask("/metrics");
        EXPECT_EQ(test::status_of(answer), 200);
        EXPECT_THAT(answer,
                    HasSubstr("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
        std::map<std::string, double> samples;
        std::istringstream lines(answer.substr(answer.find("\r\n\r\n") + 4));
        for (std::string line; std::getline(lines, line);) {
            if (line.starts_with("# HELP ") || line.starts_with("# TYPE ")) continue;
            const auto blank = line.rfind(' ');
            const bool fresh =
                samples.emplace(line.substr(0, blank), std::stod(line.substr(blank + 1))).second;
            EXPECT_TRUE(fresh) << line;
        }
        return samples;
    }

private:
    TestServer server_;
    ShardWatch watch_;
    std::atomic<Readiness> state_{Readiness::ready};
    AdminServer admin_;
    std::uint16_t port_ = 0;
};

std::string receive_until(WebSocketClient& client, std::string_view text) {
    for (;;) {
        const auto received = client.receive();
        if (received.ended) {
            ADD_FAILURE() << "ended before " << text;
            return {};
        }
        if (received.payload.find(text) != std::string::npos) return received.payload;
    }
}

// Holds a shard's thread until it goes.
class Stall {
public:
    Stall(core::Hub& hub, std::size_t shard) {
        hub.shard(shard).post(
            [hold = release_.get_future().share(), &began = began_](core::Shard&) {
                began.set_value();
                hold.wait();
            });
        began_.get_future().wait();
    }
    ~Stall() { release_.set_value(); }

private:
    std::promise<void> release_;
    std::promise<void> began_;
};

TEST(AdminServer, TellsReadyFromDrainingAndOverloaded) {
    struct Row {
        Readiness state;
        int status;
        const char* body;
    };
    Watched f;
    for (const Row& row : {Row{Readiness::ready, 200, R"({"status":"ok"})"},
                           Row{Readiness::draining, 503, R"({"status":"draining"})"},
                           Row{Readiness::overloaded, 503, R"({"status":"overloaded"})"},
                           Row{Readiness::ready, 200, R"({"status":"ok"})"}}) {
        f.set(row.state);
        for (const auto* path : {"/healthz/ready", "/healthz"}) {
            const std::string answer = f.ask(path);
            EXPECT_EQ(test::status_of(answer), row.status) << path;
            EXPECT_THAT(answer, HasSubstr(row.body));
        }
        EXPECT_EQ(test::status_of(f.ask("/healthz/live")), 200) << "draining is no reason to kill";
    }
}

TEST(AdminServer, IsNotAliveWhileAShardStalls) {
    Watched f;
    EXPECT_EQ(test::status_of(f.ask("/healthz/live")), 200);
    {
        const Stall stall(f.server().hub(), 1);
        f.watch().ask(core::monotonic_now());
        // The other one may be busy, too: it answers in its own time.
        std::promise<void> answered;
        f.server().hub().shard(0).post([&](core::Shard&) { answered.set_value(); });
        answered.get_future().wait();
        std::string answer;
        do {
            answer = f.ask("/healthz/live");
        } while (test::status_of(answer) == 200);
        EXPECT_EQ(test::status_of(answer), 503);
        EXPECT_THAT(answer, HasSubstr(R"({"status":"stalled","shards":[1]})"));
        EXPECT_FALSE(f.watch().all_answered());
        EXPECT_GE(f.scrape().at(R"(parley_shard_answer_seconds{shard="1"})"), 0.02);
    }
    while (test::status_of(f.ask("/healthz/live")) != 200) std::this_thread::yield();
    EXPECT_TRUE(f.watch().all_answered());
}

TEST(AdminServer, RefusesWhatIsNeitherGetNorHead) {
    Watched f;
    for (const auto* path : {"/metrics", "/healthz", "/healthz/live", "/healthz/ready",
                             "/debug/sessions", "/debug/rooms"}) {
        EXPECT_EQ(test::status_of(f.ask(path, "POST")), 405) << path;
        const std::string head = f.ask(path, "HEAD");
        EXPECT_EQ(test::status_of(head), 200) << path;
        EXPECT_TRUE(head.ends_with("\r\n\r\n")) << "no body";
    }
    EXPECT_EQ(test::status_of(f.ask("/ws")), 404);
    EXPECT_EQ(test::status_of(f.ask("/")), 404);
}

TEST(AdminServer, IsOnNoPublicPort) {
    Watched f;
    for (const auto* path :
         {"/metrics", "/healthz/live", "/healthz/ready", "/debug/sessions", "/debug/rooms"}) {
        LoopbackClient client(f.server().port());
        client.send("GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n\r\n");
        EXPECT_EQ(test::status_of(client.read_answer()), 404) << path;
    }
}

TEST(AdminServer, ExportsEveryCounterAndLevelUnderItsName) {
    Watched f;
    const auto samples = f.scrape();
    for (const auto& row : core::metric_rows()) {
        EXPECT_TRUE(samples.contains("parley_" + std::string(row.name) + "_total")) << row.name;
    }
    for (const auto& row : core::level_rows()) {
        EXPECT_TRUE(samples.contains("parley_" + std::string(row.name))) << row.name;
    }
    EXPECT_EQ(samples.at(R"(parley_answer{of="everything"})"), 42.5);
}

TEST(AdminServer, CountsWhatHappened) {
    Watched f;
    {
        WebSocketClient ann(f.server().port(), "/ws?name=ann&room=r");
        receive_until(ann, "joined");
        WebSocketClient bob(f.server().port(), "/ws?name=bob&room=r");
        receive_until(bob, "joined");
        for (const auto* text : {"one", "two", "three"}) ann.send_text(text);
        receive_until(ann, "three");
        receive_until(bob, "three");
        ann.send_text(R"({"type":"dance"})");
        receive_until(ann, "bad_request");

        const auto during = f.scrape();
        EXPECT_EQ(during.at(R"(parley_sessions{transport="websocket"})"), 2);
        EXPECT_EQ(during.at("parley_members"), 2);
        EXPECT_EQ(during.at("parley_rooms"), 1);
        ann.socket().send(test::client_close(1000));
        EXPECT_EQ(ann.receive_close(), 1000);
        bob.socket().reset();
    }
    await_total(f.server(), core::Metric::sessions_closed, 2);
    const auto samples = f.scrape();
    EXPECT_EQ(samples.at("parley_messages_published_total"), 3);
    EXPECT_EQ(samples.at("parley_commands_total"), 4);
    EXPECT_EQ(samples.at("parley_connections_accepted_total"), 2);
    EXPECT_EQ(samples.at(R"(parley_refusals_total{cause="bad_request"})"), 1);
    EXPECT_EQ(samples.at(R"(parley_refusals_total{cause="rate_limited"})"), 0);
    EXPECT_EQ(samples.at(R"(parley_closes_total{code="1000",reason="normal"})"), 1);
    EXPECT_EQ(samples.at(R"(parley_closes_total{code="1006",reason="vanished"})"), 1);
    EXPECT_EQ(samples.at(R"(parley_transport_sessions_opened_total{transport="websocket"})"), 2);
    EXPECT_EQ(samples.at(R"(parley_transport_sessions_closed_total{transport="websocket"})"), 2);
    EXPECT_EQ(samples.at(R"(parley_sessions{transport="websocket"})"), 0);
    EXPECT_EQ(samples.at("parley_members"), 0);
    EXPECT_EQ(samples.at("parley_handshake_seconds_count"), 2);
    EXPECT_GT(samples.at("parley_bytes_written_total"), 0);
}

TEST(AdminServer, ExportsHistogramsWhoseBucketsAddUp) {
    Watched f;
    WebSocketClient ann(f.server().port(), "/ws?name=ann&room=r");
    receive_until(ann, "joined");
    for (int i = 0; i < 10; ++i) {
        ann.send_text("news " + std::to_string(i));
        receive_until(ann, "news " + std::to_string(i));
    }
    // The last pass is noted behind its writes.
    std::map<std::string, double> samples;
    do {
        samples = f.scrape();
    } while (samples.at("parley_publish_to_written_seconds_count") < 10);
    for (const auto& row : core::measure_rows) {
        const std::string name = "parley_" + std::string(row.name);
        double last = 0;
        std::size_t buckets = 0;
        std::map<double, double> by_bound;
        for (const auto& [key, value] : samples) {
            if (!key.starts_with(name + "_bucket")) continue;
            const auto bound = key.substr(key.find('"') + 1);
            by_bound[bound.starts_with("+Inf") ? 1e300 : std::stod(bound)] = value;
            ++buckets;
        }
        EXPECT_EQ(buckets, row.shape.bounds() + 1) << name;
        for (const auto& [bound, value] : by_bound) {
            EXPECT_GE(value, last) << name << " at " << bound;
            last = value;
        }
        EXPECT_EQ(last, samples.at(name + "_count"));
    }
    EXPECT_GE(samples.at("parley_fan_out_size_sum"), 10);
    EXPECT_LT(samples.at("parley_publish_to_written_seconds_sum"), 100) << "seconds";
}

TEST(AdminServer, ListsTheRoomsAndTheSessionsThatLag) {
    core::Config config = two_shards();
    config.limits.enabled = false;
    Watched f(config);
    WebSocketClient slow(f.server().port(), "/ws?name=slow&room=r", {}, 4096);
    receive_until(slow, "joined");
    WebSocketClient ann(f.server().port(), "/ws?name=ann&room=r");
    receive_until(ann, "joined");
    // Until more is under way than sockets hold; ann reads what she says, slow does not.
    boost::json::value sessions;
    for (int i = 0; i < 2'000; ++i) {
        ann.send_text(std::string(8'000, 'x') + std::to_string(i));
        receive_until(ann, "x" + std::to_string(i) + "\"");
        if (i % 100 != 99) continue;
        sessions = f.debug("/debug/sessions?top=5&by=bytes");
        if (!sessions.at("sessions").as_array().empty()) break;
    }
    ASSERT_FALSE(sessions.at("sessions").as_array().empty());
    const auto& row = sessions.at("sessions").as_array()[0];
    EXPECT_EQ(row.at("user").at("name").as_string(), "slow");
    EXPECT_EQ(row.at("address").as_string(), "127.0.0.1");
    EXPECT_EQ(row.at("transport").as_string(), "websocket");
    EXPECT_EQ(row.at("room").as_string(), "r");
    EXPECT_GT(row.at("lag").as_int64(), 0);
    EXPECT_GT(row.at("bytes").as_int64(), 8'000);
    EXPECT_TRUE(sessions.at("all").as_bool());

    const auto rooms = f.debug("/debug/rooms?by=bytes");
    EXPECT_EQ(rooms.at("by").as_string(), "bytes");
    ASSERT_FALSE(rooms.at("rooms").as_array().empty());
    EXPECT_EQ(rooms.at("rooms").as_array()[0].at("room").as_string(), "r");
}

TEST(AdminServer, ReportsWithoutTheShardsThatOweTheirAnswer) {
    Watched f;
    const Stall stall(f.server().hub(), 0);
    const auto rooms = f.debug("/debug/rooms", {0});
    EXPECT_EQ(rooms.at("silent_shards"), boost::json::array{0});
    EXPECT_FALSE(rooms.at("all").as_bool());
}

TEST(AdminServer, RefusesQuestionsThatItDoesNotUnderstand) {
    Watched f;
    for (const auto* query :
         {"top=0", "top=1001", "top=x", "top=", "top=99999", "by=weight", "by=", "limit=3"}) {
        for (const auto* path : {"/debug/sessions?", "/debug/rooms?"}) {
            EXPECT_EQ(test::status_of(f.ask(std::string(path) + query)), 400) << query;
        }
    }
}

// Limits and origins change under open connections, as SIGHUP has it.
TEST(Gate, TakesNewLimitsForSessionsThatAreOpen) {
    TestServer server;
    WebSocketClient ann(server.port(), "/ws?name=ann&room=r");
    receive_until(ann, "joined");
    ann.send_text("one");
    receive_until(ann, "one");
    core::LimitsConfig limits;
    limits.text_bytes = 4;
    limits.message_bytes = 1024;
    TransportConfig transports;
    transports.allowed_origins = {"https://new.example"};
    std::promise<void> done;
    server.hub().shard(0).post([&](core::Shard&) {
        server.gate(0).reconfigure(limits, transports);
        done.set_value();
    });
    done.get_future().wait();
    ann.send_text("1234");
    receive_until(ann, "1234");
    ann.send_text("12345");
    receive_until(ann, "too_large");
    WebSocketClient page(server.port(), "/ws", "Origin: https://new.example\r\n");
    receive_until(page, R"("text_bytes":4)");
    ann.send_text(std::string(2000, 'x'));
    EXPECT_EQ(ann.receive_close(), 1009) << "a frame over the new limits.message_bytes";
}

}  // namespace
}  // namespace parley::transports::admin
