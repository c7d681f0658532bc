#include "loadtest/report_options.hpp"

#include <CLI/CLI.hpp>

namespace parley::load {

void add_report_options(CLI::App& app, ReportFiles& files) {
    const auto add = [&app](const char* name, std::string& file, const char* help) {
        app.add_option(name, file, help)->type_name("FILE");
    };
    add("--json", files.json, "write the report as JSON; - for standard output");
    add("--html", files.html, "write it as one page with charts, for any browser");
    add("--hgrm", files.hgrm,
        "write the latencies' percentiles in HdrHistogram's text form,\nmilliseconds");
}

}  // namespace parley::load
