#include "core/metrics.hpp"

#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <set>

#include "support/test_session.hpp"

namespace parley::core {
namespace {

using test::milliseconds;
using test::TestHub;
using test::TestSession;

TEST(Metrics, HaveNamesThatAreTheirOwnAndAHelpThatIsASentence) {
    std::set<std::string> names;
    const auto check = [&](std::string_view name, std::string_view help) {
        EXPECT_TRUE(names.insert(std::string(name)).second) << name;
        EXPECT_EQ(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string_view::npos)
            << name;
        EXPECT_TRUE(help.size() > 10 && help.ends_with('.')) << name << ": " << help;
    };
    for (const auto& row : metric_rows()) check(row.name, row.help);
    for (const auto& row : level_rows()) check(row.name, row.help);
    for (const auto& row : measure_rows) check(row.name, row.help);
}

TEST(ShardMetrics, CountsSessionsByTransportAndWhatIsBeyondTheKindsAsOther) {
    ShardMetrics metrics;
    constexpr std::size_t kinds = ShardMetrics::transport_kinds_max + 2;
    std::array<std::optional<TransportTraits>, kinds> traits;
    for (auto& each : traits) each.emplace(TransportTraits{"some", nullptr});
    for (std::size_t i = 0; i < kinds; ++i) {
        for (std::size_t n = 0; n <= i; ++n) metrics.session_opened(*traits[i]);
        metrics.session_closed(*traits[i], close_reasons::normal);
    }
    for (std::size_t i = 0; i < ShardMetrics::transport_kinds_max; ++i) {
        EXPECT_EQ(metrics.sessions(i).transport, &*traits[i]);
        EXPECT_EQ(metrics.sessions(i).opened, i + 1);
        EXPECT_EQ(metrics.sessions(i).closed, 1U);
    }
    const auto other = metrics.sessions(ShardMetrics::transport_kinds_max);
    EXPECT_EQ(other.transport, nullptr);
    EXPECT_EQ(other.opened, kinds - 1 + kinds);
    EXPECT_EQ(other.closed, 2U);
    EXPECT_EQ(metrics.read(Metric::sessions_closed), kinds);
}

TEST(ShardMetrics, CountsEveryReasonToCloseByItself) {
    ShardMetrics metrics;
    constexpr TransportTraits traits{"some", nullptr};
    for (std::size_t i = 0; i < all_close_reasons.size(); ++i) {
        for (std::size_t n = 0; n <= i; ++n) metrics.session_closed(traits, all_close_reasons[i]);
    }
    for (std::size_t i = 0; i < all_close_reasons.size(); ++i) {
        EXPECT_EQ(metrics.closes(i), i + 1) << all_close_reasons[i].name;
    }
}

TEST(ShardMetrics, CountsEveryErrorByItsCode) {
    ShardMetrics metrics;
    for (const auto& row : errc_rows) metrics.count_error(row.value);
    for (const auto& row : errc_rows) EXPECT_EQ(metrics.errors(row.value), 1U) << row.name;
    EXPECT_EQ(metrics.read(Metric::errors), errc_rows.size());
}

std::uint64_t count_of(const Histogram& histogram) {
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < Histogram::buckets_max; ++i) count += histogram.read(i);
    return count;
}

TEST(ShardMetrics, MeasureAFanOut) {
    TestHub hub;
    const ShardMetrics& metrics = hub.shard().metrics();
    {
        TestSession ann(hub, 0, "ann");
        TestSession bob(hub, 0, "bob");
        ann.join("r");
        bob.join("r");
        hub.settle();
        EXPECT_EQ(metrics.read(Level::members), 2U);
        const auto fan_outs = count_of(metrics.histogram(Measure::fan_out));
        const auto frames = metrics.histogram(Measure::write_batch).sum();

        bob.block();
        ann.send("r", "one");
        ann.send("r", "two");
        hub.settle();
        EXPECT_EQ(count_of(metrics.histogram(Measure::fan_out)) - fan_outs, 2U);
        EXPECT_EQ(metrics.histogram(Measure::write_batch).sum() - frames, 2U) << "ann's own two";
        EXPECT_GT(metrics.read(Level::window_bytes), 0U) << "bob has them to come";

        bob.unblock();
        hub.settle();
        EXPECT_EQ(metrics.histogram(Measure::write_batch).sum() - frames, 4U);
        EXPECT_EQ(metrics.read(Level::window_bytes), 0U);
    }
    hub.settle();
    EXPECT_EQ(metrics.read(Level::members), 0U);
    EXPECT_EQ(metrics.read(Level::window_bytes), 0U);
}

TEST(ShardMetrics, MeasureFromACommandToTheEndOfItsPass) {
    TestHub hub;
    Shard& shard = hub.shard();
    TestSession ann(hub, 0, "ann");
    ann.join("r");
    hub.settle();
    shard.note_written(hub.now().mono);
    const Histogram& took = shard.metrics().histogram(Measure::publish_to_written);
    const auto count = count_of(took);
    const auto sum = took.sum();

    ann.send("r", "one");
    hub.jump(milliseconds(3));
    ann.send("r", "two");  // of the same pass, which is as old as its oldest
    hub.jump(milliseconds(2));
    EXPECT_FALSE(shard.passes_ended());
    hub.settle();
    EXPECT_TRUE(shard.passes_ended());
    shard.note_written(hub.now().mono + milliseconds(1));
    EXPECT_FALSE(shard.passes_ended());
    EXPECT_EQ(count_of(took) - count, 1U);
    EXPECT_EQ(took.sum() - sum, 6'000U) << "microseconds";
}

TEST(ShardMetrics, CountLagByWhatBecomesOfTheLaggard) {
    for (const OnLag policy : {OnLag::disconnect, OnLag::gap, OnLag::latest}) {
        Config config = test::unlimited_config();
        config.window.messages = 16;
        config.rooms.push_back({"*", policy});
        TestHub hub(config);
        TestSession ann(hub, 0, "ann");
        TestSession bob(hub, 0, "bob");
        ann.join("r");
        bob.join("r");
        hub.settle();
        bob.block();
        for (int i = 0; i < 40; ++i) {
            ann.send("r", "news");
            hub.settle();
        }
        if (policy != OnLag::disconnect) bob.unblock();
        hub.settle();
        for (const OnLag each : {OnLag::disconnect, OnLag::gap, OnLag::latest}) {
            EXPECT_EQ(hub.shard().metrics().lag_events(each), each == policy ? 1U : 0U)
                << static_cast<int>(policy);
        }
    }
}

}  // namespace
}  // namespace parley::core
