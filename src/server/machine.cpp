#include "server/machine.hpp"

#include <sched.h>
#include <sys/resource.h>

#include <algorithm>
#include <thread>

namespace parley::server {

std::uint32_t usable_cpus() {
    cpu_set_t set;
    CPU_ZERO(&set);
    // It fails where the machine has more CPUs than the set has room for (1024).
    if (::sched_getaffinity(0, sizeof set, &set) != 0) {
        return std::max(1U, std::thread::hardware_concurrency());
    }
    return static_cast<std::uint32_t>(std::max(1, CPU_COUNT(&set)));
}

OpenFileLimit open_file_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return {0, 0};
    return {limit.rlim_cur, limit.rlim_max};
}

OpenFileLimit raise_open_file_limit() {
    const auto before = open_file_limit();
    const rlimit wanted{before.hard, before.hard};
    if (::setrlimit(RLIMIT_NOFILE, &wanted) != 0) return before;
    return open_file_limit();
}

}  // namespace parley::server
