#include "loadtest/scenario_file.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "loadtest/command_line.hpp"

namespace parley::load {
namespace {

using namespace std::chrono_literals;
using Arguments = std::vector<std::string>;

// A file that is gone with the test.
class File {
public:
    explicit File(const std::string& text) {
        const auto* const test = testing::UnitTest::GetInstance()->current_test_info();
        name_ = testing::TempDir() + "scenario_" + test->name() + std::to_string(::getpid()) +
                std::to_string(next_++) + ".toml";
        std::ofstream(name_) << text;
    }
    ~File() { std::filesystem::remove(name_); }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    [[nodiscard]] const std::string& name() const { return name_; }

private:
    static inline int next_ = 0;
    std::string name_;
};

Checked<CommandLine> play(const std::string& text, const Arguments& flags = {}) {
    const File file(text);
    Arguments arguments{"--scenario", file.name()};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    auto line = parse_command_line(arguments);
    if (line) return line;
    // Errors without the folder.
    std::string why = line.error().text;
    const std::size_t at = why.find(file.name());
    if (at != std::string::npos) why.replace(at, file.name().size(), "FILE");
    return Problem{why};
}

constexpr const char* evening = R"(url = "ws://127.0.0.1:9000/ws"
rooms = 4
[[phases]]
name = "warm-up"
duration = "10s"
connections = 40
rate = 10
measured = false
[[phases]]
name = "peak"
duration = "20s"
connections = 200
ramp = "5s"
rate = {from = 10, to = 100}
storm = 50
storm_over = "2s"
[[phases]]
name = "steps"
duration = "30s"
rate = {steps = [10, 20]}
[[personas]]
name = "talkers"
kind = "talker"
share = 10
size = {median = 100, sigma = 0.5, max = "2KiB"}
skew = 1.5
[[personas]]
name = "readers"
kind = "slow-reader"
share = 40
read_rate = "10KiB"
[[personas]]
name = "dozers"
kind = "slow-reader"
share = 10
pause = "3s"
[[personas]]
name = "passers-by"
kind = "churner"
share = 20
transport = "sse"
churn = 2.5
away = "4s"
[[personas]]
name = "polls"
kind = "poller"
share = 20
resume = false
)";

TEST(ScenarioFile, EveryKeyReachesTheScenario) {
    const auto line = play(evening);
    ASSERT_TRUE(line) << line.error().text;
    const Scenario& s = line->scenario;
    EXPECT_EQ(s.url.port, 9000);
    EXPECT_EQ(s.rooms, 4u);
    EXPECT_EQ(s.connections, 200u);
    ASSERT_EQ(s.phases.size(), 3u);
    EXPECT_EQ(s.phases[0].name, "warm-up");
    EXPECT_EQ(s.phases[0].duration, 10s);
    EXPECT_EQ(s.phases[0].connections, 40u);
    EXPECT_EQ(s.phases[0].rates, std::vector<double>{10});
    EXPECT_FALSE(s.phases[0].measured);
    EXPECT_EQ(s.phases[1].ramp, 5s);
    EXPECT_TRUE(s.phases[1].linear);
    EXPECT_EQ(s.phases[1].rates, (std::vector<double>{10, 100}));
    EXPECT_EQ(s.phases[1].storm_percent, 50);
    EXPECT_EQ(s.phases[1].storm_over, 2s);
    EXPECT_FALSE(s.phases[2].connections);
    EXPECT_FALSE(s.phases[2].linear);
    EXPECT_EQ(s.phases[2].rates, (std::vector<double>{10, 20}));
    ASSERT_EQ(s.personas.size(), 5u);
    EXPECT_EQ(s.personas[0].kind, Persona::Kind::talker);
    EXPECT_EQ(s.personas[0].size.kind, SizeModel::Kind::lognormal);
    EXPECT_EQ(s.personas[0].size.median, 100);
    EXPECT_EQ(s.personas[0].size.sigma, 0.5);
    EXPECT_EQ(s.personas[0].size.max, 2048u);
    EXPECT_EQ(s.personas[0].skew, 1.5);
    EXPECT_EQ(s.personas[1].reading.every, 100ms);
    EXPECT_EQ(s.personas[1].reading.bytes, 1024u);
    EXPECT_EQ(s.personas[2].reading.every, 3s);
    EXPECT_EQ(s.personas[3].transport, Transport::sse);
    EXPECT_EQ(s.personas[3].churn_per_s, 2.5);
    EXPECT_EQ(s.personas[3].away, 4s);
    EXPECT_TRUE(s.personas[3].resumes);
    EXPECT_EQ(s.personas[4].transport, Transport::longpoll);
    EXPECT_FALSE(s.personas[4].resumes);
    EXPECT_EQ(s.cast->groups()[0].count, 20u);
}

TEST(ScenarioFile, WhatFlagsSayTheFileCanSay) {
    const auto line = play(R"(url = "wss://127.0.0.1:9000/ws"
connections = 500
rooms = 5
rate = 12.5
payload = "1KiB"
spread = 2
senders = 3
warmup = "3s"
duration = "2m"
ramp = "10s"
settle = "4s"
drain = "1s"
threads = 3
slow_readers = 10
churn = 2.5
quiet = true
room_prefix = "x"
source_ips = ["127.0.0.2", "127.0.0.5-127.0.0.6"]
server_pid = 42
json = "-"
tls_insecure = true
tls_resume = false
mix = {websocket = 60, sse = 40}
)");
    ASSERT_TRUE(line) << line.error().text;
    const Scenario& s = line->scenario;
    EXPECT_EQ(s.connections, 500u);
    EXPECT_EQ(s.rooms, 5u);
    EXPECT_EQ(s.rate_per_s, 12.5);
    EXPECT_EQ(s.payload_bytes, 1024u);
    EXPECT_EQ(s.spread, 2u);
    EXPECT_EQ(s.senders, 3u);
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
    EXPECT_EQ(line->files.json, "-");
    EXPECT_TRUE(line->quiet);
    EXPECT_TRUE(s.tls.insecure);
    EXPECT_FALSE(s.tls.resume);
    EXPECT_EQ(s.mix.percent(Transport::sse), 40u);
    EXPECT_TRUE(play("url = \"http://h:1\"\nhandshakes = \"max\"\nhandshake_kind = \"tcp\"\n")
                    ->scenario.handshakes);
}

TEST(ScenarioFile, AFlagGoesBeforeTheFile) {
    const std::string text = "url = \"ws://127.0.0.1:9000\"\nrooms = 5\nmix = \"sse=100\"\n";
    const auto line = play(text, {"--rooms", "2", "--url", "ws://127.0.0.1:9001", "--transport",
                                  "websocket", "--spread", "4"});
    ASSERT_TRUE(line) << line.error().text;
    EXPECT_EQ(line->scenario.rooms, 2u);
    EXPECT_EQ(line->scenario.url.port, 9001);
    EXPECT_TRUE(line->scenario.mix.only(Transport::websocket));
    EXPECT_EQ(line->scenario.spread, 4u);
}

TEST(ScenarioFile, ConnectionsAndRateSayTheHighestAndTheOthersFollow) {
    const auto line = play(evening, {"--connections", "50", "--rate", "20", "--time-scale", "0.1"});
    ASSERT_TRUE(line) << line.error().text;
    const Scenario& s = line->scenario;
    EXPECT_EQ(s.connections, 50u);
    EXPECT_EQ(s.phases[0].connections, 10u);
    EXPECT_EQ(s.phases[1].connections, 50u);
    EXPECT_EQ(s.phases[1].rates, (std::vector<double>{2, 20}));
    EXPECT_EQ(s.phases[2].rates, (std::vector<double>{2, 4}));
    EXPECT_EQ(s.phases[1].duration, 2s);
    EXPECT_EQ(s.phases[1].ramp, 500ms);
    EXPECT_EQ(s.phases[1].storm_over, 200ms);
    EXPECT_EQ(s.personas[3].away, 400ms);
    EXPECT_EQ(s.ramp, 500ms);
    EXPECT_EQ(s.settle, 30s);
}

TEST(ScenarioFile, CountsOfPersonasAreTheConnectionsAndShareOutFewerOrMore) {
    const std::string text = R"(url = "ws://h"
[[personas]]
name = "a"
kind = "talker"
count = 10
rate = 5
[[personas]]
name = "b"
kind = "listener"
count = 30
)";
    EXPECT_EQ(play(text)->scenario.connections, 40u);
    EXPECT_EQ(play(text)->scenario.rate_per_s, 5);
    EXPECT_EQ(play(text, {"--rate", "7"})->scenario.rate_per_s, 7);
    EXPECT_EQ(play(text, {"--connections", "8"})->scenario.publishers(), 2u);
    EXPECT_EQ(play(text, {"--connections", "400"})->scenario.publishers(), 100u);
}

TEST(ScenarioFile, ErrorsNameFileLineAndKeyAndTheNearestKnownOne) {
    struct Case {
        const char* text;
        const char* words;
    };
    const std::string url = "url = \"ws://h\"\n";
    const Case cases[] = {
        {"romms = 3", "FILE:2: unknown key romms, did you mean rooms?"},
        {"workers = 3", "FILE:2: unknown key workers"},
        {"[[phase]]", "FILE:2: unknown key phase, did you mean phases?"},
        {"rooms = \"many\"", "FILE:2: rooms: "},
        {"duration = \"soon\"", "FILE:2: duration: --duration: 'soon' is no duration"},
        {"rooms = [", "FILE:2: "},
        {"phases = 3", "FILE:2: phases: expected [[phases]] tables"},
        {"[[phases]]\nname = \"a\"\n", "FILE:2: phases: a phase needs a duration"},
        {"[[phases]]\nduration = \"1s\"\n", "FILE:2: phases: a phase needs a name"},
        {"[[phases]]\nname = \"a\"\nduration = 5", "FILE:4: phases.duration: expected a duration"},
        {"[[phases]]\nname = \"a\"\nramps = \"1s\"",
         "FILE:4: unknown key phases.ramps, did you mean phases.ramp?"},
        {"[[phases]]\nrate = {from = 1}", "FILE:3: phases.rate: expected a number, {from"},
        {"[[phases]]\nrate = {form = 1}",
         "FILE:3: unknown key phases.rate.form, did you mean phases.rate.from?"},
        {"[[phases]]\nmeasured = 1", "FILE:3: phases.measured: expected true or false"},
        {"[[personas]]\nname = \"a\"\nkind = \"speaker\"\n",
         "FILE:4: personas.kind: 'speaker' is none: expected talker, listener"},
        {"[[personas]]\nname = \"a\"\nshare = 100", "FILE:2: personas: a persona needs a kind"},
        {"[[personas]]\nname = \"a\"\nkind = \"talker\"", "needs a share (per cent) or a count"},
        {"[[personas]]\nname = \"a\"\nkind = \"talker\"\nshare = 90", "make 90.000000, not 100"},
        {"[[personas]]\nname = \"a\"\nkind = \"talker\"\nshare = 100\nchurn = 1",
         "churn goes with kind churner, not with kind talker"},
        {"[[personas]]\nname = \"a\"\nkind = \"listener\"\nshare = 100\nsize = 64",
         "size goes with kinds talker and rest-publisher"},
        {"[[personas]]\nname = \"a\"\nkind = \"talker\"\nshare = 100\ntransport = \"pigeon\"",
         "personas.transport: 'pigeon' is none: expected websocket"},
        {"[[personas]]\nname = \"a\"\nkind = \"talker\"\nshare = 100\nsize = {min = 64}",
         "FILE:6: personas.size: expected bytes, {min"},
    };
    for (const Case& c : cases) {
        const auto line = play(url + c.text);
        ASSERT_FALSE(line) << c.text;
        EXPECT_NE(line.error().text.find(c.words), std::string::npos) << line.error().text;
        EXPECT_EQ(line.error().text.find('\n'), std::string::npos);
    }
    EXPECT_FALSE(parse_command_line({"--scenario", "/nowhere/x.toml"}));
    EXPECT_FALSE(play("rooms = 3")) << "the URL is missing";
}

TEST(ScenarioFile, WhatPersonasAndPhasesSayForThemselvesNothingElseSays) {
    for (const char* const option : {"--mix=sse=100", "--transport=sse", "--slow-readers=5",
                                     "--churn=1", "--payload=64", "--spread=2"}) {
        const auto line = play(evening, {option});
        ASSERT_FALSE(line) << option;
        EXPECT_NE(line.error().text.find("does not go with personas"), std::string::npos)
            << line.error().text;
    }
    for (const char* const option : {"--duration=5s", "--warmup=1s"}) {
        const auto line = play(evening, {option});
        ASSERT_FALSE(line) << option;
        EXPECT_NE(line.error().text.find("--time-scale"), std::string::npos) << line.error().text;
    }
    EXPECT_FALSE(play(evening, {"--time-scale", "0"}));
    EXPECT_FALSE(play(evening, {"--time-scale", "1001"}));
}

TEST(ScenarioFile, ATooLargeFileIsNone) {
    const auto line = play(std::string(scenario_file_bytes_max + 1, '#'));
    ASSERT_FALSE(line);
    EXPECT_NE(line.error().text.find("not a scenario file"), std::string::npos);
}

TEST(ScenarioFile, TheReadyOnesCanBePlayed) {
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(PARLEY_LOAD_SCENARIOS)) {
        ++files;
        const std::string name = entry.path().string();
        const auto line = parse_command_line({"--scenario", name});
        EXPECT_TRUE(line) << (line ? "" : line.error().text);
        // And small.
        const auto small = parse_command_line(
            {"--scenario", name, "--connections", "100", "--time-scale", "0.05"});
        EXPECT_TRUE(small) << (small ? "" : small.error().text);
    }
    EXPECT_GE(files, 4u);
}

TEST(ScenarioFile, SeveralProcessesNeedNoMoreThanTheirNumber) {
    const Arguments url{"--url", "ws://h"};
    const auto with = [&url](Arguments more) {
        more.insert(more.end(), url.begin(), url.end());
        return parse_command_line(more);
    };
    EXPECT_EQ(with({"--workers", "3", "--threads", "1"})->scenario.split.of, 3u);
    EXPECT_EQ(with({"--coordinator", "127.0.0.1:7000", "--expect", "2"})->crew.size(), 2u);
    EXPECT_TRUE(parse_command_line({"--join", "127.0.0.1:7000"}));
    EXPECT_FALSE(with({"--workers", "0"}));
    EXPECT_FALSE(with({"--workers", "65"}));
    EXPECT_FALSE(with({"--coordinator", "127.0.0.1:7000"}));
    EXPECT_FALSE(with({"--expect", "2"}));
    EXPECT_FALSE(with({"--workers", "2", "--join", "127.0.0.1:7000"}));
    EXPECT_FALSE(with({"--workers", "2", "--handshakes", "max"}));
    EXPECT_FALSE(with({"--workers", "200", "--connections", "100"}));
}

}  // namespace
}  // namespace parley::load
