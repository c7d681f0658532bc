// Table: an aligned table of text, and numbers as people read them.
//
// Path:     Report, HandshakeReport → [Table] → stdout
// Runs on:  the main thread.
// Owned by: a report's formatting.
// Bounds:   none needed.
#pragma once

#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

#include "loadtest/histogram.hpp"

namespace parley::load {

// 1,234,567
[[nodiscard]] std::string format_number(std::uint64_t value);
[[nodiscard]] std::string format_decimal(double value, int places);
// "1.5 us", "2.25 ms", "3.000 s".
[[nodiscard]] std::string format_ns(std::uint64_t ns);

class Table {
public:
    void heading(const std::string& name) { out_ << "\n" << name << "\n"; }
    void row(const std::string& name, const std::string& value, const std::string& note = {});
    // The first cell to the left, the others to the right, each in columns of its own.
    void cells(const std::vector<std::string>& cells);
    // The same as a line of its own.
    [[nodiscard]] static std::string joined(const std::vector<std::string>& cells);
    void text(const std::string& line) { out_ << line << "\n"; }
    // A sentence, indented and broken at spaces.
    void sentence(const std::string& words);
    // p50 to max, a row each.
    void percentiles(const Histogram& histogram);
    [[nodiscard]] std::string str() const { return out_.str(); }

private:
    std::ostringstream out_;
};

}  // namespace parley::load
