// What every answer is given on its way out: CORS, compression, and an end to waiting for its
// reader.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "support/gunzip.hpp"
#include "transports/http_compress.hpp"
#include "transports/loopback_client.hpp"
#include "transports/test_server.hpp"

namespace parley::transports {
namespace {

using core::Metric;
using parley::test::gunzip;
using std::chrono::milliseconds;
using test::LoopbackClient;
using test::status_of;
using test::TestServer;
using testing::HasSubstr;
using testing::Not;

std::string text_of(std::size_t bytes) {
    std::string text = "[";
    while (text.size() + 2 < bytes) text += std::to_string(text.size()) + ",";
    text.resize(bytes - 1, ' ');
    return text + "]";
}

// GET /api/text/N answers N bytes of JSON.
class TextFrontend final : public Frontend {
public:
    bool owns(const HttpTarget& target) const noexcept override {
        return target.path.starts_with("/api/text/");
    }
    std::optional<HttpResponse> handle(Exchange& exchange) override {
        const auto method = exchange.request.method();
        if (method != boost::beast::http::verb::get && method != boost::beast::http::verb::head &&
            method != boost::beast::http::verb::post) {
            return method_not_allowed("GET, HEAD, POST");
        }
        HttpResponse response;
        response.content_type = "application/json";
        response.body = text_of(std::stoul(std::string(exchange.path.substr(10))));
        response.headers.emplace_back("ETag", "\"x\"");
        return response;
    }
};
constexpr FrontendEntry text_table[] = {
    {"text", [](Gate&) -> std::unique_ptr<Frontend> { return std::make_unique<TextFrontend>(); }},
};

std::string request_of(std::string_view line, std::string_view headers = {}) {
    return std::string(line) + " HTTP/1.1\r\nHost: chat.local\r\n" + std::string(headers) + "\r\n";
}

std::string body_of(const std::string& answer) {
    return answer.substr(answer.find("\r\n\r\n") + 4);
}

TEST(Compression, IsForAnswersOver1KiBWhereItIsAskedFor) {
    TestServer server({}, {}, text_table);
    LoopbackClient client(server.port());
    for (const std::size_t size : {1'023U, 1'024U, 60'000U}) {
        SCOPED_TRACE(size);
        const std::string line = "GET /api/text/" + std::to_string(size);
        client.send(request_of(line, "Accept-Encoding: gzip, br\r\n"));
        const std::string answer = client.read_answer();
        const bool large = size >= 1'024;
        EXPECT_EQ(answer.find("Content-Encoding: gzip\r\n") != std::string::npos, large);
        EXPECT_EQ(answer.find("Vary: Accept-Encoding\r\n") != std::string::npos, large);
        EXPECT_THAT(answer, HasSubstr(large ? "ETag: W/\"x\"\r\n" : "ETag: \"x\"\r\n"));
        EXPECT_EQ(large ? gunzip(body_of(answer)) : body_of(answer), text_of(size));
        // HEAD is told the same, without it.
        client.send(
            request_of("HEAD /api/text/" + std::to_string(size), "Accept-Encoding: gzip, br\r\n"));
        const std::string head = client.read_answer(true);
        EXPECT_EQ(head, answer.substr(0, answer.find("\r\n\r\n") + 4));
        for (const std::string_view other :
             {"", "Accept-Encoding: br\r\n", "Accept-Encoding: gzip;q=0\r\n"}) {
            client.send(request_of(line, other));
            const std::string plain = client.read_answer();
            EXPECT_THAT(plain, Not(HasSubstr("Content-Encoding")));
            EXPECT_EQ(plain.find("Vary: Accept-Encoding\r\n") != std::string::npos, large);
            EXPECT_EQ(body_of(plain), text_of(size));
        }
    }
    EXPECT_EQ(server.total(Metric::http_compressed), 4U);
}

TEST(Compression, IsTheOperatorsToForbid) {
    TransportConfig config;
    config.gzip = false;
    TestServer server({}, config, text_table);
    LoopbackClient client(server.port());
    client.send(request_of("GET /api/text/5000", "Accept-Encoding: gzip\r\n"));
    EXPECT_EQ(body_of(client.read_answer()), text_of(5'000));
}

TEST(Compression, IsForTextAlone) {
    for (const char* type : {"text/html; charset=utf-8", "application/json", "image/svg+xml",
                             "application/problem+json", "text/event-stream"}) {
        EXPECT_TRUE(is_compressible(type)) << type;
    }
    for (const char* type : {"", "image/png", "font/woff2", "application/octet-stream"}) {
        EXPECT_FALSE(is_compressible(type)) << type;
    }
}

TEST(Compression, OfTheChatPageIsDoneOnceAndReadsTheSame) {
    TestServer server;
    LoopbackClient client(server.port());
    client.send(request_of("GET /index.html"));
    const std::string plain = body_of(client.read_answer());
    ASSERT_GE(plain.size(), 1'024U);
    for (int i = 0; i < 2; ++i) {
        client.send(request_of("GET /index.html", "Accept-Encoding: gzip\r\n"));
        const std::string answer = client.read_answer();
        EXPECT_THAT(answer, HasSubstr("Content-Encoding: gzip\r\n"));
        EXPECT_EQ(gunzip(body_of(answer)), plain);
        const auto tag = answer.find("ETag: ") + 6;
        const std::string etag = answer.substr(tag, answer.find("\r\n", tag) - tag);
        client.send(request_of("GET /index.html", "If-None-Match: " + etag + "\r\n"));
        EXPECT_EQ(status_of(client.read_answer()), 304) << etag;
    }
}

TEST(CorsOverHttp, LetsAllowedPagesAskReadAndSend) {
    TransportConfig config;
    config.allowed_origins = {"https://a.org"};
    TestServer server({}, config, text_table);
    LoopbackClient client(server.port());
    const std::string ours = "Origin: https://a.org\r\n";
    const std::string theirs = "Origin: https://evil.org\r\n";
    const std::string ask = "Access-Control-Request-Method: POST\r\n";
    struct Row {
        std::string_view what;
        std::string request;
        int status;
        bool allowed;
    };
    for (const Row& row : {
             Row{"a page reads", request_of("GET /api/text/10", ours), 200, true},
             Row{"another reads", request_of("GET /api/text/10", theirs), 200, false},
             Row{"no page reads", request_of("GET /api/text/10"), 200, false},
             Row{"a page sends", request_of("POST /api/text/10", ours), 200, true},
             Row{"another sends", request_of("POST /api/text/10", theirs), 403, false},
             Row{"no page sends", request_of("POST /api/text/10"), 200, false},
             Row{"a page's browser asks", request_of("OPTIONS /api/text/10", ours + ask), 204,
                 true},
             Row{"another's asks", request_of("OPTIONS /api/text/10", theirs + ask), 403, false},
             Row{"somebody asks what there is", request_of("OPTIONS /api/text/10"), 204, false},
             Row{"a page is refused, and told", request_of("PUT /api/text/10", ours), 405, true},
             Row{"there is nothing, and a page is told", request_of("GET /api/none", ours), 404,
                 true},
             Row{"what is no interface", request_of("GET /none", ours), 404, false},
         }) {
        SCOPED_TRACE(row.what);
        client.send(row.request);
        const std::string answer = client.read_answer();
        EXPECT_EQ(status_of(answer), row.status) << answer;
        EXPECT_EQ(
            answer.find("Access-Control-Allow-Origin: https://a.org\r\n") != std::string::npos,
            row.allowed)
            << answer;
        EXPECT_THAT(answer, Not(HasSubstr("evil.org")));
        if (row.request.find("/api/") != std::string::npos) {
            EXPECT_THAT(answer, HasSubstr("Vary: Origin"));
        }
    }
    EXPECT_EQ(server.total(Metric::connections_accepted), 1U) << "all of them over one connection";
}

TEST(CorsOverHttp, TellsAPageThatItsRequestIsNone) {
    TransportConfig config;
    config.allowed_origins = {"https://a.org"};
    TestServer server({}, config, text_table);
    for (const std::string fault : {"Content-Length: abc\r\n", "Connection: a b\r\n"}) {
        LoopbackClient client(server.port());
        client.send(request_of("POST /api/text/10", "Origin: https://a.org\r\n" + fault));
        const std::string answer = client.read_answer();
        EXPECT_EQ(status_of(answer), 400) << answer;
        EXPECT_THAT(answer, HasSubstr("Access-Control-Allow-Origin: https://a.org\r\n"));
        EXPECT_THAT(answer, HasSubstr("Vary: Origin"));
    }
}

TEST(SlowReader, IsGivenUpOnAndCounted) {
    TransportConfig config;
    config.write_timeout = milliseconds(10);
    config.gzip = false;
    TestServer server({}, config, text_table);
    const std::string request = request_of("GET /api/text/20000000");
    LoopbackClient never(server.port(), 4'096);
    never.send(request);
    await_total(server, Metric::http_write_timeouts, 1);
    // One that takes a little now and then buys no time by it either.
    LoopbackClient trickle(server.port(), 4'096);
    trickle.send(request);
    while (server.total(Metric::http_write_timeouts) < 2) {
        ASSERT_FALSE(trickle.read_little(1).empty());
        std::this_thread::yield();
    }
    config.write_timeout = TransportConfig{}.write_timeout;
    TestServer patient({}, config, text_table);
    LoopbackClient quick(patient.port());
    quick.send(request);
    EXPECT_EQ(body_of(quick.read_answer()).size(), 20'000'000U);
}

}  // namespace
}  // namespace parley::transports
