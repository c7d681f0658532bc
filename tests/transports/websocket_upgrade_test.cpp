#include "transports/websocket/websocket_upgrade.hpp"

#include <gtest/gtest.h>

#include "transports/loopback_client.hpp"
#include "transports/test_server.hpp"

namespace parley::transports {
namespace {

using test::LoopbackClient;
using test::status_of;
using test::TestServer;

struct Row {
    std::string_view what;
    std::string_view request_line;
    std::string_view headers;
    int status;
};

constexpr std::string_view good =
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

std::string upgrade(LoopbackClient& client, const Row& row, std::string_view more = {}) {
    client.send(std::string(row.request_line) + "\r\nHost: chat.local:80\r\n" +
                std::string(row.headers) + std::string(more) + "\r\n");
    return client.read_answer(row.status == 101);
}

TEST(WebSocketUpgrade, IsRefusedWithAStatusAndTheConnectionStays) {
    TestServer server;
    LoopbackClient client(server.port());
    for (const Row& row : {
             Row{"another method", "POST /ws HTTP/1.1", good, 405},
             Row{"no upgrade", "GET /ws HTTP/1.1", "", 426},
             Row{"another protocol", "GET /ws HTTP/1.1", "Upgrade: h2c\r\nConnection: Upgrade\r\n",
                 426},
             Row{"Connection without Upgrade", "GET /ws HTTP/1.1",
                 "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
                 400},
             Row{"another version", "GET /ws HTTP/1.1",
                 "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 8\r\n"
                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
                 426},
             Row{"no key", "GET /ws HTTP/1.1",
                 "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n", 400},
             Row{"a key that is none", "GET /ws HTTP/1.1",
                 "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                 "Sec-WebSocket-Key: short\r\n",
                 400},
             Row{"broken percent-encoding", "GET /ws?name=%zz HTTP/1.1", good, 400},
             Row{"a name not in UTF-8", "GET /ws?name=%FF HTTP/1.1", good, 400},
         }) {
        SCOPED_TRACE(row.what);
        const std::string answer = upgrade(client, row);
        EXPECT_EQ(status_of(answer), row.status) << answer;
        EXPECT_NE(answer.find("\"detail\":"), std::string::npos);
        if (row.status == 426) {
            EXPECT_NE(answer.find("Upgrade: websocket\r\n"), std::string::npos);
        }
    }
    EXPECT_EQ(server.total(core::Metric::connections_accepted), 1U);
    EXPECT_EQ(server.total(core::Metric::sessions_opened), 0U);
}

TEST(WebSocketUpgrade, IsRefusedToPagesOfOtherOrigins) {
    TransportConfig config;
    config.allowed_origins = {"https://*.example.org"};
    TestServer server({}, config);
    const Row row{"", "GET /ws HTTP/1.1", good, 101};
    for (const std::string_view origin :
         {"", "Origin: http://chat.local\r\n", "Origin: https://a.example.org\r\n"}) {
        LoopbackClient client(server.port());
        EXPECT_EQ(status_of(upgrade(client, row, origin)), 101) << origin;
    }
    for (const std::string_view origin :
         {"Origin: http://evil.org\r\n", "Origin: http://chat.local:8080\r\n",
          "Origin: null\r\n"}) {
        LoopbackClient client(server.port());
        EXPECT_EQ(status_of(upgrade(client, {"", row.request_line, good, 403}, origin)), 403)
            << origin;
    }
}

TEST(WebSocketUpgrade, AnswersWithWhatWasAgreed) {
    struct Agreed {
        std::string_view offer, contains, lacks;
    };
    TestServer server;
    const Row row{"", "GET /ws HTTP/1.1", good, 101};
    for (const Agreed& agreed : {
             Agreed{"", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "Sec-WebSocket-Protocol"},
             Agreed{"Sec-WebSocket-Protocol: other, parley.v1\r\n",
                    "Sec-WebSocket-Protocol: parley.v1\r\n", "other"},
             Agreed{"Sec-WebSocket-Protocol: other\r\n", "101", "Sec-WebSocket-Protocol"},
             Agreed{"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n",
                    "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
                    "max_window_bits"},
             // Frames are shared by all and made with the whole window.
             Agreed{"Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=10\r\n",
                    "101", "permessage-deflate"},
         }) {
        SCOPED_TRACE(agreed.offer);
        LoopbackClient client(server.port());
        const std::string answer = upgrade(client, row, agreed.offer);
        EXPECT_EQ(status_of(answer), 101);
        EXPECT_NE(answer.find(agreed.contains), std::string::npos) << answer;
        EXPECT_EQ(answer.find(agreed.lacks), std::string::npos) << answer;
    }
}

TEST(WebSocketUpgrade, DoesNotDeflateWhereTheOperatorForbidsIt) {
    TransportConfig config;
    config.deflate = false;
    TestServer server({}, config);
    LoopbackClient client(server.port());
    const std::string answer = upgrade(client, {"", "GET /ws HTTP/1.1", good, 101},
                                       "Sec-WebSocket-Extensions: permessage-deflate\r\n");
    EXPECT_EQ(answer.find("permessage-deflate"), std::string::npos);
}

}  // namespace
}  // namespace parley::transports
