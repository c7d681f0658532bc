#include "loadtest/svg_chart.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "loadtest/html_page.hpp"
#include "loadtest/report_charts.hpp"

namespace parley::load {
namespace {

using testing::DoubleEq;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

SvgChart chart_of(std::vector<std::optional<double>> y) {
    SvgChart chart;
    chart.title = "A <chart> & more";
    for (std::size_t i = 0; i < y.size(); ++i) chart.x.push_back(static_cast<double>(i + 1));
    chart.lines.push_back({"one", std::move(y)});
    chart.x_axis.format = chart.y_axis.format = format_count;
    return chart;
}

std::size_t times(const std::string& text, std::string_view what) {
    std::size_t count = 0;
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) {
        ++count;
    }
    return count;
}

TEST(RoundTicks, AreRoundAndWithin) {
    EXPECT_THAT(round_ticks(0, 10, 5),
                testing::Pointwise(DoubleEq(), std::vector<double>{0.0, 2, 4, 6, 8, 10}));
    EXPECT_THAT(round_ticks(0, 1, 5),
                ElementsAre(DoubleEq(0), DoubleEq(0.2), DoubleEq(0.4),
                            testing::DoubleNear(0.6, 1e-12), DoubleEq(0.8), DoubleEq(1)));
    EXPECT_THAT(round_ticks(3, 47, 5),
                testing::Pointwise(DoubleEq(), std::vector<double>{10.0, 20, 30, 40}));
    EXPECT_THAT(round_ticks(5, 5, 5), IsEmpty());
    for (double most = 1e-6; most < 1e12; most *= 1.7) {
        const auto ticks = round_ticks(0, most, 5);
        EXPECT_GE(ticks.size(), 2u) << most;
        EXPECT_LE(ticks.size(), 7u) << most;
        EXPECT_LE(ticks.back(), most * (1 + 1e-6)) << most;
    }
}

TEST(DecadeTicks, ArePowersOfTenOrPartsOfThemWhereThereAreFew) {
    EXPECT_THAT(decade_ticks(1, 1000),
                testing::Pointwise(DoubleEq(), std::vector<double>{1.0, 10, 100, 1000}));
    EXPECT_THAT(decade_ticks(3, 60),
                testing::Pointwise(DoubleEq(), std::vector<double>{5.0, 10, 20, 50}));
    EXPECT_THAT(decade_ticks(0, 60), IsEmpty());
    EXPECT_LE(decade_ticks(1e-9, 1e12).size(), 8u);
}

TEST(SvgChart, ALineHasAHoleWhereThereIsNoValue) {
    const std::string svg = chart_of({1, 2, std::nullopt, 4, 5}).draw();
    EXPECT_EQ(times(svg, "<path"), 1u);
    EXPECT_EQ(times(svg, "M"), 2u);
    EXPECT_EQ(times(svg, "<title>"), 4u);  // a text for each place that has a value
    EXPECT_THAT(svg, HasSubstr("A &lt;chart&gt; &amp; more"));
    EXPECT_THAT(svg, Not(HasSubstr("nan")));
    EXPECT_THAT(svg, Not(HasSubstr("inf")));
}

TEST(SvgChart, OnALogarithmicAxisNothingIsDrawnOfZero) {
    SvgChart chart = chart_of({0, 10, 100, 0});
    chart.y_axis.logarithmic = true;
    const std::string svg = chart.draw();
    EXPECT_EQ(times(svg, "M"), 1u);
    EXPECT_THAT(svg, Not(HasSubstr("nan")));
    EXPECT_THAT(svg, Not(HasSubstr("inf")));
}

TEST(SvgChart, ALogarithmicAxisOfLessThanADecadeHasRoundTicks) {
    SvgChart chart = chart_of({300, 350, 420});
    chart.y_axis.logarithmic = true;
    EXPECT_GE(times(chart.draw(), "class=\"grid\""), 3u);
}

TEST(SvgChart, WithoutAnythingToDrawThereIsNoFigure) {
    EXPECT_THAT(chart_of({}).draw(), IsEmpty());
    EXPECT_THAT(chart_of({std::nullopt, std::nullopt}).draw(), IsEmpty());
    SvgChart chart = chart_of({0, 0});
    chart.y_axis.logarithmic = true;
    EXPECT_THAT(chart.draw(), IsEmpty());
}

TEST(SvgChart, ASinglePointAndALevelLineAreDrawn) {
    for (const auto& y : std::vector<std::vector<std::optional<double>>>{{7}, {7, 7, 7}, {0, 0}}) {
        const std::string svg = chart_of(y).draw();
        EXPECT_THAT(svg, HasSubstr("<path"));
        EXPECT_THAT(svg, Not(HasSubstr("nan")));
    }
}

TEST(SvgChart, BarsStandBetweenTheirEdges) {
    SvgChart chart = chart_of({5, std::nullopt, 2, std::nullopt});
    chart.lines.front().bars = true;
    EXPECT_EQ(times(chart.draw(), "<rect fill"), 2u);
}

TEST(HtmlPage, WhatIsPutInCannotLeaveItsPlace) {
    HtmlPage page("<script>alert('x')</script>");
    page.sentence("a < b & \"c\"\x01");
    page.table({{"<b>", "x"}, {"&", "\x1b[31m"}}, {"bad"});
    page.facts({{"<i>", "</dl>"}});
    page.tiles({{"</b>", "<", ""}});
    const std::string text = page.str();
    EXPECT_EQ(text.find("<script"), std::string::npos);
    EXPECT_THAT(text, HasSubstr("a &lt; b &amp; &quot;c&quot; "));
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
    EXPECT_THAT(text, HasSubstr("<tr class=\"bad\">"));
}

TEST(FormatCount, IsShort) {
    EXPECT_EQ(format_count(950), "950");
    EXPECT_EQ(format_count(12500), "12.5 k");
    EXPECT_EQ(format_count(3.21e6), "3.21 M");
    EXPECT_EQ(format_us(0.5), "0.5 us");
    EXPECT_EQ(format_us(2250), "2.25 ms");
    EXPECT_EQ(format_us(3e6), "3 s");
}

}  // namespace
}  // namespace parley::load
