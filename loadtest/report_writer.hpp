// ReportWriter: puts a result where it was asked for: table, JSON, page, percentiles.
//
// Path:     Report, HandshakeReport → [ReportWriter] → stdout and files
// Runs on:  the main thread.
// Owned by: main.
// Bounds:   none needed.
#pragma once

#include <boost/json/value.hpp>
#include <fstream>
#include <memory>
#include <optional>
#include <string>

#include "loadtest/histogram.hpp"
#include "loadtest/report_options.hpp"
#include "loadtest/target.hpp"

namespace parley::load {

class ReportWriter {
public:
    // Opens the files, before the run: a result must not be lost to a mistyped folder.
    [[nodiscard]] static Checked<std::unique_ptr<ReportWriter>> open(const ReportFiles& files);

    // `result` with its head (with_run_info), `table` for people, `latency` for --hgrm. Returns
    // what could not be written, or nothing.
    [[nodiscard]] std::optional<Problem> write(const boost::json::value& result,
                                               const std::string& table, const Histogram& latency);

private:
    struct Output {
        std::string option;
        std::string file;
        std::ofstream stream;
    };

    ReportWriter() = default;
    [[nodiscard]] std::optional<Problem> open(Output& output, const char* option,
                                              const std::string& file);
    [[nodiscard]] static std::optional<Problem> put(Output& output, const std::string& text);

    Output json_, html_, hgrm_;
    bool table_ = true;  // standard output is the table's
};

}  // namespace parley::load
