// Streams and long-polls that end while their room's home, on another shard, has still to answer.
#include <gtest/gtest.h>

#include <array>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "transports/pull_clients.hpp"

namespace parley::transports {
namespace {

using namespace std::chrono_literals;
using core::Metric;
using test::LoopbackClient;
using test::TestServer;

constexpr std::size_t home = 1;
// Connections land on either shard; of so many some land on the one that goes on.
constexpr std::size_t clients_max = 64;
constexpr std::uint64_t enough = 8;

// Keeps a shard from running while it lasts.
class Held {
public:
    explicit Held(core::Shard& shard) {
        std::promise<void> begun;
        shard.post([&begun, over = over_.get_future().share()](core::Shard&) {
            begun.set_value();
            over.wait();
        });
        begun.get_future().wait();
    }
    ~Held() { over_.set_value(); }
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;

private:
    std::promise<void> over_;
};

std::string room_at_home(TestServer& server) {
    for (int i = 0;; ++i) {
        std::string room = "room-" + std::to_string(i);
        if (&server.hub().home_of(room) == &server.hub().shard(home)) return room;
    }
}

const std::array<std::string_view, 2> asked{"/events", "/messages?wait=30s"};

// Everybody asks, and `end` ends them, once enough of them wait for the home's answer.
template <typename End>
void end_while_joining(TestServer& server, std::string_view what, Metric ended, End end) {
    const std::string room = room_at_home(server);
    {
        const Held held(server.hub().shard(home));
        const auto opened = server.total(Metric::sessions_opened);
        const auto before = server.total(ended);
        std::vector<LoopbackClient> clients;
        for (std::size_t i = 0; i < clients_max; ++i) {
            clients.emplace_back(server.port());
            clients.back().send("GET /api/v1/rooms/" + room + std::string(what) +
                                " HTTP/1.1\r\nHost: a\r\n\r\n");
        }
        test::await_total(server, Metric::sessions_opened, opened + enough);
        end(clients);
        test::await_total(server, ended, before + enough);
    }
    // The home answers them all now; and who comes next finds the room in order.
    test::Speaker ann(server.port(), room);
    ann.say("1");
    test::EventStreamClient bob(server.port(), room, "since=" + ann.cursor(0));
    EXPECT_EQ(bob.messages(1), test::numbers(1, 1));
}

// Whoever comes next has the usual time for an answer. Only the other shard waits for the home's.
void be_patient(TestServer& server) {
    constexpr std::size_t other = 1 - home;
    std::promise<void> done;
    server.hub().shard(other).post([&](core::Shard& shard) {
        server.gate(other).reconfigure(shard.config().limits, TransportConfig{});
        done.set_value();
    });
    done.get_future().wait();
}

TEST(PullShards, APeerMayGoWhileItsJoinIsUnderWay) {
    for (const std::string_view what : asked) {
        for (const test::Going go : test::goings) {
            TestServer server(test::unlimited(2));
            end_while_joining(server, what, Metric::sessions_closed, [go](auto& clients) {
                for (LoopbackClient& client : clients) go(client);
            });
        }
    }
}

TEST(PullShards, AJoinThatIsNotAnsweredInTimeIsOverBeforeTheAnswerComes) {
    TransportConfig config;
    config.answer_timeout = 200ms;
    for (const std::string_view what : asked) {
        TestServer server(test::unlimited(2), config);
        end_while_joining(server, what, Metric::answers_overdue, [&server](auto&) {
            test::await_total(server, Metric::answers_overdue, enough);
            be_patient(server);
        });
    }
}

TEST(PullShards, AServerMayDrainWhileAJoinIsUnderWay) {
    for (const std::string_view what : asked) {
        TestServer server(test::unlimited(2));
        const std::string room = room_at_home(server);
        std::vector<LoopbackClient> clients;
        {
            const Held held(server.hub().shard(home));
            for (std::size_t i = 0; i < clients_max; ++i) {
                clients.emplace_back(server.port());
                clients.back().send("GET /api/v1/rooms/" + room + std::string(what) +
                                    " HTTP/1.1\r\nHost: a\r\n\r\n");
            }
            test::await_total(server, Metric::sessions_opened, enough);
            auto gone = server.drain(1ms);
            EXPECT_EQ(gone.wait_for(20s), std::future_status::ready);
            EXPECT_GE(server.total(Metric::sessions_closed), enough);
        }
        // The other shard has answered once it has done what was asked of it later.
        std::promise<void> done;
        server.hub().shard(home).post([&done](core::Shard&) { done.set_value(); });
        done.get_future().wait();
    }
}

}  // namespace
}  // namespace parley::transports
