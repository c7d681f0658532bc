// Server-Sent Events as their clients see them (protocol.md, 4.1).
#include "transports/sse/sse_connection.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "transports/pull_clients.hpp"

namespace parley::transports {
namespace {

using namespace std::chrono_literals;
using core::Metric;
using test::await_total;
using test::decoded;
using test::EventStreamClient;
using test::expect_refused;
using test::numbers;
using test::Refused;
using test::Speaker;
using test::TestServer;
using test::unlimited;
using testing::HasSubstr;

TEST(SseConnection, BeginsWithWhatIsSaidFromNowOn) {
    TestServer server(unlimited());
    Speaker ann(server.port(), "lobby");
    ann.say_at_once(numbers(1, 3));
    EventStreamClient bob(server.port(), "lobby");
    EXPECT_THAT(bob.head(), testing::StartsWith("HTTP/1.1 200 OK\r\n"));
    for (const std::string_view line :
         {"Content-Type: text/event-stream\r\n", "Cache-Control: no-store\r\n",
          "X-Accel-Buffering: no\r\n", "Transfer-Encoding: chunked\r\n"}) {
        EXPECT_THAT(bob.head(), HasSubstr(line));
    }
    ASSERT_TRUE(bob.read_until("\n\n"));
    ann.say("4");
    EXPECT_EQ(bob.messages(1), numbers(4, 4));
    ASSERT_TRUE(bob.decoder().retry_ms());
    EXPECT_GE(*bob.decoder().retry_ms(), 1'500U);
    EXPECT_LE(*bob.decoder().retry_ms(), 4'500U);
    EventStreamClient joe(server.port(), "lobby", "history=2");
    EXPECT_EQ(joe.messages(2), numbers(3, 4));
}

TEST(SseConnection, ResumesExactlyFromEveryCursorHoweverItIsTold) {
    TestServer server(unlimited());
    Speaker ann(server.port(), "lobby");
    ann.say_at_once(numbers(1, 5));
    std::vector<std::unique_ptr<EventStreamClient>> clients;
    for (std::uint64_t from = 0; from <= 5; ++from) {
        const std::string cursor = ann.cursor(from);
        const std::string header = "Last-Event-ID: " + cursor + "\r\n";
        const auto open = [&](const std::string& query, const std::string& headers) {
            clients.push_back(
                std::make_unique<EventStreamClient>(server.port(), "lobby", query, headers));
            EXPECT_EQ(clients.back()->messages(5 - from), numbers(from + 1, 5)) << query << headers;
        };
        open("since=" + cursor, {});
        open("last_event_id=" + cursor, {});
        open({}, header);
        // A URL stays as it was when the stream began; the header goes with the time.
        open("since=" + ann.cursor(0), header);
        open("since=" + cursor, "Last-Event-ID: \r\n");
    }
    ann.say("6");
    for (auto& client : clients) EXPECT_EQ(client->messages(1), numbers(6, 6));
}

TEST(SseConnection, TellsItsPlaceBeforeAnythingIsSaid) {
    TestServer server(unlimited());
    Speaker ann(server.port(), "lobby");
    ann.say("1");
    EventStreamClient before(server.port(), "lobby");
    ASSERT_TRUE(before.read_until("id: " + ann.cursor(1) + "\n"));
    before.socket().close();
    ann.say_at_once(numbers(2, 3));
    EventStreamClient after(server.port(), "lobby", {}, "Last-Event-ID: " + ann.cursor(1) + "\r\n");
    EXPECT_EQ(after.messages(2), numbers(2, 3));
}

TEST(SseConnection, AnnouncesAGapWhereTheHistoryDoesNotReachBack) {
    core::Config config = unlimited();
    config.history.messages = 3;
    TestServer server(config);
    Speaker ann(server.port(), "lobby");
    ann.say_at_once(numbers(1, 9));
    for (std::uint64_t from = 0; from <= 9; ++from) {
        SCOPED_TRACE(from);
        EventStreamClient bob(server.port(), "lobby", "since=" + ann.cursor(from));
        if (from < 6) {
            const auto gap = decoded<protocol::Gap>(bob.next("gap"));
            EXPECT_EQ(gap.from, from + 1);
            EXPECT_EQ(gap.to, 6U);
            EXPECT_EQ(gap.cursor.to_string(), ann.cursor(6));
            EXPECT_EQ(bob.decoder().last_id(), ann.cursor(6));
        }
        const auto first = std::max<std::uint64_t>(from, 6) + 1;
        EXPECT_EQ(bob.messages(9 - first + 1), numbers(first, 9));
    }
}

TEST(SseConnection, SaysSoWhereACursorIsOfAnotherLifeOfTheRoom) {
    TestServer server(unlimited());
    Speaker ann(server.port(), "lobby");
    ann.say_at_once(numbers(1, 3));
    for (const std::string& cursor : {std::string("nosuch:2"), ann.cursor(4)}) {
        EventStreamClient bob(server.port(), "lobby", {}, "Last-Event-ID: " + cursor + "\r\n");
        const auto joined = decoded<protocol::Joined>(bob.next("joined"));
        EXPECT_FALSE(joined.recovered);
        EXPECT_EQ(joined.cursor.to_string(), ann.cursor(3));
        EXPECT_EQ(bob.decoder().last_id(), ann.cursor(0));
        EXPECT_EQ(bob.messages(3), numbers(1, 3));
    }
}

TEST(SseConnection, CarriesTransientPushesToThoseWhoAsked) {
    TestServer server(unlimited());
    Speaker ann(server.port(), "lobby");
    EventStreamClient plain(server.port(), "lobby");
    EventStreamClient curious(server.port(), "lobby", "transient=1");
    ASSERT_TRUE(plain.read_until("\n\n"));
    ASSERT_TRUE(curious.read_until("\n\n"));
    ann.command_and_ack("typing");
    ann.say("1");
    ann.command_and_ack("read", R"(,"offset":1)");
    Speaker bob(server.port(), "lobby", "bob");
    EXPECT_EQ(decoded<protocol::TypingPush>(curious.next("typing")).user.name, "ann");
    EXPECT_EQ(curious.messages(1), numbers(1, 1));
    EXPECT_EQ(decoded<protocol::ReadPush>(curious.next("read")).offset, 1U);
    EXPECT_EQ(decoded<protocol::PresencePush>(curious.next("presence")).user->name, "bob");
    EXPECT_EQ(curious.decoder().last_id(), ann.cursor(1)) << "what is transient has no id";
    ann.say("2");
    EXPECT_EQ(plain.messages(2), numbers(1, 2));
}

TEST(SseConnection, IsPresentWhileItIsOpenIfItGivesAName) {
    core::Config config = unlimited();
    config.presence.grace = 10ms;
    TestServer server(config);
    Speaker ann(server.port(), "lobby");
    EventStreamClient nameless(server.port(), "lobby");
    ASSERT_TRUE(nameless.read_until("\n\n"));
    EXPECT_EQ(ann.members().count, 1U);
    {
        EventStreamClient header(server.port(), "lobby", {}, "X-Parley-Name: bob\r\n");
        EventStreamClient query(server.port(), "lobby", "name=J%C3%B6rg");
        ASSERT_TRUE(header.read_until("\n\n"));
        ASSERT_TRUE(query.read_until("\n\n"));
        EXPECT_EQ(ann.members().count, 3U);
    }
    while (ann.members().count != 1) std::this_thread::yield();
}

TEST(SseConnection, IsKeptAliveByComments) {
    TransportConfig config;
    config.sse_heartbeat = 10ms;
    TestServer server(unlimited(), config);
    EventStreamClient bob(server.port(), "lobby");
    EXPECT_TRUE(bob.read_until("\n\n:\n\n:\n\n:\n\n"));
}

TEST(SseConnection, EndsAtTheEndOfItsConnectionOverHttp10) {
    TestServer server(unlimited());
    Speaker ann(server.port(), "lobby");
    EventStreamClient bob(server.port(), "lobby", {}, {}, 0, "1.0");
    EXPECT_THAT(bob.head(), HasSubstr("Connection: close\r\n"));
    EXPECT_THAT(bob.head(), testing::Not(HasSubstr("Transfer-Encoding")));
    ASSERT_TRUE(bob.read_until("\n\n"));
    ann.say_at_once(numbers(1, 8));
    EXPECT_EQ(bob.messages(8), numbers(1, 8));
}

TEST(SseConnection, TellsADrainAndEndsTheStream) {
    TestServer server(unlimited());
    std::vector<std::unique_ptr<EventStreamClient>> clients;
    for (int i = 0; i < 10; ++i) {
        clients.push_back(
            std::make_unique<EventStreamClient>(server.port(), "lobby", std::string_view(),
                                                std::string_view(), 0, i % 2 == 0 ? "1.1" : "1.0"));
        ASSERT_TRUE(clients.back()->read_until("\n\n"));
    }
    // The last is told some 400 ms before the deadline: time enough on a busy machine.
    auto gone = server.drain(1500ms);
    for (auto& client : clients) {
        const auto drain = decoded<protocol::Drain>(client->next("drain"));
        EXPECT_EQ(client->decoder().retry_ms(), drain.retry_after_ms);
        EXPECT_FALSE(client->next()) << "nothing follows";
        EXPECT_TRUE(client->complete());
        EXPECT_TRUE(client->socket().at_end());
    }
    EXPECT_EQ(gone.wait_for(20s), std::future_status::ready);
}

TEST(SseConnection, RefusesWhatItCantReadAndStaysHttp) {
    TestServer server(unlimited());
    test::LoopbackClient client(server.port());
    const std::string events = "/api/v1/rooms/lobby/events";
    for (const Refused& refused : {
             Refused{"GET " + events + "?since=x", 400, "since must be a cursor"},
             Refused{"GET " + events + "?last_event_id=a:", 400, "last_event_id must be a cursor"},
             Refused{"GET " + events + "?history=201", 400,
                     "history must be a number from 0 to 200"},
             Refused{"GET " + events + "?transient=yes", 400, "transient must be 0 or 1"},
             Refused{"GET " + events + "?name=", 400, "a name has 1 to 64 bytes"},
             Refused{"GET " + events + "?since=%", 400, "percent-encoded UTF-8"},
             Refused{"GET /api/v1/rooms/.x/events", 400, "a room's name"},
             Refused{"POST " + events, 405, "Allow: GET, HEAD\r\n"},
         }) {
        expect_refused(client, refused);
    }
    client.send("GET " + events + " HTTP/1.1\r\nHost: a\r\nLast-Event-ID: 7\r\n\r\n");
    EXPECT_THAT(client.read_answer(), HasSubstr("Last-Event-ID must be a cursor"));
    client.send("GET " + events + " HTTP/1.1\r\nHost: a\r\nAccept: application/json\r\n\r\n");
    EXPECT_EQ(test::status_of(client.read_answer()), 406);
    client.send("HEAD " + events + " HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_THAT(client.read_answer(true), HasSubstr("Content-Type: text/event-stream\r\n"));
}

TEST(SseConnection, IsRefusedAsHttpWhereTheRoomHasNoPlaceOrTheAddressNoRate) {
    core::Config config;
    config.limits.rooms = 0;
    config.limits.address = {0.001, 1};
    TestServer server(config);
    test::LoopbackClient client(server.port());
    const std::string request = "GET /api/v1/rooms/lobby/events HTTP/1.1\r\nHost: a\r\n\r\n";
    // What was pipelined behind them is answered, too.
    client.send(request + request + "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(test::status_of(client.read_answer()), 503);
    const std::string limited = client.read_answer();
    EXPECT_EQ(test::status_of(limited), 429);
    EXPECT_THAT(limited, HasSubstr("Retry-After: "));
    EXPECT_THAT(client.read_answer(), HasSubstr(R"({"status":"ok"})"));
}

TEST(SseConnection, NoticesAPeerThatIsGone) {
    TestServer server(unlimited());
    for (const test::Going go : test::goings) {
        const auto closed = server.total(Metric::sessions_closed);
        EventStreamClient bob(server.port(), "lobby");
        go(bob.socket());
        await_total(server, Metric::sessions_closed, closed + 1);
    }
}

TEST(SseConnection, EndsAPeerThatTalksInsteadOfListening) {
    TestServer server(unlimited());
    EventStreamClient bob(server.port(), "lobby");
    bob.socket().send(std::string(1000, 'x'));
    Speaker ann(server.port(), "lobby");
    ann.say("1");
    EXPECT_EQ(bob.messages(1), numbers(1, 1)) << "a little is passed over";
    const std::string noise(16 * 1024, 'x');
    while (bob.socket().send(noise)) {
    }
    await_total(server, Metric::sessions_closed, 1);
}

// What is said is larger than what the kernel takes on both sides.
struct SlowPeer {
    explicit SlowPeer(core::OnLag on_lag) : server(config_with(on_lag)) {}

    static core::Config config_with(core::OnLag on_lag) {
        core::Config config = unlimited();
        config.window.messages = 16;
        config.rooms = {{"*", on_lag}};
        return config;
    }
    // Says so much that the window is passed, a kilobyte at a time.
    std::uint64_t overrun() {
        const std::string text(8 * 1024, 'x');
        std::uint64_t last = 0;
        for (int more = 40; more > 0;) {
            last = ann.say(text).offset;
            if (server.total(Metric::writes_blocked) > 0) --more;
        }
        return last;
    }

    TestServer server;
    Speaker ann{server.port(), "lobby"};
    EventStreamClient bob{server.port(), "lobby", {}, {}, 4096};
};

TEST(SseConnection, ThatLagsIsToldWhyItEndsAndResumesExactly) {
    SlowPeer f(core::OnLag::disconnect);
    const std::uint64_t last = f.overrun();
    await_total(f.server, Metric::slow_disconnects, 1);
    std::uint64_t heard = 0;
    std::string error;
    while (const auto event = f.bob.next()) {
        if (event->name == "error") {
            error = event->data;
            continue;
        }
        EXPECT_TRUE(error.empty()) << "nothing follows the error";
        EXPECT_EQ(decoded<protocol::Message>(event->data).cursor.offset, ++heard);
    }
    EXPECT_TRUE(f.bob.complete()) << "the stream ends as such";
    EXPECT_TRUE(decoded<protocol::Error>(error).temporary);
    EXPECT_THAT(error, HasSubstr("reading too slowly"));
    EventStreamClient again(f.server.port(), "lobby", {}, f.bob.last_event_id());
    if (last - heard > 200) {
        heard = decoded<protocol::Gap>(again.next("gap")).to;
    }
    while (heard < last) {
        EXPECT_EQ(decoded<protocol::Message>(again.next("message")).cursor.offset, ++heard);
    }
}

TEST(SseConnection, ThatLagsIsToldOfTheGapAndGoesOnWhereTheRoomSaysSo) {
    SlowPeer f(core::OnLag::gap);
    const std::uint64_t last = f.overrun();
    std::uint64_t heard = 0;
    std::size_t gaps = 0;
    while (heard < last) {
        const auto event = f.bob.next();
        ASSERT_TRUE(event);
        if (event->name == "gap") {
            const auto gap = decoded<protocol::Gap>(event->data);
            EXPECT_EQ(gap.from, heard + 1);
            heard = gap.to;
            EXPECT_EQ(event->id, gap.cursor.to_string());
            ++gaps;
        } else {
            EXPECT_EQ(decoded<protocol::Message>(event->data).cursor.offset, ++heard);
        }
    }
    EXPECT_GE(gaps, 1U);
}

TEST(SseConnection, ThatNeverReadsIsEndedByTheWriteTimeout) {
    TransportConfig config;
    config.sse_heartbeat = 10ms;
    config.write_timeout = 50ms;
    TestServer server(unlimited(), config);
    Speaker ann(server.port(), "lobby");
    EventStreamClient bob(server.port(), "lobby", {}, {}, 4096);
    const std::string text(8 * 1024, 'x');
    while (server.total(Metric::writes_blocked) == 0) ann.say(text);
    await_total(server, Metric::slow_disconnects, 1);
    await_total(server, Metric::sessions_closed, 1);
}

TEST(SseConnection, WritesALongHistoryAsFastAsItIsReadAndThenWhatFollowed) {
    TestServer server(unlimited());
    Speaker ann(server.port(), "lobby");
    const std::string text(4'000, 'x');
    for (int i = 0; i < 200; ++i) ann.say(text);
    EventStreamClient bob(server.port(), "lobby", "history=200", {}, 4096);
    ASSERT_TRUE(bob.read_until("\n\n"));
    ann.say("the end");
    for (std::uint64_t offset = 1; offset <= 200; ++offset) {
        ASSERT_EQ(decoded<protocol::Message>(bob.next("message")).cursor.offset, offset);
    }
    EXPECT_EQ(bob.messages(1), std::vector<std::string>{"the end"});
}

TEST(SseConnection, IsToldOfAGapBehindTheHistoryThatItIsStillHanded) {
    constexpr std::uint64_t kept = 200;
    constexpr std::uint64_t last = kept + 60;
    for (const core::OnLag on_lag : {core::OnLag::gap, core::OnLag::latest}) {
        core::Config config = SlowPeer::config_with(on_lag);
        config.history.bytes = 8 << 20;
        TestServer server(config);
        Speaker ann(server.port(), "lobby");
        // More than the kernel takes on both sides.
        const std::string text(16'000, 'x');
        for (std::uint64_t i = 0; i < kept; ++i) ann.say(text);
        EventStreamClient bob(server.port(), "lobby", "history=200", {}, 4096);
        ASSERT_TRUE(bob.read_until("\n\n"));
        // In one turn more than the window holds.
        ann.say_at_once(numbers(kept + 1, last));
        EXPECT_GE(server.total(Metric::gaps), 1U);
        std::uint64_t heard = 0;
        while (heard < kept) {
            ASSERT_EQ(decoded<protocol::Message>(bob.next("message")).cursor.offset, ++heard);
        }
        const auto gap = decoded<protocol::Gap>(bob.next("gap"));
        EXPECT_EQ(gap.from, kept + 1);
        EXPECT_EQ(bob.decoder().last_id(), gap.cursor.to_string());
        EXPECT_EQ(bob.messages(last - gap.to), numbers(gap.to + 1, last));
    }
}

TEST(SseConnection, HearsTheOneOrderOfItsRoomOnEveryShard) {
    constexpr std::size_t clients_max = 30;
    TestServer server(unlimited(3));
    Speaker ann(server.port(), "lobby");
    Speaker bob(server.port(), "lobby", "bob");
    std::vector<std::unique_ptr<EventStreamClient>> clients;
    for (std::size_t i = 0; i < clients_max; ++i) {
        clients.push_back(
            std::make_unique<EventStreamClient>(server.port(), "lobby", "since=" + ann.cursor(0)));
    }
    std::thread other([&bob] { bob.say_at_once(numbers(1, 50)); });
    ann.say_at_once(numbers(101, 150));
    other.join();
    const auto first = clients.front()->messages(100);
    for (std::size_t i = 1; i < clients_max; ++i) EXPECT_EQ(clients[i]->messages(100), first);
}

}  // namespace
}  // namespace parley::transports
