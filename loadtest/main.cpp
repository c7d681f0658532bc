#include <signal.h>

#include <atomic>
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iostream>

#include "loadtest/command_line.hpp"
#include "loadtest/handshake_run.hpp"
#include "loadtest/run.hpp"

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

int refuse(const std::string& why) {
    std::cerr << "parley-load: " << why << '\n';
    return static_cast<int>(load::ExitCode::could_not_start);
}

// Shows the report of either kind of run, writes it where it was asked for, and gives its exit code.
template <typename Report>
int publish(const load::Checked<Report>& report, const load::CommandLine& line,
            std::ofstream& json_file) {
    if (!report) return refuse(report.error().text);
    const std::string json = boost::json::serialize(load::to_json(*report));
    if (line.json_file == "-") {
        std::cout << json << '\n';
    } else {
        std::cout << load::format_table(*report);
        if (json_file.is_open()) json_file << json << '\n';
    }
    return static_cast<int>(report->exit_code());
}

int run_main(const std::vector<std::string>& arguments) {
    const auto line = load::parse_command_line(arguments);
    if (!line) return refuse(line.error().text + " (see parley-load --help)");
    if (!line->help.empty()) {
        std::cout << line->help;
        return 0;
    }
    // Opened before the run: a report must not be lost to a mistyped folder.
    std::ofstream json_file;
    if (!line->json_file.empty() && line->json_file != "-") {
        json_file.open(line->json_file);
        if (!json_file) return refuse("--json " + line->json_file + ": cannot be written");
    }
    catch_interrupts();
    std::FILE* const progress = line->quiet ? nullptr : stderr;
    if (line->scenario.handshakes) {
        return publish(load::run_handshakes(line->scenario, line->target, progress, interrupted),
                       *line, json_file);
    }
    return publish(load::run(line->scenario, line->target, progress, interrupted), *line,
                   json_file);
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run_main({argv + 1, argv + argc});
    } catch (const std::exception& error) {
        return refuse(error.what());
    }
}
