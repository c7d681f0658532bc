#include "loadtest/metrics_source.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include "loadtest/server_watch.hpp"

namespace parley::load {
namespace {

constexpr std::string_view text = R"(# HELP parley_sessions Sessions that are open, by transport.
# TYPE parley_sessions gauge
parley_sessions{transport="websocket"} 12
parley_sessions{transport="say \"}\" twice, \\"} 30 1395066363000
parley_sessions_opened_total 7
parley_sessions_opened 1e3
parley_half 0.5
parley_up +Inf
parley_broken nonsense
parley_unknown NaN
parley_endless{transport="websocket 5
)";

TEST(MetricSum, AddsUpEverySampleOfTheName) {
    EXPECT_EQ(metric_sum(text, "parley_sessions"), 42);
    EXPECT_EQ(metric_sum(text, "parley_sessions_opened_total"), 7);
    EXPECT_EQ(metric_sum(text, "parley_sessions_opened"), 1000);
    EXPECT_EQ(metric_sum(text, "parley_half"), 0.5);
    EXPECT_GT(metric_sum(text, "parley_up"), 1e300);
}

TEST(MetricSum, OfWhatIsNotThereOrNoNumberIsNothing) {
    for (const char* const name : {"parley_session", "parley", "sessions", "HELP", "parley_broken",
                                   "parley_unknown", "parley_endless", ""}) {
        EXPECT_EQ(metric_sum(text, name), std::nullopt) << name;
    }
    EXPECT_EQ(metric_sum("", "x"), std::nullopt);
    EXPECT_EQ(metric_sum("x 1", "x"), 1);  // without a line's end
}

TEST(ServerWatch, AScrapeIsReadIntoAPoint) {
    ServerPoint point;
    read_metrics(
        "process_cpu_seconds_total 2.5\nprocess_resident_memory_bytes 2048000\n"
        "parley_writes_total 77\n",
        point);
    EXPECT_EQ(point.cpu_s, 2.5);
    EXPECT_EQ(point.resident_kib, 2000u);
    for (std::size_t i = 0; i < watched_counters.size(); ++i) {
        const bool told = watched_counters[i].metric == "parley_writes_total";
        EXPECT_EQ(point.counters[i].has_value(), told);
    }
}

TEST(ServerWatch, WhatTheKernelSaysGoesBeforeWhatTheServerSays) {
    ServerPoint point;
    point.cpu_s = 1;
    point.resident_kib = 5;
    read_metrics("process_cpu_seconds_total 2.5\nprocess_resident_memory_bytes 2048000\n", point);
    EXPECT_EQ(point.cpu_s, 1);
    EXPECT_EQ(point.resident_kib, 5u);
}

TEST(ServerWatch, OfAProcessItKeepsEveryLook) {
    ServerWatch watch(static_cast<std::int32_t>(::getpid()), nullptr);
    ASSERT_FALSE(watch.start());
    const ServerPoint point = watch.look();
    EXPECT_TRUE(point.cpu_s);
    EXPECT_GT(point.resident_kib.value_or(0), 0u);
    const auto seen = watch.stop();
    ASSERT_GE(seen.points.size(), 2u);
    EXPECT_LE(seen.points.front().at_ns, seen.points.back().at_ns);
}

TEST(ServerWatch, OverItsBoundItKeepsEveryOtherLook) {
    ServerWatch watch(static_cast<std::int32_t>(::getpid()), nullptr);
    ASSERT_FALSE(watch.start());
    for (std::size_t i = 0; i < ServerWatch::points_max + 10; ++i) (void)watch.look();
    const auto seen = watch.stop();
    EXPECT_GT(seen.points.size(), ServerWatch::points_max / 2);
    EXPECT_LE(seen.points.size(), ServerWatch::points_max / 2 + 20);
    for (std::size_t i = 1; i < seen.points.size(); ++i) {
        EXPECT_LE(seen.points[i - 1].at_ns, seen.points[i].at_ns);
    }
}

TEST(ServerWatch, SaysWhyNothingCanBeSeen) {
    ServerWatch nobody(0x7ffffff0, nullptr);
    const auto problem = nobody.start();
    ASSERT_TRUE(problem);
    EXPECT_NE(problem->text.find("no such process"), std::string::npos);

    Url url{"127.0.0.1", 1, "/metrics"};  // nobody listens at port 1
    auto source = MetricsSource::make(url, {});
    ASSERT_TRUE(source);
    ServerWatch deaf(0, std::move(*source));
    const auto refused = deaf.start();
    ASSERT_TRUE(refused);
    EXPECT_TRUE(refused->text.starts_with("--server-metrics: ")) << refused->text;

    Scenario scenario;
    scenario.server_metrics = url;
    EXPECT_FALSE(ServerWatch::begin(scenario));
}

TEST(ServerWatch, WithNothingToLookAtItSeesNothing) {
    ServerWatch watch(0, nullptr);
    EXPECT_FALSE(watch.watches());
    EXPECT_FALSE(watch.start());
    EXPECT_FALSE(watch.look().cpu_s);
    EXPECT_FALSE(watch.sample());
    EXPECT_TRUE(ServerWatch::begin(Scenario{}));
    EXPECT_TRUE(watch.stop().points.empty());
}

}  // namespace
}  // namespace parley::load
