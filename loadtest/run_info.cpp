#include "loadtest/run_info.hpp"

#include <sys/utsname.h>
#include <time.h>

#include <array>
#include <boost/json.hpp>
#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>
#include <utility>

#include "loadtest/server_cost.hpp"

namespace parley::load {
namespace {

namespace json = boost::json;

// What stands behind the name and the sign, without blanks and quotes.
std::string value_of(const std::string& text, std::string_view name, char sign) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with(name)) continue;
        const std::size_t found = line.find(sign);
        if (found == std::string::npos) continue;
        const std::string value = line.substr(found + 1);
        const std::size_t from = value.find_first_not_of(" \t\"");
        const std::size_t to = value.find_last_not_of(" \t\"");
        return from == std::string::npos ? std::string() : value.substr(from, to - from + 1);
    }
    return {};
}

std::string now_utc() {
    const std::time_t now = ::time(nullptr);
    std::tm utc{};
    ::gmtime_r(&now, &utc);
    std::array<char, 32> text{};
    std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &utc);
    return text.data();
}

std::string describe_system() {
    const std::string distribution = value_of(read_all("/etc/os-release"), "PRETTY_NAME", '=');
    utsname names{};
    if (::uname(&names) != 0) return distribution;
    const std::string kernel =
        std::string(names.sysname) + " " + names.release + " " + names.machine;
    return distribution.empty() ? kernel : distribution + ", " + kernel;
}

}  // namespace

std::string_view program_version() {
    return PARLEY_VERSION;
}

RunInfo describe_run(std::vector<std::string> arguments) {
    RunInfo info;
    info.arguments = std::move(arguments);
    info.started_at = now_utc();
    info.system = describe_system();
    info.processor = value_of(read_all("/proc/cpuinfo"), "model name", ':');
    info.processors = std::thread::hardware_concurrency();
    info.memory_kib = read_kib(read_all("/proc/meminfo"), "MemTotal:").value_or(0);
    return info;
}

std::string quoted_command(const std::vector<std::string>& arguments) {
    constexpr std::string_view plain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=,@%+";
    std::string out = "parley-load";
    for (const std::string& argument : arguments) {
        out += ' ';
        if (!argument.empty() && argument.find_first_not_of(plain) == std::string::npos) {
            out += argument;
            continue;
        }
        out += '\'';
        for (const char c : argument) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
        out += '\'';
    }
    return out;
}

json::value with_run_info(json::value result, std::string_view kind, const RunInfo& info) {
    json::object out{{"schema", result_schema},
                     {"kind", kind},
                     {"program", "parley-load"},
                     {"version", program_version()},
                     {"started_at", info.started_at},
                     {"command_line", quoted_command(info.arguments)},
                     {"machine",
                      {{"system", info.system},
                       {"processor", info.processor},
                       {"processors", info.processors},
                       {"memory_kib", info.memory_kib}}}};
    for (auto& [key, value] : result.as_object()) out[key] = std::move(value);
    return out;
}

}  // namespace parley::load
