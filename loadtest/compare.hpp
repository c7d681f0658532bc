// compare: what changed between two results, and whether that is more than their noise.
//
// Path:     two results as JSON → [compare] → stdout, --html, the exit code
// Runs on:  the main thread.
// Owned by: main.
// Bounds:   none needed.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "loadtest/target.hpp"

namespace parley::load {

struct Change {
    enum class Word : std::uint8_t {
        better,
        worse,
        within_noise,
        not_judged,  // shown, but no one thing is better: or a single value, such as a maximum
    };

    std::string name, unit;
    double before = 0;
    double after = 0;
    // How far apart two runs of the same thing may well be, as a share of `before`; never 0.
    double noise = 0;
    bool noise_measured = false;  // from the spread over the run's seconds, not the least alone
    bool less_is_better = true;
    Word word = Word::not_judged;
    // By how many per cent it is worse, 0 where it is not; infinite where there was none before.
    double worse_percent = 0;
};

struct Comparison {
    std::vector<std::string> differences;  // of the scenarios; not empty: not to be compared
    std::vector<std::string> remarks;      // what a reader must know
    std::vector<Change> changes;

    // The changes that are worse by more than that many per cent.
    [[nodiscard]] std::vector<const Change*> failing(double fail_over_percent) const;
};

// "better", "worse", "within noise", "not judged".
[[nodiscard]] std::string_view name_of(Change::Word word);

// Both are results of parley-load, of any schema; or why one of them is not.
[[nodiscard]] Checked<Comparison> compare_results(const boost::json::value& before,
                                                  const boost::json::value& after);

struct CompareOptions {
    std::string before, after;  // file names
    std::string html_file;      // empty: none
    double fail_over_percent = 10;
    std::string help;  // not empty: to be printed, and nothing else to be done
};

enum class CompareExit : std::uint8_t {
    within = 0,
    worse = 1,
    not_comparable = 2,
    could_not_start = 3,
};

[[nodiscard]] CompareExit exit_of(const Comparison& comparison, double fail_over_percent);
[[nodiscard]] std::string format_table(const Comparison& comparison, const CompareOptions& options);
[[nodiscard]] std::string html_comparison(const Comparison& comparison,
                                          const CompareOptions& options);

// `arguments` behind "compare". An error is one line.
[[nodiscard]] Checked<CompareOptions> parse_compare_line(const std::vector<std::string>& arguments);
// Reads both, says what changed, and gives the exit code.
[[nodiscard]] int compare_main(const std::vector<std::string>& arguments);

}  // namespace parley::load
