#include "loadtest/table.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>

namespace parley::load {

std::string format_number(std::uint64_t value) {
    const std::string digits = std::to_string(value);
    std::string grouped;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        if (i > 0 && (digits.size() - i) % 3 == 0) grouped.push_back(',');
        grouped.push_back(digits[i]);
    }
    return grouped;
}

std::string format_decimal(double value, int places) {
    char text[48];
    std::snprintf(text, sizeof text, "%.*f", places, value);
    return text;
}

std::string format_ns(std::uint64_t ns) {
    const auto value = static_cast<double>(ns);
    if (value < 1e6) return format_decimal(value / 1e3, 1) + " us";
    if (value < 1e9) return format_decimal(value / 1e6, 2) + " ms";
    return format_decimal(value / 1e9, 3) + " s";
}

void Table::row(const std::string& name, const std::string& value, const std::string& note) {
    std::array<char, 160> line{};
    std::snprintf(line.data(), line.size(), "  %-26s %14s", name.c_str(), value.c_str());
    out_ << line.data();
    if (!note.empty()) out_ << "   " << note;
    out_ << "\n";
}

std::string Table::joined(const std::vector<std::string>& cells) {
    std::string line;
    std::array<char, 64> text{};
    for (std::size_t i = 0; i < cells.size(); ++i) {
        std::snprintf(text.data(), text.size(), i == 0 ? "  %-11s" : " %10s", cells[i].c_str());
        line += text.data();
    }
    return line;
}

void Table::cells(const std::vector<std::string>& cells) {
    out_ << joined(cells) << "\n";
}

void Table::sentence(const std::string& words) {
    constexpr std::size_t columns = 96;
    std::string_view rest = words;
    for (const char* indent = "  "; !rest.empty(); indent = "    ") {
        std::size_t cut = rest.size() <= columns ? rest.size() : rest.rfind(' ', columns);
        if (cut == std::string_view::npos) cut = rest.size();
        out_ << indent << rest.substr(0, cut) << "\n";
        rest.remove_prefix(std::min(rest.size(), cut + 1));
    }
}

void Table::percentiles(const Histogram& histogram) {
    row("p50", format_ns(histogram.percentile(50)));
    row("p90", format_ns(histogram.percentile(90)));
    row("p99", format_ns(histogram.percentile(99)));
    row("p99.9", format_ns(histogram.percentile(99.9)));
    row("p99.99", format_ns(histogram.percentile(99.99)));
    row("max", format_ns(histogram.max()));
}

}  // namespace parley::load
