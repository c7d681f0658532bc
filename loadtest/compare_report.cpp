// A comparison in words: as a table, as a page; and the command that makes it.
#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <cmath>
#include <fstream>
#include <iostream>
#include <iterator>

#include "loadtest/compare.hpp"
#include "loadtest/html_page.hpp"
#include "loadtest/table.hpp"

namespace parley::load {
namespace {

namespace json = boost::json;

std::string figure(double value, const std::string& unit) {
    const int places = value == std::floor(value) || std::abs(value) >= 1000 ? 0
                       : std::abs(value) >= 10                               ? 1
                                                                             : 3;
    return format_decimal(value, places) + (unit.empty() || unit == "/s" ? unit : " " + unit);
}

std::string ratio(const Change& change) {
    return change.before == 0 ? std::string("new")
                              : format_decimal(change.after / change.before, 3);
}

std::string noise(const Change& change) {
    if (change.word == Change::Word::not_judged) return "";
    return (change.noise_measured ? "" : "at least ") + format_decimal(change.noise * 100, 1) +
           " %";
}

std::vector<std::vector<std::string>> rows_of(const Comparison& comparison) {
    std::vector<std::vector<std::string>> rows{{"", "before", "after", "ratio", "noise", ""}};
    for (const Change& change : comparison.changes) {
        rows.push_back({change.name, figure(change.before, change.unit),
                        figure(change.after, change.unit), ratio(change), noise(change),
                        std::string(name_of(change.word))});
    }
    return rows;
}

std::string verdict(const Comparison& comparison, double fail_over_percent) {
    const std::string limit = format_decimal(fail_over_percent, 1) + " %";
    switch (exit_of(comparison, fail_over_percent)) {
        case CompareExit::within:
            return "Nothing is worse by more than " + limit + ".";
        case CompareExit::not_comparable:
            return "The two cannot be compared: their scenarios differ.";
        case CompareExit::worse:
        case CompareExit::could_not_start:
            break;
    }
    std::string names;
    for (const Change* const change : comparison.failing(fail_over_percent)) {
        names += (names.empty() ? "" : ", ") + change->name;
        names += std::isinf(change->worse_percent)
                     ? " (none before)"
                     : " (" + format_decimal(change->worse_percent, 1) + " %)";
    }
    return "Worse by more than " + limit + ": " + names + ".";
}

std::string describe_noise() {
    return "Noise: two standard errors of the figure over the seconds of both runs, 1 % at least; "
           "where a run has no such seconds, 1 % alone, of memory 5 %.";
}

Checked<json::value> read_result(const std::string& file) {
    std::ifstream in(file);
    if (!in) return Problem{file + ": cannot be read"};
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    json::error_code error;
    json::value value = json::parse(text, error);
    if (error) return Problem{file + ": no JSON: " + error.message()};
    return value;
}

int refuse(const std::string& why) {
    std::cerr << "parley-load compare: " << why << '\n';
    return static_cast<int>(CompareExit::could_not_start);
}

}  // namespace

std::string format_table(const Comparison& comparison, const CompareOptions& options) {
    Table table;
    table.text("parley-load compare: " + options.before + " and " + options.after);
    table.text("");
    for (const auto& row : comparison.changes.empty() ? std::vector<std::vector<std::string>>{}
                                                      : rows_of(comparison)) {
        char line[160];
        std::snprintf(line, sizeof line, "  %-26s %16s %16s %8s %15s   %s", row[0].c_str(),
                      row[1].c_str(), row[2].c_str(), row[3].c_str(), row[4].c_str(),
                      row[5].c_str());
        std::string text = line;
        text.erase(text.find_last_not_of(' ') + 1);
        table.text(text);
    }
    table.heading("verdict");
    table.sentence(verdict(comparison, options.fail_over_percent));
    for (const std::string& difference : comparison.differences) table.sentence(difference);
    for (const std::string& remark : comparison.remarks) table.sentence(remark);
    if (!comparison.changes.empty()) table.sentence(describe_noise());
    return table.str();
}

std::string html_comparison(const Comparison& comparison, const CompareOptions& options) {
    HtmlPage page("parley-load: " + options.before + " and " + options.after);
    const CompareExit exit = exit_of(comparison, options.fail_over_percent);
    page.sentence(verdict(comparison, options.fail_over_percent),
                  exit == CompareExit::within  ? "good"
                  : exit == CompareExit::worse ? "bad"
                                               : "warn");
    for (const std::string& difference : comparison.differences) page.sentence(difference, "warn");
    for (const std::string& remark : comparison.remarks) page.sentence(remark, "warn");
    if (comparison.changes.empty()) return page.str();
    page.heading("What changed");
    std::vector<std::string> kinds;
    for (const Change& change : comparison.changes) {
        kinds.emplace_back(change.word == Change::Word::worse    ? "bad"
                           : change.word == Change::Word::better ? "good"
                                                                 : "");
    }
    page.table(rows_of(comparison), kinds);
    page.sentence(describe_noise(), "soft");
    return page.str();
}

namespace {

constexpr const char* compare_description =
    R"(parley-load compare: what changed between two results of parley-load --json.

Each figure of BEFORE and AFTER, their ratio, and a word: better, worse, or within noise. Noise is
what the seconds of the two runs differ by among themselves: two standard errors, 1 % at least.
Single values, such as the longest latency, are shown and not judged.)";

constexpr const char* compare_footer = R"(
EXIT STATUS
  0  nothing is worse by more than PCT per cent, or what is is within noise
  1  something is; also whatever was lost, duplicated or failed and was not before
  2  the two cannot be compared: what was asked of the servers differs, and it says in what
  3  the command line was wrong, or a file could not be read or is no result)";

}  // namespace

Checked<CompareOptions> parse_compare_line(const std::vector<std::string>& arguments) {
    CompareOptions options;
    CLI::App app(compare_description, "parley-load compare");
    app.footer(compare_footer);
    app.add_option("BEFORE", options.before, "the result to measure against")
        ->type_name("FILE")
        ->required();
    app.add_option("AFTER", options.after, "the result that is judged")
        ->type_name("FILE")
        ->required();
    app.add_option("--fail-over", options.fail_over_percent,
                   "per cent by which a figure may be worse")
        ->type_name("PCT")
        ->check(CLI::Range(0.0, 1e6).description(""))
        ->capture_default_str();
    app.add_option("--html", options.html_file, "write the table as a page")->type_name("FILE");
    try {
        app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
    } catch (const CLI::CallForHelp&) {
        options.help = app.help();
    } catch (const CLI::ParseError& error) {
        return Problem{std::string(error.what()) + " (see parley-load compare --help)"};
    }
    return options;
}

int compare_main(const std::vector<std::string>& arguments) {
    const auto options = parse_compare_line(arguments);
    if (!options) return refuse(options.error().text);
    if (!options->help.empty()) {
        std::cout << options->help;
        return 0;
    }
    const auto before = read_result(options->before);
    if (!before) return refuse(before.error().text);
    const auto after = read_result(options->after);
    if (!after) return refuse(after.error().text);
    const auto comparison = compare_results(*before, *after);
    if (!comparison) return refuse(comparison.error().text);
    std::cout << format_table(*comparison, *options);
    if (!options->html_file.empty()) {
        std::ofstream html(options->html_file);
        html << html_comparison(*comparison, *options) << std::flush;
        if (!html) return refuse("--html " + options->html_file + ": cannot be written");
    }
    return static_cast<int>(exit_of(*comparison, options->fail_over_percent));
}

}  // namespace parley::load
