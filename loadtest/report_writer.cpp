#include "loadtest/report_writer.hpp"

#include <boost/json/serialize.hpp>
#include <iostream>

#include "loadtest/hgrm.hpp"
#include "loadtest/html_report.hpp"

namespace parley::load {

std::optional<Problem> ReportWriter::open(Output& output, const char* option,
                                          const std::string& file) {
    output.option = option;
    output.file = file;
    if (file == "-") {
        if (!table_) {
            return Problem{output.option + " -: standard output is taken by another option"};
        }
        table_ = false;
    } else if (!file.empty()) {
        output.stream.open(file);
        if (!output.stream) return Problem{output.option + " " + file + ": cannot be written"};
    }
    return std::nullopt;
}

Checked<std::unique_ptr<ReportWriter>> ReportWriter::open(const ReportFiles& files) {
    std::unique_ptr<ReportWriter> writer(new ReportWriter);
    if (auto problem = writer->open(writer->json_, "--json", files.json)) return *problem;
    if (auto problem = writer->open(writer->html_, "--html", files.html)) return *problem;
    if (auto problem = writer->open(writer->hgrm_, "--hgrm", files.hgrm)) return *problem;
    return writer;
}

std::optional<Problem> ReportWriter::put(Output& output, const std::string& text) {
    if (output.file.empty()) return std::nullopt;
    std::ostream& out = output.file == "-" ? std::cout : output.stream;
    out << text << std::flush;
    if (!out) return Problem{output.option + " " + output.file + ": could not be written whole"};
    return std::nullopt;
}

std::optional<Problem> ReportWriter::write(const boost::json::value& result,
                                           const std::string& table, const Histogram& latency) {
    if (table_) std::cout << table << std::flush;
    auto problem = put(json_, boost::json::serialize(result) + "\n");
    // The others are written even so.
    if (!html_.file.empty()) {
        if (auto other = put(html_, html_report(result)); other && !problem) problem = other;
    }
    if (!hgrm_.file.empty()) {
        if (auto other = put(hgrm_, to_hgrm(latency)); other && !problem) problem = other;
    }
    return problem;
}

}  // namespace parley::load
