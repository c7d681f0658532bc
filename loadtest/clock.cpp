#include "loadtest/clock.hpp"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

namespace parley::load {
namespace {

std::int64_t read_clock(clockid_t clock) noexcept {
    timespec ts{};
    ::clock_gettime(clock, &ts);
    return ts.tv_sec * ns_per_s + ts.tv_nsec;
}

}  // namespace

std::int64_t monotonic_ns() noexcept {
    return read_clock(CLOCK_MONOTONIC);
}

std::int64_t thread_cpu_ns() noexcept {
    return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

std::int64_t thread_wait_ns() noexcept {
    const int fd = ::open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    std::array<char, 128> text{};
    const ssize_t size = ::read(fd, text.data(), text.size() - 1);
    ::close(fd);
    if (size <= 0) return 0;
    // "time running, time waiting, time slices", all in ns.
    char* behind_running = nullptr;
    (void)std::strtoll(text.data(), &behind_running, 10);
    return std::strtoll(behind_running, nullptr, 10);
}

void sleep_until(std::int64_t instant_ns) noexcept {
    const timespec until{instant_ns / ns_per_s, instant_ns % ns_per_s};
    ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
}

}  // namespace parley::load
