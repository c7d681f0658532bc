#include "server/config_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace parley::server {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

struct Read {
    ServerConfig config;
    std::vector<std::string> warnings;
};

Read read(std::string_view text) {
    ConfigSources sources;
    sources.read_text(text, "parley.toml");
    return {sources.finish(), sources.warnings()};
}

std::string error_of(std::string_view text) {
    try {
        static_cast<void>(read(text));
    } catch (const ConfigError& error) {
        return error.what();
    }
    return "no error";
}

std::string content_of(const std::string& path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

TEST(ConfigFile, ReadsEverySection) {
    const auto [config, warnings] = read(R"(
        listen = ["127.0.0.1:9000", "[::1]:9000"]
        shards = 3
        server_name = "blue"
        [log]
        level = "warn"
        format = "json"
        [http]
        allowed_origins = ["https://a.example", "https://b.example"]
        [websocket]
        deflate = false
        [limits]
        text_bytes = "8KiB"
        connections = 50
        session = { per_second = 0.5, burst = 3 }
        user.burst = 7
        [history]
        messages = 10
        [heartbeat]
        ping_every = "1s"
        dead_after = "2s"
        [drain]
        deadline = "3s"
        [[rooms]]
        match = "ticker.*"
        on_lag = "latest"
        flush_delay = "50ms"
        keep_messages = 7
        keep_bytes = "1KiB"
        keep_age = "1h"
        [[rooms]]
        match = "*"
        kind = "read-only"
        owners = ["ann", "k7"]
    )");
    EXPECT_THAT(warnings, IsEmpty());
    ASSERT_EQ(config.listen.size(), 2U);
    EXPECT_EQ(format_endpoint(config.listen[1]), "[::1]:9000");
    EXPECT_EQ(config.shards, 3U);
    EXPECT_EQ(config.core.server_name, "blue");
    EXPECT_EQ(config.log.level, transports::log::Level::warn);
    EXPECT_EQ(config.log.format, transports::log::Format::json);
    EXPECT_THAT(config.transports.allowed_origins,
                ElementsAre("https://a.example", "https://b.example"));
    EXPECT_FALSE(config.transports.deflate);
    EXPECT_EQ(config.core.limits.text_bytes, 8192U);
    EXPECT_EQ(config.core.limits.connections, 50U);
    EXPECT_EQ(config.core.limits.session.per_second, 0.5);
    EXPECT_EQ(config.core.limits.session.burst, 3);
    EXPECT_EQ(config.core.limits.user.burst, 7);
    EXPECT_EQ(config.core.history.messages, 10U);
    EXPECT_EQ(config.core.heartbeat.ping_every, 1s);
    EXPECT_EQ(config.core.drain.deadline, 3s);
    ASSERT_EQ(config.core.rooms.size(), 2U);
    EXPECT_EQ(config.core.rooms[0].match, "ticker.*");
    EXPECT_EQ(config.core.rooms[0].on_lag, core::OnLag::latest);
    EXPECT_EQ(config.core.rooms[0].flush_delay, (core::FlushDelay{false, 50ms}));
    EXPECT_EQ(core::retention_of(config.core, "ticker.x"), (core::Retention{7, 1024, 1h}));
    EXPECT_EQ(core::retention_of(config.core, "other"), core::Retention());
    EXPECT_EQ(config.core.rooms[1].on_lag, core::OnLag::disconnect);
    EXPECT_FALSE(config.core.rooms[1].flush_delay);
    EXPECT_EQ(config.core.rooms[0].kind, protocol::RoomKind::open);
    EXPECT_EQ(core::kind_of(config.core.rooms, "other"), protocol::RoomKind::read_only);
    EXPECT_THAT(config.core.rooms[1].owners, ElementsAre("ann", "k7"));
}

TEST(ConfigFile, NamesFileLineAndKeyOfWhatIsWrong) {
    struct Row {
        std::string_view text, error;
    };
    for (const auto& row : {
             Row{"\n[limits]\ntext_bytes = \"12 parsecs\"",
                 "parley.toml:3: limits.text_bytes: \"12 parsecs\" is not a size (expected e.g. "
                 "65536, \"64KiB\")"},
             Row{"shards = 65", "parley.toml:1: shards: \"65\" is out of range (0 to 64)"},
             Row{"shards = -1", "parley.toml:1: shards: \"-1\" is not a whole number"},
             Row{"shards = [1, 2]", "parley.toml:1: shards: expected one value"},
             Row{"shards = 1979-05-27",
                 "parley.toml:1: shards: expected a value, not a table, a list or a date"},
             Row{"limits.text_bytes.max = 1",
                 "parley.toml:1: limits.text_bytes: expected a value, not a table, a list or a "
                 "date"},
             Row{"listen = \"localhost:80\"",
                 "parley.toml:1: listen: \"localhost:80\" is not an address (expected e.g. "
                 "\"127.0.0.1:8080\", \"[::]:8080\")"},
             Row{"[log]\nlevel = \"loud\"",
                 "parley.toml:2: log.level: \"loud\" is not a log level (expected debug, info, "
                 "warn, error or off)"},
             Row{"[admin]\nlisten = \"localhost\"",
                 "parley.toml:2: admin.listen: \"localhost\" is not an address (expected e.g. "
                 "\"127.0.0.1:9464\", or \"off\")"},
             Row{"[tls]\nlisten = \"here\"",
                 "parley.toml:2: tls.listen: \"here\" is not an address (expected e.g. "
                 "\"127.0.0.1:8080\", \"[::]:8080\")"},
             Row{"[tls]\nclient_auth = \"maybe\"",
                 "parley.toml:2: tls.client_auth: \"maybe\" is not one of none, request, require"},
             Row{"[history]\nstore = \"mysql:x\"",
                 "parley.toml:2: history.store: what is given is not memory, sqlite:PATH or "
                 "postgres:URL"},
             Row{"[history]\ndurability = \"maybe\"",
                 "parley.toml:2: history.durability: \"maybe\" is not async or sync"},
             Row{"[[rooms]]\nmatch = \"a\"\nkeep_age = \"long\"",
                 "parley.toml:3: rooms.keep_age: \"long\" is not a duration (expected e.g. "
                 "\"500ms\", \"25s\", \"2m\")"},
             Row{"rooms = 3",
                 "parley.toml:1: rooms: expected [[rooms]] tables with match and "
                 "on_lag"},
             Row{"[[rooms]]\nmatch = \"a\"\non_lag = \"drop\"",
                 "parley.toml:3: rooms.on_lag: \"drop\" is not one of disconnect, gap, latest"},
             Row{"[[rooms]]\nmatch = \"a\"\nkind = \"secret\"",
                 "parley.toml:3: rooms.kind: \"secret\" is not one of public, members, read-only, "
                 "private"},
             Row{"[[rooms]]\nmatch = \"a\"\nflush_delay = \"soon\"",
                 "parley.toml:3: rooms.flush_delay: \"soon\" is not a delay (expected "
                 "\"adaptive\", \"0ms\" or e.g. \"20ms\")"},
             Row{"[flush]\ndelay = \"2s\"",
                 "parley.toml:2: flush.delay: \"2s\" is out of range (0ms to 1s)"},
             Row{"\n[[rooms]]\non_lag = \"gap\"",
                 "parley.toml:2: rooms.match: expected a pattern (e.g. \"public.*\")"},
             Row{"[heartbeat]\nping_every = \"45s\"",
                 "parley.toml:2: heartbeat.ping_every: heartbeat.ping_every (45s) must be shorter "
                 "than heartbeat.dead_after (45s)"},
             Row{"[heartbeat]\ndead_after = \"5s\"",
                 "parley.toml:2: heartbeat.dead_after: heartbeat.ping_every (25s) must be shorter "
                 "than heartbeat.dead_after (5s)"},
             Row{"[drain]\nretry_min = \"1m\"",
                 "parley.toml:2: drain.retry_min: drain.retry_min (1m) must not be longer than "
                 "drain.retry_max (10s)"},
             Row{"[limits]\nmessage_bytes = \"1KiB\"",
                 "parley.toml:2: limits.message_bytes: limits.text_bytes (16KiB) must not be "
                 "larger than limits.message_bytes (1KiB)"},
             Row{"[http]\nproxy_protocol = true",
                 "parley.toml:2: http.proxy_protocol: http.proxy_protocol needs "
                 "http.trusted_proxies: from nobody else a header is taken"},
             Row{"[http]\ntrusted_proxies = [\"10.0.0.0/8\", \"proxy.example\"]",
                 "parley.toml:2: http.trusted_proxies: \"proxy.example\" is not a network "
                 "(expected "
                 "e.g. \"10.0.0.0/8\", \"192.0.2.1\", \"fd00::/8\")"},
         }) {
        EXPECT_EQ(error_of(row.text), row.error);
    }
}

TEST(ConfigFile, NamesTheLineOfBrokenToml) {
    EXPECT_THAT(error_of("shards = 1\nshards = 2"), testing::StartsWith("parley.toml:2: "));
    EXPECT_THAT(error_of("\n\nlisten = [\""), testing::StartsWith("parley.toml:3: "));
}

TEST(ConfigFile, AcceptsTheOneValueThatALaterSettingHasToday) {
    const auto [config, warnings] = read("broker = \"local\"");
    EXPECT_THAT(warnings, IsEmpty());
}

TEST(ConfigFile, WarnsOfAnUnknownKeyAndNamesTheNearest) {
    EXPECT_THAT(read("[limits]\ntext_byte = 1").warnings,
                ElementsAre("parley.toml:2: unknown key limits.text_byte, did you mean "
                            "limits.text_bytes?"));
    EXPECT_THAT(read("[limit]\ntext_bytes = 1").warnings,
                ElementsAre("parley.toml:2: unknown key limit.text_bytes, did you mean "
                            "limits.text_bytes?"));
    EXPECT_THAT(read("[[rooms]]\nmatch = \"a\"\nonlag = \"gap\"").warnings,
                ElementsAre("parley.toml:3: unknown key rooms.onlag, did you mean rooms.on_lag?"));
    EXPECT_THAT(read("[[rooms]]\nmatch = \"a\"\nflush_dely = \"1s\"").warnings,
                ElementsAre("parley.toml:3: unknown key rooms.flush_dely, did you mean "
                            "rooms.flush_delay?"));
}

TEST(ConfigFile, IsReadUnderTheEnvironmentAndTheFlags) {
    ConfigSources sources;
    sources.read_text("shards = 1\nserver_name = \"file\"\n[limits]\nrooms = 1", "parley.toml");
    const std::vector<const char*> environment{"PARLEY_SERVER_NAME=environment", "HOME=/",
                                               "PARLEY_LIMITS__ROOMS=2", "XPARLEY_SHARDS=9"};
    sources.read_environment(environment);
    const std::vector<std::string> word{"3"};
    sources.set("limits.rooms", word, "--rooms");
    const auto config = sources.finish();
    EXPECT_EQ(config.shards, 1U);
    EXPECT_EQ(config.core.server_name, "environment");
    EXPECT_EQ(config.core.limits.rooms, 3U);
    EXPECT_THAT(sources.warnings(), IsEmpty());
}

TEST(ConfigFile, EverySettingCanComeFromTheEnvironment) {
    const ServerConfig defaults;
    for (const auto& setting : all_settings()) {
        auto value = toml_value(setting, defaults);
        std::erase_if(value, [](char c) { return c == '"' || c == '[' || c == ']'; });
        const auto variable = environment_name(setting.key) + "=" + value;
        const std::vector<const char*> environment{variable.c_str()};
        ConfigSources sources;
        sources.read_environment(environment);
        EXPECT_THAT(sources.warnings(), IsEmpty()) << variable;
        EXPECT_EQ(toml_value(setting, sources.finish()), toml_value(setting, defaults));
    }
}

TEST(ConfigFile, ReadsAListInTheEnvironmentBetweenCommas) {
    ConfigSources sources;
    const std::vector<const char*> environment{"PARLEY_LISTEN=127.0.0.1:1, [::1]:2",
                                               "PARLEY_HTTP__ALLOWED_ORIGINS="};
    sources.read_environment(environment);
    EXPECT_EQ(sources.finish().listen.size(), 2U);
    EXPECT_THAT(sources.finish().transports.allowed_origins, IsEmpty());
}

TEST(ConfigFile, NamesTheVariableThatIsWrong) {
    struct Row {
        const char* variable;
        std::string_view error;
    };
    for (const auto& row :
         {Row{"PARLEY_SHARDS=many", "PARLEY_SHARDS: \"many\" is not a whole number"},
          Row{"PARLEY_TLS__HANDSHAKE_TIMEOUT=5",
              "PARLEY_TLS__HANDSHAKE_TIMEOUT: \"5\" is not a duration (expected e.g. \"500ms\", "
              "\"25s\", \"2m\")"},
          Row{"PARLEY_BROKER=redis:", "PARLEY_BROKER: this version runs as one node only"}}) {
        const std::vector<const char*> environment{row.variable};
        ConfigSources sources;
        try {
            sources.read_environment(environment);
            ADD_FAILURE() << row.variable << " was taken";
        } catch (const ConfigError& error) {
            EXPECT_EQ(error.what(), row.error);
        }
    }
}

TEST(ConfigFile, RefusesTlsThatIsHalfConfigured) {
    struct Row {
        std::string_view text, error;
    };
    for (const auto& row :
         {Row{"[tls]\nlisten = [\":0\"]",
              "parley.toml:2: tls.listen: TLS needs a certificate (expected tls.cert and tls.key, "
              "or --tls-cert and --tls-key)"},
          Row{"[tls]\ncert = \"a\"\nkey = \"b\"",
              "parley.toml:2: tls.cert: no address is served over TLS (expected e.g. tls.listen = "
              "[\"0.0.0.0:8443\"])"},
          Row{"[tls]\nlisten = [\":0\"]\ncert = [\"a\", \"b\"]\nkey = \"c\"",
              "parley.toml:4: tls.key: tls.cert names 2 files and tls.key 1 (expected one key for "
              "each certificate)"},
          Row{"[tls]\nlisten = [\":0\"]\ncert = \"a\"\nkey = \"b\"\nocsp = [\"c\", \"d\"]",
              "parley.toml:5: tls.ocsp: tls.cert names 1 files and tls.ocsp 2 (expected one for "
              "each certificate, \"\" where there is none)"},
          Row{"[tls]\nlisten = [\":0\"]\ncert = \"a\"\nkey = \"b\"\nclient_auth = \"require\"",
              "parley.toml:5: tls.client_auth: certificates of clients need tls.client_ca to be "
              "judged by"}}) {
        ConfigSources sources;
        sources.read_text(row.text, "parley.toml");
        try {
            static_cast<void>(sources.finish());
            ADD_FAILURE() << row.text << " was taken";
        } catch (const ConfigError& error) {
            EXPECT_EQ(error.what(), row.error);
        }
    }
}

TEST(ConfigFile, WarnsOfAnUnknownVariable) {
    ConfigSources sources;
    const std::vector<const char*> environment{"PARLEY_LISTENS=1", "PARLEY_BROKER=local"};
    sources.read_environment(environment);
    EXPECT_THAT(sources.warnings(),
                ElementsAre("PARLEY_LISTENS: unknown setting, did you mean PARLEY_LISTEN?"));
}

TEST(ConfigFile, SaysThatAFileCannotBeOpened) {
    ConfigSources sources;
    try {
        sources.read_file("/nowhere/parley.toml");
        ADD_FAILURE() << "it was read";
    } catch (const ConfigError& error) {
        EXPECT_STREQ(error.what(),
                     "/nowhere/parley.toml: cannot be opened: No such file or directory");
    }
}

TEST(DefaultConfig, ReadsBackAsTheDefaultsWithoutAWarning) {
    const auto [config, warnings] = read(default_config());
    EXPECT_THAT(warnings, IsEmpty());
    const ServerConfig defaults;
    for (const auto& setting : all_settings()) {
        EXPECT_EQ(toml_value(setting, config), toml_value(setting, defaults)) << setting.key;
    }
    EXPECT_THAT(config.core.rooms, IsEmpty());
}

TEST(DefaultConfig, IsTheFileInConf) {
    EXPECT_EQ(default_config(), content_of(PARLEY_DEFAULT_CONFIG))
        << "run: parleyd default-config > conf/parley.toml";
}

TEST(SampleConfig, OfEachSocketIoFrontEndIsReadWithoutAWarning) {
    const std::string folder =
        std::string(PARLEY_DEFAULT_CONFIG).substr(0, std::string(PARLEY_DEFAULT_CONFIG).rfind('/'));
    std::vector<std::string> said;
    for (const char* name : {"plain", "flask", "rooms"}) {
        const auto [config, warnings] = read(content_of(folder + "/socketio-" + name + ".toml"));
        EXPECT_THAT(warnings, IsEmpty()) << name;
        said.push_back(config.transports.socketio.chat.message_events.front());
        said.push_back(config.transports.socketio.chat.typing_event);
        said.push_back(config.transports.socketio.chat.default_room);
    }
    EXPECT_THAT(said, testing::ElementsAre("message", "typing", "lobby", "new_message",
                                           "user_typing", "lobby", "message", "typing", ""));
}
TEST(SocketIoSettings, AreRefusedWhereTheyAreNoNames) {
    const auto refusal = [](const std::string& line) {
        try {
            static_cast<void>(read("[socketio]\n" + line + "\n"));
        } catch (const ConfigError& error) {
            return std::string(error.what());
        }
        return std::string("taken");
    };
    for (const std::string& line : std::vector<std::string>{
             "message_events = [\"disconnect\"]", "message_events = [\"\"]", "message_events = []",
             "users_event = \"\"", "joined_event = \"connect\"", "left_event = \"left\"",
             "message_events = [\"message\", \"topic\"]", "stop_typing_event = \"role\"",
             "default_room = \"no room\"", "namespaces = [\"support\"]",
             "namespaces = [\"/a=a.\", \"/a=b.\"]",
             "namespaces = [\"/a=a.\", \"/b=b.\", \"/c=c.\", \"/d=d.\"]",
             "relay_events = [\"a*b*\"]", "attachments_max = -1", "recovery_window = \"0s\""}) {
        EXPECT_NE(refusal(line), "taken") << line;
    }
    EXPECT_THAT(refusal("namespaces = [\"support\"]"),
                testing::HasSubstr("is not a namespace and its rooms' prefix (expected e.g."));
    for (const std::string& line : std::vector<std::string>{
             "message_events = [\"message\", \"new message\"]", "stop_typing_event = \"\"",
             "default_room = \"\"", "namespaces = [\"/support=support.\"]",
             "relay_events = [\"*\"]", "send_events = []"}) {
        EXPECT_EQ(refusal(line), "taken") << line;
    }
}
TEST(DefaultConfig, HasALineAboutEverySettingWithinAHundredColumns) {
    const auto text = default_config();
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100U) << line;
    EXPECT_EQ(text.find("# \n"), std::string::npos);
}

}  // namespace
}  // namespace parley::server
