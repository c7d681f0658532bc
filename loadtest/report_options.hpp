// report_options: the options that say where a result is written.
//
// Path:     argv → [report_options] → ReportFiles → ReportWriter
// Runs on:  the main thread, at start.
// Owned by: nobody; no state.
// Bounds:   none needed.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace parley::load {

// File names; empty: not written; "-": standard output, instead of the table.
struct ReportFiles {
    std::string json;
    std::string hgrm;
    std::string html;
};

// `files` must outlive the parsing.
void add_report_options(CLI::App& app, ReportFiles& files);

}  // namespace parley::load
