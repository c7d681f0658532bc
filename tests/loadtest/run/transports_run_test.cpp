// Whole runs over every transport, plain and with TLS, against a server that behaves as it is told.
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "loadtest/chat_server.hpp"
#include "loadtest/handshake_run.hpp"
#include "loadtest/run.hpp"

namespace parley::load {
namespace {

using namespace std::chrono_literals;

Scenario short_scenario(const ChatServer& server, const Mix& mix) {
    Scenario scenario;
    scenario.url = {"127.0.0.1", server.port(), "/"};
    scenario.mix = mix;
    scenario.connections = 10;
    scenario.rooms = 2;
    scenario.senders = 3;
    scenario.rate_per_s = 400;
    scenario.payload_bytes = 64;
    scenario.warmup = 10ms;
    scenario.duration = 90ms;
    scenario.ramp = 5ms;
    scenario.settle = 10s;
    scenario.drain = 10s;
    scenario.threads = 2;
    return scenario;
}

Report play(const Scenario& scenario) {
    const std::atomic<bool> interrupted{false};
    const auto report = run(scenario, parley_target("/ws"), nullptr, interrupted);
    EXPECT_TRUE(report) << (report ? "" : report.error().text);
    return report ? *report : Report{};
}

constexpr std::array listeners{Transport::websocket, Transport::sse, Transport::longpoll,
                               Transport::socketio, Transport::socketio_polling};

class EveryTransport : public ::testing::TestWithParam<std::tuple<Transport, bool>> {
protected:
    [[nodiscard]] Transport transport() const { return std::get<0>(GetParam()); }
    [[nodiscard]] bool tls() const { return std::get<1>(GetParam()); }
};

TEST_P(EveryTransport, BringsEverythingOnceAndInOrder) {
    const TestCertificate certificate;
    const ChatServer server({.tls = tls() ? &certificate : nullptr});
    Scenario scenario = short_scenario(server, Mix(transport()));
    scenario.url.tls = tls();
    if (tls()) scenario.tls.ca_file = certificate.path();
    const Report report = play(scenario);
    EXPECT_FALSE(report.faulty()) << format_table(report);
    EXPECT_EQ(report.tally.published, 40u);
    const bool listens = entry_of(transport()).listens;
    EXPECT_EQ(report.tally.steady.expected, listens ? 200u : 0u);
    EXPECT_EQ(report.tally.steady.received, listens ? 200u : 0u);
    EXPECT_EQ(report.tally_of(transport()).opened, 10u);
    EXPECT_EQ(report.tally_of(transport()).latency.count(), listens ? 180u : 0u);
    const bool answered = transport() != Transport::websocket;
    EXPECT_EQ(report.tally.answered, answered ? 40u : 0u);
    EXPECT_EQ(report.tally.answer.count(), answered ? 36u : 0u);
    // Two publishers, of two threads: each thread has a sender where it needs one.
    const std::uint64_t senders = report.by_transport[senders_tally].opened;
    EXPECT_EQ(senders, entry_of(transport()).speaks ? 0u : 2u);
}

INSTANTIATE_TEST_SUITE_P(PlainAndTls, EveryTransport,
                         ::testing::Combine(::testing::Values(Transport::websocket, Transport::sse,
                                                              Transport::longpoll, Transport::rest,
                                                              Transport::socketio,
                                                              Transport::socketio_polling),
                                            ::testing::Bool()),
                         [](const auto& tested) {
                             std::string name(name_of(std::get<0>(tested.param)));
                             std::erase(name, '-');
                             return name + (std::get<1>(tested.param) ? "Tls" : "Plain");
                         });

TEST(TransportsRun, MischiefIsFoundOnEveryTransport) {
    // What a WebSocket's user notices is tested with the echo server.
    for (const Transport victim :
         {Transport::sse, Transport::longpoll, Transport::socketio, Transport::socketio_polling}) {
        for (const Mischief mischief :
             {Mischief::drop, Mischief::duplicate, Mischief::reorder, Mischief::hang_up}) {
            const ChatServer server({.mischief = mischief, .victim = victim});
            Scenario scenario = short_scenario(server, Mix(victim));
            scenario.duration = 40ms;
            // Only what was dropped is waited for in vain.
            scenario.drain = mischief == Mischief::drop ? 30ms : 2s;
            const Report report = play(scenario);
            const DeliveryCounts& counts = report.tally.steady;
            const std::string what = std::string(name_of(victim)) + "\n" + format_table(report);
            EXPECT_EQ(report.exit_code(), ExitCode::faulty) << what;
            // The victim may be a publisher: what it has just said is lost with its connection.
            if (mischief != Mischief::hang_up || !entry_of(victim).speaks) {
                EXPECT_EQ(counts.lost >= 1, mischief == Mischief::drop) << what;
            }
            EXPECT_EQ(counts.duplicate, mischief == Mischief::duplicate ? 1u : 0u) << what;
            EXPECT_EQ(counts.out_of_order, mischief == Mischief::reorder ? 1u : 0u) << what;
            EXPECT_EQ(report.tally.dropped, mischief == Mischief::hang_up ? 1u : 0u) << what;
        }
    }
}

TEST(TransportsRun, PublishersOfATargetThatPostsSendOverTheSenders) {
    const ChatServer server({});
    const auto target = parse_target(
        "path=/"
        "ws?name=u{id}&room={room}\nexpect=\"type\":\"joined\"\ndelivery=\"type\":\"message\"\n"
        "publish_http=/api/v1/rooms/{room}/messages\npublish={\"text\":\"{payload}\"}",
        "posting");
    ASSERT_TRUE(target) << target.error().text;
    const std::atomic<bool> interrupted{false};
    const auto report =
        run(short_scenario(server, Mix(Transport::websocket)), *target, nullptr, interrupted);
    ASSERT_TRUE(report) << report.error().text;
    EXPECT_FALSE(report->faulty()) << format_table(*report);
    EXPECT_EQ(report->tally.published, 40u);
    EXPECT_EQ(report->tally.answered, 40u);
    EXPECT_EQ(report->tally.steady.received, 200u);
    EXPECT_EQ(report->by_transport[senders_tally].opened, 2u);
    const auto json = to_json(*report);
    EXPECT_GT(json.at("bytes_per_delivery").as_double(), 64.0);
    EXPECT_GE(json.at("last_receiver_us").at("max").as_double(),
              json.at("latency_us").at("p50").as_double());
}

TEST(TransportsRun, AMixSharesItsRoomsAndIsToldApart) {
    const ChatServer server({});
    Mix::Percent percent{};
    percent[static_cast<std::size_t>(Transport::websocket)] = 40;
    percent[static_cast<std::size_t>(Transport::sse)] = 30;
    percent[static_cast<std::size_t>(Transport::longpoll)] = 30;
    Scenario scenario = short_scenario(server, Mix(percent));
    scenario.connections = 20;
    const Report report = play(scenario);
    EXPECT_FALSE(report.faulty()) << format_table(report);
    EXPECT_EQ(report.tally_of(Transport::websocket).opened, 8u);
    EXPECT_EQ(report.tally_of(Transport::sse).opened, 6u);
    EXPECT_EQ(report.tally_of(Transport::longpoll).opened, 6u);
    EXPECT_EQ(report.tally_of(Transport::websocket).steady.received, 160u);
    EXPECT_EQ(report.tally_of(Transport::sse).steady.received, 120u);
    EXPECT_EQ(report.tally_of(Transport::longpoll).steady.received, 120u);
    const std::string table = format_table(report);
    EXPECT_NE(table.find("by transport"), std::string::npos);
    const auto json = to_json(report);
    EXPECT_EQ(json.at("by_transport").at("sse").at("deliveries").at("received"), 120);
    EXPECT_FALSE(json.at("by_transport").as_object().contains("rest"));
}

TEST(TransportsRun, InAMixRestDoesThePublishing) {
    const ChatServer server({});
    Mix::Percent percent{};
    percent[static_cast<std::size_t>(Transport::rest)] = 50;
    percent[static_cast<std::size_t>(Transport::sse)] = 50;
    const Report report = play(short_scenario(server, Mix(percent)));
    EXPECT_FALSE(report.faulty()) << format_table(report);
    EXPECT_EQ(report.tally_of(Transport::rest).published, 40u);
    EXPECT_EQ(report.tally_of(Transport::rest).answered, 40u);
    // Five publishers take turns over two rooms: 24 messages for one of them, 16 for the other.
    EXPECT_EQ(report.tally_of(Transport::sse).steady.received, 2 * 24u + 3 * 16u);
}

TEST(TransportsRun, AConnectionThatEndsBetweenTwoAnswersIsNoFault) {
    for (const Transport transport :
         {Transport::longpoll, Transport::rest, Transport::socketio_polling}) {
        const ChatServer server({.answers_max = 3});
        const Report report = play(short_scenario(server, Mix(transport)));
        EXPECT_FALSE(report.faulty()) << format_table(report);
        EXPECT_EQ(report.tally.published, 40u);
        EXPECT_GT(report.tally.reconnected, 0u);
    }
}

TEST(TransportsRun, RefusedPostsAreCountedByStatusAndExpectedOfNobody) {
    const ChatServer server({.post_status = 429});
    const Report report = play(short_scenario(server, Mix(Transport::sse)));
    EXPECT_EQ(report.exit_code(), ExitCode::faulty);
    EXPECT_EQ(report.tally.refused, 40u);
    EXPECT_EQ(report.tally.statuses.at(429), 40u);
    EXPECT_EQ(report.tally.refusals.at("429 rate_limited"), 40u);
    EXPECT_EQ(report.tally.steady.expected, 0u);
    const std::string table = format_table(report);
    EXPECT_NE(table.find("HTTP status 429"), std::string::npos) << table;
    EXPECT_NE(table.find("--no-limits"), std::string::npos) << table;
    EXPECT_EQ(to_json(report).at("connections").at("statuses").at("429"), 40);
}

TEST(TransportsRun, RefusedEventsAreCountedByTheirCodeAndExpectedOfNobody) {
    for (const Transport transport : {Transport::socketio, Transport::socketio_polling}) {
        const ChatServer server({.post_status = 429});
        const Report report = play(short_scenario(server, Mix(transport)));
        EXPECT_EQ(report.exit_code(), ExitCode::faulty);
        EXPECT_EQ(report.tally.refusals.at("rate_limited"), 40u);
        EXPECT_EQ(report.tally.steady.expected, 0u);
        EXPECT_EQ(report.tally.unanswered, 0u);
    }
}

TEST(TransportsRun, AClosedLoopSendsWhenItIsAnswered) {
    const ChatServer server({});
    Scenario scenario = short_scenario(server, Mix(Transport::rest));
    scenario.rate_max = true;
    const Report report = play(scenario);
    EXPECT_FALSE(report.faulty()) << format_table(report);
    EXPECT_GE(report.tally.published, scenario.connections);
    EXPECT_EQ(report.tally.answered, report.tally.published);
    EXPECT_NE(format_table(report).find("Closed loop"), std::string::npos);
    EXPECT_EQ(to_json(report).at("scenario").at("rate_per_s"), "max");
}

TEST(TransportsRun, ChurnComesBackOnEveryTransport) {
    for (const Transport transport : listeners) {
        const ChatServer server({});
        Scenario scenario = short_scenario(server, Mix(transport));
        scenario.churn_per_s = 100;
        const Report report = play(scenario);
        EXPECT_FALSE(report.faulty()) << format_table(report);
        EXPECT_GT(report.tally.churned, 0u);
        EXPECT_EQ(report.tally.rejoined, report.tally.churned);
    }
}

TEST(Tls, ACertificateThatNobodyTrustsEndsTheRunInWords) {
    const TestCertificate certificate;
    const ChatServer server({.tls = &certificate});
    Scenario scenario = short_scenario(server, Mix(Transport::websocket));
    scenario.url.tls = true;
    const std::atomic<bool> interrupted{false};
    const auto untrusted = run(scenario, parley_target("/ws"), nullptr, interrupted);
    ASSERT_FALSE(untrusted);
    EXPECT_NE(untrusted.error().text.find("--tls-ca"), std::string::npos) << untrusted.error().text;
    scenario.tls.insecure = true;
    EXPECT_FALSE(play(scenario).faulty());
    scenario.tls = {.ca_file = "/no/such/file"};
    const auto unreadable = run(scenario, parley_target("/ws"), nullptr, interrupted);
    ASSERT_FALSE(unreadable);
    EXPECT_NE(unreadable.error().text.find("/no/such/file"), std::string::npos);
}

TEST(Tls, ACertificateOfAnotherNameIsRefused) {
    const TestCertificate certificate;
    const ChatServer server({.tls = &certificate});
    Scenario scenario = short_scenario(server, Mix(Transport::websocket));
    scenario.url.tls = true;
    scenario.tls.ca_file = certificate.path();
    scenario.url.host = "127.0.0.2";  // reaches the same machine; the certificate does not name it
    const auto context = TlsContext::make(scenario.url, scenario.tls);
    ASSERT_TRUE(context);
    scenario.url.host = "127.0.0.1";
    const auto addresses = resolve_addresses(scenario);
    Stream stream;
    ASSERT_EQ(stream.connect(*addresses, context->get(), 0), Stream::Result::done);
    auto result = Stream::Result::want_write;
    while (result == Stream::Result::want_read || result == Stream::Result::want_write) {
        pollfd waiting{stream.fd(), POLLIN | POLLOUT, 0};
        ::poll(&waiting, 1, -1);
        result = stream.secure();
    }
    EXPECT_EQ(result, Stream::Result::failed);
    EXPECT_NE(stream.describe_error().find("mismatch"), std::string::npos)
        << stream.describe_error();
}

TEST(Tls, WhatASlowReaderHasNotReadIsReadInTheEnd) {
    const TestCertificate certificate;
    const ChatServer server({.tls = &certificate});
    Scenario scenario = short_scenario(server, Mix(Transport::websocket));
    scenario.url.tls = true;
    scenario.tls.insecure = true;
    scenario.slow_readers_percent = 20;
    scenario.payload_bytes = 400;
    const Report report = play(scenario);
    EXPECT_FALSE(report.faulty()) << format_table(report);
    EXPECT_EQ(report.tally.slow.received, 40u);
    EXPECT_EQ(report.tally.slow.lost, 0u);
}

TEST(Tls, SessionsAreTakenUpAgainWhereAsked) {
    const TestCertificate certificate;
    const ChatServer server({.tls = &certificate});
    Scenario scenario = short_scenario(server, Mix(Transport::websocket));
    scenario.url.tls = true;
    scenario.tls.insecure = true;
    EXPECT_EQ(play(scenario).tally.resumed_tls, 0u);
    scenario.tls.resume = true;
    // Some begin long after others are connected, on a busy machine as well.
    scenario.ramp = 2s;
    const Report report = play(scenario);
    EXPECT_FALSE(report.faulty()) << format_table(report);
    EXPECT_GT(report.tally.resumed_tls, 0u);
}

HandshakeReport shake(const Scenario& scenario) {
    const std::atomic<bool> interrupted{false};
    const auto report = run_handshakes(scenario, parley_target("/ws"), nullptr, interrupted);
    EXPECT_TRUE(report) << (report ? "" : report.error().text);
    return report ? *report : HandshakeReport{};
}

TEST(Handshakes, ARateIsKeptAndEachIsCounted) {
    const TestCertificate certificate;
    for (const auto kind :
         {Handshakes::Kind::tcp, Handshakes::Kind::tls, Handshakes::Kind::upgrade}) {
        const bool tls = kind != Handshakes::Kind::tcp;
        const ChatServer server({.tls = tls ? &certificate : nullptr});
        Scenario scenario = short_scenario(server, Mix());
        scenario.connections = 500;
        scenario.url.tls = tls;
        scenario.tls.insecure = tls;
        scenario.handshakes = Handshakes{kind, 400};
        const HandshakeReport report = shake(scenario);
        EXPECT_EQ(report.tally.failed + report.tally.withheld, 0u) << format_table(report);
        // 400 a second from the warm-up's beginning to the window's end, 100 ms later.
        EXPECT_EQ(report.tally.done, 40u) << format_table(report);
        EXPECT_EQ(report.tally.time.count(), 36u) << format_table(report);
        EXPECT_EQ(to_json(report).at("handshake_kind").as_string(), name_of(kind));
        // TCP's is the kernel's: who only connects need not have been accepted yet.
        if (kind != Handshakes::Kind::tcp) {
            EXPECT_GE(server.accepted(), 40);
        }
    }
}

TEST(Handshakes, TheClosedLoopStartsTheNextWhenOneIsDone) {
    const ChatServer server({});
    Scenario scenario = short_scenario(server, Mix());
    scenario.connections = 4;
    scenario.duration = 1h;
    scenario.handshakes = Handshakes{Handshakes::Kind::upgrade, 0};
    std::atomic<bool> interrupted{false};
    std::thread operator_at_the_keyboard([&] {
        while (server.accepted() < 20) std::this_thread::yield();
        interrupted.store(true, std::memory_order_relaxed);
    });
    const auto report = run_handshakes(scenario, parley_target("/ws"), nullptr, interrupted);
    operator_at_the_keyboard.join();
    ASSERT_TRUE(report) << report.error().text;
    EXPECT_TRUE(report->interrupted);
    EXPECT_EQ(report->tally.failed + report->tally.withheld, 0u) << format_table(*report);
    EXPECT_GE(report->tally.done, 10u);
    EXPECT_NE(format_table(*report).find("closed loop, 4 at once"), std::string::npos);
}

TEST(Handshakes, FailuresAreCountedByTheirCause) {
    const ChatServer plain({});
    Scenario scenario = short_scenario(plain, Mix());
    scenario.url.tls = true;
    scenario.tls.insecure = true;
    scenario.handshakes = Handshakes{Handshakes::Kind::tls, 200};
    scenario.drain = 20ms;
    const HandshakeReport report = shake(scenario);
    EXPECT_EQ(report.exit_code(), ExitCode::faulty);
    EXPECT_EQ(report.tally.done, 0u);
    EXPECT_EQ(report.tally.failed + report.tally.withheld, 20u);
    EXPECT_FALSE(report.tally.failures.empty());
}

TEST(Handshakes, ARefusedUpgradeIsCountedByItsStatus) {
    const ChatServer server({});
    Scenario scenario = short_scenario(server, Mix());
    scenario.handshakes = Handshakes{Handshakes::Kind::upgrade, 100};
    const std::atomic<bool> interrupted{false};
    // Not the WebSocket's path: answered like any other request.
    const auto report = run_handshakes(scenario, parley_target("/page"), nullptr, interrupted);
    ASSERT_TRUE(report);
    EXPECT_EQ(report->tally.failed, 10u);
    EXPECT_EQ(report->tally.statuses.at(200), 10u);
}

}  // namespace
}  // namespace parley::load
