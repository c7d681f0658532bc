#include "isolated.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string_view>
#include <system_error>

namespace parley::bench {
namespace {

// The answer's first byte.
constexpr char done = 'd';
constexpr char failed = 'f';

void write_all(int to, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto wrote = ::write(to, bytes.data(), bytes.size());
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote <= 0) return;
        bytes.remove_prefix(static_cast<std::size_t>(wrote));
    }
}

std::string read_all(int from) {
    std::string bytes;
    std::array<char, 4096> some{};
    for (;;) {
        const auto got = ::read(from, some.data(), some.size());
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return bytes;
        bytes.append(some.data(), static_cast<std::size_t>(got));
    }
}

[[noreturn]] void run_child(int to, const std::function<std::string()>& work) {
    try {
        write_all(to, done + work());
    } catch (const std::exception& e) {
        write_all(to, failed + std::string(e.what()));
    }
    ::close(to);
    ::_exit(0);
}

}  // namespace

std::string in_own_process(const std::function<std::string()>& work) {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
    const pid_t child = ::fork();
    if (child < 0) throw std::system_error(errno, std::generic_category(), "fork");
    if (child == 0) {
        ::close(ends[0]);
        run_child(ends[1], work);
    }
    ::close(ends[1]);
    std::string answer = read_all(ends[0]);
    ::close(ends[0]);
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFSIGNALED(status)) {
        throw std::runtime_error("ended by signal " + std::to_string(WTERMSIG(status)) +
                                 (WTERMSIG(status) == SIGKILL ? ": out of memory?" : ""));
    }
    if (answer.empty()) throw std::runtime_error("ended without an answer");
    const bool good = answer.front() == done;
    answer.erase(0, 1);
    if (!good) throw std::runtime_error(answer);
    return answer;
}

}  // namespace parley::bench
