// SvgChart: lines or bars over an axis, as an SVG figure of a page: ticks at round numbers, a
// legend, and for each place a text that a pointer over it shows.
//
// Path:     html_report → [SvgChart] → HtmlPage
// Runs on:  the main thread.
// Owned by: whoever draws.
// Bounds:   as many points as it is given.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace parley::load {

struct Axis {
    bool logarithmic = false;                   // values of 0 and below are not drawn
    std::function<std::string(double)> format;  // of a tick, and in texts
    // Ticks where round numbers would not do; else empty. Outside the values they are left out.
    std::vector<double> ticks;
    double least = 0;  // the axis begins here, or below; 0 means nothing to a logarithmic one
};

struct SvgChart {
    struct Line {
        std::string name;
        std::vector<std::optional<double>> y;  // as many as x; nothing: the line has a hole
        bool bars = false;
    };

    std::string title;
    std::string unit;  // of y, beside the title
    std::vector<double> x;
    std::vector<Line> lines;
    Axis x_axis, y_axis;
    std::optional<std::pair<double, double>> shaded;  // along x

    // A <figure>; empty where there is nothing to be drawn.
    [[nodiscard]] std::string draw() const;
};

// Round numbers that divide the span in about `count` parts, ends included where they are round.
[[nodiscard]] std::vector<double> round_ticks(double from, double to, unsigned count);
// Powers of ten within the span, every other or fewer of them where there are many.
[[nodiscard]] std::vector<double> decade_ticks(double from, double to);

}  // namespace parley::load
