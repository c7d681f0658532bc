// Coordinator: leads several processes that play one scenario together: hands out the order, lets all
// of them begin at one instant, joins their books at the end, and makes one report of what they
// counted. A worker that dies, falls silent or says what it may not ends the run.
//
// Path:     command line → [Coordinator] ⇄ MessageWire ⇄ WorkerLink…, Report
// Runs on:  the main thread.
// Owned by: main.
// Bounds:   Crew::size() workers; silence_max between two messages of each; the run's own times.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "loadtest/command_line.hpp"
#include "loadtest/report.hpp"
#include "loadtest/worker_message.hpp"

namespace parley::load {

struct CoordinatorConfig {
    CrewAddress address{"127.0.0.1", 0};
    std::string folder;                  // of file names in the arguments
    std::vector<std::string> arguments;  // what each worker plays its part of
    // A worker that says nothing for so long is taken for hung.
    std::chrono::nanoseconds silence_max = std::chrono::seconds(10);
    // Processes of its own, by id: one that ends before it has joined ends the run.
    std::vector<pid_t> children;
    std::FILE* progress = nullptr;
};

class Coordinator {
public:
    // `line` and `interrupted` outlive it. Listens at once; why not: error().
    Coordinator(const CommandLine& line, CoordinatorConfig config,
                const std::atomic<bool>& interrupted);
    ~Coordinator();
    Coordinator(const Coordinator&) = delete;
    Coordinator& operator=(const Coordinator&) = delete;

    [[nodiscard]] const std::string& error() const noexcept { return error_; }
    // Where it listens.
    [[nodiscard]] const CrewAddress& address() const noexcept { return config_.address; }
    void set_children(std::vector<pid_t> children) { config_.children = std::move(children); }

    // Leads the run from the first hello to the last result. The report, or why there is none.
    [[nodiscard]] Checked<Report> lead();

private:
    const CommandLine& line_;
    CoordinatorConfig config_;
    const std::atomic<bool>& interrupted_;
    FileDescriptor listener_;
    std::string error_;
};

// The coordinator's part of main: starts the workers that are its own, leads, and sees them end.
[[nodiscard]] Checked<Report> coordinate(const CommandLine& line,
                                         const std::vector<std::string>& arguments,
                                         std::FILE* progress, const std::atomic<bool>& interrupted);
// The worker's: joins, plays its part and tells what it counted. Returns an exit code.
[[nodiscard]] int work(const std::string& address, const std::atomic<bool>& interrupted);

}  // namespace parley::load
