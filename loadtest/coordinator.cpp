#include "loadtest/coordinator.hpp"

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <system_error>
#include <utility>

#include "loadtest/clock.hpp"
#include "loadtest/crew_session.hpp"
#include "loadtest/run.hpp"
#include "loadtest/worker_link.hpp"

namespace parley::load {
namespace {

constexpr std::int64_t end_grace_ns = 5 * ns_per_s;
constexpr std::int64_t watch_every_ns = 10 * ns_per_ms;

// Processes of our own: ended, by their ids, when this goes away.
class Children {
public:
    Children() = default;
    Children(const Children&) = delete;
    Children& operator=(const Children&) = delete;
    // Those who have lost their coordinator end by themselves; whoever does not is made to.
    ~Children() {
        const std::int64_t until_ns = monotonic_ns() + end_grace_ns;
        for (const pid_t pid : pids_) {
            while (::waitpid(pid, nullptr, WNOHANG) == 0) {
                if (monotonic_ns() > until_ns) ::kill(pid, SIGKILL);
                sleep_until(monotonic_ns() + watch_every_ns);
            }
        }
    }

    // Why not; empty: started.
    [[nodiscard]] std::string start(const std::string& address) {
        std::error_code failed;
        const std::string program = std::filesystem::read_symlink("/proc/self/exe", failed);
        std::string name = "parley-load";
        std::string option = "--join";
        std::string where = address;
        char* const arguments[] = {name.data(), option.data(), where.data(), nullptr};
        posix_spawnattr_t attributes;
        ::posix_spawnattr_init(&attributes);
        // In a group of its own: an interrupt from the keyboard is the coordinator's to handle.
        ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
        pid_t pid = 0;
        const int error =
            ::posix_spawn(&pid, program.c_str(), nullptr, &attributes, arguments, ::environ);
        ::posix_spawnattr_destroy(&attributes);
        if (error != 0) {
            return "cannot start a worker: " + std::system_category().message(error);
        }
        pids_.push_back(pid);
        return {};
    }
    [[nodiscard]] const std::vector<pid_t>& pids() const noexcept { return pids_; }

private:
    std::vector<pid_t> pids_;
};

std::string current_folder() {
    std::error_code failed;
    return std::filesystem::current_path(failed).string();
}

}  // namespace

Coordinator::Coordinator(const CommandLine& line, CoordinatorConfig config,
                         const std::atomic<bool>& interrupted)
    : line_(line), config_(std::move(config)), interrupted_(interrupted) {
    auto listener = listen_at(config_.address);
    if (listener) {
        listener_ = std::move(*listener);
    } else {
        error_ = listener.error().text;
    }
}

Coordinator::~Coordinator() = default;

Checked<Report> Coordinator::lead() {
    return CrewSession(line_, config_, listener_.get(), interrupted_).play();
}

Checked<Report> coordinate(const CommandLine& line, const std::vector<std::string>& arguments,
                           std::FILE* progress, const std::atomic<bool>& interrupted) {
    CoordinatorConfig config;
    config.folder = current_folder();
    config.arguments = arguments;
    config.progress = progress;
    if (!line.crew.coordinator.empty()) {
        const auto address = parse_crew_address(line.crew.coordinator);
        if (!address) return Problem{"--coordinator " + address.error().text};
        config.address = *address;
    }
    Children children;
    Coordinator coordinator(line, std::move(config), interrupted);
    if (!coordinator.error().empty()) return Problem{coordinator.error()};
    const std::string where = coordinator.address().text();
    if (line.crew.workers == 0 && progress != nullptr) {
        std::fprintf(progress, "awaiting %u workers: parley-load --join %s\n", line.crew.expect,
                     where.c_str());
    }
    for (std::uint32_t i = 0; i < line.crew.workers; ++i) {
        const std::string problem = children.start(where);
        if (!problem.empty()) return Problem{problem};
    }
    coordinator.set_children(children.pids());
    // The wires close with the session: whoever still works learns that it is over.
    return coordinator.lead();
}

int work(const std::string& where, const std::atomic<bool>& interrupted) {
    const auto code_of = [](const Problem& problem) {
        std::cerr << "parley-load: " << problem.text << '\n';
        return static_cast<int>(problem.incomplete ? ExitCode::incomplete
                                                   : ExitCode::could_not_start);
    };
    const auto address = parse_crew_address(where);
    if (!address) return code_of(Problem{"--join " + address.error().text});
    auto socket = connect_to(*address);
    if (!socket) return code_of(socket.error());
    WorkerLink link(std::move(*socket));
    const auto order = link.await_order();
    if (!order) return code_of(order.error());
    if (!order->folder.empty() && ::chdir(order->folder.c_str()) != 0) {
        const std::string why = std::system_category().message(errno);
        link.send_problem("cannot go to " + order->folder + ": " + why);
        return static_cast<int>(ExitCode::could_not_start);
    }
    auto line = parse_command_line(order->arguments);
    if (!line) {
        link.send_problem(line.error().text);
        return static_cast<int>(ExitCode::could_not_start);
    }
    line->scenario.split = {order->worker, order->workers};
    // The server is the coordinator's to watch.
    line->scenario.server_pid = 0;
    line->scenario.server_metrics.reset();
    const auto report = run(line->scenario, line->target, nullptr, interrupted, &link);
    if (!report) {
        // The coordinator tells it, with this worker's name.
        if (!link.given_up()) link.send_problem(report.error().text);
        return static_cast<int>(report.error().incomplete ? ExitCode::incomplete
                                                          : ExitCode::could_not_start);
    }
    link.send_result(*report);
    return static_cast<int>(ExitCode::clean);
}

}  // namespace parley::load
