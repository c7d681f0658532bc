#include "transports/origin_policy.hpp"

#include <gtest/gtest.h>

namespace parley::transports {
namespace {

struct Row {
    std::string_view origin, host;
    bool allowed;
};

void expect(const OriginPolicy& policy, std::initializer_list<Row> rows) {
    for (const Row& row : rows) {
        EXPECT_EQ(policy.allows(row.origin, row.host), row.allowed)
            << "origin " << row.origin << " at " << row.host;
    }
}

TEST(OriginPolicy, AllowsItsOwnPagesAndWhatIsNoPage) {
    expect(OriginPolicy({}), {
                                 {"", "chat.example.org", true},
                                 {"http://chat.example.org", "chat.example.org", true},
                                 {"https://chat.example.org", "chat.example.org", true},
                                 {"https://CHAT.example.org", "chat.Example.org", true},
                                 {"http://chat.example.org:80", "chat.example.org", true},
                                 {"http://localhost:8080", "localhost:8080", true},
                                 {"http://[::1]:8080", "[::1]:8080", true},
                                 {"http://localhost:8080", "localhost:8081", false},
                                 {"http://chat.example.org:8080", "chat.example.org", false},
                                 {"http://evil.org", "chat.example.org", false},
                                 {"http://chat.example.org.evil.org", "chat.example.org", false},
                                 {"http://evil-chat.example.org", "chat.example.org", false},
                                 {"null", "chat.example.org", false},
                                 {"http://", "", false},
                                 {"http://a/b", "a", false},
                                 {"http://u@a", "a", false},
                                 {"http://a:99999", "a:99999", false},
                             });
}

TEST(OriginPolicy, AllowsWhatTheListNames) {
    expect(OriginPolicy({"https://app.example.com", "http://dev.local:3000"}),
           {
               {"https://app.example.com", "chat", true},
               {"https://app.example.com:443", "chat", true},
               {"http://app.example.com", "chat", false},
               {"https://app.example.com:444", "chat", false},
               {"https://www.app.example.com", "chat", false},
               {"http://dev.local:3000", "chat", true},
               {"http://dev.local", "chat", false},
           });
}

TEST(OriginPolicy, AllowsEveryHostBelowAWildcard) {
    expect(OriginPolicy({"https://*.example.org"}), {
                                                        {"https://a.example.org", "chat", true},
                                                        {"https://a.b.example.org", "chat", true},
                                                        {"https://example.org", "chat", false},
                                                        {"https://.example.org", "chat", false},
                                                        {"https://evilexample.org", "chat", false},
                                                        {"http://a.example.org", "chat", false},
                                                    });
}

TEST(OriginPolicy, AllowsEverythingByTheStarAlone) {
    expect(OriginPolicy({"*"}), {{"http://any.org", "chat", true}, {"null", "chat", true}});
}

TEST(OriginPolicy, TellsPatternsFromMistakes) {
    for (const std::string_view good : {"*", "https://a", "https://*.a.org:8443"}) {
        EXPECT_TRUE(is_origin_pattern(good)) << good;
    }
    for (const std::string_view bad : {"", "a.org", "https://", "https://a/", "https://a:x"}) {
        EXPECT_FALSE(is_origin_pattern(bad)) << bad;
    }
}

}  // namespace
}  // namespace parley::transports
