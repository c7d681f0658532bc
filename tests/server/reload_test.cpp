#include "server/reload.hpp"

#include <gtest/gtest.h>

#include "server/settings.hpp"

namespace parley::server {
namespace {

// Another value of the setting than its default.
struct OtherWord {
    std::string operator()(const FlagKind& kind) const {
        ServerConfig config;
        return kind.field(config) ? "false" : "true";
    }
    template <class T>
    std::string operator()(const CountKind<T>& kind) const {
        ServerConfig config;
        return std::to_string(kind.field(config) == kind.max ? kind.min : kind.max);
    }
    std::string operator()(const SizeKind& kind) const {
        ServerConfig config;
        return std::to_string(kind.field(config) == kind.max ? kind.min : kind.max);
    }
    std::string operator()(const NumberKind& kind) const { return format_number(kind.max); }
    std::string operator()(const DurationKind& kind) const {
        ServerConfig config;
        return format_duration(kind.field(config) == kind.max ? kind.min : kind.max);
    }
    std::string operator()(const TextKind& kind) const {
        const bool any = kind.rule.holds == nullptr || kind.rule.holds("other");
        return any ? "other" : "sqlite:other";
    }
    std::string operator()(const TextListKind& kind) const {
        for (const char* const word : {"other", "/other=other.", "other/type"}) {
            if (kind.rule.holds(word)) return word;
        }
        return {};
    }
    std::string operator()(const OriginListKind&) const { return "https://other.example"; }
    std::string operator()(const NetworkListKind&) const { return "192.0.2.0/24"; }
    std::string operator()(const EndpointListKind&) const { return "127.0.0.1:1"; }
    std::string operator()(const OptionalEndpointKind&) const { return "127.0.0.1:1"; }
    std::string operator()(const FileListKind&) const { return "other.pem"; }
    std::string operator()(const ClientAuthKind&) const { return "require"; }
    std::string operator()(const FlushDelayKind&) const { return "10ms"; }
    std::string operator()(const IoChoiceKind&) const { return "uring"; }
    std::string operator()(const DurabilityKind&) const { return "async"; }
    std::string operator()(const LogLevelKind&) const { return "error"; }
    std::string operator()(const LogFormatKind&) const { return "json"; }
};

TEST(Reload, ChangesNothingWhereNothingIsNew) {
    const ServerConfig same;
    const auto plan = plan_reload(same, same);
    EXPECT_TRUE(plan.applied.empty());
    EXPECT_TRUE(plan.waiting.empty());
}

TEST(Reload, AppliesEverySettingThatItMayAndNamesEveryOther) {
    const ServerConfig running;
    for (const auto& setting : all_settings()) {
        SCOPED_TRACE(setting.key);
        auto fresh = running;
        const auto word = std::visit(OtherWord{}, setting.kind);
        ASSERT_EQ(assign(setting, fresh, {&word, 1}), std::nullopt);
        const auto plan = plan_reload(running, fresh);
        const bool applies = is_reloadable(setting.key);
        ASSERT_EQ(plan.applied.size(), applies ? 1U : 0U);
        ASSERT_EQ(plan.waiting.size(), applies ? 0U : 1U);
        const auto& change = applies ? plan.applied[0] : plan.waiting[0];
        EXPECT_EQ(change.key, setting.key);
        EXPECT_EQ(change.from, toml_value(setting, running));
        EXPECT_EQ(change.to, toml_value(setting, fresh));
        EXPECT_EQ(toml_value(setting, plan.config), toml_value(setting, applies ? fresh : running));
    }
}

TEST(Reload, CoversWhatTheProtocolPromises) {
    for (const auto* key :
         {"limits.text_bytes", "limits.session.per_second", "limits.connections",
          "http.allowed_origins", "http.trusted_proxies", "log.level", "tls.cert", "tls.key"}) {
        ASSERT_NE(find_setting(key), nullptr) << key;
        EXPECT_TRUE(is_reloadable(key)) << key;
    }
    for (const auto* key : {"listen", "tls.listen", "shards", "log.format", "history.messages"}) {
        EXPECT_FALSE(is_reloadable(key)) << key;
    }
}

TEST(Reload, NamesRulesOfRoomsAsWaiting) {
    const ServerConfig running;
    auto fresh = running;
    fresh.core.rooms.push_back({"ticker.*", core::OnLag::latest});
    const auto plan = plan_reload(running, fresh);
    ASSERT_EQ(plan.waiting.size(), 1U);
    EXPECT_EQ(plan.waiting[0].key, "rooms");
    EXPECT_EQ(plan.waiting[0].to, "ticker.* = latest");
    EXPECT_TRUE(plan.config.core.rooms.empty());
}

}  // namespace
}  // namespace parley::server
