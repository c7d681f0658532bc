#include "transports/http_response.hpp"

#include <gtest/gtest.h>

namespace parley::transports {
namespace {

std::string head_of(const HttpResponse& response, HttpAnswerStyle style = {}) {
    style.date = "now";
    std::string out;
    append_head(out, response, style);
    return out;
}

TEST(HttpResponse, WritesItsHead) {
    HttpResponse response;
    response.content_type = "text/plain";
    response.body = "hello";
    response.headers.emplace_back("ETag", "\"x\"");
    EXPECT_EQ(head_of(response),
              "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n"
              "ETag: \"x\"\r\n\r\n");
}

TEST(HttpResponse, SaysHowTheConnectionGoesOn) {
    HttpResponse response;
    EXPECT_EQ(head_of(response).find("Connection"), std::string::npos);
    EXPECT_NE(head_of(response, {.version = 10}).find("Connection: keep-alive\r\n"),
              std::string::npos);
    response.close = true;
    EXPECT_NE(head_of(response).find("Connection: close\r\n"), std::string::npos);
}

TEST(HttpResponse, GivesNoLengthWhereThereIsNoBodyToHaveOne) {
    for (const unsigned status : {204U, 304U}) {
        HttpResponse response;
        response.status = status;
        EXPECT_EQ(head_of(response).find("Content-Length"), std::string::npos);
    }
}

TEST(Problem, NamesStatusTitleCodeAndDetail) {
    const HttpResponse response = problem(404, "no \"such\" thing");
    EXPECT_EQ(response.status, 404U);
    EXPECT_EQ(response.content_type, "application/problem+json");
    EXPECT_EQ(response.body,
              R"({"type":"about:blank","title":"Not Found","status":404,"code":"not_found",)"
              R"("detail":"no \"such\" thing"})");
}

TEST(Problem, NamesWhatIsAllowedInstead) {
    const HttpResponse response = method_not_allowed("GET, HEAD");
    EXPECT_EQ(response.status, 405U);
    ASSERT_EQ(response.headers.size(), 1U);
    EXPECT_EQ(response.headers[0].first, "Allow");
    EXPECT_EQ(response.headers[0].second, "GET, HEAD");
    EXPECT_EQ(not_acceptable("application/json").status, 406U);
    EXPECT_NE(not_acceptable("application/json").body.find("application/json"), std::string::npos);
    EXPECT_EQ(length_required().status, 411U);
    const HttpResponse media = unsupported_media_type("application/json");
    EXPECT_EQ(media.status, 415U);
    ASSERT_EQ(media.headers.size(), 1U);
    EXPECT_EQ(media.headers[0].first, "Accept");
    EXPECT_EQ(media.headers[0].second, "application/json");
}

}  // namespace
}  // namespace parley::transports
