#include "server/program.hpp"

#include <csignal>
#include <exception>
#include <iostream>

#include "server/accounts_setup.hpp"
#include "server/command_line.hpp"
#include "server/doctor.hpp"
#include "server/machine.hpp"
#include "server/server.hpp"
#include "transports/send_ring.hpp"

namespace parley::server {
namespace {

namespace log = transports::log;

int check_config(const CommandLine& command_line, std::span<const char* const> environment) {
    ConfigSources sources;
    load_config(sources, command_line, environment);
    for (const auto& warning : sources.warnings()) std::cerr << warning << '\n';
    const auto config = sources.finish();
    if (!config.tls_listen.empty()) {
        const auto tls =
            load_tls(config.transports.tls, std::make_shared<transports::TicketKeys>());
        for (const auto& warning : tls->warnings()) std::cerr << warning << '\n';
    }
    static_cast<void>(auth::read_fixed_keys(config.jwt));
    std::cout << command_line.config_file.value_or("configuration") << ": ok\n";
    return 0;
}

int doctor(const CommandLine& command_line) {
    const auto findings = examine({command_line.doctor_connections, open_file_limit(),
                                   usable_cpus(), "/proc", transports::send_ring_refusal()});
    std::cout << format_findings(findings);
    return nothing_in_the_way(findings) ? 0 : 1;
}

int token(const CommandLine& command_line, std::span<const char* const> environment) {
    ConfigSources sources;
    load_config(sources, command_line, environment);
    for (const auto& warning : sources.warnings()) std::cerr << warning << '\n';
    const auto& order = command_line.token;
    std::cout << make_test_token(sources.finish(),
                                 {order.user, order.name, order.rooms, order.ttl, order.moderates})
              << '\n';
    return 0;
}

// Refusing with an answer needs descriptors too: the limit comes before their end.
void fit_connections_to_open_files(ServerConfig& config) {
    const auto limit = raise_open_file_limit();
    auto& connections = config.core.limits.connections;
    if (open_files_for(connections) <= limit.soft) return;
    const auto fits = limit.soft > 2 * open_files_spare
                          ? limit.soft - open_files_spare
                          : std::max<std::uint64_t>(1, limit.soft / 2);
    log::warn("open files allow fewer connections than limits.connections, see parleyd doctor",
              {{"limits.connections", connections}, {"open_files", limit.soft}, {"serving", fits}});
    connections = fits;
}

int serve(const CommandLine& command_line, std::span<const char* const> environment) {
    ConfigSources sources;
    load_config(sources, command_line, environment);
    auto config = sources.finish();
    log::set_up(config.log.level, config.log.format);
    for (const auto& warning : sources.warnings()) log::warn(warning);
    // A peer that went away is an error of the write, not the end of the process.
    std::signal(SIGPIPE, SIG_IGN);
    fit_connections_to_open_files(config);

    Server server(config, [&] {
        ConfigSources again;
        load_config(again, command_line, environment);
        for (const auto& warning : again.warnings()) log::warn(warning);
        auto fresh = again.finish();
        fit_connections_to_open_files(fresh);
        return fresh;
    });
    server.listen();
    server.serve();
    return 0;
}

int run_action(const CommandLine& command_line, std::span<const char* const> environment) {
    switch (command_line.action) {
        case Action::serve:
            return serve(command_line, environment);
        case Action::check_config:
            return check_config(command_line, environment);
        case Action::default_config:
            std::cout << default_config();
            return 0;
        case Action::doctor:
            return doctor(command_line);
        case Action::token:
            return token(command_line, environment);
        case Action::version:
            std::cout << "parleyd " << version() << '\n';
            return 0;
    }
    return 1;
}

}  // namespace

int run_program(std::span<const std::string> arguments, std::span<const char* const> environment) {
    const auto parsed = parse_command_line(arguments);
    if (const auto* exit = std::get_if<EarlyExit>(&parsed)) {
        std::cout << exit->out;
        std::cerr << exit->err;
        return exit->code;
    }
    try {
        return run_action(std::get<CommandLine>(parsed), environment);
    } catch (const ConfigError& failure) {
        std::cerr << failure.what() << '\n';
    } catch (const std::exception& failure) {
        std::cerr << "parleyd: " << failure.what() << '\n';
    }
    return 1;
}

}  // namespace parley::server
