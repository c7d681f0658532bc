#include "server/command_line.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

namespace parley::server {
namespace {

using testing::HasSubstr;

std::vector<std::string> words(const std::string& line) {
    std::istringstream in(line);
    std::vector<std::string> out;
    for (std::string word; in >> word;) out.push_back(word);
    return out;
}

TEST(CommandLine, KnowsWhatIsToBeDone) {
    struct Row {
        std::string line;
        Action action;
    };
    for (const auto& row :
         {Row{"", Action::serve}, Row{"serve", Action::serve}, Row{"--shards 2", Action::serve},
          Row{"check-config", Action::check_config},
          Row{"check-config -c a.toml", Action::check_config},
          Row{"-c a.toml check-config", Action::check_config},
          Row{"default-config", Action::default_config}, Row{"doctor", Action::doctor},
          Row{"doctor --connections 5", Action::doctor}, Row{"version", Action::version},
          Row{"--version", Action::version}, Row{"--history memory", Action::serve},
          Row{"--history sqlite:a.db", Action::serve}, Row{"--broker local", Action::serve}}) {
        const auto parsed = parse_command_line(words(row.line));
        const auto* command_line = std::get_if<CommandLine>(&parsed);
        ASSERT_NE(command_line, nullptr) << row.line << std::get<EarlyExit>(parsed).err;
        EXPECT_EQ(command_line->action, row.action) << row.line;
    }
}

TEST(CommandLine, RefusesWithOneLineAndExitCodeOne) {
    struct Row {
        std::string line, says;
    };
    for (const auto& row :
         {Row{"--frobnicate", "--frobnicate"}, Row{"dance", "dance"}, Row{"--config", "--config"},
          Row{"serve doctor", "doctor"}, Row{"doctor --connections none", "--connections"},
          Row{"doctor --connections 0", "--connections"}, Row{"--shards", "--shards"},
          Row{"--broker redis://x", "--broker: this version runs as one node only"},
          Row{"token", "--user is required"}, Row{"token --user", "--user"},
          Row{"token --user 1 --ttl soon", "--ttl: \"soon\" is not a time"},
          Row{"token --user 1 --ttl 0s", "--ttl: \"0s\" is not a time"},
          Row{"serve --user 1", "--user"}}) {
        const auto parsed = parse_command_line(words(row.line));
        const auto* exit = std::get_if<EarlyExit>(&parsed);
        ASSERT_NE(exit, nullptr) << row.line;
        EXPECT_EQ(exit->code, 1) << row.line;
        EXPECT_EQ(exit->out, "") << row.line;
        EXPECT_THAT(exit->err, HasSubstr(row.says));
        EXPECT_EQ(std::count(exit->err.begin(), exit->err.end(), '\n'), 1) << exit->err;
    }
}

TEST(CommandLine, ExplainsItselfAndItsExitCodes) {
    for (const auto* line : {"--help", "-h", "serve --help", "check-config -h"}) {
        const auto parsed = parse_command_line(words(line));
        const auto* exit = std::get_if<EarlyExit>(&parsed);
        ASSERT_NE(exit, nullptr) << line;
        EXPECT_EQ(exit->code, 0) << line;
        EXPECT_THAT(exit->out, HasSubstr("Exit codes")) << line;
        EXPECT_THAT(exit->out, HasSubstr("--listen")) << line;
    }
}

ServerConfig configured(const std::string& line, std::span<const char* const> environment = {}) {
    ConfigSources sources;
    load_config(sources, std::get<CommandLine>(parse_command_line(words(line))), environment);
    return sources.finish();
}

TEST(CommandLine, FlagsWinOverTheEnvironment) {
    const std::vector<const char*> environment{"PARLEY_SHARDS=1", "PARLEY_LOG__LEVEL=error"};
    const auto config = configured("--shards 2", environment);
    EXPECT_EQ(config.shards, 2U);
    EXPECT_EQ(config.log.level, transports::log::Level::error);
}

TEST(CommandLine, SetsWhatItsFlagsSay) {
    const auto config = configured(
        "serve --listen 127.0.0.1:1 --listen [::1]:2 --log-format json --log-level debug "
        "--no-limits");
    ASSERT_EQ(config.listen.size(), 2U);
    EXPECT_EQ(format_endpoint(config.listen[1]), "[::1]:2");
    EXPECT_EQ(config.log.format, transports::log::Format::json);
    EXPECT_EQ(config.log.level, transports::log::Level::debug);
    EXPECT_FALSE(config.core.limits.enabled);
    EXPECT_TRUE(configured("").core.limits.enabled);
}

TEST(CommandLine, NamesTheFlagWhoseValueIsWrong) {
    struct Row {
        std::string line, error;
    };
    for (const auto& row :
         {Row{"--shards many", "--shards: \"many\" is not a whole number"},
          Row{"--listen nowhere",
              "--listen: \"nowhere\" is not an address (expected e.g. \"127.0.0.1:8080\", "
              "\"[::]:8080\")"},
          Row{"--log-format xml",
              "--log-format: \"xml\" is not a log format (expected text or "
              "json)"}}) {
        try {
            static_cast<void>(configured(row.line));
            ADD_FAILURE() << row.line << " was taken";
        } catch (const ConfigError& error) {
            EXPECT_EQ(error.what(), row.error);
        }
    }
}

}  // namespace
}  // namespace parley::server
