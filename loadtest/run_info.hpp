// RunInfo: how and where a result came about: the command line, the program, the machine, the time;
// and the head of every result as JSON, whose schema is described in docs/load-testing.md.
//
// Path:     argv, uname, /proc → [RunInfo] → --json, --html
// Runs on:  the main thread.
// Owned by: main.
// Bounds:   none needed.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace parley::load {

// Raised whenever a reader of the last one would misread; new keys alone do not raise it.
inline constexpr int result_schema = 2;

[[nodiscard]] std::string_view program_version();

struct RunInfo {
    std::vector<std::string> arguments;  // without the program's name
    std::string started_at;              // UTC, as in RFC 3339
    std::string system;                  // of the distribution, and the kernel
    std::string processor;
    unsigned processors = 0;
    std::uint64_t memory_kib = 0;
};

// What can be told now of this machine.
[[nodiscard]] RunInfo describe_run(std::vector<std::string> arguments);
// "NAME ARGUMENT …", each quoted for a shell where it needs to be.
[[nodiscard]] std::string quoted_command(const std::vector<std::string>& arguments);

// A result with its head: {schema, kind, program, version, started_at, command_line, machine} and
// then every key of `result`.
[[nodiscard]] boost::json::value with_run_info(boost::json::value result, std::string_view kind,
                                               const RunInfo& info);

}  // namespace parley::load
