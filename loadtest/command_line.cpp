#include "loadtest/command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <thread>

#include "loadtest/man_page.hpp"
#include "loadtest/scenario_merge.hpp"

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
  3  the command line was wrong, or the run could not start, or its report not be written
  4  one of several processes died or fell silent: there is no result

COMPARISON
  parley-load compare BEFORE.json AFTER.json [--fail-over PCT] [--html FILE]
  says what changed between two results; see parley-load compare --help

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
    frames=binary         what is sent goes in binary frames
    send=TEXT             to subscribe; send and expect are steps, taken in their order,
    expect=TEXT           a substring of a frame to await before the next step
    publish=TEXT          a message; must hold {payload}; with {ack}, the message's number, as in
                          42{ack}["msg","{payload}"], its acknowledgement is awaited (Socket.IO)
    publish_http=PATH     publishers POST what publish= says there, as text/plain, over the
                          --senders connections, as those of sse do (websocket only)
    delivery=TEXT         a substring of every delivery; where absent, any frame with a stamp
    reply=X=>Y            a frame that equals X is answered with Y (heartbeats)
    echo=no               a publisher is not sent its own messages
    name=TEXT             for the report
  Placeholders: {room} {id} {payload} {payload_bytes} {ack}; {u16:TEXT} and {varint:TEXT} are TEXT
  behind its length in 16 bits, big endian, or in groups of 7 bits. Escapes: \n \r \t \\ \xHH. Lines
  that begin with # are comments. loadtest/targets/ has echo_broadcast.txt, socketio.txt, nchan.txt,
  nats.txt and mqtt.txt.

FINDING THE HIGHEST RATE
  --find-max searches the highest rate that the server bears: in a step at it at least 99 % of the
  deliveries that are due arrive, their p99 is within --p99-max, and no connection is ended. The
  rate is doubled until one is not borne, then bisected to 3 %, the border is asked once more, and
  what was found is confirmed by a step of three times the length (or of --duration, where given).
  Each step warms up for a quarter of its length and is drained before the next; connections are
  opened once, and again where a step has cost them. Several bounds are searched one after another,
  the tightest first. --rate is the first rate asked for, --max-rate the highest. The report is the
  last confirmation's; exit status 2 says that above the rate found the generator was the
  bottleneck: the server bears more.

SCENARIO FILES
  --scenario reads a run from a file (TOML): what the flags say, under their names with _ for -,
  such as url = "ws://127.0.0.1:8080/ws" or room_prefix = "evening", and beside them
    [[phases]]    name, duration; connections (in the end of it), ramp (how long it takes to get
                  there; the whole phase); rate: messages a second, or {from = 10, to = 100}, or
                  {steps = [10, 50, 100]}; measured = false for a warm-up; storm: per cent of the
                  listeners who are cut off as it begins, and come back over storm_over
    [[personas]]  name, kind (talker, listener, slow-reader, churner, poller, rest-publisher), share
                  (per cent) or count, transport, skew (0: rooms evenly; 1: the nth room has 1/n of
                  the first one's users); of those who publish rate and size: bytes, {min, max}, or
                  {median, sigma, max} (lognormal); of slow readers read_rate (bytes a second) or
                  pause; of churners churn (a second) and away; of listeners resume
  A flag goes before the file. --connections and --rate say the highest of all phases: the others
  keep their proportion. Figures are of the phases that are measured, and told for each phase and
  persona. loadtest/scenarios/ has chat_evening, storm, mixed_doors and slow_readers.

SEVERAL PROCESSES
  --workers N starts N processes of --threads each, which play one scenario together: each has its
  part of the connections, and what is published by one is awaited by all. --coordinator with
  --expect awaits such as were started by hand with --join. All run on one machine: latency counts
  on its one clock, and addresses other than loopback are refused. The limit of open files holds for
  each of them.

EXAMPLES
  One room of 1,000, 20 messages a second:
    parley-load --url ws://127.0.0.1:8080/ws --connections 1000 --rate 20
  40,000 connections from three source addresses, with the server's cost:
    parley-load --url ws://127.0.0.1:8080/ws --connections 40000 --rooms 400 --rate 2000
      --ramp 40s --threads 2 --source-ips 127.0.0.2-127.0.0.4 --server-pid $(pidof parleyd)
  With charts, and what the server tells of itself:
    parley-load --url ws://127.0.0.1:8080/ws --connections 1000 --rooms 10 --rate 100
      --server-metrics http://127.0.0.1:9464/metrics --html report.html --json report.json
  Half WebSocket, half polling, over TLS with a certificate of your own:
    parley-load --url https://localhost:8443 --tls-ca cert.pem --connections 1000 --rooms 10
      --rate 100 --mix websocket=50,sse=25,longpoll=25
  How many messages a second one room of 1,000 bears with a p99 of 25 ms, and of 200 ms:
    parley-load --url ws://127.0.0.1:8080/ws --connections 1000 --spread 8 --find-max
      --p99-max 25ms,200ms
  How many messages 64 connections can POST:
    parley-load --url http://127.0.0.1:8080 --transport rest --connections 64 --rooms 64 --rate max
  Full TLS handshakes a second, 32 at once:
    parley-load --url https://localhost:8443 --tls-insecure --handshakes max --handshake-kind tls
      --connections 32 --duration 10s --server-pid $(pidof parleyd)
  An evening of a chat in a tenth of its time, with at most 500 connections:
    parley-load --scenario loadtest/scenarios/chat_evening.toml --url ws://127.0.0.1:8080/ws
      --time-scale 0.1 --connections 500
  30,000 connections from three processes:
    parley-load --url ws://127.0.0.1:8080/ws --workers 3 --connections 30000 --rooms 300
      --rate 1000 --ramp 30s --source-ips 127.0.0.2-127.0.0.4
  Half of 1,000 Socket.IO clients over WebSocket, half polling:
    parley-load --url http://127.0.0.1:8080 --mix socketio=50,socketio-polling=50
      --connections 1000 --rooms 10 --rate 100
  Another Socket.IO server, with events of its own, as JSON:
    parley-load --url http://127.0.0.1:3000 --transport socketio
      --target loadtest/targets/socketio.txt --json -)";

const ManPage manual{"parley-load",
                     "open-loop load generator for chat servers",
                     {"parley-load --url URL [OPTION]...",
                      "parley-load compare BEFORE.json AFTER.json [--fail-over PCT] [--html FILE]"},
                     "parleyd(8); docs/load-testing.md has worked examples and the JSON's schema"};
// Files that are read, and what is done with them.
struct Inputs {
    std::string target_file;
    std::string scenario_file;
    double time_scale = 1;
};

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

void add_find_max_options(CLI::App& app, Scenario& s) {
    // Kept apart until all is read: the order of the options says nothing.
    const auto searched = [&s]() -> FindMax& {
        if (!s.find_max) s.find_max = FindMax{{std::chrono::milliseconds(200)}};
        return *s.find_max;
    };
    auto* const find =
        app.add_option_function<std::string>(
               "--find-max",
               [searched](const std::string& text) {
                   FindMax& find_max = searched();
                   if (text.empty()) return;
                   if (!text.starts_with("p99=")) {
                       throw CLI::ValidationError(
                           "--find-max", "expected nothing or p99=TIME, not '" + text + "'");
                   }
                   const auto bounds = parse_bounds(text.substr(4));
                   if (!bounds) {
                       throw CLI::ValidationError("--find-max", bounds.error().text);
                   }
                   find_max.p99_max = *bounds;
               },
               "search the highest rate; see FINDING THE HIGHEST RATE")
            ->expected(0, 1)
            ->type_name("[p99=TIME]");
    add_checked<std::vector<std::chrono::nanoseconds>>(
        app, "--p99-max", parse_bounds,
        [searched](const std::vector<std::chrono::nanoseconds>& bounds) {
            searched().p99_max = bounds;
        },
        "what --find-max allows the p99; several: 25ms,200ms", "LIST")
        ->default_str("200ms")
        ->needs(find);
    add_checked<std::chrono::nanoseconds>(
        app, "--step-duration", parse_duration,
        [searched](std::chrono::nanoseconds step) { searched().step = step; },
        "the measured window of a step of --find-max", "TIME")
        ->default_str("2s")
        ->needs(find);
    app.add_option_function<double>(
           "--max-rate", [searched](double rate) { searched().rate_max_per_s = rate; },
           "the highest rate that --find-max asks for")
        ->type_name("MSGS_PER_S")
        ->default_str("10000000")
        ->needs(find);
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
        "the server: ws, wss, http or https://HOST:PORT/PATH; without\na path /ws (required)",
        "URL");
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
    add_number(app, "--threads", s.threads, "epoll threads", "T")->default_str("half of the CPUs");
    app.add_flag("--spin", s.spin,
                 "poll without sleeping: the server is spared waking the\ngenerator; only with a "
                 "processor for each thread");
}

void add_scenario_options(CLI::App& app, Inputs& inputs) {
    app.add_option("--scenario", inputs.scenario_file,
                   "a run as a file, with phases and personas; see SCENARIO FILES")
        ->type_name("FILE");
    add_number(app, "--time-scale", inputs.time_scale,
               "all times but --settle and --drain last so much longer", "FACTOR");
}

void add_crew_options(CLI::App& app, Crew& crew) {
    auto* const workers = app.add_option("--workers", crew.workers,
                                         "start N processes that play the scenario together")
                              ->type_name("N")
                              ->check(CLI::Range(1, 64));
    auto* const coordinator =
        app.add_option("--coordinator", crew.coordinator,
                       "await --expect processes at this loopback address, and\nlead them")
            ->type_name("ADDRESS:PORT")
            ->excludes(workers);
    auto* const expect = app.add_option("--expect", crew.expect, "how many processes will join")
                             ->type_name("N")
                             ->check(CLI::Range(1, 64))
                             ->needs(coordinator);
    coordinator->needs(expect);
    app.add_option("--join", crew.join,
                   "play a part of what the coordinator at this address plays;\nall else comes "
                   "from there")
        ->type_name("ADDRESS:PORT")
        ->excludes(workers)
        ->excludes(coordinator);
}

// CLI11's errors run over several lines; people and logs want one.
std::string one_line(std::string text) {
    std::replace(text.begin(), text.end(), '\n', ' ');
    while (text.ends_with(' ')) text.pop_back();
    return text;
}

// What the file may not say: what the process is, and where the file is.
constexpr std::string_view flags_only[] = {"help",   "scenario", "time-scale",  "workers",
                                           "expect", "join",     "coordinator", "help-man"};

// The keys that a scenario file may have: the options, as TOML would write them.
std::vector<std::string> file_keys(const CLI::App& app) {
    std::vector<std::string> keys;
    for (const CLI::Option* const option : app.get_options()) {
        std::string name = option->get_single_name();
        if (std::find(std::begin(flags_only), std::end(flags_only), name) != std::end(flags_only)) {
            continue;
        }
        std::replace(name.begin(), name.end(), '-', '_');
        keys.push_back(name);
    }
    return keys;
}

std::string option_of(std::string key) {
    std::replace(key.begin(), key.end(), '_', '-');
    return "--" + key;
}

// Gives the options that no flag gave what the file says of them. Empty: done.
std::string take_values(CLI::App& app, const ScenarioFile& file, const Said& said) {
    for (const ScenarioFile::Value& value : file.values) {
        const std::string option = option_of(value.key);
        const bool transport = option == "--mix" || option == "--transport";
        if (said.by_flag(option)) continue;
        if (transport && (said.by_flag("--mix") || said.by_flag("--transport"))) continue;
        try {
            CLI::Option* const found = app.get_option(option);
            found->add_result(value.word);
            found->run_callback();
        } catch (const CLI::Error& error) {
            return value.place + one_line(error.what());
        }
    }
    return {};
}

// Reads the scenario file, if there is one, into what the flags left open. Empty: done.
std::string take_file(CLI::App& app, const Inputs& inputs, Scenario& scenario) {
    if (inputs.scenario_file.empty()) return {};
    const auto file = load_scenario_file(inputs.scenario_file, file_keys(app));
    if (!file) return file.error().text;
    std::vector<std::string> flags;
    for (const CLI::Option* const option : app.get_options()) {
        if (option->count() > 0) flags.push_back("--" + option->get_single_name());
    }
    const Said said{
        [&flags](std::string_view option) {
            return std::find(flags.begin(), flags.end(), option) != flags.end();
        },
        [&file](std::string_view option) {
            return std::any_of(file->values.begin(), file->values.end(),
                               [option](const auto& v) { return option_of(v.key) == option; });
        },
    };
    std::string problem = take_values(app, *file, said);
    if (!problem.empty()) return problem;
    return merge_scenario_file(*file, said, scenario).value_or("");
}

// A target file tells what there is to say, and nothing of where one was.
std::optional<std::string> resume_problem(const std::string& target_file, Scenario& scenario) {
    for (Persona& persona : scenario.personas) {
        if (target_file.empty() || !persona.resumes) continue;
        if (persona.resume_said) {
            return "persona '" + persona.name + "': resume does not go with a target file";
        }
        persona.resumes = false;
    }
    return std::nullopt;
}

Checked<CommandLine> finish(CommandLine line, const CLI::App& app, const Inputs& inputs) {
    const std::string& target_file = inputs.target_file;
    if (!line.crew.join.empty()) return line;
    if (line.scenario.url.host.empty()) return Problem{"--url is required"};
    if (!(inputs.time_scale > 0 && inputs.time_scale <= 1000)) {
        return Problem{"--time-scale must be more than 0, and 1000 at most"};
    }
    scale_time(line.scenario, inputs.time_scale);
    if (const auto problem = resume_problem(target_file, line.scenario)) return Problem{*problem};
    if (line.crew.leads()) line.scenario.split.of = line.crew.size();
    const Mix& mix = line.scenario.mix;
    // A pool of connections that send, and not a crowd that listens.
    if (mix.only(Transport::rest) && app.count("--connections") == 0 && !line.scenario.cast) {
        line.scenario.connections = 64;
    }
    if (FindMax* const search = line.scenario.find_max ? &*line.scenario.find_max : nullptr) {
        if (app.count("--rate") > 0) search->start_per_s = line.scenario.rate_per_s;
        if (app.count("--duration") > 0) search->confirmation = line.scenario.duration;
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
        if (line.target.posts() && !mix.only(Transport::websocket)) {
            return Problem{"a target with publish_http goes with websocket alone"};
        }
    }
    if (const auto problem = scenario_problem(line.scenario)) return Problem{*problem};
    if (const auto problem = crew_problem(line)) return Problem{*problem};
    return line;
}

}  // namespace

std::optional<std::string> crew_problem(const CommandLine& line) {
    if (!line.crew.leads()) return std::nullopt;
    const char* const what = line.crew.workers > 0 ? "--workers" : "--coordinator";
    if (line.scenario.handshakes) return std::string(what) + " does not go with --handshakes";
    if (line.scenario.rate_max) return std::string(what) + " does not go with --rate max";
    return std::nullopt;
}

Checked<CommandLine> parse_command_line(const std::vector<std::string>& arguments) {
    CommandLine line;
    // Half of the processors, so that a server on the same machine has the other half.
    line.scenario.threads = std::max(1u, std::thread::hardware_concurrency() / 2);
    Inputs inputs;
    CLI::App app(description, "parley-load");
    app.footer(footer);
    app.get_formatter()->column_width(34);
    add_network_options(app, line.scenario, inputs.target_file);
    add_scenario_options(app, inputs);
    add_crew_options(app, line.crew);
    add_handshake_options(app, line.scenario.handshakes);
    add_load_options(app, line.scenario);
    add_find_max_options(app, line.scenario);
    app.add_option("--server-pid", line.scenario.server_pid,
                   "measure this process: CPU per delivery, memory")
        ->type_name("PID");
    add_checked<Url>(
        app, "--server-metrics", parse_url,
        [&line](const Url& url) { line.scenario.server_metrics = url; },
        "scrape this each second: CPU, memory and Parley's "
        "counters;\nhttp://127.0.0.1:9464/metrics",
        "URL");
    add_report_options(app, line.files);
    app.add_flag("--quiet", line.quiet, "no progress line");
    app.add_flag_callback("--help-man", [] { throw CLI::CallForAllHelp(); })->group("");
    try {
        // CLI11 takes a vector from its end.
        app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
    } catch (const CLI::CallForHelp&) {
        line.help = app.help();
        return line;
    } catch (const CLI::CallForAllHelp&) {
        line.help = man_page(app, manual);
        return line;
    } catch (const CLI::ParseError& error) {
        return Problem{one_line(error.what())};
    }
    if (const std::string problem = take_file(app, inputs, line.scenario); !problem.empty()) {
        return Problem{problem};
    }
    return finish(std::move(line), app, inputs);
}

}  // namespace parley::load
