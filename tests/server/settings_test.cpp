#include "server/settings.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace parley::server {
namespace {

// Words that are never a value of the kind, and one above and below its range where it has one.
struct BadWords {
    std::vector<std::string> operator()(const FlagKind&) const { return {"", "yes", "1", "True"}; }
    template <class T>
    std::vector<std::string> operator()(const CountKind<T>& kind) const {
        std::vector<std::string> out{"", "many", "1.5", "-1",
                                     std::to_string(std::uint64_t(kind.max) + 1)};
        if (kind.min > 0) out.push_back(std::to_string(kind.min - 1));
        return out;
    }
    std::vector<std::string> operator()(const SizeKind& kind) const {
        std::vector<std::string> out{"", "12 parsecs", "-1", std::to_string(kind.max + 1)};
        if (kind.min > 0) out.push_back(std::to_string(kind.min - 1));
        return out;
    }
    std::vector<std::string> operator()(const NumberKind& kind) const {
        return {"", "fast", "nan", "-1", format_number(kind.max * 2), format_number(kind.min / 2)};
    }
    std::vector<std::string> operator()(const DurationKind& kind) const {
        std::vector<std::string> out{"", "25", "soon", format_duration(kind.max + milliseconds(1))};
        if (kind.min.count() > 0) out.push_back(format_duration(kind.min - milliseconds(1)));
        return out;
    }
    std::vector<std::string> operator()(const TextKind& kind) const {
        return {std::string(kind.bytes_max + 1, 'x')};
    }
    std::vector<std::string> operator()(const TextListKind&) const { return {""}; }
    std::vector<std::string> operator()(const OriginListKind&) const {
        return {"", "chat.example"};
    }
    std::vector<std::string> operator()(const NetworkListKind&) const {
        return {"", "here", "10.0.0.0/33", "10.0.0/8", "::/129", "fe80::1%lo"};
    }
    std::vector<std::string> operator()(const EndpointListKind&) const { return {"", "here"}; }
    std::vector<std::string> operator()(const OptionalEndpointKind&) const { return {"here"}; }
    std::vector<std::string> operator()(const FileListKind&) const {
        return {std::string(file_name_bytes_max + 1, 'x')};
    }
    std::vector<std::string> operator()(const ClientAuthKind&) const { return {"", "maybe"}; }
    std::vector<std::string> operator()(const IoChoiceKind&) const { return {"", "poll"}; }
    std::vector<std::string> operator()(const DurabilityKind&) const { return {"", "later"}; }
    std::vector<std::string> operator()(const FlushDelayKind&) const {
        return {"", "20", "adaptiv", "-1ms", format_duration(flush_delay_max + milliseconds(1))};
    }
    std::vector<std::string> operator()(const LogLevelKind&) const { return {"", "loud"}; }
    std::vector<std::string> operator()(const LogFormatKind&) const { return {"", "xml"}; }
};

// The ends of the range, or all words.
struct GoodWords {
    std::vector<std::string> operator()(const FlagKind&) const { return {"true", "false"}; }
    template <class T>
    std::vector<std::string> operator()(const CountKind<T>& kind) const {
        return {std::to_string(kind.min), std::to_string(kind.max)};
    }
    std::vector<std::string> operator()(const SizeKind& kind) const {
        return {format_size(kind.min), format_size(kind.max)};
    }
    std::vector<std::string> operator()(const NumberKind& kind) const {
        return {format_number(kind.min), format_number(kind.max)};
    }
    std::vector<std::string> operator()(const DurationKind& kind) const {
        return {format_duration(kind.min), format_duration(kind.max)};
    }
    std::vector<std::string> operator()(const TextKind& kind) const {
        const bool may_be_empty = kind.rule.holds == nullptr || kind.rule.holds("");
        const bool any = kind.rule.holds == nullptr || kind.rule.holds("x");
        const std::string begin = any ? "" : "sqlite:";
        return {may_be_empty ? "" : begin + "x",
                begin + std::string(kind.bytes_max - begin.size(), 'x')};
    }
    std::vector<std::string> operator()(const TextListKind& kind) const {
        std::vector<std::string> words{"draw", "new message", "/support=support.", "/a/b=c"};
        std::erase_if(words, [&kind](const std::string& word) { return !kind.rule.holds(word); });
        return words;
    }
    std::vector<std::string> operator()(const OriginListKind&) const {
        return {"*", "https://a.example", "https://*.example:8443"};
    }
    std::vector<std::string> operator()(const NetworkListKind&) const {
        return {"10.0.0.0/8", "192.0.2.1", "::/0", "2001:db8::1"};
    }
    std::vector<std::string> operator()(const EndpointListKind&) const {
        return {"127.0.0.1:1", "[::1]:2"};
    }
    std::vector<std::string> operator()(const OptionalEndpointKind&) const {
        return {"127.0.0.1:1", "[::1]:2", "off"};
    }
    std::vector<std::string> operator()(const FileListKind&) const {
        return {"cert.pem", "/etc/parley/cert.pem"};
    }
    std::vector<std::string> operator()(const IoChoiceKind&) const {
        return {"auto", "epoll", "uring"};
    }
    std::vector<std::string> operator()(const DurabilityKind&) const { return {"async", "sync"}; }
    std::vector<std::string> operator()(const ClientAuthKind&) const {
        return {"none", "request", "require"};
    }
    std::vector<std::string> operator()(const FlushDelayKind&) const {
        return {"adaptive", "0ms", format_duration(flush_delay_max)};
    }
    std::vector<std::string> operator()(const LogLevelKind&) const {
        return {"debug", "info", "warn", "error", "off"};
    }
    std::vector<std::string> operator()(const LogFormatKind&) const { return {"text", "json"}; }
};

std::string without_quotes(std::string text) {
    std::erase(text, '"');
    return text;
}

bool is_secret(const Setting& setting) {
    const auto* text = std::get_if<TextKind>(&setting.kind);
    return text != nullptr && text->rule.secret;
}

TEST(Settings, TakeEveryGoodWordAndKeepIt) {
    for (const auto& setting : all_settings()) {
        for (const auto& word : std::visit(GoodWords{}, setting.kind)) {
            ServerConfig config;
            EXPECT_EQ(assign(setting, config, {&word, 1}), std::nullopt) << setting.key;
            const auto expected = is_list(setting) ? "[" + word + "]" : word;
            EXPECT_EQ(without_quotes(toml_value(setting, config)), expected) << setting.key;
        }
    }
}

TEST(Settings, RefuseEveryBadWordAndStayAsTheyWere) {
    for (const auto& setting : all_settings()) {
        for (const auto& word : std::visit(BadWords{}, setting.kind)) {
            ServerConfig config;
            const auto before = toml_value(setting, config);
            const auto problem = assign(setting, config, {&word, 1});
            ASSERT_TRUE(problem) << setting.key << " took " << word;
            const bool said = problem->find('"' + word) != std::string::npos;
            EXPECT_NE(said, is_secret(setting)) << *problem;
            EXPECT_EQ(toml_value(setting, config), before) << setting.key;
        }
    }
}

TEST(Settings, RefuseSeveralWordsUnlessTheyAreLists) {
    for (const auto& setting : all_settings()) {
        ServerConfig config;
        EXPECT_EQ(assign(setting, config, std::visit(GoodWords{}, setting.kind)).has_value(),
                  !is_list(setting))
            << setting.key;
    }
}

TEST(Settings, ListsAreReplacedNotAddedTo) {
    ServerConfig config;
    const auto* listen = find_setting("listen");
    const std::vector<std::string> words{"127.0.0.1:1", "[::1]:2"};
    EXPECT_EQ(assign(*listen, config, words), std::nullopt);
    EXPECT_EQ(toml_value(*listen, config), R"(["127.0.0.1:1", "[::1]:2"])");
    EXPECT_EQ(assign(*listen, config, {}), "expected at least one address");
}

TEST(Settings, AreEachThereOnceAndTheirDefaultIsInRange) {
    std::set<std::string_view> keys;
    const ServerConfig defaults;
    for (const auto& setting : all_settings()) {
        EXPECT_TRUE(keys.insert(setting.key).second) << setting.key;
        if (is_list(setting)) continue;
        ServerConfig config;
        const auto word = without_quotes(toml_value(setting, defaults));
        EXPECT_EQ(assign(setting, config, {&word, 1}), std::nullopt) << setting.key;
    }
}

TEST(Settings, ShareNoField) {
    for (const auto& changed : all_settings()) {
        ServerConfig config;
        for (const auto& word : std::visit(GoodWords{}, changed.kind)) {
            ASSERT_EQ(assign(changed, config, {&word, 1}), std::nullopt);
            for (const auto& other : all_settings()) {
                if (other.key == changed.key) continue;
                EXPECT_EQ(toml_value(other, config), toml_value(other, ServerConfig{}))
                    << changed.key << " changes " << other.key;
            }
        }
    }
}

TEST(Settings, FindTheNearestKey) {
    EXPECT_EQ(nearest_key("limits.text_byte"), "limits.text_bytes");
    EXPECT_EQ(nearest_key("limit.text_bytes"), "limits.text_bytes");
    EXPECT_EQ(nearest_key("lissten"), "listen");
    EXPECT_EQ(nearest_key("heartbeat.ping_evry"), "heartbeat.ping_every");
}

TEST(Settings, CountLettersToChange) {
    EXPECT_EQ(edit_distance("", ""), 0U);
    EXPECT_EQ(edit_distance("", "abc"), 3U);
    EXPECT_EQ(edit_distance("abc", ""), 3U);
    EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
    EXPECT_EQ(edit_distance("flaw", "lawn"), 2U);
}

TEST(Settings, AreNamedInTheEnvironmentWithTwoUnderscoresBetweenSectionAndName) {
    EXPECT_EQ(environment_name("listen"), "PARLEY_LISTEN");
    EXPECT_EQ(environment_name("limits.text_bytes"), "PARLEY_LIMITS__TEXT_BYTES");
    EXPECT_EQ(environment_name("limits.user.burst"), "PARLEY_LIMITS__USER__BURST");
}

TEST(Settings, KnowEveryLagPolicyByName) {
    for (const auto policy : {core::OnLag::disconnect, core::OnLag::gap, core::OnLag::latest}) {
        EXPECT_EQ(on_lag_from(name_of(policy)), policy);
    }
    EXPECT_EQ(on_lag_from("drop"), std::nullopt);
}

TEST(Setting, APasswordIsNeverSaidBack) {
    const Setting& store = *find_setting("history.store");
    for (const char* given :
         {"postgres://ann:hush@db/chat", "postgresql://ann:hu@sh:hush@db/chat",
          "postgres:postgres://ann:hush@one,two/chat?password=hush",
          "postgres:host=db password=hush dbname=x", "postgres:password = 'hu\\'s hush' host=db",
          "mysql://ann:hush@db", "postgres:host=db sslpassword=hush"}) {
        ServerConfig config;
        const auto problem = assign(store, config, std::vector<std::string>{given});
        EXPECT_EQ(problem.value_or("").find("hush"), std::string::npos) << given;
        EXPECT_EQ(toml_value(store, config).find("hush"), std::string::npos) << given;
    }
    ServerConfig config;
    EXPECT_FALSE(assign(store, config, std::vector<std::string>{"postgres://ann:hush@db/chat"}));
    EXPECT_EQ(config.history_store, "postgres://ann:hush@db/chat");
    EXPECT_EQ(toml_value(store, config), "\"postgres://ann:***@db/chat\"");
}

}  // namespace
}  // namespace parley::server
