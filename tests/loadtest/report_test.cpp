#include "loadtest/report.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <functional>

namespace parley::load {
namespace {

Report clean_report() {
    Report report;
    report.scenario.connections = 10;
    report.target = "parley.v1";
    report.url = "ws://127.0.0.1:8080/ws";
    report.window_s = 2;
    Tally& tally = report.tally;
    tally.opened = 10;
    tally.published = 150;
    tally.published_in_window = 100;
    tally.steady.expected = tally.steady.received = 1500;
    tally.received_in_window = 1000;
    for (int i = 1; i <= 1000; ++i) tally.latency.record(i * 1000);
    return report;
}

bool has_remark(const Report& report, std::string_view words) {
    for (const std::string& remark : report.remarks()) {
        if (remark.find(words) != std::string::npos) return true;
    }
    return false;
}

TEST(Report, ARunWithoutFaultsIsClean) {
    const Report report = clean_report();
    EXPECT_EQ(report.exit_code(), ExitCode::clean);
    EXPECT_TRUE(has_remark(report, "Every delivery arrived once and in order"));
    EXPECT_EQ(report.throughput_per_s(), 500);
}

TEST(Report, EveryFaultMakesTheRunFaultyAndIsNamed) {
    struct Case {
        const char* words;
        std::function<void(Tally&)> spoil;
    };
    const Case cases[] = {
        {"1 delivery was lost", [](Tally& t) { t.steady.lost = 1; }},
        {"2 deliveries were lost", [](Tally& t) { t.steady.lost = 2; }},
        {"announced it", [](Tally& t) { t.steady.announced = 1; }},
        {"came again", [](Tally& t) { t.steady.duplicate = 1; }},
        {"came again", [](Tally& t) { t.slow.duplicate = 1; }},
        {"out of order", [](Tally& t) { t.steady.out_of_order = 1; }},
        {"out of order", [](Tally& t) { t.slow.out_of_order = 1; }},
        {"another room", [](Tally& t) { t.steady.stray = 1; }},
        {"1 connection failed", [](Tally& t) { t.failed = 1; }},
        {"ended by the server", [](Tally& t) { t.dropped = 1; }},
        {"could not be sent", [](Tally& t) { t.withheld = 1; }},
        {"--no-limits",
         [](Tally& t) {
             t.refused = 3;
             t.refusals["rate_limited"] = 3;
         }},
        {"Failure, 2 times: connect: no",
         [](Tally& t) { count_reason(t.failures, "connect: no", 2); }},
    };
    for (const Case& c : cases) {
        Report report = clean_report();
        c.spoil(report.tally);
        EXPECT_EQ(report.exit_code(), ExitCode::faulty) << c.words;
        EXPECT_TRUE(has_remark(report, c.words)) << c.words;
        EXPECT_FALSE(has_remark(report, "Every delivery arrived once")) << c.words;
    }
}

TEST(Report, WhatSlowReadersLoseIsTheServersPolicy) {
    Report report = clean_report();
    report.tally.slow.lost = 100;
    report.tally.slow.announced = 100;
    report.tally.slow_closes[4108] = 3;
    EXPECT_EQ(report.exit_code(), ExitCode::clean);
}

TEST(Report, AGeneratorAtItsLimitOwnsTheFigures) {
    const std::function<void(Report&)> limits[] = {
        [](Report& r) { r.generator.busiest_share = 0.86; },
        [](Report& r) { r.generator.longest_wait_share = 0.21; },
        [](Report& r) {
            for (int i = 0; i < 100; ++i) r.tally.pacing_lag.record(11 * ns_per_ms);
        },
    };
    for (const auto& limit : limits) {
        Report report = clean_report();
        limit(report);
        EXPECT_EQ(report.exit_code(), ExitCode::generator_limited);
        EXPECT_TRUE(has_remark(report, "The generator was the bottleneck"));
        EXPECT_NE(format_table(report).find("OF THE GENERATOR"), std::string::npos);
        EXPECT_TRUE(to_json(report).at("generator_limited").as_bool());
        report.tally.steady.lost = 1;
        EXPECT_EQ(report.exit_code(), ExitCode::faulty);
    }
}

TEST(Report, JsonHasTheFiguresOfTheTable) {
    Report report = clean_report();
    report.tally.closes[1006] = 4;
    report.server = ServerCost{{1.0, 1000}, {2.0, 3000}, {2.5, 4000}};
    const auto json = boost::json::parse(boost::json::serialize(to_json(report)));
    EXPECT_EQ(json.at("exit_code"), 0);
    EXPECT_EQ(json.at("connections").at("asked"), 10);
    EXPECT_EQ(json.at("connections").at("closes").at("1006"), 4);
    EXPECT_EQ(json.at("deliveries").at("expected"), 1500);
    EXPECT_EQ(json.at("deliveries").at("lost"), 0);
    EXPECT_EQ(json.at("deliveries_per_s"), 500.0);
    EXPECT_EQ(json.at("messages_per_s"), 50.0);
    EXPECT_NEAR(json.at("latency_us").at("p50").as_double(), 500, 5);
    EXPECT_NEAR(json.at("latency_us").at("p99_99").as_double(), 1000, 10);
    EXPECT_EQ(json.at("latency_us").at("max"), 1000.0);
    EXPECT_EQ(json.at("server").at("cpu_us_per_delivery"), 500.0);
    EXPECT_EQ(json.at("server").at("pss_kib_connected"), 3000);
}

TEST(Report, TableHasEveryPercentileAndTheVerdict) {
    Report report = clean_report();
    report.server = ServerCost{{1.0, 1000}, {2.0, 3000}, {2.5, 4000}};
    const std::string table = format_table(report);
    for (const char* words : {"p50", "p90", "p99", "p99.9", "p99.99", "max", "1,500", "500.0",
                              "CPU per delivery", "3,000 KiB", "verdict", "expected"}) {
        EXPECT_NE(table.find(words), std::string::npos) << words;
    }
}

TEST(Report, ReadsTheKernelsAccounts) {
    EXPECT_EQ(read_cpu_ticks("7 (a) b) c) S 1 2 3 4 5 6 7 8 9 10 100 23 0 0"), 123u);
    EXPECT_EQ(read_cpu_ticks("7 (a) S 1 2 3"), std::nullopt);
    EXPECT_EQ(read_cpu_ticks(""), std::nullopt);
    EXPECT_EQ(read_kib("Rss:   5 kB\nPss:   1234 kB\nPss_Anon: 9 kB\n", "Pss:"), 1234u);
    EXPECT_EQ(read_kib("Rss:   5 kB\n", "Pss:"), std::nullopt);
}

TEST(Tally, ReasonsStayBounded) {
    Reasons reasons;
    for (int i = 0; i < 1000; ++i) count_reason(reasons, "reason " + std::to_string(i));
    EXPECT_LE(reasons.size(), reasons_max + 1);
    EXPECT_EQ(reasons.at("other"), 1000 - reasons_max);
}

TEST(Tally, ReasonsArePrintable) {
    Reasons reasons;
    count_reason(reasons, "gone \xff\xc3\xa9\n");
    count_reason(reasons, "gone \xfe\xc3\xa9\t");
    count_reason(reasons, "caf\xc3\xa9");
    EXPECT_EQ(reasons, (Reasons{{"gone ????", 2}, {"caf\xc3\xa9", 1}}));
}

TEST(Report, ASearchThatWasInterruptedSaysSo) {
    Report report = clean_report();
    report.interrupted = true;
    report.find_max = FindMaxResult{{}, {{ns_per_s, std::nullopt, Limit::steps}}};
    EXPECT_TRUE(has_remark(report, "The search was interrupted"));
    EXPECT_TRUE(has_remark(report, "No rate was found"));
}

TEST(Report, BytesOfADeliveryAreWhatWasReadForIt) {
    Report report = clean_report();
    EXPECT_TRUE(to_json(report).at("bytes_per_delivery").is_number());
    report.tally.received_in_window = 100;
    report.tally.bytes_in_window = 27'350;
    EXPECT_EQ(report.bytes_per_delivery(), 273.5);
    report.tally.received_in_window = 0;
    EXPECT_EQ(report.bytes_per_delivery(), std::nullopt);
    EXPECT_TRUE(to_json(report).at("bytes_per_delivery").is_null());
}

TEST(LastReceivers, TellOfEachMessageWhenTheLastHadIt) {
    LastReceivers receivers;
    // Two messages, whose receipts are mingled; another publisher at the same instant is another.
    receivers.arrived(1000, 0, 1500);
    receivers.arrived(1000, 0, 1400);
    receivers.arrived(2000, 0, 2100);
    receivers.arrived(1000, 0, 1900);
    receivers.arrived(1000, 1, 1001);
    const auto delays = receivers.delays();
    ASSERT_TRUE(delays);
    EXPECT_EQ(delays->count(), 3u);
    EXPECT_EQ(delays->max(), 900u);
    EXPECT_EQ(delays->percentile(50), 100u);
}

TEST(LastReceivers, ThreadsAreJoinedMessageByMessage) {
    LastReceivers one;
    LastReceivers other;
    one.arrived(1000, 0, 1500);
    other.arrived(1000, 0, 1700);
    other.arrived(2000, 0, 2050);
    LastReceivers sum = one;
    sum.merge(other);
    EXPECT_EQ(sum.delays()->count(), 2u);
    EXPECT_EQ(sum.delays()->max(), 700u);
    EXPECT_EQ(one.delays()->max(), 500u);
}

TEST(LastReceivers, TooManyMessagesAreNotTold) {
    LastReceivers receivers;
    for (std::size_t i = 0; i < LastReceivers::messages_max; ++i) {
        receivers.arrived(static_cast<std::int64_t>(i), 0, static_cast<std::int64_t>(i) + 5);
    }
    EXPECT_EQ(receivers.delays()->count(), LastReceivers::messages_max);
    receivers.arrived(-1, 0, 5);
    EXPECT_FALSE(receivers.delays());
    LastReceivers sum;
    sum.arrived(1, 0, 2);
    sum.merge(receivers);
    EXPECT_FALSE(sum.delays());
}

TEST(Tally, MergingAddsEveryCount) {
    Tally one = clean_report().tally;
    one.closes[1000] = 1;
    one.failures["a"] = 2;
    Tally sum = one;
    sum.merge(one);
    EXPECT_EQ(sum.opened, 20u);
    EXPECT_EQ(sum.published, 300u);
    EXPECT_EQ(sum.steady.received, 3000u);
    EXPECT_EQ(sum.latency.count(), 2000u);
    EXPECT_EQ(sum.closes.at(1000), 2u);
    EXPECT_EQ(sum.failures.at("a"), 4u);
}

}  // namespace
}  // namespace parley::load
