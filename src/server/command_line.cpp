#include "server/command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>

namespace parley::server {
namespace {

constexpr std::string_view exit_codes =
    "Exit codes: 0 done, also after a drain; 1 the configuration can't be used, the server could\n"
    "not start, or doctor found something in the way.\n"
    "Settings: defaults, then --config, then PARLEY_* in the environment, then flags.";

// CLI11 fills these in; parse_command_line() turns them into a CommandLine.
struct RawOptions {
    std::string config;
    std::vector<std::string> listen, tls_listen, tls_cert, tls_key;
    std::string admin_listen, shards, io, log_format, log_level, history, broker;
    bool no_limits = false;
    bool version = false;
    TokenOrder token;
    std::string ttl;
    std::size_t connections = CommandLine{}.doctor_connections;
};

// Flags and sub-commands of a later version: answered by name, so that nobody has to guess.
std::optional<std::string> later_use(std::span<const std::string> arguments) {
    for (const auto& argument : arguments) {
        if (!argument.starts_with("--")) continue;
        auto name = argument.substr(2, argument.find('=') - 2);
        std::replace(name.begin(), name.end(), '-', '_');
        const auto* later = find_later(name);
        if (later != nullptr && later->only.empty()) {
            return argument.substr(0, argument.find('=')) + ": " + std::string(later->what);
        }
    }
    return std::nullopt;
}

void add_options(CLI::App& app, RawOptions& raw) {
    app.add_option("-c,--config", raw.config, "Configuration file (TOML)")->type_name("FILE");
    app.add_option("--listen", raw.listen, "Address to serve on; may be repeated")
        ->type_name("A:P")
        ->allow_extra_args(false);
    const auto add_list = [&](const char* flag, std::vector<std::string>& words, const char* type,
                              const char* what) {
        app.add_option(flag, words, what)->type_name(type)->allow_extra_args(false);
    };
    add_list("--tls-listen", raw.tls_listen, "A:P",
             "Address to serve on over TLS; may be repeated");
    add_list("--tls-cert", raw.tls_cert, "FILE",
             "Certificate with its chain (PEM); may be repeated, each with its --tls-key");
    add_list("--tls-key", raw.tls_key, "FILE", "Key of the certificate (PEM)");
    app.add_option("--admin-listen", raw.admin_listen,
                   "Address of metrics, probes and /debug; off: none")
        ->type_name("A:P");
    app.add_option("--shards", raw.shards, "Threads that serve; 0: one per CPU")->type_name("N");
    app.add_option("--io", raw.io, "How bytes leave: auto, epoll or uring")->type_name("IO");
    app.add_option("--history", raw.history,
                   "Where history is kept: memory, sqlite:PATH or postgres:URL")
        ->type_name("STORE");
    app.add_option("--broker", raw.broker, "How nodes are joined: local")->type_name("BROKER");
    app.add_option("--log-format", raw.log_format, "text or json")->type_name("FORMAT");
    app.add_option("--log-level", raw.log_level, "debug, info, warn, error or off")
        ->type_name("LEVEL");
    app.add_flag("--no-limits", raw.no_limits, "Hold no rates: for load tests");
    app.add_flag("--version", raw.version, "Print the version");
}

struct Commands {
    CLI::App* check_config;
    CLI::App* default_config;
    CLI::App* doctor;
    CLI::App* token;
    CLI::App* version;
};

Commands add_commands(CLI::App& app, RawOptions& raw) {
    app.require_subcommand(0, 1);
    app.add_subcommand("serve", "Serve; what parleyd does when it is not told otherwise")
        ->fallthrough();
    Commands commands{
        app.add_subcommand("check-config", "Read the configuration, say what is wrong, and end"),
        app.add_subcommand("default-config", "Print a configuration file with every default"),
        app.add_subcommand("doctor", "Say what on this machine is in the way of many connections"),
        app.add_subcommand("token", "Make a JWT (HS256) with the secret of [jwt], for testing"),
        app.add_subcommand("version", "Print the version"),
    };
    for (auto* command : {commands.check_config, commands.default_config, commands.doctor,
                          commands.token, commands.version}) {
        command->fallthrough();
    }
    commands.token->add_option("--user", raw.token.user, "Who it is of: an id")
        ->type_name("ID")
        ->required();
    commands.token->add_option("--name", raw.token.name, "What they are called; the id")
        ->type_name("NAME");
    commands.token
        ->add_option("--rooms", raw.token.rooms,
                     "Rooms that it is good for, separated by commas, * for anything; all")
        ->type_name("LIST")
        ->delimiter(',')
        ->allow_extra_args(false);
    commands.token->add_flag("--moderate", raw.token.moderates, "They moderate those rooms");
    commands.token->add_option("--ttl", raw.ttl, "How long it is good for; 1h")->type_name("TIME");
    commands.doctor->add_option("--connections", raw.connections, "How many are wanted")
        ->type_name("N")
        ->check(CLI::Range(std::size_t{1}, std::size_t{100'000'000}))
        ->capture_default_str();
    return commands;
}

Action action_of(const Commands& commands, const RawOptions& raw) {
    if (raw.version || commands.version->parsed()) return Action::version;
    if (commands.check_config->parsed()) return Action::check_config;
    if (commands.default_config->parsed()) return Action::default_config;
    if (commands.doctor->parsed()) return Action::doctor;
    if (commands.token->parsed()) return Action::token;
    return Action::serve;
}

// One of the values that this version has, or the line that says so.
std::optional<std::string> only_value(const CLI::App& app, const std::string& flag,
                                      const std::string& value, std::string_view key) {
    const auto* later = find_later(key);
    if (app.count(flag) == 0 || value == later->only) return std::nullopt;
    return flag + ": " + std::string(later->what) + " (expected " + std::string(later->only) + ")";
}

// Only doctor and token have options that the others have not.
std::string help_of(const CLI::App& app, const Commands& commands) {
    if (commands.doctor->parsed()) return commands.doctor->help();
    if (commands.token->parsed()) return commands.token->help();
    return app.get_formatter()->make_help(&app, app.get_name(), CLI::AppFormatMode::Normal);
}

EarlyExit refuse(std::string line) {
    std::replace(line.begin(), line.end(), '\n', ' ');
    return {1, "", "parleyd: " + line + "\n"};
}

CommandLine from_raw(const CLI::App& app, const RawOptions& raw, Action action) {
    CommandLine out;
    out.action = action;
    out.doctor_connections = raw.connections;
    out.token = raw.token;
    if (app.count("--config") > 0) out.config_file = raw.config;
    const auto add_list = [&](const char* key, const char* flag,
                              const std::vector<std::string>& words) {
        if (!words.empty()) out.flags.push_back({key, words, flag});
    };
    add_list("listen", "--listen", raw.listen);
    add_list("tls.listen", "--tls-listen", raw.tls_listen);
    add_list("tls.cert", "--tls-cert", raw.tls_cert);
    add_list("tls.key", "--tls-key", raw.tls_key);
    const auto add = [&](const char* key, const char* flag, const std::string& word) {
        if (app.count(flag) > 0) out.flags.push_back({key, {word}, flag});
    };
    add("admin.listen", "--admin-listen", raw.admin_listen);
    add("shards", "--shards", raw.shards);
    add("io", "--io", raw.io);
    add("history.store", "--history", raw.history);
    add("log.format", "--log-format", raw.log_format);
    add("log.level", "--log-level", raw.log_level);
    add("limits.enabled", "--no-limits", "false");
    return out;
}

}  // namespace

std::variant<CommandLine, EarlyExit> parse_command_line(std::span<const std::string> arguments) {
    if (auto line = later_use(arguments)) return refuse(*std::move(line));

    RawOptions raw;
    CLI::App app("Parley: a real-time chat and messaging server", "parleyd");
    app.footer(std::string(exit_codes));
    add_options(app, raw);
    const auto commands = add_commands(app, raw);
    try {
        app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
    } catch (const CLI::CallForHelp&) {
        return EarlyExit{0, help_of(app, commands), ""};
    } catch (const CLI::ParseError& failure) {
        return refuse(std::string(failure.what()) + " (parleyd --help lists what there is)");
    }
    if (!raw.ttl.empty()) {
        const auto ttl = parse_duration(raw.ttl);
        if (!ttl || *ttl < std::chrono::seconds(1)) {
            return refuse("--ttl: \"" + raw.ttl + "\" is not a time from 1s on (expected e.g. 1h)");
        }
        raw.token.ttl = std::chrono::duration_cast<std::chrono::seconds>(*ttl);
    }
    if (auto line = only_value(app, "--broker", raw.broker, "broker")) {
        return refuse(*std::move(line));
    }
    return from_raw(app, raw, action_of(commands, raw));
}

void load_config(ConfigSources& sources, const CommandLine& command_line,
                 std::span<const char* const> environment) {
    if (command_line.config_file) sources.read_file(*command_line.config_file);
    sources.read_environment(environment);
    for (const auto& flag : command_line.flags) sources.set(flag.key, flag.words, flag.place);
}

std::string_view version() {
    return PARLEY_VERSION;
}

}  // namespace parley::server
