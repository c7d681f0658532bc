#include <signal.h>

#include <atomic>
#include <cstdio>
#include <exception>
#include <iostream>

#include "loadtest/command_line.hpp"
#include "loadtest/compare.hpp"
#include "loadtest/coordinator.hpp"
#include "loadtest/handshake_run.hpp"
#include "loadtest/report_writer.hpp"
#include "loadtest/run.hpp"
#include "loadtest/run_info.hpp"

namespace {

namespace load = parley::load;

std::atomic<bool> interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free, "set in a signal handler");

// The first signal ends the run with a report; the second ends the process.
void catch_interrupts() {
    struct sigaction action {};
    action.sa_handler = [](int) { interrupted.store(true, std::memory_order_relaxed); };
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    ::sigaction(SIGINT, &action, nullptr);
    ::sigaction(SIGTERM, &action, nullptr);
}

int refuse(const std::string& why, load::ExitCode code = load::ExitCode::could_not_start) {
    std::cerr << "parley-load: " << why << '\n';
    return static_cast<int>(code);
}

const load::Histogram& latency_of(const load::Report& report) {
    return report.main_latency();
}

const load::Histogram& latency_of(const load::HandshakeReport& report) {
    return report.tally.time;
}

// Shows the report of either kind of run, writes it where it was asked for, and gives its exit code.
template <typename Report>
int publish(const load::Checked<Report>& report, std::string_view kind, const load::RunInfo& info,
            load::ReportWriter& writer) {
    if (!report) {
        return refuse(report.error().text, report.error().incomplete
                                               ? load::ExitCode::incomplete
                                               : load::ExitCode::could_not_start);
    }
    const auto result = load::with_run_info(load::to_json(*report), kind, info);
    const auto problem = writer.write(result, load::format_table(*report), latency_of(*report));
    if (problem) return refuse(problem->text);
    return static_cast<int>(report->exit_code());
}

int run_main(const std::vector<std::string>& arguments) {
    if (!arguments.empty() && arguments.front() == "compare") {
        return load::compare_main({arguments.begin() + 1, arguments.end()});
    }
    const auto line = load::parse_command_line(arguments);
    if (!line) return refuse(line.error().text + " (see parley-load --help)");
    if (!line->help.empty()) {
        std::cout << line->help;
        return 0;
    }
    if (!line->crew.join.empty()) return load::work(line->crew.join, interrupted);
    const auto writer = load::ReportWriter::open(line->files);
    if (!writer) return refuse(writer.error().text);
    catch_interrupts();
    const load::RunInfo info = load::describe_run(arguments);
    std::FILE* const progress = line->quiet ? nullptr : stderr;
    if (line->scenario.handshakes) {
        return publish(load::run_handshakes(line->scenario, line->target, progress, interrupted),
                       "handshakes", info, **writer);
    }
    if (line->crew.leads()) {
        return publish(load::coordinate(*line, arguments, progress, interrupted), "messages", info,
                       **writer);
    }
    return publish(load::run(line->scenario, line->target, progress, interrupted), "messages", info,
                   **writer);
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run_main({argv + 1, argv + argc});
    } catch (const std::exception& error) {
        return refuse(error.what());
    }
}
