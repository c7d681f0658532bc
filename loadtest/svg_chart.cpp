#include "loadtest/svg_chart.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include "loadtest/html_page.hpp"

namespace parley::load {
namespace {

// Small enough for a telephone, where it is shown about as large as it is drawn.
constexpr double width = 360;
constexpr double height = 210;
constexpr double left = 52;
constexpr double right = 350;
constexpr double top = 8;
constexpr double bottom = 186;

std::string number(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f", value);
    return text;
}

template <typename... Values>
std::string formatted(const char* format, Values... values) {
    char text[256];
    std::snprintf(text, sizeof text, format, values...);
    return text;
}

// From values to places.
class Scale {
public:
    Scale(const Axis& axis, double least, double most, double from, double to)
        : logarithmic_(axis.logarithmic), from_(from), to_(to) {
        if (!logarithmic_ || axis.least > 0) least = std::min(least, axis.least);
        if (logarithmic_ && least <= 0) least = most / 10;
        if (!(most > least)) most = logarithmic_ ? least * 10 : least + 1;
        least_ = least;
        most_ = most;
        ticks_ = !axis.ticks.empty() ? axis.ticks
                 : logarithmic_      ? decade_ticks(least, most)
                                     : round_ticks(least, most, 5);
        if (ticks_.size() < 3 && logarithmic_ && axis.ticks.empty()) {
            ticks_ = round_ticks(least, most, 4);  // less than a decade
        }
        std::erase_if(ticks_, [this](double t) { return t < least_ || t > most_; });
    }
    [[nodiscard]] bool shows(double value) const { return !logarithmic_ || value > 0; }
    [[nodiscard]] double at(double value) const {
        const double share = logarithmic_ ? std::log(value / least_) / std::log(most_ / least_)
                                          : (value - least_) / (most_ - least_);
        return from_ + (to_ - from_) * std::clamp(share, 0.0, 1.0);
    }
    [[nodiscard]] const std::vector<double>& ticks() const { return ticks_; }

private:
    bool logarithmic_;
    double from_, to_;
    double least_ = 0, most_ = 1;
    std::vector<double> ticks_;
};

struct Span {
    double least = std::numeric_limits<double>::infinity();
    double most = -std::numeric_limits<double>::infinity();
    void add(double value) {
        least = std::min(least, value);
        most = std::max(most, value);
    }
    [[nodiscard]] bool empty() const { return most < least; }
};

std::string draw_axes(const SvgChart& chart, const Scale& x, const Scale& y) {
    std::string out;
    for (const double tick : y.ticks()) {
        const double at = y.at(tick);
        out += formatted("<line class=\"grid\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>",
                         left, at, right, at);
        out += formatted("<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">", left - 4, at + 4);
        out += html_escaped(chart.y_axis.format(tick)) + "</text>\n";
    }
    for (const double tick : x.ticks()) {
        const double at = x.at(tick);
        out += formatted("<line class=\"axis\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>",
                         at, bottom, at, bottom + 4);
        const char* anchor = at > right - 16 ? "end" : at < left + 8 ? "start" : "middle";
        out +=
            formatted("<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", at, bottom + 17, anchor);
        out += html_escaped(chart.x_axis.format(tick)) + "</text>\n";
    }
    out += formatted("<line class=\"axis\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n",
                     left, bottom, right, bottom);
    return out;
}

std::string draw_line(const SvgChart& chart, const SvgChart::Line& line, std::size_t colour,
                      const Scale& x, const Scale& y) {
    std::string path;
    bool pen_down = false;
    for (std::size_t i = 0; i < line.y.size(); ++i) {
        const bool known = line.y[i] && y.shows(*line.y[i]) && x.shows(chart.x[i]);
        if (!known) {
            pen_down = false;
            continue;
        }
        path += (pen_down ? "L" : "M") + number(x.at(chart.x[i])) + " " + number(y.at(*line.y[i]));
        // A point between two holes would not be seen.
        if (!pen_down) path += "h0.1";
        pen_down = true;
    }
    return formatted("<path class=\"line\" stroke=\"var(--c%zu)\" d=\"", colour % 6) + path +
           "\"/>\n";
}

std::string draw_bars(const SvgChart& chart, const SvgChart::Line& line, std::size_t colour,
                      const Scale& x, const Scale& y) {
    std::string out;
    for (std::size_t i = 0; i + 1 < chart.x.size(); ++i) {
        if (!line.y[i] || !y.shows(*line.y[i]) || *line.y[i] <= 0) continue;
        const double from = x.at(chart.x[i]);
        const double at = std::min(y.at(*line.y[i]), bottom - 2);
        out += formatted(
            "<rect fill=\"var(--c%zu)\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>\n",
            colour % 6, from, at, std::max(0.5, x.at(chart.x[i + 1]) - from - 0.6), bottom - at);
    }
    return out;
}

// For each place a strip of the whole height that says what stands there.
std::string draw_texts(const SvgChart& chart, const Scale& x) {
    std::string out;
    for (std::size_t i = 0; i < chart.x.size(); ++i) {
        std::string words = chart.x_axis.format(chart.x[i]);
        bool any = false;
        for (const auto& line : chart.lines) {
            if (i >= line.y.size() || !line.y[i]) continue;
            words += "\n" + line.name + ": " + chart.y_axis.format(*line.y[i]);
            any = true;
        }
        if (!any) continue;
        const double from = i == 0 ? left : (x.at(chart.x[i - 1]) + x.at(chart.x[i])) / 2;
        const bool last = i + 1 == chart.x.size();
        const double to = last ? right : (x.at(chart.x[i]) + x.at(chart.x[i + 1])) / 2;
        out += formatted(
            "<rect class=\"hit\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"><title>",
            from, top, std::max(0.1, to - from), bottom - top);
        out += html_escaped(words) + "</title></rect>\n";
    }
    return out;
}

std::string draw_key(const SvgChart& chart) {
    if (chart.lines.size() < 2) return {};
    std::string out = "<div class=\"key\">";
    for (std::size_t i = 0; i < chart.lines.size(); ++i) {
        out += formatted("<span><i style=\"background: var(--c%zu)\"></i>", i % 6) +
               html_escaped(chart.lines[i].name) + "</span>";
    }
    return out + "</div>\n";
}

}  // namespace

std::vector<double> round_ticks(double from, double to, unsigned count) {
    std::vector<double> ticks;
    if (!(to > from) || count == 0) return ticks;
    const double rough = (to - from) / count;
    const double decade = std::pow(10, std::floor(std::log10(rough)));
    const double part = rough / decade;
    const double step = decade * (part <= 1 ? 1 : part <= 2 ? 2 : part <= 5 ? 5 : 10);
    const double first = std::ceil(from / step - 1e-9) + 0.0;  // no negative zero
    for (double n = first; n * step <= to + step * 1e-9; ++n) ticks.push_back(n * step);
    return ticks;
}

std::vector<double> decade_ticks(double from, double to) {
    std::vector<double> ticks;
    if (!(from > 0) || !(to > from)) return ticks;
    const double first = std::ceil(std::log10(from) - 1e-9);
    const double last = std::floor(std::log10(to) + 1e-9);
    const double step = std::max(1.0, std::ceil((last - first + 1) / 7));
    for (double n = first; n <= last; n += step) ticks.push_back(std::pow(10, n));
    // Less than two decades tell little of the scale: halves of them, roughly, as well.
    if (ticks.size() >= 2) return ticks;
    ticks.clear();
    for (double n = std::floor(std::log10(from)); n <= last + 1; ++n) {
        for (const double part : {1.0, 2.0, 5.0}) {
            const double tick = part * std::pow(10, n);
            if (tick >= from * (1 - 1e-9) && tick <= to * (1 + 1e-9)) ticks.push_back(tick);
        }
    }
    return ticks;
}

std::string SvgChart::draw() const {
    Span across, up;
    for (const double value : x) {
        if (!x_axis.logarithmic || value > 0) across.add(value);
    }
    for (const Line& line : lines) {
        for (const auto& value : line.y) {
            if (value && (!y_axis.logarithmic || *value > 0)) up.add(*value);
        }
    }
    if (across.empty() || up.empty()) return {};
    const Scale x_scale(x_axis, across.least, across.most, left, right);
    // Air above the highest value, and on a logarithmic axis below the lowest.
    const double air = y_axis.logarithmic ? 1.3 : 1.04;
    const double least = y_axis.logarithmic ? up.least / air : up.least;
    const Scale y_scale(y_axis, least, up.most * air, bottom, top);
    std::string out = "<figure><figcaption>" + html_escaped(title);
    if (!unit.empty()) out += " <span>" + html_escaped(unit) + "</span>";
    out += "</figcaption>\n" + draw_key(*this);
    out += formatted("<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"", width, height) +
           html_escaped(title) + "\">\n";
    if (shaded) {
        const double from = x_scale.at(shaded->first);
        out += formatted(
            "<rect class=\"window\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>\n", from,
            top, std::max(0.0, x_scale.at(shaded->second) - from), bottom - top);
    }
    out += draw_axes(*this, x_scale, y_scale);
    for (std::size_t i = 0; i < lines.size(); ++i) {
        out += lines[i].bars ? draw_bars(*this, lines[i], i, x_scale, y_scale)
                             : draw_line(*this, lines[i], i, x_scale, y_scale);
    }
    return out + draw_texts(*this, x_scale) + "</svg></figure>\n";
}

}  // namespace parley::load
