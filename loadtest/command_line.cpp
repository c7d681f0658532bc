#include "loadtest/command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <thread>

namespace parley::load {
namespace {

constexpr const char* description =
    R"(parley-load: an open-loop load generator for chat and publish-subscribe servers.

It opens N WebSocket connections over R rooms and publishes at a fixed rate. Each message has an
intended send time, fixed by the rate alone; latency counts from it to each receiver, so that a
server that stalls is charged for every message that had to wait. Every delivery is checked for
loss, duplicates and order. Figures of latency and throughput are of the measured window, counts of
deliveries are of the whole run.)";

constexpr const char* footer = R"(
EXIT STATUS
  0  every delivery arrived once and in order
  1  something was lost (announced or not), duplicated, out of order or refused, or connections
     failed, or messages could not be sent
  2  nothing was lost, but the generator was the bottleneck: the figures are not the server's
  3  the command line was wrong, or the run could not start

TARGET FILES
  Without --target the server is spoken to as parley.v1. A target file has key=value lines:
    path=/r/{room}        of the upgrade request; the URL's where absent
    subprotocol=NAME      asked for in the upgrade
    send=TEXT             to subscribe; send and expect are steps, taken in their order,
    expect=TEXT           a substring of a frame to await before the next step
    publish=TEXT          a message; must hold {payload}
    delivery=TEXT         a substring of every delivery; where absent, any frame with a stamp
    reply=X=>Y            a frame that equals X is answered with Y (heartbeats)
    echo=no               a publisher is not sent its own messages
    name=TEXT             for the report
  Placeholders: {room} {id} {payload}. Escapes: \n \r \t \\ \xHH. Lines that begin with # are
  comments. loadtest/targets/ has echo_broadcast.txt and socketio.txt.

EXAMPLES
  One room of 1,000, 20 messages a second:
    parley-load --url ws://127.0.0.1:8080/ws --connections 1000 --rate 20
  40,000 connections from three source addresses, with the server's cost:
    parley-load --url ws://127.0.0.1:8080/ws --connections 40000 --rooms 400 --rate 2000
      --ramp 40s --threads 2 --source-ips 127.0.0.2-127.0.0.4 --server-pid $(pidof parleyd)
  Socket.IO, as JSON:
    parley-load --url ws://127.0.0.1:3000 --target loadtest/targets/socketio.txt --json -)";

// Hands the checked value on; CLI11 turns the exception into its error for this option.
template <typename T, typename Parse, typename Store>
CLI::Option* add_checked(CLI::App& app, const std::string& name, Parse parse, Store store,
                         const std::string& help, const std::string& type) {
    return app
        .add_option_function<std::string>(
            name,
            [name, parse, store](const std::string& text) {
                const Checked<T> value = parse(text);
                if (!value) throw CLI::ValidationError(name, value.error().text);
                store(*value);
            },
            help)
        ->type_name(type);
}

void add_duration(CLI::App& app, const std::string& name, std::chrono::nanoseconds& duration,
                  const std::string& help) {
    add_checked<std::chrono::nanoseconds>(
        app, name, parse_duration,
        [&duration](std::chrono::nanoseconds value) { duration = value; }, help, "TIME")
        ->default_str(format_duration(duration));
}

template <typename T>
CLI::Option* add_number(CLI::App& app, const std::string& name, T& value, const std::string& help,
                        const std::string& type = "N") {
    return app.add_option(name, value, help)->type_name(type)->capture_default_str();
}

void add_load_options(CLI::App& app, Scenario& s) {
    add_number(app, "--connections", s.connections, "connections to open");
    add_number(app, "--rooms", s.rooms, "rooms that they are spread over evenly");
    add_number(app, "--rate", s.rate_per_s, "messages a second, over all rooms; 0: none",
               "MSGS_PER_S");
    add_checked<std::uint32_t>(
        app, "--payload", parse_size, [&s](std::uint32_t bytes) { s.payload_bytes = bytes; },
        "size of a message's text, its stamp included; 1KiB, 1MiB", "BYTES")
        ->default_str(std::to_string(s.payload_bytes));
    add_number(app, "--spread", s.spread, "members of each room that take turns publishing", "S");
    add_duration(app, "--warmup", s.warmup, "publishing before the measured window");
    add_duration(app, "--duration", s.duration, "the measured window: 500ms, 25s, 2m");
    add_duration(app, "--ramp", s.ramp, "time over which the connections are opened evenly");
    add_duration(app, "--settle", s.settle, "time after the ramp for the last to become ready");
    add_duration(app, "--drain", s.drain,
                 "time at the end for the last delivery; less when all came");
    add_number(app, "--slow-readers", s.slow_readers_percent,
               "percentage of connections that read 1 KiB each 100 ms;\n"
               "they don't publish, and are reported apart",
               "PCT");
    add_number(app, "--churn", s.churn_per_s, "connections a second that leave and rejoin",
               "PER_S");
    add_number(app, "--room-prefix", s.room_prefix,
               "rooms are PREFIX-0, PREFIX-1 ...; generators that run at\nonce need one each",
               "PREFIX");
}

void add_network_options(CLI::App& app, Scenario& s, std::string& transport, std::string& target) {
    add_checked<Url>(
        app, "--url", parse_url, [&s](const Url& url) { s.url = url; },
        "the server: ws://HOST:PORT/PATH; without a path /ws", "URL")
        ->required();
    app.add_option("--transport", transport, "websocket")->type_name("NAME")->capture_default_str();
    app.add_option("--target", target, "how to speak to another server; see TARGET FILES")
        ->type_name("FILE");
    add_checked<std::vector<std::string>>(
        app, "--source-ips", parse_source_ips,
        [&s](const std::vector<std::string>& ips) { s.source_ips = ips; },
        "addresses to connect from, in turns, such as\n127.0.0.2,127.0.0.4-127.0.0.6; each has "
        "about 28,000 ports",
        "LIST");
    add_number(app, "--threads", s.threads, "epoll threads", "T");
}

// CLI11's errors run over several lines; people and logs want one.
std::string one_line(std::string text) {
    std::replace(text.begin(), text.end(), '\n', ' ');
    while (text.ends_with(' ')) text.pop_back();
    return text;
}

Checked<CommandLine> finish(CommandLine line, const std::string& transport,
                            const std::string& target_file) {
    if (transport != "websocket") {
        return Problem{"--transport " + transport +
                       " is not in this build: expected websocket (Socket.IO over WebSocket: "
                       "--target loadtest/targets/socketio.txt)"};
    }
    if (target_file.empty()) {
        const std::string& path = line.scenario.url.path;
        line.target = parley_target(path == "/" ? "/ws" : path);
    } else {
        auto target = load_target(target_file);
        if (!target) return target.error();
        line.target = *target;
    }
    if (const auto problem = scenario_problem(line.scenario)) return Problem{*problem};
    return line;
}

}  // namespace

Checked<CommandLine> parse_command_line(const std::vector<std::string>& arguments) {
    CommandLine line;
    // Half of the processors, so that a server on the same machine has the other half.
    line.scenario.threads = std::max(1u, std::thread::hardware_concurrency() / 2);
    std::string transport = "websocket";
    std::string target_file;
    CLI::App app(description, "parley-load");
    app.footer(footer);
    app.get_formatter()->column_width(34);
    add_network_options(app, line.scenario, transport, target_file);
    add_load_options(app, line.scenario);
    app.add_option("--server-pid", line.scenario.server_pid,
                   "measure this process: CPU per delivery, memory")
        ->type_name("PID");
    app.add_option("--json", line.json_file, "write the report as JSON; - for standard output")
        ->type_name("FILE");
    app.add_flag("--quiet", line.quiet, "no progress line");
    try {
        // CLI11 takes a vector from its end.
        app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
    } catch (const CLI::CallForHelp&) {
        line.help = app.help();
        return line;
    } catch (const CLI::ParseError& error) {
        return Problem{one_line(error.what())};
    }
    return finish(std::move(line), transport, target_file);
}

}  // namespace parley::load
