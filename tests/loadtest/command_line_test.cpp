#include "loadtest/command_line.hpp"

#include <gtest/gtest.h>

#include "loadtest/user_context.hpp"

namespace parley::load {
namespace {

using namespace std::chrono_literals;
using Arguments = std::vector<std::string>;

TEST(CommandLine, EveryOptionReachesTheScenario) {
    const auto line = parse_command_line({"--url",
                                          "ws://127.0.0.1:9000/ws",
                                          "--connections",
                                          "500",
                                          "--rooms",
                                          "5",
                                          "--rate",
                                          "12.5",
                                          "--payload",
                                          "1KiB",
                                          "--spread",
                                          "2",
                                          "--warmup",
                                          "3s",
                                          "--duration",
                                          "2m",
                                          "--ramp",
                                          "10s",
                                          "--settle",
                                          "4s",
                                          "--drain",
                                          "1s",
                                          "--threads",
                                          "3",
                                          "--slow-readers",
                                          "10",
                                          "--churn",
                                          "2.5",
                                          "--quiet",
                                          "--room-prefix",
                                          "x",
                                          "--source-ips",
                                          "127.0.0.2-127.0.0.4",
                                          "--server-pid",
                                          "42",
                                          "--server-metrics",
                                          "http://127.0.0.1:9464/metrics",
                                          "--json",
                                          "-",
                                          "--html",
                                          "page.html",
                                          "--hgrm",
                                          "out.hgrm"});
    ASSERT_TRUE(line) << line.error().text;
    const Scenario& s = line->scenario;
    EXPECT_EQ(s.url.port, 9000);
    EXPECT_EQ(s.connections, 500u);
    EXPECT_EQ(s.rooms, 5u);
    EXPECT_EQ(s.rate_per_s, 12.5);
    EXPECT_EQ(s.payload_bytes, 1024u);
    EXPECT_EQ(s.spread, 2u);
    EXPECT_EQ(s.warmup, 3s);
    EXPECT_EQ(s.duration, 2min);
    EXPECT_EQ(s.ramp, 10s);
    EXPECT_EQ(s.settle, 4s);
    EXPECT_EQ(s.drain, 1s);
    EXPECT_EQ(s.threads, 3u);
    EXPECT_EQ(s.slow_readers_percent, 10);
    EXPECT_EQ(s.churn_per_s, 2.5);
    EXPECT_EQ(s.room_prefix, "x");
    EXPECT_EQ(s.source_ips.size(), 3u);
    EXPECT_EQ(s.server_pid, 42);
    ASSERT_TRUE(s.server_metrics);
    EXPECT_EQ(s.server_metrics->port, 9464);
    EXPECT_EQ(s.server_metrics->path, "/metrics");
    EXPECT_EQ(line->files.json, "-");
    EXPECT_EQ(line->files.html, "page.html");
    EXPECT_EQ(line->files.hgrm, "out.hgrm");
    EXPECT_TRUE(line->quiet);
    EXPECT_TRUE(line->target.numbered);
}

TEST(CommandLine, ATargetFileReplacesParley) {
    const auto line =
        parse_command_line({"--url", "ws://127.0.0.1:9000", "--target",
                            std::string(PARLEY_LOAD_TARGETS) + "/echo_broadcast.txt"});
    ASSERT_TRUE(line) << line.error().text;
    EXPECT_EQ(line->target.path, "/r/{room}");
}

TEST(CommandLine, ATargetFileMayTellWhatSocketIoSays) {
    for (const char* const transport : {"socketio", "socketio-polling"}) {
        const auto line =
            parse_command_line({"--url", "http://127.0.0.1:9000", "--transport", transport,
                                "--target", std::string(PARLEY_LOAD_TARGETS) + "/socketio.txt"});
        ASSERT_TRUE(line) << line.error().text;
        const Plan plan(line->scenario, line->target);
        EXPECT_EQ(plan.socketio.name, "Socket.IO 4");
        EXPECT_FALSE(plan.socketio.numbered);
    }
}

TEST(CommandLine, APathInTheUrlIsSocketIosWhereThereIsNoWebSocket) {
    const auto path_of = [](const char* url, const char* mix) {
        const auto line = parse_command_line({"--url", url, "--mix", mix});
        EXPECT_TRUE(line) << line.error().text;
        return Plan(line->scenario, line->target).socketio.path;
    };
    EXPECT_EQ(path_of("http://h", "socketio=100"), "/socket.io/");
    EXPECT_EQ(path_of("http://h/chat/?token=x", "socketio=50,socketio-polling=50"),
              "/chat/?token=x");
    EXPECT_EQ(path_of("http://h/ws2", "websocket=50,socketio=50"), "/socket.io/");
}

TEST(CommandLine, AUrlWithoutAPathMeansParleysOwn) {
    const auto line = parse_command_line({"--url", "ws://127.0.0.1:9000"});
    ASSERT_TRUE(line);
    EXPECT_TRUE(line->target.path.starts_with("/ws?"));
}

TEST(CommandLine, ErrorsAreOneLineThatNamesTheOption) {
    struct Case {
        Arguments arguments;
        const char* words;
    };
    const std::string url = "ws://h/ws";
    const Case cases[] = {
        {{}, "--url"},
        {{"--url", url, "--tls-insecure"}, "--tls-insecure"},
        {{"--url", url, "--mix", "sse=50"}, "not 100"},
        {{"--url", url, "--mix", "sse=50,sse=50"}, "once"},
        {{"--url", url, "--mix", "sse=100", "--transport", "sse"}, "--transport"},
        {{"--url", url, "--mix", "socketio=50,sse=50", "--target", "x"}, "not with sse"},
        {{"--url", url, "--transport", "sse", "--target", "x"}, "--target"},
        {{"--url", url, "--rate", "max"}, "--rate max"},
        {{"--url", url, "--rate", "-1"}, "--rate"},
        {{"--url", url, "--handshakes", "often"}, "--handshakes"},
        {{"--url", url, "--handshake-kind", "tls"}, "--handshakes"},
        {{"--url", url, "--handshakes", "5", "--handshake-kind", "tls"}, "https://"},
        {{"--url", url, "--handshakes", "5", "--handshake-kind", "x"}, "upgrade"},
        {{"--url", url, "--server-metrics", "9464"}, "--server-metrics"},
        {{"--url", "h"}, "--url"},
        {{"--url", url, "--duration", "5"}, "--duration"},
        {{"--url", url, "--payload", "5x"}, "--payload"},
        {{"--url", url, "--payload", "5"}, "--payload"},
        {{"--url", url, "--connections", "many"}, "--connections"},
        {{"--url", url, "--connections", "-5"}, "--connections"},
        {{"--url", url, "--source-ips", "x"}, "--source-ips"},
        {{"--url", url, "--transport", "pigeon"}, "longpoll"},
        {{"--url", url, "--target", "no/such/file"}, "no/such/file"},
        {{"--url", url, "--no-such-option"}, "--no-such-option"},
    };
    for (const Case& c : cases) {
        const auto line = parse_command_line(c.arguments);
        ASSERT_FALSE(line) << c.words;
        EXPECT_NE(line.error().text.find(c.words), std::string::npos) << line.error().text;
        EXPECT_EQ(line.error().text.find('\n'), std::string::npos) << line.error().text;
    }
}

TEST(CommandLine, TransportsMixesAndTlsReachTheScenario) {
    const auto one = parse_command_line({"--url", "https://h:8443", "--transport", "longpoll",
                                         "--tls-ca", "ca.pem", "--tls-resume", "--senders", "7"});
    ASSERT_TRUE(one) << one.error().text;
    EXPECT_TRUE(one->scenario.url.tls);
    EXPECT_TRUE(one->scenario.mix.only(Transport::longpoll));
    EXPECT_EQ(one->scenario.tls.ca_file, "ca.pem");
    EXPECT_TRUE(one->scenario.tls.resume);
    EXPECT_EQ(one->scenario.senders, 7u);
    const auto mixed = parse_command_line(
        {"--url", "wss://h", "--mix", "websocket=60,sse=20,longpoll=20", "--tls-insecure"});
    ASSERT_TRUE(mixed) << mixed.error().text;
    EXPECT_EQ(mixed->scenario.url.port, 443);
    EXPECT_EQ(mixed->scenario.mix.percent(Transport::websocket), 60u);
    EXPECT_EQ(mixed->scenario.mix.percent(Transport::longpoll), 20u);
    EXPECT_TRUE(mixed->scenario.tls.insecure);
    const auto rest =
        parse_command_line({"--url", "http://h", "--transport", "rest", "--rate", "max"});
    ASSERT_TRUE(rest) << rest.error().text;
    EXPECT_EQ(rest->scenario.connections, 64u);
    EXPECT_TRUE(rest->scenario.rate_max);
}

TEST(CommandLine, HandshakesAreARateOrAsManyAsCan) {
    const auto some = parse_command_line(
        {"--url", "https://h", "--handshakes", "250.5", "--handshake-kind", "tls"});
    ASSERT_TRUE(some) << some.error().text;
    EXPECT_EQ(some->scenario.handshakes->rate_per_s, 250.5);
    EXPECT_EQ(some->scenario.handshakes->kind, Handshakes::Kind::tls);
    const auto max = parse_command_line({"--url", "ws://h", "--handshakes", "max"});
    ASSERT_TRUE(max) << max.error().text;
    EXPECT_EQ(max->scenario.handshakes->rate_per_s, 0);
    EXPECT_EQ(max->scenario.handshakes->kind, Handshakes::Kind::upgrade);
}

TEST(CommandLine, HelpTellsEveryOptionDefaultAndExitStatus) {
    const auto line = parse_command_line({"--help"});
    ASSERT_TRUE(line);
    for (const char* words :
         {"--url",        "--transport",      "--connections",  "--rooms",      "--rate",
          "--payload",    "--duration",       "--ramp",         "--warmup",     "--settle",
          "--drain",      "--slow-readers",   "--churn",        "--threads",    "--source-ips",
          "--target",     "--server-pid",     "--json",         "--spread",     "--room-prefix",
          "--mix",        "--tls-ca",         "--tls-insecure", "--tls-resume", "--senders",
          "--handshakes", "--handshake-kind", "--html",         "--hgrm",       "--server-metrics",
          "COMPARISON",   "HANDSHAKE RATE",   "TRANSPORTS",     "TIME=30s",     "EXIT STATUS",
          "TARGET FILES", "EXAMPLES"}) {
        EXPECT_NE(line->help.find(words), std::string::npos) << words;
    }
    for (std::size_t at = 0; at < line->help.size();) {
        const std::size_t end = std::min(line->help.find('\n', at), line->help.size());
        EXPECT_LE(end - at, 100u) << line->help.substr(at, end - at);
        at = end + 1;
    }
}

}  // namespace
}  // namespace parley::load
