// Messages of every size, whole, chopped and fragmented, come back as they were.
#include <gtest/gtest.h>

#include "conformance/echo_process.hpp"
#include "transports/websocket_client.hpp"

namespace parley::conformance {
namespace {

using protocol::Opcode;
using transports::test::client_frame;
using transports::test::WebSocketClient;
using Event = protocol::WebSocketDecoder::Event;

class WebSocketEcho : public EchoTest {};

// Valid UTF-8 of exactly that size, with characters of one to four bytes.
std::string text_of(std::size_t size) {
    static constexpr std::string_view pattern = "plain \xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80 ";
    std::string text;
    text.reserve(size);
    while (text.size() + pattern.size() <= size) text += pattern;
    text.resize(size, '.');
    return text;
}

std::string bytes_of(std::size_t size) {
    std::string bytes(size, '\0');
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>((i * 31 + i / 253) & 0xFF);
    return bytes;
}

constexpr std::size_t mib = std::size_t{1024} * 1024;
constexpr std::size_t sizes[] = {0, 1, 125, 126, 127, 128, 65'535, 65'536, 65'537, mib, 16 * mib};

void expect_echo(WebSocketClient& client, Opcode opcode, const std::string& payload) {
    const auto received = client.receive();
    ASSERT_EQ(received.event, Event::message) << "close code " << received.close_code;
    EXPECT_EQ(received.opcode, opcode);
    // Not EXPECT_EQ: nobody reads 16 MiB of difference.
    EXPECT_TRUE(received.payload == payload) << received.payload.size() << " bytes came";
}

TEST_F(WebSocketEcho, ReturnsMessagesOfEverySize) {
    for (const std::string_view path : {"/", "/wsecho"}) {
        WebSocketClient client(port(), path);
        for (const std::size_t size : sizes) {
            SCOPED_TRACE(size);
            client.send(Opcode::text, text_of(size));
            expect_echo(client, Opcode::text, text_of(size));
            client.send(Opcode::binary, bytes_of(size));
            expect_echo(client, Opcode::binary, bytes_of(size));
        }
    }
}

TEST_F(WebSocketEcho, ReturnsMessagesChoppedIntoSegments) {
    WebSocketClient client(port(), "/");
    for (const std::size_t piece : {1U, 2U, 7U, 125U, 997U}) {
        for (const std::size_t size : sizes) {
            if (size > piece * 2'000) continue;
            SCOPED_TRACE(std::to_string(size) + " in pieces of " + std::to_string(piece));
            client.socket().send_in_pieces(client_frame(Opcode::text, text_of(size)), piece);
            expect_echo(client, Opcode::text, text_of(size));
        }
    }
}

TEST_F(WebSocketEcho, JoinsFragmentsAndAnswersPingsBetweenThem) {
    WebSocketClient client(port(), "/");
    const std::string text = text_of(1'000);
    for (const std::size_t piece : {1U, 3U, 64U, 999U}) {
        SCOPED_TRACE(piece);
        std::size_t pings = 0;
        for (std::size_t at = 0; at < text.size(); at += piece) {
            const bool last = at + piece >= text.size();
            client.socket().send(client_frame(at == 0 ? Opcode::text : Opcode::continuation,
                                              std::string_view(text).substr(at, piece), last));
            if (last) break;
            client.socket().send(client_frame(Opcode::ping, "p" + std::to_string(pings++)));
        }
        for (std::size_t i = 0; i < pings; ++i) {
            const auto pong = client.receive();
            ASSERT_EQ(pong.event, Event::pong);
            EXPECT_EQ(pong.payload, "p" + std::to_string(i));
        }
        expect_echo(client, Opcode::text, text);
    }
}

TEST_F(WebSocketEcho, KeepsTheOrderOfManyMessagesInOneSegment) {
    WebSocketClient client(port(), "/");
    std::string all;
    for (int i = 0; i < 2'000; ++i) all += client_frame(Opcode::text, std::to_string(i));
    client.socket().send(all);
    for (int i = 0; i < 2'000; ++i) ASSERT_EQ(client.receive_message(), std::to_string(i));
}

TEST_F(WebSocketEcho, AnswersEveryPingWithItsPayload) {
    WebSocketClient client(port(), "/");
    std::string all;
    for (std::size_t size = 0; size <= 125; ++size) {
        all += client_frame(Opcode::ping, std::string(size, 'p'));
        all += client_frame(Opcode::pong, "unasked");
    }
    client.socket().send(all);
    for (std::size_t size = 0; size <= 125; ++size) {
        const auto pong = client.receive();
        ASSERT_EQ(pong.event, Event::pong);
        EXPECT_EQ(pong.payload, std::string(size, 'p'));
    }
}

TEST_F(WebSocketEcho, TakesBytesThatFollowTheUpgradeAtOnce) {
    transports::test::LoopbackClient socket(port());
    socket.send(
        "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n" +
        client_frame(Opcode::text, "early"));
    const std::string head = socket.read_through("\r\n\r\n");
    EXPECT_NE(head.find("101"), std::string::npos);
    EXPECT_NE(head.find("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), std::string::npos);
    EXPECT_EQ(socket.read_exactly(7),
              "\x81\x05"
              "early");
}

// A peer that sends and does not read is read from no further: what it may send is bounded by the
// kernel's buffers and one message, and nothing of it is lost once it reads.
TEST_F(WebSocketEcho, StopsReadingFromAPeerThatDoesNotRead) {
    WebSocketClient client(port(), "/", {}, 64 * 1024);
    const std::string message = bytes_of(32 * 1024);
    const std::string frame = client_frame(Opcode::binary, message);
    constexpr std::size_t frames_max = 4'096;  // 128 MiB, far more than kernel buffers hold
    std::size_t sent = 0;
    std::string rest;
    for (; sent < frames_max; ++sent) {
        rest.erase(0, client.socket().send_some(rest.empty() ? (rest = frame) : rest));
        while (!rest.empty() && client.socket().writable_within(std::chrono::milliseconds(200))) {
            rest.erase(0, client.socket().send_some(rest));
        }
        if (!rest.empty()) break;
    }
    ASSERT_LT(sent, frames_max) << "the server took everything";
    for (std::size_t i = 0; i < sent; ++i) expect_echo(client, Opcode::binary, message);
    client.socket().send(rest);
    expect_echo(client, Opcode::binary, message);
}

TEST(EchoServer, HoldsTheLimitsOfItsCommandLine) {
    const EchoProcess server({"--message-bytes", "1000", "--fragments", "3", "--no-deflate"});
    WebSocketClient exact(server.port(), "/", "Sec-WebSocket-Extensions: permessage-deflate\r\n");
    EXPECT_FALSE(exact.deflate());
    exact.send(Opcode::text, std::string(1'000, 'x'));
    expect_echo(exact, Opcode::text, std::string(1'000, 'x'));
    exact.send(Opcode::text, std::string(1'001, 'x'));
    EXPECT_EQ(exact.receive_close(), 1009);
    WebSocketClient fragments(server.port(), "/");
    fragments.socket().send(client_frame(Opcode::text, "a", false) +
                            client_frame(Opcode::continuation, "b", false) +
                            client_frame(Opcode::continuation, "c", true));
    expect_echo(fragments, Opcode::text, "abc");
    fragments.socket().send(client_frame(Opcode::text, "a", false) +
                            client_frame(Opcode::continuation, "b", false) +
                            client_frame(Opcode::continuation, "c", false) +
                            client_frame(Opcode::continuation, "d", true));
    EXPECT_EQ(fragments.receive_close(), 1008);
}

}  // namespace
}  // namespace parley::conformance
