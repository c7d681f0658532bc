#include "loadtest/html_report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "loadtest/handshake_report.hpp"
#include "loadtest/report.hpp"
#include "loadtest/run_info.hpp"

namespace parley::load {
namespace {

namespace json = boost::json;
using testing::HasSubstr;

constexpr std::int64_t origin_ns = 50 * ns_per_s;

// Ten seconds, the measured window from the third to the eighth, two transports.
Report full_report() {
    Report report;
    report.scenario.connections = 10;
    report.scenario.mix = *parse_mix("websocket=50,sse=50");
    report.target = "parley.v1";
    report.url = "ws://127.0.0.1:8080/ws?<b>";
    report.window_s = 6;
    Tally& tally = report.tally;
    tally.opened = 10;
    tally.steady.expected = tally.steady.received = 1000;
    report.series.start(origin_ns);
    for (std::int64_t i = 0; i < 1000; ++i) {
        const std::int64_t now = origin_ns + i * ns_per_s / 100;
        tally.latency.record((i % 100 + 1) * 10'000);
        report.series.record(now, (i % 100 + 1) * 10'000);
        SeriesCounts counts;
        counts.open = 10;
        counts.published = static_cast<std::uint64_t>(i + 1);
        counts.received = static_cast<std::uint64_t>(10 * (i + 1));
        report.series.count(now, counts);
    }
    report.window = {origin_ns + 2 * ns_per_s, origin_ns + 8 * ns_per_s};
    report.end_ns = origin_ns + 19 * ns_per_s / 2;
    return report;
}

// Quieter than a matcher, which would print the whole page.
testing::AssertionResult has(const std::string& page, std::string_view words) {
    if (page.find(words) != std::string::npos) return testing::AssertionSuccess() << words;
    return testing::AssertionFailure() << words;
}

json::value headed(const json::value& result, std::string_view kind) {
    RunInfo info;
    info.arguments = {"--url", "ws://127.0.0.1/", "--target", "it's <here>"};
    info.started_at = "2026-11-22T10:00:00Z";
    info.processor = "A & B";
    return with_run_info(result, kind, info);
}

Report with_server() {
    Report report = full_report();
    for (std::int64_t i = 0; i <= 10; ++i) {
        ServerPoint point;
        point.at_ns = origin_ns + i * ns_per_s;
        point.cpu_s = 0.25 * static_cast<double>(i);
        point.resident_kib = 10'000 + static_cast<std::uint64_t>(i);
        point.counters[0] = 10;                            // connections
        point.counters[1] = 100 * static_cast<double>(i);  // messages published
        report.server_seen.points.push_back(point);
    }
    return report;
}

TEST(SeriesJson, EachColumnIsOfOneLengthAndTrue) {
    const Report report = full_report();
    const json::object series = json_series(report.series, report.window, report.end_ns);
    for (const auto& [key, value] : series) {
        if (key == "interval_s" || key == "window_s") continue;
        EXPECT_EQ(value.as_array().size(), 10u) << key;
    }
    EXPECT_EQ(series.at("interval_s"), 1.0);
    EXPECT_EQ(series.at("window_s").as_array().at(0), 2.0);
    EXPECT_EQ(series.at("at_s").as_array().at(9), 9.5);
    EXPECT_EQ(series.at("sent_per_s").as_array().at(0), 100.0);
    EXPECT_EQ(series.at("delivered_per_s").as_array().at(4), 1000.0);
    // The last interval was half as long as the others.
    EXPECT_EQ(series.at("sent_per_s").as_array().at(9), 200.0);
    EXPECT_EQ(series.at("max_us").as_array().at(3), 1000.0);
    EXPECT_NEAR(series.at("p50_us").as_array().at(3).as_double(), 500, 20);
}

TEST(SeriesJson, WhereNothingWasMeasuredAPercentileIsNull) {
    TimeSeries series;
    series.start(origin_ns);
    series.record(origin_ns + 2 * ns_per_s, 5000);
    const json::object columns = json_series(series, {}, origin_ns + 3 * ns_per_s);
    EXPECT_TRUE(columns.at("p99_us").as_array().at(0).is_null());
    EXPECT_TRUE(columns.at("max_us").as_array().at(1).is_null());
    EXPECT_EQ(columns.at("max_us").as_array().at(2), 5.0);
}

TEST(SeriesJson, TheServersCountersAreRatesAndItsLevelsAreLevels) {
    const json::value series = json_server_series(with_server().server_seen, origin_ns);
    EXPECT_EQ(series.at("at_s").as_array().at(0), 1.0);
    EXPECT_EQ(series.at("cpu_cores").as_array().at(5), 0.25);
    EXPECT_EQ(series.at("resident_kib").as_array().at(9), 10'010);
    EXPECT_EQ(series.at("counters").at("connections").as_array().at(3), 10.0);
    EXPECT_EQ(series.at("counters").at("messages_published_per_s").as_array().at(3), 100.0);
    EXPECT_EQ(series.at("counters").as_object().size(), 2u);  // of the others nothing was told
}

TEST(SeriesJson, LooksThatAreCloseTogetherAreOneInterval) {
    ServerWatch::Seen seen;
    for (const std::int64_t at_ms : {0, 5, 1000, 1200, 1400, 2000}) {
        ServerPoint point;
        point.at_ns = at_ms * ns_per_ms;
        point.cpu_s = static_cast<double>(at_ms) / 1000;
        seen.points.push_back(point);
    }
    const json::value series = json_server_series(seen, 0);
    EXPECT_EQ(series.at("at_s"), (json::array{1.0, 2.0}));
    EXPECT_EQ(series.at("cpu_cores"), (json::array{1.0, 1.0}));
}

TEST(SeriesJson, ARestartedServerLeavesAHole) {
    ServerWatch::Seen seen;
    for (const double cpu_s : {5.0, 6.0, 0.5, 1.0}) {
        ServerPoint point;
        point.at_ns = static_cast<std::int64_t>(seen.points.size()) * ns_per_s;
        point.cpu_s = cpu_s;
        seen.points.push_back(point);
    }
    const json::value series = json_server_series(seen, 0);
    EXPECT_EQ(series.at("cpu_cores").as_array().at(0), 1.0);
    EXPECT_TRUE(series.at("cpu_cores").as_array().at(1).is_null());
    EXPECT_EQ(series.at("cpu_cores").as_array().at(2), 0.5);
    EXPECT_FALSE(series.as_object().contains("resident_kib"));
    EXPECT_TRUE(json_server_series({}, 0).is_null());
}

TEST(SeriesJson, BucketsAddUpToTheHistogram) {
    Histogram histogram;
    for (int i = 1; i <= 1000; ++i) histogram.record(i * 997);
    const json::object buckets = json_buckets(histogram);
    std::uint64_t sum = 0;
    double last = -1;
    const auto& uppers = buckets.at("upper_us").as_array();
    for (std::size_t i = 0; i < uppers.size(); ++i) {
        EXPECT_GT(uppers[i].as_double(), last);
        last = uppers[i].as_double();
        sum += buckets.at("count").as_array()[i].as_uint64();
    }
    EXPECT_EQ(sum, 1000u);
    EXPECT_EQ(last, 997.0);
}

TEST(HtmlReport, HasEveryPartAndEveryChart) {
    Report report = with_server();
    report.scenario.server_pid = 1;
    report.server = ServerCost{{1.0, 1000}, {2.0, 3000}, {2.5, 4000}};
    const std::string page = html_report(headed(to_json(report), "messages"));
    for (const char* const words :
         {"Latency over time", "Latency histogram", "Latency by percentile", "Throughput over time",
          "Connections", "Server's processor time", "Server's resident memory",
          "Server: messages/s", "Times", "p99.99", "deliveries lost", "Loss, duplicates and order",
          "How it was measured", "A &amp; B", "Scenario", "2026-11-22T10:00:00Z", "3000 KiB (PSS)",
          "Every delivery arrived once"}) {
        EXPECT_TRUE(has(page, words));
    }
    EXPECT_THAT(page, HasSubstr("ws://127.0.0.1:8080/ws?&lt;b&gt;"));
    EXPECT_THAT(page, HasSubstr("'it'\\''s &lt;here&gt;'"));
}

TEST(HtmlReport, NeedsNothingButItself) {
    const std::string page = html_report(headed(to_json(with_server()), "messages"));
    for (const char* const words :
         {"<script", "src=", "href=", "url(", "@import", "<link", "<b>?"}) {
        EXPECT_FALSE(has(page, words));
    }
}

TEST(HtmlReport, NamesFaultsAndTheirCauses) {
    Report report = full_report();
    report.tally.steady.lost = 3;
    report.tally.failures["connect: refused & gone"] = 2;
    report.tally.statuses[503] = 7;
    report.tally.withheld = 4;
    const std::string page = html_report(headed(to_json(report), "messages"));
    for (const char* const words :
         {"By cause", "failure connect: refused &amp; gone", "answered with HTTP status 503",
          "messages that could not be sent", "<tr class=\"bad\">", "3 deliveries were lost"}) {
        EXPECT_TRUE(has(page, words));
    }
}

TEST(HtmlReport, WithoutAnythingMeasuredItIsStillAPage) {
    Report report;
    report.url = "ws://h/";
    const std::string page = html_report(headed(to_json(report), "messages"));
    EXPECT_FALSE(has(page, "nan"));
    EXPECT_FALSE(has(page, "<svg"));
    EXPECT_TRUE(page.ends_with("</html>\n"));
}

TEST(HtmlReport, HandshakesHaveOneToo) {
    HandshakeReport report;
    report.scenario.handshakes.emplace();
    report.url = "wss://h";
    report.window_s = 2;
    report.tally.done = report.tally.done_in_window = 100;
    for (int i = 1; i <= 100; ++i) report.tally.time.record(i * 1000);
    const std::string page = html_report(headed(to_json(report), "handshakes"));
    for (const char* const words :
         {"handshakes (upgrade)", "handshakes a second", "Latency histogram", "50"}) {
        EXPECT_TRUE(has(page, words));
    }
}

TEST(RunInfo, TheHeadComesFirstAndTheKeysStay) {
    const json::value result = headed(to_json(full_report()), "messages");
    EXPECT_EQ(result.as_object().begin()->key(), "schema");
    EXPECT_EQ(result.at("schema"), result_schema);
    EXPECT_EQ(result.at("kind"), "messages");
    EXPECT_EQ(result.at("version").as_string(), program_version());
    EXPECT_EQ(result.at("deliveries").at("expected"), 1000);
    EXPECT_EQ(result.at("command_line"),
              "parley-load --url ws://127.0.0.1/ --target 'it'\\''s <here>'");
}

TEST(RunInfo, KnowsThisMachine) {
    const RunInfo info = describe_run({"a"});
    EXPECT_GT(info.processors, 0u);
    EXPECT_GT(info.memory_kib, 0u);
    EXPECT_THAT(info.system, HasSubstr("Linux"));
    EXPECT_THAT(info.started_at, testing::MatchesRegex("....-..-..T..:..:..Z"));
}

}  // namespace
}  // namespace parley::load
