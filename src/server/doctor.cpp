#include "server/doctor.hpp"

#include <algorithm>
#include <fstream>
#include <optional>

#include "server/values.hpp"

namespace parley::server {
namespace {

constexpr std::uint64_t kib = 1024;
constexpr std::uint64_t page_bytes = 4 * kib;  // the unit of tcp_mem
// Kernel and server together, a quiet connection with its TCP buffers in use now and then.
constexpr std::uint64_t memory_per_connection = 16 * kib;
// One page to send and one to receive, on average over connections that are busy in turns.
constexpr std::uint64_t tcp_pages_per_connection = 2;
// TransportConfig::backlog: more is not asked of the kernel.
constexpr std::uint64_t backlog_wanted_max = 4096;
constexpr std::uint64_t syn_backlog_wanted_max = 1024;
constexpr std::uint64_t ports_max = 65'535 - 1'024 + 1;

using Numbers = std::vector<std::uint64_t>;

// The numbers at the start of a file; empty where it can't be read.
Numbers numbers_in(const std::filesystem::path& path) {
    std::ifstream file(path);
    Numbers out;
    for (std::uint64_t number = 0; file >> number;) out.push_back(number);
    return out;
}

std::optional<std::uint64_t> memory_available(const std::filesystem::path& meminfo) {
    std::ifstream file(meminfo);
    std::string name, unit;
    for (std::uint64_t amount = 0; file >> name >> amount && std::getline(file, unit);) {
        if (name == "MemAvailable:") return amount * kib;
    }
    return std::nullopt;
}

std::string in_mib(std::uint64_t bytes) {
    return std::to_string(bytes / (kib * kib)) + " MiB";
}

Finding unknown(std::string what) {
    return {std::move(what), "not known here", ""};
}

Finding open_files(const DoctorQuestion& question) {
    const auto need = open_files_for(question.connections);
    const auto& limit = question.open_files;
    Finding out{"open files",
                "soft limit " + std::to_string(limit.soft) + ", hard limit " +
                    std::to_string(limit.hard) + ", needed " + std::to_string(need),
                ""};
    const auto number = std::to_string(need);
    if (limit.hard < need) {
        out.lift = "sudo prlimit --pid $$ --nofile=" + number + ":" + number +
                   " (this shell; under systemd LimitNOFILE=" + number + ")";
    } else if (limit.soft < need) {
        out.state += "; parleyd raises the soft limit itself";
    }
    return out;
}

// A kernel setting that must be at least so much.
Finding at_least(const DoctorQuestion& question, std::string_view setting, std::uint64_t need) {
    std::string file(setting);
    std::replace(file.begin(), file.end(), '.', '/');
    const auto numbers = numbers_in(question.proc / "sys" / file);
    if (numbers.empty()) return unknown(std::string(setting));
    Finding out{std::string(setting),
                std::to_string(numbers.front()) + ", needed " + std::to_string(need), ""};
    if (numbers.front() < need) {
        out.lift = "sudo sysctl -w " + std::string(setting) + "=" + std::to_string(need);
    }
    return out;
}

Finding local_ports(const DoctorQuestion& question) {
    const std::string what = "local ports (for clients or a proxy on this machine)";
    const auto range = numbers_in(question.proc / "sys/net/ipv4/ip_local_port_range");
    if (range.size() < 2 || range[1] < range[0]) return unknown(what);
    const auto ports = range[1] - range[0] + 1;
    Finding out{what,
                std::to_string(ports) + " for each pair of addresses, needed " +
                    std::to_string(question.connections),
                ""};
    if (ports < question.connections && question.connections <= ports_max) {
        out.lift = "sudo sysctl -w net.ipv4.ip_local_port_range=\"1024 65535\"";
    } else if (ports < question.connections && ports < ports_max) {
        out.lift = "sudo sysctl -w net.ipv4.ip_local_port_range=\"1024 65535\", and connect from " +
                   std::to_string((question.connections + ports_max - 1) / ports_max) +
                   " addresses";
    } else if (ports < question.connections) {
        out.state += ": connect from " +
                     std::to_string((question.connections + ports_max - 1) / ports_max) +
                     " addresses";
    }
    return out;
}

Finding tcp_memory(const DoctorQuestion& question) {
    const auto pages = numbers_in(question.proc / "sys/net/ipv4/tcp_mem");
    if (pages.size() < 3) return unknown("net.ipv4.tcp_mem");
    const auto need = question.connections * tcp_pages_per_connection;
    Finding out{"net.ipv4.tcp_mem",
                in_mib(pages[1] * page_bytes) + " before the kernel shrinks buffers, needed " +
                    in_mib(need * page_bytes),
                ""};
    if (pages[1] < need) {
        out.lift = "sudo sysctl -w net.ipv4.tcp_mem=\"" + std::to_string(need * 3 / 4) + " " +
                   std::to_string(need) + " " + std::to_string(need * 2) + "\"";
    }
    return out;
}

Finding memory(const DoctorQuestion& question) {
    const auto available = memory_available(question.proc / "meminfo");
    if (!available) return unknown("memory");
    const auto need = question.connections * memory_per_connection;
    Finding out{"memory", in_mib(*available) + " available, needed about " + in_mib(need), ""};
    if (*available < need) {
        out.lift = "parleyd doctor --connections " +
                   std::to_string(*available / memory_per_connection) +
                   " (what fits), or a machine with more memory";
    }
    return out;
}

Finding cpus(const DoctorQuestion& question) {
    return {"CPUs", std::to_string(question.cpus) + ", as many shards unless --shards says else",
            ""};
}

// Not in the way of connections: with epoll each costs a little more.
Finding io(const DoctorQuestion& question) {
    if (!question.uring_refusal) return {"io", "uring, unless --io says else", ""};
    const auto disabled = numbers_in(question.proc / "sys/kernel/io_uring_disabled");
    std::string state = "epoll; io_uring is refused: " + *question.uring_refusal;
    if (!disabled.empty() && disabled.front() != 0) {
        state += "; sudo sysctl -w kernel.io_uring_disabled=0 allows it";
    }
    return {"io", std::move(state), ""};
}

}  // namespace

std::vector<Finding> examine(const DoctorQuestion& question) {
    const auto need = open_files_for(question.connections);
    const auto wanted = [&](std::uint64_t most) { return std::min(question.connections, most); };
    return {
        open_files(question),
        at_least(question, "fs.nr_open", need),
        at_least(question, "fs.file-max", need),
        at_least(question, "net.core.somaxconn", wanted(backlog_wanted_max)),
        at_least(question, "net.ipv4.tcp_max_syn_backlog", wanted(syn_backlog_wanted_max)),
        local_ports(question),
        tcp_memory(question),
        memory(question),
        cpus(question),
        io(question),
    };
}

std::string format_findings(const std::vector<Finding>& findings) {
    std::string out;
    for (const auto& finding : findings) {
        out += finding.lift.empty() ? "ok          " : "in the way  ";
        out.append(finding.what).append(": ").append(finding.state);
        if (!finding.lift.empty()) out.append("; lift it: ").append(finding.lift);
        out += '\n';
    }
    return out;
}

bool nothing_in_the_way(const std::vector<Finding>& findings) {
    return std::all_of(findings.begin(), findings.end(),
                       [](const Finding& finding) { return finding.lift.empty(); });
}

}  // namespace parley::server
