#include "loadtest/server_cost.hpp"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

namespace parley::load {
std::string read_all(const std::string& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
}

std::optional<std::uint64_t> read_cpu_ticks(const std::string& stat) {
    const std::size_t name_end = stat.rfind(')');
    if (name_end == std::string::npos) return std::nullopt;
    std::istringstream fields(stat.substr(name_end + 1));
    // proc(5): the state is field 3, utime is 14, stime is 15.
    std::string skipped;
    for (int field = 3; field < 14; ++field) fields >> skipped;
    std::uint64_t user = 0;
    std::uint64_t system = 0;
    if (!(fields >> user >> system)) return std::nullopt;
    return user + system;
}

std::optional<std::uint64_t> read_kib(const std::string& text, const std::string& name) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with(name)) continue;
        std::istringstream value(line.substr(name.size()));
        std::uint64_t kib = 0;
        if (value >> kib) return kib;
    }
    return std::nullopt;
}

std::vector<std::int32_t> process_tree(std::int32_t pid) {
    std::vector<std::int32_t> tree{pid};
    for (std::size_t i = 0; i < tree.size(); ++i) {
        std::error_code gone;
        const std::string tasks = "/proc/" + std::to_string(tree[i]) + "/task";
        for (std::filesystem::directory_iterator task(tasks, gone), end; !gone && task != end;
             task.increment(gone)) {
            std::istringstream children(read_all(task->path().string() + "/children"));
            for (std::int32_t child = 0; children >> child;) tree.push_back(child);
        }
    }
    return tree;
}

std::optional<ServerSample> sample_server(std::int32_t pid) {
    ServerSample sample;
    bool found = false;
    for (const std::int32_t member : process_tree(pid)) {
        const std::string process = "/proc/" + std::to_string(member);
        const auto ticks = read_cpu_ticks(read_all(process + "/stat"));
        if (!ticks) continue;
        found = true;
        sample.cpu_s += static_cast<double>(*ticks) / static_cast<double>(::sysconf(_SC_CLK_TCK));
        auto memory = read_kib(read_all(process + "/smaps_rollup"), "Pss:");
        if (!memory) memory = read_kib(read_all(process + "/status"), "VmRSS:");
        sample.pss_kib += memory.value_or(0);
    }
    return found ? std::optional(sample) : std::nullopt;
}

}  // namespace parley::load
