// What the Engine.IO v4 suite asks of a server, over polling, over WebSocket, and from the one to the
// other.
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "conformance/echo_process.hpp"
#include "transports/engine_client.hpp"
#include "transports/websocket_client.hpp"

namespace parley::conformance {
namespace {

using protocol::Opcode;
using transports::test::answered;
using transports::test::client_frame;
using transports::test::EngineClient;
using transports::test::LoopbackClient;
using transports::test::socket_path;
using transports::test::status_of;
using transports::test::WebSocketClient;
using Event = protocol::WebSocketDecoder::Event;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

class EngineIo : public testing::Test {
protected:
    static void SetUpTestSuite() {
        // Patient: who is not tested for its pongs gives none.
        server_ = new EchoProcess({"--ping-interval", "24000", "--ping-timeout", "19000"});
    }
    static void TearDownTestSuite() {
        delete server_;
        server_ = nullptr;
    }
    static std::uint16_t port() { return server_->port(); }

private:
    static inline EchoProcess* server_ = nullptr;
};

class EngineIoHandshake : public EngineIo {};
class EngineIoPolling : public EngineIo {};
class EngineIoWebSocket : public EngineIo {};
class EngineIoUpgrade : public EngineIo {};

// ---- handshake -------------------------------------------------------------------------------

std::string expected_open(std::string_view sid, std::string_view upgrades) {
    return R"(0{"sid":")" + std::string(sid) + R"(","upgrades":)" + std::string(upgrades) +
           R"(,"pingInterval":24000,"pingTimeout":19000,"maxPayload":1000000})";
}

std::string sid_in(const std::string& open) {
    return open.size() > 29 ? open.substr(9, 20) : std::string();
}

TEST_F(EngineIoHandshake, OpensOverPollingWithExactlyTheFiveKeys) {
    EngineClient client(port());
    const auto answer = client.request("GET", "EIO=4&transport=polling");
    EXPECT_EQ(answer, answered(200, expected_open(sid_in(answer.body), R"(["websocket"])")));
    EXPECT_NE(answer.head.find("Content-Type: text/plain; charset=UTF-8\r\n"), std::string::npos);
    EXPECT_NE(answer.head.find("Cache-Control: no-store\r\n"), std::string::npos);
    for (const char c : sid_in(answer.body)) {
        EXPECT_TRUE(std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_') << c;
    }
}

TEST_F(EngineIoHandshake, OpensOverWebSocketWithoutAnUpgrade) {
    WebSocketClient client(port(), socket_path());
    const std::string open = client.receive_message();
    EXPECT_EQ(open, expected_open(sid_in(open), "[]"));
}

struct Refusal {
    std::string_view method;
    std::string_view query;
    std::string_view body;
};
constexpr Refusal refusals[]{
    {"GET", "transport=polling", R"({"code":5,"message":"Unsupported protocol version"})"},
    {"GET", "EIO=abc&transport=polling", R"({"code":5,"message":"Unsupported protocol version"})"},
    {"GET", "EIO=3&transport=polling", R"({"code":5,"message":"Unsupported protocol version"})"},
    {"GET", "EIO=4", R"({"code":0,"message":"Transport unknown"})"},
    {"GET", "EIO=4&transport=abc", R"({"code":0,"message":"Transport unknown"})"},
    {"POST", "EIO=4&transport=polling", R"({"code":2,"message":"Bad handshake method"})"},
    {"PUT", "EIO=4&transport=polling", R"({"code":2,"message":"Bad handshake method"})"},
    {"GET", "EIO=4&transport=websocket", R"({"code":3,"message":"Bad request"})"},
    {"GET", "EIO=4&transport=polling&sid=unknown", R"({"code":1,"message":"Session ID unknown"})"},
    {"GET", "EIO=4&transport=polling&sid=AAAAAAAAAAAAAAAAAAAA",
     R"({"code":1,"message":"Session ID unknown"})"},
    {"POST", "EIO=4&transport=polling&sid=__proto__",
     R"({"code":1,"message":"Session ID unknown"})"},
};

TEST_F(EngineIoHandshake, RefusesWhatIsMissingOrWrongWithItsCode) {
    EngineClient client(port());
    for (const Refusal& refusal : refusals) {
        SCOPED_TRACE(std::string(refusal.method) + " " + std::string(refusal.query));
        const auto answer = client.request(refusal.method, refusal.query);
        EXPECT_EQ(answer, answered(400, refusal.body));
        EXPECT_NE(answer.head.find("Content-Type: application/json\r\n"), std::string::npos);
    }
}

TEST_F(EngineIoHandshake, RefusesAWebSocketWithTheSameFaults) {
    for (const std::string_view query :
         {"transport=websocket", "EIO=abc&transport=websocket", "EIO=4", "EIO=4&transport=abc",
          "EIO=4&transport=polling", "EIO=4&transport=websocket&sid=AAAAAAAAAAAAAAAAAAAA"}) {
        SCOPED_TRACE(query);
        EngineClient client(port());
        const auto answer =
            client.request("GET", query, {},
                           "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: "
                           "13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
        EXPECT_EQ(answer.status, 400);
    }
}

// ---- messages --------------------------------------------------------------------------------

TEST_F(EngineIoPolling, EchoesWhatIsPostedInOnePoll) {
    EngineClient client(port());
    const std::string sid = client.open();
    for (const std::string_view body : {"4hello",
                                        "4test1\x1e"
                                        "4test2\x1e"
                                        "4test3",
                                        "4hello\x1e"
                                        "bAQIDBA==",
                                        "bAQIDBA==", "4", "4\xe2\x82\xac"}) {
        SCOPED_TRACE(body);
        const auto posted = client.post(sid, body);
        EXPECT_EQ(posted, answered(200, "ok"));
        EXPECT_NE(posted.head.find("Content-Type: text/html\r\n"), std::string::npos);
        EXPECT_EQ(client.poll(sid), answered(200, body));
    }
}

TEST_F(EngineIoPolling, AnswersAPollThatWaitsWithAllOfOnePost) {
    EngineClient polling(port());
    EngineClient posting(port());
    const std::string sid = polling.open();
    for (int i = 0; i < 50; ++i) {
        polling.ask_poll(sid);
        const std::string body = "4a" + std::to_string(i) + "\x1e" + "4b\x1e" + "4c";
        EXPECT_EQ(posting.post(sid, body), answered(200, "ok"));
        EXPECT_EQ(polling.answer(), answered(200, body));
    }
}

TEST_F(EngineIoPolling, ReturnsABodyOfExactlyTheBoundAndRefusesALongerOne) {
    EngineClient client(port());
    const std::string sid = client.open();
    const std::string body = "4" + std::string(999'999, 'x');
    EXPECT_EQ(client.post(sid, body), answered(200, "ok"));
    EXPECT_EQ(client.poll(sid), answered(200, body));
    EXPECT_EQ(client.post(sid, body + "x").status, 413);
    EngineClient again(port());
    EXPECT_EQ(again.post(sid, "4still there"), answered(200, "ok"));
    EXPECT_EQ(again.poll(sid), answered(200, "4still there"));
}

TEST_F(EngineIoPolling, CompressesALongAnswerWhereAsked) {
    EngineClient client(port());
    const std::string sid = client.open();
    EXPECT_EQ(client.post(sid, "4" + std::string(2'000, 'x')), answered(200, "ok"));
    const auto answer =
        client.request("GET", EngineClient::session(sid), {}, "Accept-Encoding: gzip\r\n");
    EXPECT_NE(answer.head.find("Content-Encoding: gzip\r\n"), std::string::npos);
    EXPECT_LT(answer.body.size(), 200U);
}

TEST_F(EngineIoPolling, EndsTheSessionAtAPacketThatIsNone) {
    for (const std::string_view body : {"abc", "", "4a\x1e",
                                        "\x1e"
                                        "4a",
                                        "7", "bAQ", "b!!!!", "0{}", "2", "2probe", "4\xff"}) {
        SCOPED_TRACE(body);
        EngineClient client(port());
        const std::string sid = client.open();
        EXPECT_EQ(client.post(sid, body), answered(400, EngineClient::refused));
        EXPECT_EQ(client.poll(sid), answered(400, EngineClient::refused_sid));
    }
}

TEST_F(EngineIoPolling, TakesNoBinaryBody) {
    EngineClient client(port());
    const std::string sid = client.open();
    const auto answer = client.request("POST", EngineClient::session(sid), "4hello",
                                       "Content-Type: application/octet-stream\r\n");
    EXPECT_EQ(answer.status, 400);
}

TEST_F(EngineIoPolling, EndsTheSessionAtASecondPoll) {
    EngineClient first(port());
    EngineClient second(port());
    const std::string sid = first.open();
    first.ask_poll(sid);
    // From a connection of its own: it is accepted after the first poll was read.
    EXPECT_EQ(EngineClient(port()).post(sid, "3"), answered(200, "ok"));
    EXPECT_EQ(second.poll(sid), answered(400, EngineClient::refused));
    EXPECT_EQ(first.answer(), answered(200, "1"));
    EXPECT_EQ(first.poll(sid), answered(400, EngineClient::refused_sid));
}

TEST_F(EngineIoPolling, EndsTheSessionOfAPollThatIsGivenUp) {
    for (const bool reset : {false, true}) {
        EngineClient client(port());
        EngineClient other(port());
        const std::string sid = client.open();
        client.ask_poll(sid);
        // From a connection of its own: it is accepted after the poll was read.
        EXPECT_EQ(EngineClient(port()).post(sid, "3"), answered(200, "ok"));
        reset ? client.socket().reset() : client.socket().close();
        EXPECT_EQ(other.poll(sid), answered(400, EngineClient::refused_sid));
    }
}

TEST_F(EngineIoPolling, EndsAWaitingPollWithNoopWhenTheClientCloses) {
    EngineClient polling(port());
    const std::string sid = polling.open();
    polling.ask_poll(sid);
    // From a connection of its own: it is accepted after the poll was read.
    EXPECT_EQ(EngineClient(port()).post(sid, "1"), answered(200, "ok"));
    EXPECT_EQ(polling.answer(), answered(200, "6"));
    EXPECT_EQ(polling.poll(sid), answered(400, EngineClient::refused_sid));
}

TEST_F(EngineIoWebSocket, EchoesTextAndBinaryAsTheyCame) {
    WebSocketClient client(port(), socket_path());
    client.receive_message();
    client.send_text("4hello");
    EXPECT_EQ(client.receive_message(), "4hello");
    client.send(Opcode::binary, std::string("\x01\x02\x03\x04", 4));
    const auto echo = client.receive();
    EXPECT_EQ(echo.opcode, Opcode::binary);
    EXPECT_EQ(echo.payload, std::string("\x01\x02\x03\x04", 4));
    client.send_text("4");
    EXPECT_EQ(client.receive_message(), "4");
    client.send_text(
        "4a\x1e"
        "4b");
    EXPECT_EQ(client.receive_message(),
              "4a\x1e"
              "4b");
}

TEST_F(EngineIoWebSocket, ClosesAtAPacketThatIsNone) {
    for (const std::string_view text : {"abc", "", "7", "0", "2", "2probe"}) {
        SCOPED_TRACE(text);
        WebSocketClient client(port(), socket_path());
        client.receive_message();
        client.send_text(text);
        EXPECT_EQ(client.receive_close(), 1002);
    }
}

TEST_F(EngineIoWebSocket, ClosesWhenTheClientSaysSo) {
    WebSocketClient client(port(), socket_path());
    client.receive_message();
    client.send_text("1");
    EXPECT_EQ(client.receive_close(), 1000);
}

TEST_F(EngineIoWebSocket, HoldsTheBoundOfAMessage) {
    WebSocketClient client(port(), socket_path());
    client.receive_message();
    const std::string message = "4" + std::string(999'999, 'x');
    client.send_text(message);
    EXPECT_EQ(client.receive_message(), message);
    client.send_text(message + "x");
    EXPECT_EQ(client.receive_close(), 1009);
}

// ---- heartbeat -------------------------------------------------------------------------------

constexpr milliseconds ping_interval{300};
constexpr milliseconds ping_timeout{200};
// How late anything may be on a machine that does other things, too; never early.
constexpr milliseconds slack{15'000};

// Servers that ping often: one waits long for its pongs, the other does not.
const std::vector<std::string> lively{"--ping-interval", "300", "--ping-timeout", "20000"};
const std::vector<std::string> strict{"--ping-interval", "300", "--ping-timeout", "200"};

TEST_F(EngineIoPolling, IsPingedAndLivesByItsPongs) {
    const EchoProcess server(lively);
    EngineClient client(server.port());
    const auto begun = Clock::now();
    const std::string sid = client.open();
    for (int pings = 1; pings <= 3; ++pings) {
        EXPECT_EQ(client.poll(sid), answered(200, "2"));
        EXPECT_GE(Clock::now() - begun, pings * ping_interval);
        EXPECT_LT(Clock::now() - begun, pings * (ping_interval + slack));
        EXPECT_EQ(client.post(sid, "3"), answered(200, "ok"));
    }
}

TEST_F(EngineIoPolling, IsGoneAsSoonAsItsPongIsLate) {
    const EchoProcess server(strict);
    EngineClient client(server.port());
    const auto begun = Clock::now();
    const std::string sid = client.open();
    // Nobody polls, and this is no sign of life: it is no way to ask for a WebSocket.
    const std::string query = EngineClient::session(sid, "websocket");
    const auto end = begun + ping_interval + ping_timeout + slack;
    auto answer = client.request("GET", query);
    while (answer.body == EngineClient::refused && Clock::now() < end) {
        answer = client.request("GET", query);
    }
    EXPECT_EQ(answer, answered(400, EngineClient::refused_sid));
    EXPECT_GE(Clock::now() - begun, ping_interval + ping_timeout);
    EXPECT_EQ(client.poll(sid), answered(400, EngineClient::refused_sid));
}

TEST_F(EngineIoWebSocket, IsPingedAndLivesByItsPongs) {
    const EchoProcess server(lively);
    WebSocketClient client(server.port(), socket_path());
    client.receive_message();
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(client.receive_message(), "2");
        client.send_text("3");
    }
}

TEST_F(EngineIoWebSocket, IsClosedWhenItsPongIsLate) {
    const EchoProcess server(strict);
    const auto begun = Clock::now();
    WebSocketClient client(server.port(), socket_path());
    client.receive_message();
    EXPECT_EQ(client.receive_message(), "2");
    EXPECT_EQ(client.receive_close(), 4110);
    EXPECT_GE(Clock::now() - begun, ping_interval + ping_timeout);
    EXPECT_LT(Clock::now() - begun, ping_interval + ping_timeout + slack);
}

// ---- upgrade ---------------------------------------------------------------------------------

// A session that has gone over to a WebSocket.
std::string upgrade(WebSocketClient& socket) {
    socket.send_text("2probe");
    std::string answer = socket.receive_message();
    socket.send_text("5");
    return answer;
}

TEST_F(EngineIoUpgrade, EndsThePollAndGoesOnOverWebSocket) {
    EngineClient client(port());
    const std::string sid = client.open();
    WebSocketClient socket(port(), socket_path(sid));
    socket.send_text("2probe");
    EXPECT_EQ(socket.receive_message(), "3probe");
    EXPECT_EQ(client.poll(sid), answered(200, "6"));
    socket.send_text("5");
    socket.send_text("4hello");
    EXPECT_EQ(socket.receive_message(), "4hello");
    socket.send(Opcode::binary, "raw");
    EXPECT_EQ(socket.receive_message(), "raw");
    EXPECT_EQ(client.poll(sid), answered(400, EngineClient::refused));
    EXPECT_EQ(client.post(sid, "4x"), answered(400, EngineClient::refused));
}

TEST_F(EngineIoUpgrade, EndsAPollThatWaits) {
    EngineClient client(port());
    const std::string sid = client.open();
    client.ask_poll(sid);
    WebSocketClient socket(port(), socket_path(sid));
    socket.send_text("2probe");
    EXPECT_EQ(socket.receive_message(), "3probe");
    EXPECT_EQ(client.answer(), answered(200, "6"));
}

TEST_F(EngineIoUpgrade, RefusesASecondWebSocketAndKeepsTheFirst) {
    EngineClient client(port());
    const std::string sid = client.open();
    WebSocketClient socket(port(), socket_path(sid));
    EXPECT_EQ(upgrade(socket), "3probe");
    socket.send_text("4a");
    EXPECT_EQ(socket.receive_message(), "4a");
    WebSocketClient second(port(), socket_path(sid));
    EXPECT_NE(second.receive_close(), 0);
    socket.send_text("4b");
    EXPECT_EQ(socket.receive_message(), "4b");
}

TEST_F(EngineIoUpgrade, RefusesASecondWebSocketWhileTheFirstProbes) {
    EngineClient client(port());
    const std::string sid = client.open();
    WebSocketClient socket(port(), socket_path(sid));
    socket.send_text("2probe");
    EXPECT_EQ(socket.receive_message(), "3probe");
    WebSocketClient second(port(), socket_path(sid));
    EXPECT_NE(second.receive_close(), 0);
    socket.send_text("5");
    socket.send_text("4b");
    EXPECT_EQ(socket.receive_message(), "4b");
}

TEST_F(EngineIoUpgrade, BringsWhatWasPostedBeforeIt) {
    EngineClient client(port());
    const std::string sid = client.open();
    WebSocketClient socket(port(), socket_path(sid));
    socket.send_text("2probe");
    EXPECT_EQ(socket.receive_message(), "3probe");
    EXPECT_EQ(client.poll(sid), answered(200, "6"));
    EXPECT_EQ(client.post(sid,
                          "4one\x1e"
                          "bAQIDBA==\x1e"
                          "4three"),
              answered(200, "ok"));
    socket.send_text("5");
    EXPECT_EQ(socket.receive_message(), "4one");
    EXPECT_EQ(socket.receive_message(), std::string("\x01\x02\x03\x04", 4));
    EXPECT_EQ(socket.receive_message(), "4three");
}

// What waits behind the poll that an upgrade answers meets a session that is upgraded, however the
// upgrade came: here in one piece with the request for it.
TEST_F(EngineIoUpgrade, IsDoneBeforeWhatWaitsBehindThePollThatItAnswers) {
    for (const std::string_view method : {"POST", "GET"}) {
        SCOPED_TRACE(method);
        EngineClient client(port());
        const std::string sid = client.open();
        client.ask_poll(sid);
        client.ask(method, EngineClient::session(sid), method == "POST" ? "1" : "");
        EngineClient(port()).open();  // both are there once this is answered
        LoopbackClient socket(port());
        socket.send("GET " + socket_path(sid) +
                    " HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " +
                    std::string(WebSocketClient::key) + "\r\n\r\n" +
                    client_frame(Opcode::text, "2probe") + client_frame(Opcode::text, "5") +
                    client_frame(Opcode::text, "4hi"));
        EXPECT_EQ(client.answer(), answered(200, "6"));
        EXPECT_EQ(client.answer(), answered(400, EngineClient::refused));
        EXPECT_TRUE(socket.read_through("\r\n\r\n").starts_with("HTTP/1.1 101"));
        EXPECT_EQ(socket.read_exactly(8),
                  "\x81\x06"
                  "3probe");
        EXPECT_EQ(socket.read_exactly(5),
                  "\x81\x03"
                  "4hi");
    }
}

TEST_F(EngineIoUpgrade, LeavesTheSessionPollingWhereTheProbeFails) {
    EngineClient client(port());
    const std::string sid = client.open();
    for (const std::string_view text : {"4hello", "2", "2prob", "abc", "3probe", "1"}) {
        SCOPED_TRACE(text);
        WebSocketClient socket(port(), socket_path(sid));
        socket.send_text(text);
        EXPECT_EQ(socket.receive_close(), 1002);
        EXPECT_EQ(client.post(sid,
                              "4x\x1e"
                              "3"),
                  answered(200, "ok"));
        EXPECT_EQ(client.poll(sid), answered(200, "4x"));
    }
}

}  // namespace
}  // namespace parley::conformance
