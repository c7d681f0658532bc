// Long-poll as its clients see it (protocol.md, 4.1).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "transports/pull_clients.hpp"

namespace parley::transports {
namespace {

using namespace std::chrono_literals;
using core::Metric;
using test::await_total;
using test::expect_refused;
using test::numbers;
using test::PollClient;
using test::Refused;
using test::Speaker;
using test::TestServer;
using test::texts_of;
using test::unlimited;
using testing::HasSubstr;

TEST(LongPoll, AnswersAtOnceExactlyWhatFollowedTheCursorPageByPage) {
    TestServer server(unlimited());
    Speaker ann(server.port(), "lobby");
    ann.say_at_once(numbers(1, 6));
    PollClient bob(server.port());
    for (std::uint64_t from = 0; from < 6; ++from) {
        for (std::uint64_t limit = 1; limit <= 7; ++limit) {
            SCOPED_TRACE(std::to_string(from) + " " + std::to_string(limit));
            const auto polled = bob.poll(
                "lobby", "wait=30s&since=" + ann.cursor(from) + "&limit=" + std::to_string(limit));
            const std::uint64_t last = std::min<std::uint64_t>(6, from + limit);
            EXPECT_EQ(polled.status, 200);
            EXPECT_TRUE(polled.recovered);
            EXPECT_EQ(texts_of(polled.page.messages), numbers(from + 1, last));
            EXPECT_EQ(polled.page.cursor.to_string(), ann.cursor(last));
            EXPECT_EQ(polled.page.more, last < 6);
        }
    }
}

TEST(LongPoll, WaitsUntilSomethingIsSaid) {
    TestServer server(unlimited());
    Speaker ann(server.port(), "lobby");
    PollClient bob(server.port());
    std::string cursor = ann.cursor(0);
    for (std::uint64_t i = 1; i <= 5; ++i) {
        bob.ask("lobby", "wait=30s&since=" + cursor);
        await_total(server, Metric::sessions_opened, i + 1);
        ann.say(std::to_string(i));
        const auto polled = bob.receive();
        EXPECT_TRUE(polled.recovered);
        EXPECT_EQ(texts_of(polled.page.messages), numbers(i, i));
        EXPECT_FALSE(polled.page.more);
        EXPECT_THAT(polled.answer, HasSubstr("Content-Type: application/json\r\n"));
        EXPECT_THAT(polled.answer, HasSubstr("Cache-Control: no-store\r\n"));
        cursor = polled.page.cursor.to_string();
        EXPECT_EQ(cursor, ann.cursor(i));
    }
}

TEST(LongPoll, EndsAfterItsWaitWithTheSameCursorAndNothing) {
    TestServer server(unlimited());
    Speaker ann(server.port(), "lobby");
    ann.say("1");
    PollClient bob(server.port());
    for (const std::string_view wait : {"0", "0s", "1ms", "20ms"}) {
        const auto polled =
            bob.poll("lobby", "wait=" + std::string(wait) + "&since=" + ann.cursor(1));
        EXPECT_EQ(polled.status, 200);
        EXPECT_TRUE(polled.recovered);
        EXPECT_TRUE(polled.page.messages.empty());
        EXPECT_EQ(polled.page.cursor.to_string(), ann.cursor(1));
    }
}

TEST(LongPoll, WithoutACursorBeginsWithTheLastMessages) {
    TestServer server(unlimited());
    Speaker ann(server.port(), "lobby");
    PollClient bob(server.port());
    const auto empty = bob.poll("lobby", "wait=1ms&since=");
    EXPECT_EQ(empty.page.cursor.to_string(), ann.cursor(0));
    EXPECT_TRUE(empty.page.messages.empty());
    ann.say_at_once(numbers(1, 60));
    const auto polled = bob.poll("lobby", "wait=30s");
    EXPECT_FALSE(polled.recovered);
    EXPECT_EQ(texts_of(polled.page.messages), numbers(11, 60)) << "the default limit";
    EXPECT_EQ(polled.page.cursor.to_string(), ann.cursor(60));
}

TEST(LongPoll, SaysWhereACursorCantBeHonouredAndGivesWhatItHas) {
    core::Config config = unlimited();
    config.history.messages = 3;
    TestServer server(config);
    Speaker ann(server.port(), "lobby");
    ann.say_at_once(numbers(1, 9));
    PollClient bob(server.port());
    for (const std::string& cursor : {ann.cursor(0), ann.cursor(5), ann.cursor(10),
                                      std::string("nosuch:4"), std::string("nosuch:0")}) {
        SCOPED_TRACE(cursor);
        const auto polled = bob.poll("lobby", "wait=30s&limit=2&since=" + cursor);
        EXPECT_EQ(polled.status, 200);
        EXPECT_FALSE(polled.recovered);
        // The first of what is retained, so that the next poll misses nothing more.
        EXPECT_EQ(texts_of(polled.page.messages), numbers(7, 8));
        EXPECT_EQ(polled.page.cursor.to_string(), ann.cursor(8));
        EXPECT_TRUE(polled.page.more);
    }
    EXPECT_TRUE(bob.poll("lobby", "wait=30s&since=" + ann.cursor(6)).recovered);
}

TEST(LongPoll, WithACursorOfAnEarlierLifeWaitsInAnEmptyRoomAndDoesNotSpin) {
    TestServer server(unlimited());
    PollClient bob(server.port());
    const auto polled = bob.poll("empty", "wait=20ms&since=old:0");
    EXPECT_FALSE(polled.recovered);
    EXPECT_TRUE(polled.page.messages.empty());
    bob.ask("empty", "wait=30s&since=old:0");
    await_total(server, Metric::sessions_opened, 2);
    Speaker ann(server.port(), "empty");
    ann.say("1");
    EXPECT_EQ(texts_of(bob.receive().page.messages), numbers(1, 1));
}

TEST(LongPoll, AnswersNoMoreThanItsLimitOfWhatEndedTheWaiting) {
    TestServer server(unlimited());
    Speaker ann(server.port(), "lobby");
    PollClient bob(server.port());
    for (std::uint64_t round = 0; round < 4; ++round) {
        const std::uint64_t from = 20 * round;
        bob.ask("lobby",
                "wait=30s&limit=" + std::to_string(1 + round * 3) + "&since=" + ann.cursor(from));
        await_total(server, Metric::sessions_opened, server.total(Metric::sessions_closed) + 2);
        ann.say_at_once(numbers(from + 1, from + 20));
        auto polled = bob.receive();
        std::vector<std::string> heard = texts_of(polled.page.messages);
        EXPECT_LE(heard.size(), 1 + round * 3);
        while (heard.size() < 20) {
            polled = bob.poll("lobby", "wait=30s&limit=3&since=" + polled.page.cursor.to_string());
            EXPECT_TRUE(polled.recovered);
            const auto more = texts_of(polled.page.messages);
            ASSERT_FALSE(more.empty());
            heard.insert(heard.end(), more.begin(), more.end());
        }
        EXPECT_EQ(heard, numbers(from + 1, from + 20));
    }
}

TEST(LongPoll, RefusesWhatItCantRead) {
    TestServer server(unlimited());
    test::LoopbackClient client(server.port());
    const std::string room = "/api/v1/rooms/lobby/messages";
    for (const Refused& refused : {
             Refused{"GET " + room + "?wait=1s&since=x", 400, "since must be a cursor"},
             Refused{"GET " + room + "?wait=1s&since=a:b", 400, "since must be a cursor"},
             Refused{"GET " + room + "?wait=", 400, "wait must be a time like 25s"},
             Refused{"GET " + room + "?wait=1h", 400, "wait must be a time like 25s"},
             Refused{"GET " + room + "?wait=-1s", 400, "wait must be a time like 25s"},
             Refused{"GET " + room + "?wait=60001ms", 400, "at most 60000ms"},
             Refused{"GET " + room + "?wait=61s", 400, "at most 60000ms"},
             Refused{"GET " + room + "?wait=99999999999999999999s", 400, "wait must be"},
             Refused{"GET " + room + "?wait=1s&limit=0", 400,
                     "limit must be a number from 1 to 200"},
             Refused{"GET " + room + "?wait=1s&limit=201", 400, "limit must be a number"},
             Refused{"GET " + room + "?wait=1s&limit=x", 400, "limit must be a number"},
             Refused{"GET " + room + "?wait=1s&before=a:1", 400, "before is for a page"},
             Refused{"GET " + room + "?wait=%zz", 400, "percent-encoded UTF-8"},
             Refused{"GET " + room + "?wait=1s&name=%01", 400, "control characters"},
             Refused{"GET /api/v1/rooms/-x/messages?wait=1s", 400, "a room's name"},
             Refused{"GET /api/v1/rooms/%20/messages?wait=1s", 400, "a room's name"},
             Refused{"GET /api/v1/rooms//messages?wait=1s", 400, "a room's name"},
             Refused{"POST " + room + "?wait=1s", 405, "Allow: GET, HEAD\r\n"},
             Refused{"DELETE " + room + "?wait=1s", 405, "Allow: GET, HEAD\r\n"},
         }) {
        expect_refused(client, refused);
    }
    client.send("GET " + room + "?wait=1ms HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\n\r\n");
    EXPECT_EQ(test::status_of(client.read_answer()), 406);
    client.send("GET " + room + "?wait=1ms HTTP/1.1\r\nHost: a\r\nAccept: text/html, */*\r\n\r\n");
    EXPECT_EQ(test::status_of(client.read_answer()), 200);
    client.send("GET /api/v1/rooms/a%3Ab/messages?wait=1ms HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_THAT(client.read_answer(), HasSubstr(R"("room":"a:b")"));
}

TEST(LongPoll, TellsHeadWhatThereIsAndWaitsForNothing) {
    TestServer server(unlimited());
    Speaker ann(server.port(), "lobby");
    test::LoopbackClient client(server.port());
    const std::string target = " /api/v1/rooms/lobby/messages?wait=30s HTTP/1.1\r\nHost: a\r\n\r\n";
    client.send("HEAD" + target);
    const std::string head = client.read_answer(true);
    EXPECT_THAT(head, HasSubstr("Content-Type: application/json\r\n"));
    client.send("HEAD" + target);
    EXPECT_EQ(test::status_of(client.read_answer(true)), 200) << "a body would stand here";
}

TEST(LongPoll, NoticesAPeerThatIsGoneWhileItWaits) {
    TestServer server(unlimited());
    for (const test::Going go : test::goings) {
        const auto closed = server.total(Metric::sessions_closed);
        PollClient bob(server.port());
        bob.ask("lobby", "wait=30s");
        await_total(server, Metric::sessions_opened, closed + 1);
        go(bob.socket());
        await_total(server, Metric::sessions_closed, closed + 1);
    }
}

TEST(LongPoll, AnswersWhatWasPipelinedBehindItAfterwardsWhereverItIsCut) {
    TestServer server(unlimited());
    Speaker ann(server.port(), "lobby");
    const std::string both = "GET /api/v1/rooms/lobby/messages?wait=30s&since=" + ann.cursor(0) +
                             " HTTP/1.1\r\nHost: a\r\n\r\nGET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
    std::vector<std::unique_ptr<test::LoopbackClient>> clients;
    for (std::size_t cut = 1; cut <= both.size(); cut += 3) {
        clients.push_back(std::make_unique<test::LoopbackClient>(server.port()));
        clients.back()->send(both.substr(0, cut));
        clients.back()->send(both.substr(cut));
    }
    await_total(server, Metric::sessions_opened, clients.size() + 1);
    ann.say("1");
    for (auto& client : clients) {
        EXPECT_THAT(client->read_answer(), HasSubstr(R"("text":"1")"));
        EXPECT_THAT(client->read_answer(), HasSubstr(R"({"status":"ok"})"));
    }
}

TEST(LongPoll, IsAnsweredAtOnceAndClosedWhenTheServerDrains) {
    TestServer server(unlimited());
    std::vector<std::unique_ptr<PollClient>> clients;
    for (int i = 0; i < 20; ++i) {
        clients.push_back(std::make_unique<PollClient>(server.port()));
        clients.back()->ask("lobby", "wait=30s&since=");
    }
    await_total(server, Metric::sessions_opened, clients.size());
    auto gone = server.drain(30s);
    for (auto& client : clients) {
        const auto polled = client->receive();
        EXPECT_EQ(polled.status, 200);
        EXPECT_TRUE(polled.page.messages.empty());
        EXPECT_THAT(polled.answer, HasSubstr("Connection: close\r\n"));
        EXPECT_TRUE(client->socket().at_end());
    }
    clients.clear();
    EXPECT_EQ(gone.wait_for(20s), std::future_status::ready);
}

TEST(LongPoll, KeepsToWhatHttp10AndConnectionCloseSay) {
    TestServer server(unlimited());
    for (const std::string_view rest :
         {" HTTP/1.0\r\n\r\n", " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"}) {
        test::LoopbackClient client(server.port());
        client.send("GET /api/v1/rooms/lobby/messages?wait=1ms" + std::string(rest));
        EXPECT_THAT(client.read_to_end(), HasSubstr("Connection: close\r\n"));
    }
}

TEST(LongPoll, IsNotPresent) {
    TestServer server(unlimited());
    Speaker ann(server.port(), "lobby");
    PollClient bob(server.port());
    bob.ask("lobby", "wait=30s&since=" + ann.cursor(0));
    await_total(server, Metric::sessions_opened, 2);
    EXPECT_EQ(ann.members().count, 1U);
    ann.say("1");
    EXPECT_EQ(bob.receive().status, 200);
    EXPECT_EQ(ann.members().count, 1U);
}

TEST(LongPoll, IsRefusedOverTheRateOfItsAddress) {
    core::Config config;
    config.limits.address = {0.001, 2};
    TestServer server(config);
    PollClient bob(server.port());
    for (int i = 0; i < 2; ++i) EXPECT_EQ(bob.poll("lobby", "wait=0").status, 200);
    const auto refused = bob.poll("lobby", "wait=30s");
    EXPECT_EQ(refused.status, 429);
    EXPECT_THAT(refused.answer, HasSubstr("Retry-After: "));
    EXPECT_EQ(server.total(Metric::rate_limited), 1U);
}

TEST(LongPoll, IsRefusedWhereThereIsNoPlaceForItsRoom) {
    core::Config config = unlimited();
    config.limits.rooms = 0;
    TestServer server(config);
    PollClient bob(server.port());
    for (int i = 0; i < 2; ++i) {
        const auto refused = bob.poll("lobby", "wait=30s");
        EXPECT_EQ(refused.status, 503);
        EXPECT_THAT(refused.answer, HasSubstr("Retry-After: "));
    }
}

// Each of many polls in a loop on several shards: all hear all of it, in one order.
TEST(LongPoll, MissesNothingFromPollToPollOnSeveralShards) {
    constexpr std::size_t clients_max = 200;
    constexpr std::uint64_t rounds = 5;
    TestServer server(unlimited(3));
    Speaker ann(server.port(), "lobby");
    std::vector<std::unique_ptr<PollClient>> clients;
    std::vector<std::string> cursors(clients_max, ann.cursor(0));
    for (std::size_t i = 0; i < clients_max; ++i) {
        clients.push_back(std::make_unique<PollClient>(server.port()));
    }
    std::vector<std::vector<std::string>> heard(clients_max);
    for (std::uint64_t round = 0; round < rounds; ++round) {
        for (std::size_t i = 0; i < clients_max; ++i) {
            clients[i]->ask("lobby", "wait=30s&limit=200&since=" + cursors[i]);
        }
        // Some are parked by then, some come while it is said, some after.
        ann.say_at_once(numbers(7 * round + 1, 7 * round + 7));
        for (std::size_t i = 0; i < clients_max; ++i) {
            const auto polled = clients[i]->receive();
            ASSERT_TRUE(polled.recovered);
            for (auto& text : texts_of(polled.page.messages)) heard[i].push_back(std::move(text));
            cursors[i] = polled.page.cursor.to_string();
        }
    }
    const std::uint64_t last = 7 * rounds;
    for (std::size_t i = 0; i < clients_max; ++i) {
        while (cursors[i] != ann.cursor(last)) {
            const auto polled = clients[i]->poll("lobby", "wait=30s&since=" + cursors[i]);
            ASSERT_TRUE(polled.recovered);
            for (auto& text : texts_of(polled.page.messages)) heard[i].push_back(std::move(text));
            cursors[i] = polled.page.cursor.to_string();
        }
        ASSERT_EQ(heard[i], numbers(1, last));
    }
}

}  // namespace
}  // namespace parley::transports
