#include "loadtest/compare.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cmath>
#include <functional>
#include <limits>

namespace parley::load {
namespace {

namespace json = boost::json;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

json::array repeated(std::initializer_list<double> values) {
    json::array out;
    for (int i = 0; i < 10; ++i) {
        for (const double value : values) out.emplace_back(value);
    }
    return out;
}

json::array seconds(std::size_t count) {
    json::array out;
    for (std::size_t i = 1; i <= count; ++i) out.emplace_back(static_cast<double>(i));
    return out;
}

// A run of 20 s whose p99 is steady, and whose p50 goes up and down by half from second to second.
json::value result() {
    return {{"schema", 2},
            {"kind", "messages"},
            {"scenario",
             {{"url", "ws://a:1/ws"},
              {"connections", 100},
              {"rate_per_s", 50.0},
              {"threads", 1},
              {"mix", {{"websocket", 100}}}}},
            {"exit_code", 0},
            {"generator_limited", false},
            {"interrupted", false},
            {"window_s", 20.0},
            {"deliveries_per_s", 5000.0},
            {"deliveries", {{"lost", 0}, {"announced", 0}, {"duplicate", 0}, {"out_of_order", 0}}},
            {"latency_us", {{"p50", 1000.0}, {"p99", 4000.0}, {"max", 9000.0}}},
            {"server", {{"cpu_us_per_delivery", 4.0}, {"pss_kib_connected", 20000}}},
            {"time_series",
             {{"interval_s", 1.0},
              {"window_s", {0.0, 20.0}},
              {"at_s", seconds(20)},
              {"p50_us", repeated({500, 1500})},
              {"p99_us", repeated({4000, 4000})}}}};
}

json::value changed(const std::function<void(json::object&)>& change) {
    json::value out = result();
    change(out.as_object());
    return out;
}

Comparison compared(const json::value& before, const json::value& after) {
    const auto comparison = compare_results(before, after);
    EXPECT_TRUE(comparison) << (comparison ? "" : comparison.error().text);
    return comparison ? *comparison : Comparison{};
}

const Change& change_named(const Comparison& comparison, std::string_view name) {
    for (const Change& change : comparison.changes) {
        if (change.name == name) return change;
    }
    throw std::runtime_error("no change of " + std::string(name));
}

TEST(Compare, AResultIsNoDifferentFromItself) {
    const Comparison same = compared(result(), result());
    EXPECT_THAT(same.differences, IsEmpty());
    EXPECT_THAT(same.failing(0), IsEmpty());
    EXPECT_EQ(exit_of(same, 0), CompareExit::within);
    EXPECT_EQ(change_named(same, "latency p99").word, Change::Word::within_noise);
}

TEST(Compare, WhatFellIsBetterOrWorseAsItsKindHasIt) {
    const Comparison slower = compared(result(), changed([](json::object& r) {
                                           r["deliveries_per_s"] = 4000.0;
                                           r["server"].as_object()["cpu_us_per_delivery"] = 3.0;
                                       }));
    const Change& rate = change_named(slower, "deliveries");
    EXPECT_EQ(rate.word, Change::Word::worse);
    EXPECT_NEAR(rate.worse_percent, 20, 1e-9);
    EXPECT_EQ(change_named(slower, "server CPU a delivery").word, Change::Word::better);
    EXPECT_EQ(exit_of(slower, 19.9), CompareExit::worse);
    EXPECT_EQ(exit_of(slower, 20.1), CompareExit::within);
}

TEST(Compare, WhatTheSecondsDifferByAnywayIsNoise) {
    const auto by = [](const char* percentile, double factor) {
        return compared(result(), changed([&](json::object& r) {
                            auto& value = r["latency_us"].as_object()[percentile];
                            value = value.as_double() * factor;
                        }));
    };
    // Seconds of 500 and 1500 us: a standard error of 11.8 %, both runs' twice 33 %.
    const Change noisy = change_named(by("p50", 1.3), "latency p50");
    EXPECT_EQ(noisy.word, Change::Word::within_noise);
    EXPECT_TRUE(noisy.noise_measured);
    EXPECT_NEAR(noisy.noise, 2 * 0.1147 * std::hypot(1, 1.3), 0.01);
    EXPECT_EQ(change_named(by("p50", 2), "latency p50").word, Change::Word::worse);
    // The steady one may change by no more than the least.
    EXPECT_EQ(change_named(by("p99", 1.009), "latency p99").word, Change::Word::within_noise);
    EXPECT_EQ(change_named(by("p99", 1.011), "latency p99").word, Change::Word::worse);
    EXPECT_EQ(change_named(by("p99", 0.98), "latency p99").word, Change::Word::better);
    // A single value proves nothing.
    EXPECT_EQ(change_named(by("max", 9), "latency, longest").word, Change::Word::not_judged);
    EXPECT_EQ(exit_of(by("max", 9), 0), CompareExit::within);
}

TEST(Compare, SecondsOutsideTheWindowAndTooFewOfThemTellNothing) {
    for (const double window_end : {4.0, 20.0}) {
        const auto cut = changed([&](json::object& r) {
            r["time_series"].as_object()["window_s"] = {0.0, window_end};
        });
        EXPECT_EQ(change_named(compared(cut, cut), "latency p50").noise_measured, window_end > 10);
    }
}

TEST(Compare, WhateverWasNotLostBeforeFailsAtAnyThreshold) {
    for (const char* const fault : {"lost", "announced", "duplicate", "out_of_order"}) {
        const Comparison worse = compared(
            result(), changed([&](json::object& r) { r["deliveries"].as_object()[fault] = 1; }));
        EXPECT_EQ(exit_of(worse, 1e6), CompareExit::worse) << fault;
        ASSERT_EQ(worse.failing(1e6).size(), 1u);
        EXPECT_TRUE(std::isinf(worse.failing(1e6).front()->worse_percent));
    }
    const Comparison mended = compared(
        changed([](json::object& r) { r["deliveries"].as_object()["lost"] = 5; }), result());
    EXPECT_EQ(change_named(mended, "lost").word, Change::Word::better);
}

TEST(Compare, DifferentScenariosAreNotCompared) {
    const std::function<void(json::object&)> differences[] = {
        [](json::object& r) { r["scenario"].as_object()["connections"] = 101; },
        [](json::object& r) { r["scenario"].as_object()["rate_per_s"] = "max"; },
        [](json::object& r) {
            r["scenario"].as_object()["mix"] = {{"sse", 100}};
        },
        [](json::object& r) { r["handshake_kind"] = "tls"; },
    };
    for (const auto& difference : differences) {
        const Comparison comparison = compared(result(), changed(difference));
        EXPECT_EQ(comparison.differences.size(), 1u);
        EXPECT_THAT(comparison.changes, IsEmpty());
        EXPECT_EQ(exit_of(comparison, 1e6), CompareExit::not_comparable);
    }
    const Comparison told = compared(result(), changed(differences[0]));
    EXPECT_EQ(told.differences.front(), "connections: 100 and 101");
}

TEST(Compare, ANumberIsTheSameHoweverItIsWritten) {
    const Comparison comparison = compared(result(), changed([](json::object& r) {
                                               auto& scenario = r["scenario"].as_object();
                                               scenario["connections"] = 100.0;
                                               scenario["rate_per_s"] = 50;
                                               scenario["mix"] = {{"websocket", 100u}};
                                           }));
    EXPECT_THAT(comparison.differences, IsEmpty());
}

TEST(Compare, WhereAndFromWhereMayDifferAndOlderResultsMayTellLess) {
    const auto elsewhere = changed([](json::object& r) {
        auto& scenario = r["scenario"].as_object();
        scenario["url"] = "ws://b:2/ws";
        scenario["threads"] = 2;
        scenario.erase("mix");
        r.erase("schema");
        r.erase("time_series");
    });
    EXPECT_EQ(exit_of(compared(result(), elsewhere), 0), CompareExit::within);
    EXPECT_EQ(exit_of(compared(elsewhere, result()), 0), CompareExit::within);
}

json::value searched(double rate, json::array bounds) {
    return changed([&](json::object& r) {
        r["scenario"].as_object()["rate_per_s"] = rate;
        r["scenario"].as_object()["duration_s"] = rate / 10;
        r["latency_us"].as_object()["p99"] = rate;
        r["find_max"] = {{"bounds", std::move(bounds)}};
    });
}

TEST(Compare, OfSearchesTheBoundsAreCompared) {
    const auto before = searched(100, {{{"p99_max_ms", 25.0}, {"deliveries_per_s", 1000.0}},
                                       {{"p99_max_ms", 200.0}, {"deliveries_per_s", 2000.0}}});
    const auto after = searched(200, {{{"p99_max_ms", 25}, {"deliveries_per_s", nullptr}},
                                      {{"p99_max_ms", 200.0}, {"deliveries_per_s", 3000.0}}});
    const Comparison comparison = compared(before, after);
    EXPECT_THAT(comparison.differences, IsEmpty());
    const Change& lost = change_named(comparison, "deliveries, p99 <= 25.0 ms");
    EXPECT_EQ(lost.word, Change::Word::worse);
    EXPECT_NEAR(lost.worse_percent, 100, 1e-9);
    EXPECT_EQ(change_named(comparison, "deliveries, p99 <= 200.0 ms").word, Change::Word::better);
    EXPECT_EQ(change_named(comparison, "latency p99").word, Change::Word::not_judged);
    EXPECT_EQ(exit_of(compared(before, before), 0), CompareExit::within);
    const auto other = searched(100, {{{"p99_max_ms", 50.0}, {"deliveries_per_s", 1000.0}}});
    EXPECT_EQ(exit_of(compared(before, other), 0), CompareExit::not_comparable);
    // A run at one rate is no search.
    EXPECT_EQ(exit_of(compared(before, result()), 0), CompareExit::not_comparable);
}

TEST(Compare, WhatAReaderMustKnowIsSaid) {
    const Comparison comparison = compared(result(), changed([](json::object& r) {
                                               r["generator_limited"] = true;
                                               r["interrupted"] = true;
                                           }));
    EXPECT_THAT(comparison.remarks, Contains(HasSubstr("second result: the generator")));
    EXPECT_THAT(comparison.remarks, Contains(HasSubstr("interrupted")));
}

TEST(Compare, OtherFilesAreNoResults) {
    for (const json::value& other : {json::value(5), json::value(json::object{}),
                                     json::value(json::array{1}), json::value(nullptr)}) {
        EXPECT_FALSE(compare_results(other, result()));
        EXPECT_FALSE(compare_results(result(), other));
    }
}

TEST(Compare, TableAndPageSayTheSame) {
    CompareOptions options;
    options.before = "<a>.json";
    options.after = "b.json";
    const Comparison worse = compared(result(), changed([](json::object& r) {
                                          r["latency_us"].as_object()["p99"] = 8000.0;
                                          r["deliveries"].as_object()["lost"] = 3;
                                      }));
    const std::string table = format_table(worse, options);
    const std::string page = html_comparison(worse, options);
    for (const std::string& text : {table, page}) {
        for (const char* const words :
             {"latency p99", "2.000", "worse", "within noise", "new", "Worse by more than 10.0 %",
              "latency p99 (100.0 %)", "lost (none before)"}) {
            EXPECT_THAT(text, HasSubstr(words));
        }
    }
    EXPECT_THAT(page, HasSubstr("&lt;a&gt;.json"));
}

TEST(CompareLine, TakesTwoFilesAndAThreshold) {
    const auto options = parse_compare_line({"a", "b", "--fail-over", "2.5", "--html", "c"});
    ASSERT_TRUE(options) << options.error().text;
    EXPECT_EQ(options->before, "a");
    EXPECT_EQ(options->after, "b");
    EXPECT_EQ(options->fail_over_percent, 2.5);
    EXPECT_EQ(options->html_file, "c");
    for (const auto& arguments : std::vector<std::vector<std::string>>{
             {}, {"a"}, {"a", "b", "c"}, {"a", "b", "--fail-over", "-1"}, {"a", "b", "--x"}}) {
        EXPECT_FALSE(parse_compare_line(arguments));
    }
    EXPECT_THAT(parse_compare_line({"--help"})->help, HasSubstr("EXIT STATUS"));
}

}  // namespace
}  // namespace parley::load
