// permessage-deflate (RFC 7692) as negotiated, with every window, and its abuse.
#include <gtest/gtest.h>

#include "conformance/echo_process.hpp"
#include "protocol/deflate.hpp"
#include "transports/websocket_client.hpp"

namespace parley::conformance {
namespace {

using protocol::Opcode;
using transports::test::client_frame;
using transports::test::WebSocketClient;

class WebSocketDeflate : public EchoTest {};

std::string offer(std::string_view parameters) {
    return "Sec-WebSocket-Extensions: permessage-deflate" + std::string(parameters) + "\r\n";
}

// Repeats itself at distances that small and large windows reach.
std::string sample(std::size_t size) {
    std::string text;
    for (std::size_t i = 0; text.size() < size; ++i) {
        text += "line " + std::to_string(i * 7'919 % 1'009) + " of many; ";
    }
    text.resize(size);
    return text;
}

std::string compressed(int window_bits, std::string_view message) {
    std::string out;
    protocol::Deflater(window_bits).compress(out, message);
    return out;
}

TEST_F(WebSocketDeflate, EchoesThroughEveryWindow) {
    for (int bits = 9; bits <= 15; ++bits) {
        SCOPED_TRACE(bits);
        const std::string value = std::to_string(bits);
        WebSocketClient client(
            port(), "/",
            offer("; server_max_window_bits=" + value + "; client_max_window_bits=" + value));
        ASSERT_TRUE(client.deflate()) << client.head();
        EXPECT_EQ(client.deflate()->server_window_bits, bits);
        EXPECT_EQ(client.deflate()->client_window_bits, bits);
        EXPECT_TRUE(client.deflate()->server_no_context_takeover);
        EXPECT_TRUE(client.deflate()->client_no_context_takeover);
        for (const std::size_t size : {0U, 1U, 125U, 126U, 65'535U, 65'536U, 1'048'576U}) {
            SCOPED_TRACE(size);
            const std::string message = sample(size);
            client.socket().send(client_frame(Opcode::text, compressed(bits, message), true, true));
            EXPECT_TRUE(client.receive_message() == message);
        }
    }
}

TEST_F(WebSocketDeflate, TakesUncompressedAndFragmentedMessages) {
    WebSocketClient client(port(), "/", offer(""));
    ASSERT_TRUE(client.deflate());
    client.send(Opcode::text, "plain");
    EXPECT_EQ(client.receive_message(), "plain");
    const std::string message = sample(5'000);
    const std::string whole = compressed(15, message);
    for (const std::size_t piece : {1U, 10U, 1'000U}) {
        SCOPED_TRACE(piece);
        for (std::size_t at = 0; at < whole.size(); at += piece) {
            client.socket().send(client_frame(at == 0 ? Opcode::text : Opcode::continuation,
                                              std::string_view(whole).substr(at, piece),
                                              at + piece >= whole.size(), at == 0));
        }
        EXPECT_TRUE(client.receive_message() == message);
    }
}

TEST_F(WebSocketDeflate, DeclinesOffersThatItCannotKeep) {
    for (const std::string_view parameters :
         {"; server_max_window_bits=8", "; server_max_window_bits=16", "; server_max_window_bits=7",
          "; client_max_window_bits=abc", "; unknown", "; server_no_context_takeover=1",
          "; client_max_window_bits=15; client_max_window_bits=15"}) {
        SCOPED_TRACE(parameters);
        WebSocketClient client(port(), "/", offer(parameters));
        EXPECT_FALSE(client.deflate());
        client.send(Opcode::text, "plain");
        EXPECT_EQ(client.receive_message(), "plain");
    }
    WebSocketClient second(port(), "/", offer("; unknown, permessage-deflate"));
    EXPECT_TRUE(second.deflate()) << "the second offer is a good one";
}

TEST_F(WebSocketDeflate, ClosesOnWhatDoesNotInflate) {
    for (const std::string& bad : {std::string("\xFF\xFF\xFF\xFF"), std::string("\x07\x00", 2)}) {
        WebSocketClient client(port(), "/", offer(""));
        client.socket().send(client_frame(Opcode::binary, bad, true, true));
        EXPECT_EQ(client.receive_close(), 1007);
    }
    WebSocketClient client(port(), "/", offer(""));
    client.socket().send(client_frame(Opcode::text, compressed(15, "ok \xFF"), true, true));
    EXPECT_EQ(client.receive_close(), 1007);
}

TEST_F(WebSocketDeflate, StopsABombAtTheMessageLimit) {
    const std::string zeros(std::size_t{64} * 1024 * 1024, '\0');
    const std::string bomb = compressed(15, zeros);
    ASSERT_LT(bomb.size(), std::size_t{128} * 1024);
    WebSocketClient client(port(), "/", offer(""));
    client.socket().send(client_frame(Opcode::binary, bomb, true, true));
    EXPECT_EQ(client.receive_close(), 1009);
    // The same in fragments, each harmless.
    WebSocketClient fragmented(port(), "/", offer(""));
    for (std::size_t at = 0; at < bomb.size(); at += 1'000) {
        if (!fragmented.socket().send(client_frame(at == 0 ? Opcode::binary : Opcode::continuation,
                                                   std::string_view(bomb).substr(at, 1'000),
                                                   at + 1'000 >= bomb.size(), at == 0))) {
            break;
        }
    }
    EXPECT_EQ(fragmented.receive_close(), 1009);
}

TEST_F(WebSocketDeflate, ForbidsTheBitWhereNoCompressedMessageBegins) {
    WebSocketClient continued(port(), "/", offer(""));
    continued.socket().send(client_frame(Opcode::text, compressed(15, "x"), false, true) +
                            client_frame(Opcode::continuation, "", true, true));
    EXPECT_EQ(continued.receive_close(), 1002);
    WebSocketClient ping(port(), "/", offer(""));
    ping.socket().send(client_frame(Opcode::ping, "", true, true));
    EXPECT_EQ(ping.receive_close(), 1002);
}

}  // namespace
}  // namespace parley::conformance
