#include "transports/rest/rest_routes.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <set>
#include <string>
#include <utility>

#include "transports/accounts/account_routes.hpp"
#include "transports/rest/rest_answers.hpp"
#include "transports/rest/rest_files.hpp"

namespace parley::transports {
namespace {

namespace json = boost::json;

TEST(RestRoutes, MatchOneSegmentWhereThePatternHasAHole) {
    struct Row {
        std::string_view pattern, path;
        std::optional<RouteNames> names;
    };
    for (const Row& row : {
             Row{"/a/{room}/b", "/a/x/b", RouteNames{"x"}},
             Row{"/a/{room}/b", "/a//b", RouteNames{""}},
             Row{"/a/{room}/b", "/a/x:y@z/b", RouteNames{"x:y@z"}},
             Row{"/a/{room}/b", "/a/b/b", RouteNames{"b"}},
             Row{"/a/{room}/b/{offset}", "/a/x/b/7", RouteNames{"x", {}, "7"}},
             Row{"/a/{room}/b/{offset}", "/a/x/b/", RouteNames{"x", {}, ""}},
             Row{"/a/{room}/b/{offset}", "/a/x/b", std::nullopt},
             Row{"/a/{room}/b/{offset}", "/a/x/b/7/8", std::nullopt},
             Row{"/a/{user}/b", "/a/ann%20b/b", RouteNames{{}, "ann%20b", {}}},
             Row{"/a/{room}/b", "/a/b", std::nullopt},
             Row{"/a/{room}/b", "/a/x/y/b", std::nullopt},
             Row{"/a/{room}/b", "/a/x/bb", std::nullopt},
             Row{"/a/{room}/b", "/a/x/b/", std::nullopt},
             Row{"/a/{room}/b", "", std::nullopt},
             Row{"/a/b", "/a/b", RouteNames{}},
             Row{"/a/b", "/a/b/", std::nullopt},
             Row{"/a/b", "/a", std::nullopt},
             Row{"/a/b", "/a/bc", std::nullopt},
             Row{"/a/b", "/a/b/c", std::nullopt},
             Row{"/a/{room}", "/a", std::nullopt},
         }) {
        EXPECT_EQ(match_route(row.pattern, row.path), row.names) << row.pattern << ' ' << row.path;
    }
}

TEST(RestRoutes, MatchAUserBehindTheRoom) {
    EXPECT_EQ(match_route("/a/{room}/b/{user}", "/a/x/b/y"), (RouteNames{"x", "y"}));
    EXPECT_EQ(match_route("/a/{room}/b/{user}", "/a/x/b/"), (RouteNames{"x", ""}));
    EXPECT_FALSE(match_route("/a/{room}/b/{user}", "/a/x/b"));
    EXPECT_FALSE(match_route("/a/{room}/b/{user}", "/a/x/b/y/z"));
    EXPECT_EQ(match_route("/a/{room}", "/a/x"), (RouteNames{"x", ""}));
    EXPECT_FALSE(match_route("/a/{room}", "/a/x/"));
}

TEST(RestRoutes, AreDifferentAndDecodable) {
    std::set<std::pair<std::string_view, boost::beast::http::verb>> seen;
    for (const RestRoute& route : rest_routes) {
        EXPECT_TRUE(seen.emplace(route.pattern, route.method).second) << route.pattern;
        EXPECT_TRUE(route.pattern.starts_with("/api/"));
        // match_route() goes by it.
        for (auto at = route.pattern.find('{'); at != std::string_view::npos;
             at = route.pattern.find('{', at + 1)) {
            EXPECT_EQ(route.pattern[at - 1], '/') << route.pattern;
        }
        if (route.command.empty()) continue;
        // An unknown type would end in nothing good: each is one that parley.v1 has.
        const auto command = protocol::decode_rest_command(
            route.command, {"lobby", "bob", "1"},
            R"({"text":"a","offset":1,"role":"muted","topic":"t"})", route.dialect);
        ASSERT_TRUE(command) << route.pattern;
    }
}

TEST(RestAnswers, HaveAStatusForEveryError) {
    for (const core::ErrcRow& row : core::errc_rows) {
        const auto& status = statuses_of_errc[static_cast<std::size_t>(row.value)];
        EXPECT_EQ(status.code, row.value);
        protocol::Error error{std::string(row.name), "because", row.temporary, std::nullopt};
        const HttpResponse answer = answer_error(error);
        EXPECT_EQ(answer.status, status.status) << row.name;
        const auto body = json::parse(answer.body).as_object();
        EXPECT_EQ(body.at("detail"), "because");
        EXPECT_FALSE(body.contains("retry_after_ms"));
        // How long to wait, or how to sign in (RFC 9110, 15.5.2).
        const bool more = row.temporary || row.value == core::errc::unauthorized;
        EXPECT_EQ(answer.headers.size(), more ? 1u : 0u) << row.name;
        error.retry_after_ms = 1001;
        const HttpResponse later = answer_error(error);
        EXPECT_EQ(json::parse(later.body).at("retry_after_ms"), 1001);
        if (!row.temporary) continue;
        EXPECT_EQ(later.headers.at(0).second, "2") << "seconds, rounded up";
    }
}

// ---- the description -------------------------------------------------------------------------

json::value description() {
    return json::parse(rest_files().front().bytes);
}

// What other frontends answer below /api/.
constexpr std::pair<std::string_view, std::string_view> of_other_frontends[] = {
    {"/api/v1/rooms/{room}/events", "get"}, {"/api/v1/rooms/{room}/files", "get"},
    {"/api/v1/rooms/{room}/files", "post"}, {"/api/v1/files/{id}", "get"},
    {"/api/v1/files/{id}", "delete"},
};

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return out;
}

TEST(OpenApi, DescribesEveryRouteAndNothingElse) {
    const json::value document = description();
    EXPECT_EQ(document.at("openapi"), "3.1.0");
    std::set<std::pair<std::string, std::string>> described;
    for (const auto& [path, methods] : document.at("paths").as_object()) {
        for (const auto& [method, operation] : methods.as_object()) {
            described.emplace(path, method);
        }
    }
    std::set<std::pair<std::string, std::string>> served;
    for (const RestRoute& route : rest_routes) {
        served.emplace(route.pattern, lower(boost::beast::http::to_string(route.method)));
    }
    for (const AccountRoute& route : account_routes) {
        served.emplace(route.pattern, lower(boost::beast::http::to_string(route.method)));
    }
    for (const auto& [path, method] : of_other_frontends) served.emplace(path, method);
    EXPECT_EQ(described, served);
}

TEST(OpenApi, SaysWhatIsLimitedAndWhatEachAnswers) {
    const json::value document = description();
    for (const RestRoute& route : rest_routes) {
        SCOPED_TRACE(route.pattern);
        const auto& operation = document.at("paths")
                                    .at(route.pattern)
                                    .at(lower(boost::beast::http::to_string(route.method)))
                                    .as_object();
        const auto& responses = operation.at("responses").as_object();
        EXPECT_EQ(responses.contains("429"), route.limited);
        EXPECT_TRUE(responses.contains("default"));
        EXPECT_TRUE(responses.contains("503"));
        bool success = false;
        for (const auto& [status, response] : responses) {
            if (status.at(0) != '2') continue;
            success = true;
            const auto& answer = response.as_object();
            EXPECT_EQ(answer.contains("content"), status != "204");
            if (status == "204") continue;
            EXPECT_TRUE(answer.at("content").at("application/json").as_object().contains("schema"));
        }
        EXPECT_TRUE(success);
        // A body is taken by what changes something, but where there is nothing to say.
        const bool has_body = operation.contains("requestBody");
        const auto method = route.method;
        EXPECT_EQ(has_body, method == boost::beast::http::verb::post ||
                                method == boost::beast::http::verb::put ||
                                method == boost::beast::http::verb::patch);
    }
}

TEST(OpenApi, HasTheLongPollAsAParameterOfMessages) {
    const json::value document = description();
    const auto& operation = document.at("paths").at("/api/v1/rooms/{room}/messages").at("get");
    bool found = false;
    for (const auto& parameter : operation.at("parameters").as_array()) {
        found = found || parameter.at("$ref") == "#/components/parameters/wait";
    }
    EXPECT_TRUE(found);
}

// Every reference leads somewhere, and everything there is is referred to.
void collect(const json::value& value, std::set<std::string>& references) {
    if (const auto* const object = value.if_object()) {
        for (const auto& [key, member] : *object) {
            if (key == "$ref") references.emplace(member.as_string());
            if (key == "security") {
                for (const auto& way : member.as_array()) {
                    for (const auto& [scheme, scopes] : way.as_object()) {
                        references.emplace("#/components/securitySchemes/" + std::string(scheme));
                    }
                }
            }
            collect(member, references);
        }
    } else if (const auto* const array = value.if_array()) {
        for (const auto& element : *array) collect(element, references);
    }
}

TEST(OpenApi, RefersToWhatIsThereAndToAllOfIt) {
    const json::value document = description();
    std::set<std::string> references;
    collect(document, references);
    std::set<std::string> components;
    for (const auto& [kind, named] : document.at("components").as_object()) {
        for (const auto& [name, component] : named.as_object()) {
            components.insert("#/components/" + std::string(kind) + "/" + std::string(name));
        }
    }
    EXPECT_EQ(references, components);
}

}  // namespace
}  // namespace parley::transports
