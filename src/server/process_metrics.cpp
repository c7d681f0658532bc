#include "server/process_metrics.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>

#include "core/clock.hpp"
#include "server/machine.hpp"
#include "transports/admission.hpp"

namespace parley::server {
namespace {

using transports::admin::MetricSource;
using transports::admin::Sample;

double cpu_seconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

template <typename Read>
MetricSource one(const char* name, const char* help, MetricSource::Kind kind, Read read) {
    return {name, help, kind, [read] {
                return std::vector<Sample>{{{}, static_cast<double>(read())}};
            }};
}

}  // namespace

std::uint64_t open_files() {
    std::uint64_t count = 0;
    std::error_code failure;
    // Looking opens one, which is closed again.
    for (std::filesystem::directory_iterator at("/proc/self/fd", failure), end;
         !failure && at != end; at.increment(failure)) {
        ++count;
    }
    return count == 0 ? 0 : count - 1;
}

std::vector<MetricSource> process_metrics() {
    using Kind = MetricSource::Kind;
    const double started =
        std::chrono::duration<double>(core::machine_now().wall.time_since_epoch()).count();
    return {
        one("process_resident_memory_bytes", "Memory in use, resident.", Kind::gauge,
            transports::resident_bytes),
        one("process_cpu_seconds_total", "CPU time used, by the program and for it in the kernel.",
            Kind::counter, cpu_seconds),
        one("process_open_fds", "Descriptors that are open.", Kind::gauge, open_files),
        one("process_max_fds", "Descriptors that may be open.", Kind::gauge,
            [] { return open_file_limit().soft; }),
        one("process_start_time_seconds", "When the process began to serve, in seconds since 1970.",
            Kind::gauge, [started] { return started; }),
    };
}

}  // namespace parley::server
