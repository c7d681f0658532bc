// HTTP bodies come back from `/hello`, whatever the method and however they are sent.
#include <gtest/gtest.h>

#include "conformance/echo_process.hpp"
#include "transports/loopback_client.hpp"

namespace parley::conformance {
namespace {

using transports::test::LoopbackClient;
using transports::test::status_of;

class HttpEcho : public EchoTest {};

TEST_F(HttpEcho, ReturnsTheBodyForEveryMethod) {
    LoopbackClient client(port());
    for (const std::string_view method : {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}) {
        SCOPED_TRACE(method);
        client.send(std::string(method) +
                    " /hello HTTP/1.1\r\nHost: a\r\nContent-Type: text/x-test\r\n"
                    "Content-Length: 5\r\n\r\nhello");
        const std::string answer = client.read_answer();
        EXPECT_EQ(status_of(answer), 200);
        EXPECT_NE(answer.find("Content-Type: text/x-test\r\n"), std::string::npos);
        EXPECT_TRUE(answer.ends_with("\r\n\r\nhello")) << answer;
    }
}

TEST_F(HttpEcho, JoinsAChunkedBodyHoweverItIsSplit) {
    const std::string request =
        "POST /hello HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        "5;ext=1\r\nhello\r\n7\r\n, world\r\n0\r\nTrailer: x\r\n\r\n";
    for (std::size_t piece = 1; piece < request.size(); piece += 3) {
        SCOPED_TRACE(piece);
        LoopbackClient client(port());
        client.send_in_pieces(request, piece);
        EXPECT_TRUE(client.read_answer().ends_with("\r\n\r\nhello, world"));
    }
}

TEST_F(HttpEcho, AnswersPipelinedRequestsInOrder) {
    LoopbackClient client(port());
    std::string requests;
    for (int i = 100; i < 200; ++i) {
        requests +=
            "POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n" + std::to_string(i);
    }
    client.send(requests);
    for (int i = 100; i < 200; ++i) {
        EXPECT_TRUE(client.read_answer().ends_with("\r\n\r\n" + std::to_string(i)));
    }
}

TEST_F(HttpEcho, ReturnsALargeBodyToASlowReader) {
    const std::string body(std::size_t{8} * 1024 * 1024, 'b');
    LoopbackClient client(port(), 16 * 1024);
    client.send("POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: " +
                std::to_string(body.size()) + "\r\n\r\n" + body);
    const std::string answer = client.read_answer();
    EXPECT_TRUE(answer.ends_with(body)) << answer.size();
}

}  // namespace
}  // namespace parley::conformance
