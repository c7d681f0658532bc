#include "transports/http_connection.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <thread>

#include "transports/log.hpp"
#include "transports/loopback_client.hpp"
#include "transports/test_server.hpp"

namespace parley::transports {
namespace {

using std::chrono::milliseconds;
using test::LoopbackClient;
using test::status_of;
using test::TestServer;

struct RefusedRequest {
    std::string_view what;
    std::string request;
    int status;
};

const std::string host = "Host: a\r\n";

std::vector<RefusedRequest> refused_requests() {
    return {
        {"no HTTP at all", "hello there\r\n\r\n", 400},
        {"a TLS greeting", std::string("\x16\x03\x01\x02\x00\x01\x00\x01", 8) + "\r\n\r\n", 400},
        {"no target", "GET HTTP/1.1\r\n" + host + "\r\n", 400},
        {"a blank in the target", "GET /a b HTTP/1.1\r\n" + host + "\r\n", 400},
        {"HTTP/2.0", "GET / HTTP/2.0\r\n" + host + "\r\n", 505},
        {"HTTP/0.9", "GET / HTTP/0.9\r\n" + host + "\r\n", 505},
        {"no Host", "GET /healthz HTTP/1.1\r\n\r\n", 400},
        {"two Hosts", "GET /healthz HTTP/1.1\r\n" + host + host + "\r\n", 400},
        {"a bare line feed", "GET /healthz HTTP/1.1\n" + host + "\r\n", 400},
        {"a blank before the colon", "GET / HTTP/1.1\r\n" + host + "X : y\r\n\r\n", 400},
        {"a header without a name", "GET / HTTP/1.1\r\n" + host + ": y\r\n\r\n", 400},
        {"a header without a colon", "GET / HTTP/1.1\r\n" + host + "abc\r\n\r\n", 400},
        {"a zero in a value", "GET / HTTP/1.1\r\n" + host + std::string("X: a\0b\r\n\r\n", 10),
         400},
        {"a length that is no number", "POST / HTTP/1.1\r\n" + host + "Content-Length: x\r\n\r\n",
         400},
        {"a negative length", "POST / HTTP/1.1\r\n" + host + "Content-Length: -1\r\n\r\n", 400},
        {"two lengths that differ",
         "POST / HTTP/1.1\r\n" + host + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400},
        {"a length and chunks",
         "POST / HTTP/1.1\r\n" + host +
             "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         400},
        {"chunks and a length",
         "POST / HTTP/1.1\r\n" + host +
             "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n0\r\n\r\n",
         400},
        {"another transfer coding",
         "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip\r\n\r\n", 501},
        {"chunks within another coding",
         "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400},
        {"chunks twice",
         "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
         400},
        {"chunks and then not",
         "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
         400},
        {"two transfer codings",
         "POST / HTTP/1.1\r\n" + host +
             "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         400},
        {"a transfer coding hidden by a tab",
         "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: \vchunked\r\n\r\n0\r\n\r\n", 400},
        {"a transfer coding that is none",
         "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: \r\n\r\n0\r\n\r\n", 400},
        {"chunks in HTTP/1.0",
         "POST / HTTP/1.0\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
        {"two lengths that agree",
         "POST / HTTP/1.1\r\n" + host + "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", 400},
        {"a list of lengths", "POST / HTTP/1.1\r\n" + host + "Content-Length: 1, 1\r\n\r\nx", 400},
        {"a length with a sign", "POST / HTTP/1.1\r\n" + host + "Content-Length: +1\r\n\r\nx", 400},
        {"a length in hex", "POST / HTTP/1.1\r\n" + host + "Content-Length: 0x1\r\n\r\nx", 400},
        {"a length with a blank in it",
         "POST / HTTP/1.1\r\n" + host + "Content-Length: 1 1\r\n\r\nx", 400},
        {"a length that overflows",
         "POST / HTTP/1.1\r\n" + host + "Content-Length: 18446744073709551617\r\n\r\nx", 400},
        {"a length without a value", "POST / HTTP/1.1\r\n" + host + "Content-Length:\r\n\r\nx",
         400},
        {"obs-fold", "GET /healthz HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", 400},
        {"a length folded", "POST / HTTP/1.1\r\n" + host + "Content-Length:\r\n 1\r\n\r\nx", 400},
        {"a bare CR in a value", "GET / HTTP/1.1\r\n" + host + "X: a\rb\r\n\r\n", 400},
        {"a blank before the length's colon",
         "POST / HTTP/1.1\r\n" + host + "Content-Length : 1\r\n\r\nx", 400},
        {"a Host that is a list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400},
        {"a Host with a user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400},
        {"a Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
        {"two Hosts in HTTP/1.0", "GET / HTTP/1.0\r\n" + host + host + "\r\n", 400},
        {"a target that is an authority", "CONNECT a:443 HTTP/1.1\r\n" + host + "\r\n", 400},
        {"a target of another scheme", "GET ftp://a/ HTTP/1.1\r\n" + host + "\r\n", 400},
        {"a target with a user", "GET http://u:p@a/ HTTP/1.1\r\n" + host + "\r\n", 400},
        {"a target without a host", "GET http:///x HTTP/1.1\r\n" + host + "\r\n", 400},
        {"a star to GET", "GET * HTTP/1.1\r\n" + host + "\r\n", 400},
        {"a relative target", "GET healthz HTTP/1.1\r\n" + host + "\r\n", 400},
        {"a fragment in the target", "GET /healthz#x HTTP/1.1\r\n" + host + "\r\n", 400},
        {"another expectation", "POST / HTTP/1.1\r\n" + host + "Expect: wonders\r\n\r\n", 417},
        {"too many headers",
         [] {
             std::string many = "GET / HTTP/1.1\r\n" + host;
             for (int i = 0; i < 128; ++i) many += "X: y\r\n";
             return many + "\r\n";
         }(),
         431},
        {"a chunk longer than it says",
         "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
         400},
        {"a chunk that ends with LF",
         "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n1\r\na\n0\r\n\r\n", 400},
        {"a chunk's size that ends with LF",
         "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n1\na\r\n0\r\n\r\n", 400},
        {"a chunk's extension with LF in it",
         "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n1;\na\r\n0\r\n\r\n",
         400},
        {"a folded field behind the chunks",
         "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n z\r\n\r\n",
         400},
        {"a chunk size that is no number",
         "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400},
        {"a body too large", "POST / HTTP/1.1\r\n" + host + "Content-Length: 65537\r\n\r\n", 413},
        {"a chunk too large",
         "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n10001\r\n", 413},
        {"a head too large",
         "GET / HTTP/1.1\r\n" + host + "X: " + std::string(17 * 1024, 'x') + "\r\n\r\n", 431},
        {"a head too large and unfinished",
         "GET / HTTP/1.1\r\n" + host + "X: " + std::string(17 * 1024, 'x'), 431},
        {"a target too large", "GET /" + std::string(9 * 1024, 'x'), 414},
    };
}

TEST(HttpConnection, RefusesWithAStatusAndCloses) {
    TestServer server;
    const std::uint64_t refusals = refused_requests().size();
    for (const RefusedRequest& refused : refused_requests()) {
        SCOPED_TRACE(refused.what);
        LoopbackClient client(server.port());
        // Whatever it was, what stands behind it is no request of anybody.
        client.send(refused.request + "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
        const std::string answer = client.read_to_end();
        EXPECT_EQ(answer.find("HTTP/1.1 ", 1), std::string::npos) << "a second answer";
        EXPECT_EQ(status_of(answer), refused.status) << answer;
        EXPECT_NE(answer.find("Connection: close\r\n"), std::string::npos);
        EXPECT_NE(answer.find("application/problem+json"), std::string::npos);
    }
    EXPECT_EQ(server.total(core::Metric::http_malformed), refusals);
    EXPECT_EQ(server.total(core::Metric::http_requests), 0U) << "none of them was executed";
}

TEST(HttpConnection, AnswersAndStaysOpenForTheNext) {
    struct Row {
        std::string_view request_line;
        int status;
        std::string_view contains;
    };
    TestServer server;
    LoopbackClient client(server.port());
    for (const Row& row : {
             Row{"GET /healthz", 200, R"({"status":"ok"})"},
             Row{"GET /healthz?x=y", 200, R"({"status":"ok"})"},
             Row{"GET http://any.host/healthz", 200, R"({"status":"ok"})"},
             Row{"POST /healthz", 405, "Allow: GET, HEAD\r\n"},
             Row{"BREW /healthz", 405, "Allow: GET, HEAD\r\n"},
             Row{"GET /nothing", 404, R"("code":"not_found")"},
             Row{"GET /../etc/passwd", 404, R"("status":404)"},
             Row{"OPTIONS *", 204, "Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n"},
             Row{"OPTIONS /healthz", 204, "Allow: GET, HEAD, OPTIONS\r\n"},
             Row{"OPTIONS /ws", 204, "Allow: GET, OPTIONS\r\n"},
             Row{"OPTIONS /nothing", 404, R"("code":"not_found")"},
             Row{"GET /ws", 426, "Upgrade: websocket\r\n"},
         }) {
        SCOPED_TRACE(row.request_line);
        client.send(std::string(row.request_line) + " HTTP/1.1\r\nHost: a\r\n\r\n");
        const std::string answer = client.read_answer();
        EXPECT_EQ(status_of(answer), row.status);
        EXPECT_NE(answer.find(row.contains), std::string::npos) << answer;
    }
    EXPECT_EQ(server.total(core::Metric::connections_accepted), 1U);
}

TEST(HttpConnection, AnswersHeadWithoutABody) {
    TestServer server;
    LoopbackClient client(server.port());
    client.send("HEAD /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_NE(client.read_answer(true).find("Content-Length: 15\r\n"), std::string::npos);
    client.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(status_of(client.read_answer()), 200) << "the next answer follows at once";
}

TEST(HttpConnection, AnswersPipelinedRequestsWhereverTheyAreCut) {
    TestServer server;
    const std::string both =
        "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\nGET /nothing HTTP/1.1\r\nHost: a\r\n\r\n";
    for (std::size_t cut = 1; cut < both.size(); cut += 5) {
        LoopbackClient client(server.port());
        client.send(both.substr(0, cut));
        client.send(both.substr(cut));
        EXPECT_EQ(status_of(client.read_answer()), 200);
        EXPECT_EQ(status_of(client.read_answer()), 404);
    }
}

TEST(HttpConnection, ClosesWhereTheClientAsksForIt) {
    TestServer server;
    for (const std::string_view request :
         {"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
          "GET /healthz HTTP/1.0\r\n\r\n"}) {
        LoopbackClient client(server.port());
        client.send(request);
        const std::string answer = client.read_to_end();
        EXPECT_EQ(status_of(answer), 200);
        EXPECT_NE(answer.find("Connection: close\r\n"), std::string::npos);
    }
    LoopbackClient kept(server.port());
    for (int i = 0; i < 2; ++i) {
        kept.send("GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        EXPECT_NE(kept.read_answer().find("Connection: keep-alive\r\n"), std::string::npos);
    }
}

TEST(HttpConnection, InvitesABodyThatIsHeldBack) {
    TestServer server;
    LoopbackClient client(server.port());
    client.send(
        "POST /healthz HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
        "Content-Length: 2\r\n\r\n");
    EXPECT_EQ(client.read_through("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("ok");
    EXPECT_EQ(status_of(client.read_answer()), 405);
    client.send(
        "POST /healthz HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
        "Content-Length: 2\r\n\r\nok");
    EXPECT_EQ(status_of(client.read_answer()), 405) << "nobody waits: nobody is invited";
    LoopbackClient old(server.port());
    old.send("POST /healthz HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    old.send("ok");
    EXPECT_EQ(status_of(old.read_to_end()), 405) << "HTTP/1.0 knows no 100";
}

TEST(HttpConnection, AnswersChunkedAndPipelinedRequestsWhereverTheyAreCut) {
    TestServer server;
    const std::string all =
        "POST /healthz HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3\r\nabc\r\n0\r\nX: y\r\n\r\n"
        "POST /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
        "\r\nGET /nothing HTTP/1.1\r\nHost: a\r\n\r\n"
        "HEAD /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
    LoopbackClient client(server.port());
    for (std::size_t cut = 1; cut < all.size(); ++cut) {
        SCOPED_TRACE(cut);
        client.send(all.substr(0, cut));
        client.send(all.substr(cut));
        ASSERT_EQ(status_of(client.read_answer()), 405);
        ASSERT_EQ(status_of(client.read_answer()), 405);
        ASSERT_EQ(status_of(client.read_answer()), 404);
        ASSERT_EQ(status_of(client.read_answer(true)), 200);
    }
}

TEST(HttpConnection, AnswersAThousandPipelinedRequestsInOrder) {
    TestServer server;
    LoopbackClient client(server.port());
    std::string all;
    for (int i = 0; i < 1'000; ++i) {
        all += i % 3 == 0 ? "GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n"
                          : "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
    }
    client.send(all);
    for (int i = 0; i < 1'000; ++i) {
        ASSERT_EQ(status_of(client.read_answer()), i % 3 == 0 ? 404 : 200) << i;
    }
    EXPECT_EQ(server.total(core::Metric::http_requests), 1'000U);
}

TEST(HttpConnection, GivesUpOnARequestThatDoesNotArrive) {
    TransportConfig config;
    config.head_timeout = milliseconds(20);
    TestServer server({}, config);
    for (const std::string_view begun : {"", "GET / HT"}) {
        SCOPED_TRACE(begun);
        LoopbackClient client(server.port());
        client.send(begun);
        EXPECT_EQ(status_of(client.read_to_end()), 408);
    }
    EXPECT_EQ(server.total(core::Metric::http_head_timeouts), 2U);
    // Of its own: here the head has all the time to arrive.
    TransportConfig slow_body;
    slow_body.body_timeout = milliseconds(20);
    TestServer other({}, slow_body);
    LoopbackClient client(other.port());
    client.send("POST /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel");
    EXPECT_EQ(status_of(client.read_to_end()), 408);
    EXPECT_EQ(other.total(core::Metric::http_body_timeouts), 1U);
}

TEST(HttpConnection, GivesUpOnARequestThatComesByteByByte) {
    TransportConfig config;
    config.head_timeout = milliseconds(50);
    config.header_bytes = 16 * 1024 * 1024;
    TestServer server({}, config);
    LoopbackClient client(server.port());
    client.send("GET / HTTP/1.1\r\nX: ");
    // Every byte is a sign of life, and none of them buys time.
    while (server.total(core::Metric::http_head_timeouts) == 0) {
        if (!client.send("x")) break;
        std::this_thread::yield();
    }
    EXPECT_EQ(status_of(client.read_to_end()), 408);
}

TEST(HttpConnection, ClosesAnIdleConnectionWithoutAWord) {
    TransportConfig config;
    config.idle_timeout = milliseconds(20);
    TestServer server({}, config);
    LoopbackClient client(server.port());
    client.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(status_of(client.read_answer()), 200);
    EXPECT_TRUE(client.at_end());
    EXPECT_EQ(server.total(core::Metric::http_idle_timeouts), 1U);
}

TEST(Gate, RefusesConnectionsOverTheLimitAndAcceptsAgainBelowIt) {
    core::Config config;
    config.limits.connections = 2;
    TestServer server(config);
    const std::string request = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
    LoopbackClient first(server.port());
    first.send(request);
    EXPECT_EQ(status_of(first.read_answer()), 200);
    {
        LoopbackClient second(server.port());
        second.send(request);
        // It is open, and with it the server is full.
        EXPECT_EQ(status_of(second.read_answer()), 503);
        LoopbackClient third(server.port());
        third.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        const std::string answer = third.read_to_end();
        EXPECT_EQ(status_of(answer), 503);
        EXPECT_NE(answer.find("Retry-After: "), std::string::npos);
        EXPECT_EQ(server.total(core::Metric::connections_refused), 1U);
        EXPECT_EQ(server.total(core::Metric::refused_connections), 1U);
        second.send("GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        second.read_to_end();
    }
    // The server sees to their ends in its own time.
    int status = 503;
    while (status == 503) {
        first.send(request);
        status = status_of(first.read_answer());
    }
    EXPECT_EQ(status, 200);
    EXPECT_EQ(server.total(core::Metric::connections_accepted), 2U);
}

TEST(Listener, RestsWithoutDescriptorsAndGoesOnWithThem) {
    // UBSan looks at a stranger's object through a pipe, for which there is no descriptor then.
    log::set_level(log::Level::off);
    TestServer server;
    LoopbackClient before(server.port());
    before.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(status_of(before.read_answer()), 200);
    // The next descriptor is this test's; the server finds none below the limit.
    rlimit limit{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
    const int probe = ::dup(0);
    ::close(probe);
    rlimit lowered = limit;
    lowered.rlim_cur = static_cast<rlim_t>(probe) + 1;
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &lowered), 0);
    LoopbackClient waiting(server.port());
    await_total(server, core::Metric::accept_pauses, 1);
    // Nothing else suffers meanwhile.
    before.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(status_of(before.read_answer()), 200);
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
    log::set_level(log::Level::info);
    waiting.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(status_of(waiting.read_answer()), 200);
}

}  // namespace
}  // namespace parley::transports
