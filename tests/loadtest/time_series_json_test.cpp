#include "loadtest/time_series_json.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace parley::load {
namespace {

namespace json = boost::json;

constexpr std::int64_t origin_ns = 7 * ns_per_s;

TimeSeries series_of(std::int64_t seconds) {
    TimeSeries series;
    series.start(origin_ns);
    for (std::int64_t s = 0; s < seconds; ++s) {
        const auto n = static_cast<std::uint64_t>(s);
        const std::int64_t now = origin_ns + s * ns_per_s;
        series.record(now, s * 1'000'003);
        series.record(now, -1);
        series.count(now, {n, n + 1, n + 2, n + 3, n + 4, n + 5, n + 6, n + 7});
    }
    return series;
}

json::value through_text(const json::value& value) {
    return json::parse(json::serialize(value));
}

TEST(TimeSeriesJson, ComesBackAsItWas) {
    for (const std::int64_t seconds : {1, 2, 600, 601, 3000}) {
        const TimeSeries series = series_of(seconds);
        const auto back = time_series_from_json(through_text(time_series_to_json(series)));
        ASSERT_TRUE(back) << seconds;
        ASSERT_EQ(back->size(), series.size());
        EXPECT_EQ(back->width_ns(), series.width_ns());
        EXPECT_EQ(back->origin_ns(), series.origin_ns());
        for (std::size_t i = 0; i < series.size(); ++i) {
            ASSERT_EQ((*back)[i].counts.open, series[i].counts.open);
            ASSERT_EQ((*back)[i].counts.faulty, series[i].counts.faulty);
            ASSERT_EQ((*back)[i].latency.count(), series[i].latency.count());
            ASSERT_EQ((*back)[i].latency.max(), series[i].latency.max());
            for (const double percent : {1.0, 50.0, 99.0, 100.0}) {
                ASSERT_EQ((*back)[i].latency.percentile(percent),
                          series[i].latency.percentile(percent));
            }
        }
    }
}

TEST(TimeSeriesJson, WhatCameBackGoesOnAndAddsUp) {
    auto back = time_series_from_json(time_series_to_json(series_of(10)));
    ASSERT_TRUE(back);
    back->record(origin_ns + 10 * ns_per_s, 5);
    EXPECT_EQ(back->size(), 11u);
    TimeSeries sum = series_of(3);
    sum.merge(*back);
    EXPECT_EQ(sum[0].latency.count(), 4u);
    EXPECT_EQ(sum[10].counts.published, 3u + 10u);
}

TEST(TimeSeriesJson, OneThatWasNotStartedIsNull) {
    EXPECT_TRUE(time_series_to_json(TimeSeries()).is_null());
    const auto back = time_series_from_json(nullptr);
    ASSERT_TRUE(back);
    EXPECT_EQ(back->size(), 0u);
}

TEST(TimeSeriesJson, AnythingElseIsRefusedWhole) {
    const std::string good = json::serialize(time_series_to_json(series_of(2)));
    ASSERT_TRUE(time_series_from_json(json::parse(good)));
    const auto with = [&good](std::string_view what, std::string_view instead) {
        std::string text = good;
        text.replace(text.find(what), what.size(), instead);
        return json::parse(text);
    };
    const json::value bad[] = {
        json::parse("5"),
        json::parse("{}"),
        json::parse("[]"),
        with("\"width_ns\":1000000000", "\"width_ns\":3000000000"),
        with("\"width_ns\":1000000000", "\"width_ns\":0"),
        with("\"width_ns\":1000000000", "\"width_ns\":-1000000000"),
        with("\"width_ns\":1000000000", "\"width_ns\":4611686018427387904"),
        with("\"counts\":[", "\"counts\":[1,"),
        with("\"counts\":[0", "\"counts\":[-1"),
        with("\"counts\":[0", "\"counts\":[0.5"),
        with("\"counts\":[0", "\"counts\":[\"0\""),
        with("\"buckets\":[", "\"buckets\":[99999,1,"),
        with("\"buckets\":[", "\"buckets\":[1,"),
        with("\"max\":", "\"most\":"),
        with("\"points\":[", "\"points\":[null,"),
    };
    for (const json::value& value : bad) {
        EXPECT_FALSE(time_series_from_json(value)) << json::serialize(value).substr(0, 200);
    }
    json::value many = json::parse(good);
    auto& points = many.at("points").as_array();
    while (points.size() <= TimeSeries::points_max) points.push_back(points.front());
    EXPECT_FALSE(time_series_from_json(many));
}

}  // namespace
}  // namespace parley::load
