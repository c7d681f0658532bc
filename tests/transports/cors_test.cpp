#include "transports/cors.hpp"

#include <gtest/gtest.h>

#include <boost/beast/http/field.hpp>
#include <boost/beast/http/verb.hpp>

namespace parley::transports {
namespace {

namespace http = boost::beast::http;

HttpRequest request_from(std::string_view origin, std::string_view preflight_for = {}) {
    HttpRequest request;
    request.method(preflight_for.empty() ? http::verb::get : http::verb::options);
    request.set(http::field::host, "chat.local:80");
    if (!origin.empty()) request.set(http::field::origin, origin);
    if (!preflight_for.empty()) {
        request.set(http::field::access_control_request_method, preflight_for);
    }
    return request;
}

std::string lines_of(const HttpResponse& response) {
    std::string lines;
    append_header_lines(lines, response);
    return lines;
}

struct Row {
    std::vector<std::string> allowed;
    std::string_view origin;
    bool may;
};

std::vector<Row> matrix() {
    return {
        {{}, "http://chat.local", true},
        {{}, "http://chat.local:80", true},
        {{}, "http://chat.local:81", false},
        {{}, "https://evil.org", false},
        {{}, "null", false},
        {{"https://a.org"}, "https://a.org", true},
        {{"https://a.org"}, "http://a.org", false},
        {{"https://a.org"}, "https://a.org.evil.org", false},
        {{"https://*.a.org"}, "https://b.a.org", true},
        {{"https://*.a.org"}, "https://a.org", false},
        {{"*"}, "https://anybody.org", true},
    };
}

TEST(Cors, LetsAllowedPagesReadAnswersAndNobodyElse) {
    for (const Row& row : matrix()) {
        SCOPED_TRACE(row.origin);
        const Cors cors(row.allowed);
        const HttpRequest request = request_from(row.origin);
        EXPECT_EQ(cors.allows(request), row.may);
        HttpResponse response;
        cors.add_to(response, request);
        const std::string lines = lines_of(response);
        EXPECT_NE(lines.find("Vary: Origin\r\n"), std::string::npos);
        const auto allowed = "Access-Control-Allow-Origin: " + std::string(row.origin) + "\r\n";
        EXPECT_EQ(lines.find(allowed) != std::string::npos, row.may) << lines;
        EXPECT_EQ(lines.find("Access-Control-Expose-Headers: Accept-Ranges, Content-Disposition, "
                             "Content-Range, ETag, Location, RateLimit, RateLimit-Policy, "
                             "Retry-After\r\n") != std::string::npos,
                  row.may);
        std::string head;
        cors.append(head, request);
        EXPECT_EQ(head, lines);
    }
}

TEST(Cors, AnswersPreflights) {
    for (const Row& row : matrix()) {
        SCOPED_TRACE(row.origin);
        const Cors cors(row.allowed);
        const HttpRequest request = request_from(row.origin, "POST");
        ASSERT_TRUE(Cors::is_preflight(request));
        const HttpResponse response = cors.preflight(request);
        const std::string lines = lines_of(response);
        EXPECT_EQ(response.status, row.may ? 204U : 403U);
        EXPECT_NE(lines.find("Vary: Origin, Access-Control-Request-Method"), std::string::npos);
        for (const std::string_view name :
             {"Access-Control-Allow-Origin: ", "Access-Control-Allow-Methods: GET, ",
              "Access-Control-Allow-Headers: Authorization, ",
              "Access-Control-Max-Age: 7200\r\n"}) {
            EXPECT_EQ(lines.find(name) != std::string::npos, row.may) << name;
        }
    }
}

TEST(Cors, SaysNothingToWhatIsNoPage) {
    const Cors cors({"*"});
    const HttpRequest request = request_from("");
    EXPECT_TRUE(cors.allows(request));
    HttpResponse response;
    cors.add_to(response, request);
    EXPECT_EQ(lines_of(response), "Vary: Origin\r\n");
}

TEST(Cors, KnowsAPreflightByItsThreeMarks) {
    EXPECT_FALSE(Cors::is_preflight(request_from("https://a.org")));
    EXPECT_FALSE(Cors::is_preflight(request_from("", "POST")));
    HttpRequest plain = request_from("https://a.org", "POST");
    plain.erase(http::field::access_control_request_method);
    EXPECT_FALSE(Cors::is_preflight(plain));
}

TEST(Cors, CoversTheInterfaceAndNotThePage) {
    for (const std::string_view path : {"/api/", "/api/v1/rooms", "/api/chat/users"}) {
        EXPECT_TRUE(Cors::covers(path)) << path;
    }
    for (const std::string_view path : {"/", "/api", "/ws", "/healthz", "/apis/x"}) {
        EXPECT_FALSE(Cors::covers(path)) << path;
    }
}

}  // namespace
}  // namespace parley::transports
