#include "loadtest/command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <thread>

namespace parley::load {
namespace {

constexpr const char* description =
    R"(parley-load: an open-loop load generator for chat and publish-subscribe servers.

It opens N connections over R rooms, plain or with TLS, and publishes at a fixed rate. Each message
has an intended send time, fixed by the rate alone; latency counts from it to each receiver, so that
a server that stalls is charged for every message that had to wait. Every delivery is checked for
loss, duplicates and order. Figures of latency and throughput are of the measured window, counts of
deliveries are of the whole run.)";

constexpr const char* footer = R"(
EXIT STATUS
  0  every delivery arrived once and in order
  1  something was lost (announced or not), duplicated, out of order or refused, or connections
     failed, or messages could not be sent
  2  nothing was lost, but the generator was the bottleneck: the figures are not the server's
  3  the command line was wrong, or the run could not start

TRANSPORTS
  websocket  parley.v1 or a target file; a publisher sends over its own connection
  sse        GET /api/v1/rooms/ROOM/events: one stream of events for each connection
  longpoll   GET /api/v1/rooms/ROOM/messages?since=CURSOR&wait=25s, again and again on one
             keep-alive connection
  rest       POST /api/v1/rooms/ROOM/messages: connections that only send, one request unanswered
             at a time; latency counts from the intended send to the 201
  socketio   Socket.IO 5 straight over WebSocket at /socket.io/: connects with {username, room} and
             awaits message_history; publishers emit 'message' and await the acknowledgement
  socketio-polling
             the same over HTTP: a poll after another on a keep-alive connection; what a publisher
             emits is POSTed over a second one, one request unanswered at a time
  Publishers whose transport is sse or longpoll send by POST over --senders keep-alive connections
  that they share, each publisher always over the same one. Where rest is in a mix its connections
  do all the publishing, in turns, whatever --spread says; with rest alone nobody listens.
  The shares of a mix are exact to one connection, and every room has every transport. The paths are
  Parley's; a path in --url is the WebSocket's, and Socket.IO's where the run has no websocket.
  Polls and POSTs go on over a fresh connection where the server ends one between two answers; that
  is counted, and no fault. An answer that is no 2xx is counted by its status, and is a fault.

HANDSHAKE RATE
  --handshakes opens connections, brings each as far as --handshake-kind says, and closes it with a
  reset, so that local ports don't run out: at RATE a second, counted from the intended instant
  (open loop, at most --connections at once), or 'max': --connections at once, each replaced as soon
  as it is done (closed loop). With --transport socketio an upgrade is that of a Socket.IO client.
  Rooms and messages play no part. --server-pid adds the server's processor time for each.

TARGET FILES
  Without --target the server is Parley or speaks as it does. A target file says how another one is
  spoken to over websocket, socketio and socketio-polling; for the latter two its texts are packets
  (40 connects, 42[...] is an event), while sessions and heartbeats need no line. key=value lines:
    path=/r/{room}        of the upgrade request; the URL's where absent
    subprotocol=NAME      asked for in the upgrade
    send=TEXT             to subscribe; send and expect are steps, taken in their order,
    expect=TEXT           a substring of a frame to await before the next step
    publish=TEXT          a message; must hold {payload}; with {ack}, the message's number, as in
                          42{ack}["msg","{payload}"], its acknowledgement is awaited (Socket.IO)
    delivery=TEXT         a substring of every delivery; where absent, any frame with a stamp
    reply=X=>Y            a frame that equals X is answered with Y (heartbeats)
    echo=no               a publisher is not sent its own messages
    name=TEXT             for the report
  Placeholders: {room} {id} {payload} {ack}. Escapes: \n \r \t \\ \xHH. Lines that begin with # are
  comments. loadtest/targets/ has echo_broadcast.txt and socketio.txt.

EXAMPLES
  One room of 1,000, 20 messages a second:
    parley-load --url ws://127.0.0.1:8080/ws --connections 1000 --rate 20
  40,000 connections from three source addresses, with the server's cost:
    parley-load --url ws://127.0.0.1:8080/ws --connections 40000 --rooms 400 --rate 2000
      --ramp 40s --threads 2 --source-ips 127.0.0.2-127.0.0.4 --server-pid $(pidof parleyd)
  Half WebSocket, half polling, over TLS with a certificate of your own:
    parley-load --url https://localhost:8443 --tls-ca cert.pem --connections 1000 --rooms 10
      --rate 100 --mix websocket=50,sse=25,longpoll=25
  How many messages 64 connections can POST:
    parley-load --url http://127.0.0.1:8080 --transport rest --connections 64 --rooms 64 --rate max
  Full TLS handshakes a second, 32 at once:
    parley-load --url https://localhost:8443 --tls-insecure --handshakes max --handshake-kind tls
      --connections 32 --duration 10s --server-pid $(pidof parleyd)
  Half of 1,000 Socket.IO clients over WebSocket, half polling:
    parley-load --url http://127.0.0.1:8080 --mix socketio=50,socketio-polling=50
      --connections 1000 --rooms 10 --rate 100
  Another Socket.IO server, with events of its own, as JSON:
    parley-load --url http://127.0.0.1:3000 --transport socketio
      --target loadtest/targets/socketio.txt --json -)";

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

// A rate a second; -1 for "max".
Checked<double> parse_rate(std::string_view text) {
    if (text == "max") return -1.0;
    double rate = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), rate);
    if (error != std::errc{} || end != text.data() + text.size() || !(rate >= 0)) {
        return Problem{"'" + std::string(text) +
                       "' is no rate: expected a number a second, or max"};
    }
    return rate;
}

Checked<Handshakes::Kind> parse_kind(std::string_view text) {
    for (const auto kind :
         {Handshakes::Kind::tcp, Handshakes::Kind::tls, Handshakes::Kind::upgrade}) {
        if (text == name_of(kind)) return kind;
    }
    return Problem{"'" + std::string(text) + "' is none: expected tcp, tls or upgrade"};
}

void add_load_options(CLI::App& app, Scenario& s) {
    add_number(app, "--connections", s.connections, "connections to open; 64 with rest alone");
    add_number(app, "--rooms", s.rooms, "rooms that they are spread over evenly");
    add_checked<double>(
        app, "--rate", parse_rate,
        [&s](double rate) {
            s.rate_max = rate < 0;
            s.rate_per_s = std::max(rate, 0.0);
        },
        "messages a second, over all rooms; 0: none; max (rest only):\nas fast as they are "
        "answered",
        "MSGS_PER_S")
        ->default_str("10");
    add_checked<std::uint32_t>(
        app, "--payload", parse_size, [&s](std::uint32_t bytes) { s.payload_bytes = bytes; },
        "size of a message's text, its stamp included; 1KiB, 1MiB", "BYTES")
        ->default_str(std::to_string(s.payload_bytes));
    add_number(app, "--spread", s.spread, "members of each room that take turns publishing", "S");
    add_number(app, "--senders", s.senders,
               "connections that POST for publishers whose transport only\nlistens");
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

void add_handshake_options(CLI::App& app, std::optional<Handshakes>& handshakes) {
    auto* const rate = add_checked<double>(
        app, "--handshakes", parse_rate,
        [&handshakes](double value) {
            if (!handshakes) handshakes.emplace();
            handshakes->rate_per_s = std::max(value, 0.0);
        },
        "only open and close connections, so many a second or 'max';\nsee HANDSHAKE RATE", "RATE");
    add_checked<Handshakes::Kind>(
        app, "--handshake-kind", parse_kind,
        [&handshakes](Handshakes::Kind kind) {
            if (!handshakes) handshakes.emplace();
            handshakes->kind = kind;
        },
        "tcp: connect; tls: and the TLS handshake; upgrade: and the\nupgrade to WebSocket", "KIND")
        ->default_str("upgrade")
        ->needs(rate);
}

void add_network_options(CLI::App& app, Scenario& s, std::string& target) {
    add_checked<Url>(
        app, "--url", parse_url, [&s](const Url& url) { s.url = url; },
        "the server: ws, wss, http or https://HOST:PORT/PATH; without\na path /ws", "URL")
        ->required();
    auto* const transport = add_checked<Mix>(
        app, "--transport", parse_transport, [&s](const Mix& mix) { s.mix = mix; },
        transport_names() + ";\nsee TRANSPORTS", "NAME");
    transport->default_str("websocket");
    add_checked<Mix>(
        app, "--mix", parse_mix, [&s](const Mix& mix) { s.mix = mix; },
        "per cent of the connections, such as\nwebsocket=60,sse=20,longpoll=20", "LIST")
        ->excludes(transport);
    app.add_option("--tls-ca", s.tls.ca_file, "certificates to trust, PEM, instead of the system's")
        ->type_name("FILE");
    app.add_flag("--tls-insecure", s.tls.insecure, "take any certificate");
    app.add_flag("--tls-resume", s.tls.resume,
                 "take up a TLS session again where the server gave one");
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

Checked<CommandLine> finish(CommandLine line, const CLI::App& app, const std::string& target_file) {
    const Mix& mix = line.scenario.mix;
    // A pool of connections that send, and not a crowd that listens.
    if (mix.only(Transport::rest) && app.count("--connections") == 0) {
        line.scenario.connections = 64;
    }
    for (const TransportEntry& entry : transports()) {
        if (target_file.empty() || entry.targets || !mix.has(entry.transport)) continue;
        return Problem{"--target goes with websocket, socketio and socketio-polling, not with " +
                       std::string(entry.name)};
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
    std::string target_file;
    CLI::App app(description, "parley-load");
    app.footer(footer);
    app.get_formatter()->column_width(34);
    add_network_options(app, line.scenario, target_file);
    add_handshake_options(app, line.scenario.handshakes);
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
    return finish(std::move(line), app, target_file);
}

}  // namespace parley::load
