// What RFC 6455 forbids ends the connection with the code that it names; closing works both ways.
#include <gtest/gtest.h>

#include "conformance/echo_process.hpp"
#include "transports/websocket_client.hpp"

namespace parley::conformance {
namespace {

using protocol::Opcode;
using transports::test::client_close;
using transports::test::client_frame;
using transports::test::WebSocketClient;
using Event = protocol::WebSocketDecoder::Event;

class WebSocketViolation : public EchoTest {};
class WebSocketClosing : public EchoTest {};

struct Case {
    std::string_view what;
    std::string bytes;
    std::uint16_t code;
};

// A frame whose first bytes are as given, with a mask and that payload.
std::string raw(std::uint8_t first, std::string_view payload) {
    std::string frame = client_frame(Opcode::text, payload);
    frame[0] = static_cast<char>(first);
    return frame;
}

std::string unmasked(std::string_view payload) {
    std::string out;
    protocol::append_frame(out, Opcode::text, payload);
    return out;
}

std::vector<Case> violations() {
    std::vector<Case> cases{
        {"an unmasked frame", unmasked("hello"), 1002},
        {"RSV1 without an extension", raw(0xC1, "x"), 1002},
        {"RSV2", raw(0xA1, "x"), 1002},
        {"RSV3", raw(0x91, "x"), 1002},
        {"all reserved bits", raw(0xF1, "x"), 1002},
        {"RSV1 on a ping", raw(0xC9, "x"), 1002},
        {"a fragmented ping", raw(0x09, "x"), 1002},
        {"a fragmented close", raw(0x08, ""), 1002},
        {"a ping of 126 bytes", client_frame(Opcode::ping, std::string(126, 'x')), 1002},
        {"a continuation of nothing", client_frame(Opcode::continuation, "x"), 1002},
        {"a continuation after a whole message",
         client_frame(Opcode::text, "x") + client_frame(Opcode::continuation, "y"), 1002},
        {"a message within a message",
         client_frame(Opcode::text, "x", false) + client_frame(Opcode::text, "y"), 1002},
        {"a length in 16 bits that fits 7", std::string("\x81\xFE\x00\x05mask", 8), 1002},
        {"a length in 64 bits that fits 16",
         std::string("\x81\xFF\x00\x00\x00\x00\x00\x00\xFF\xFFmask", 14), 1002},
        {"a length with its highest bit",
         std::string("\x82\xFF\x80\x00\x00\x00\x00\x00\x00\x00mask", 14), 1002},
        {"a length beyond the limit",
         std::string("\x82\xFF\x00\x00\x00\x00\x01\x00\x00\x01mask", 14), 1009},
        {"a close of one byte", client_frame(Opcode::close, "x"), 1002},
        {"a close reason not in UTF-8", client_frame(Opcode::close, "\x03\xE8\xFF"), 1007},
    };
    for (const int opcode : {3, 4, 5, 6, 7, 0xB, 0xC, 0xD, 0xE, 0xF}) {
        cases.push_back(
            {"a reserved opcode", raw(static_cast<std::uint8_t>(0x80 | opcode), "x"), 1002});
    }
    return cases;
}

TEST_F(WebSocketViolation, ClosesWithTheCodeAndEndsTheConnection) {
    for (const Case& violation : violations()) {
        SCOPED_TRACE(violation.what);
        WebSocketClient client(port(), "/");
        client.socket().send(violation.bytes);
        EXPECT_EQ(client.receive_close(), violation.code);
        EXPECT_TRUE(client.at_end());
    }
}

TEST_F(WebSocketViolation, IsAnsweredAfterWhatCameBefore) {
    WebSocketClient client(port(), "/");
    client.socket().send(client_frame(Opcode::text, "first") + raw(0xA1, "x"));
    EXPECT_EQ(client.receive_message(), "first");
    EXPECT_EQ(client.receive_close(), 1002);
}

TEST_F(WebSocketViolation, RefusesTextThatIsNotUtf8) {
    using namespace std::string_literals;
    for (const std::string& bad :
         {"\x80"s, "\xC0\x80"s, "\xC3"s, "\xE2\x82"s, "\xED\xA0\x80"s, "\xF4\x90\x80\x80"s,
          "\xF8\x88\x80\x80\x80"s, "ok \xFF"s, "\xCE\xBA\xE1\xBD\xB9\xCF\x83\xED\xA0\x80 x"s}) {
        SCOPED_TRACE(testing::PrintToString(bad));
        WebSocketClient whole(port(), "/");
        whole.send(Opcode::text, bad);
        EXPECT_EQ(whole.receive_close(), 1007);
        WebSocketClient fragmented(port(), "/");
        for (std::size_t i = 0; i < bad.size(); ++i) {
            fragmented.socket().send(client_frame(i == 0 ? Opcode::text : Opcode::continuation,
                                                  bad.substr(i, 1), i + 1 == bad.size()));
        }
        EXPECT_EQ(fragmented.receive_close(), 1007);
    }
}

TEST_F(WebSocketViolation, FailsAtTheBadByteAndNotAtTheEndOfTheMessage) {
    // The frame promises 1,000 bytes; the tenth can't be UTF-8, and no more is ever sent.
    const std::string frame =
        client_frame(Opcode::text, "\xCE\xBA\xE1\xBD\xB9 ok \xFF" + std::string(990, 'x'));
    WebSocketClient client(port(), "/");
    client.socket().send(std::string_view(frame).substr(0, 8 + 10));
    EXPECT_EQ(client.receive_close(), 1007);
    // The same in an unfinished message of two frames.
    WebSocketClient fragmented(port(), "/");
    fragmented.socket().send(client_frame(Opcode::text, "\xF4", false) +
                             client_frame(Opcode::continuation, "\x90", false));
    EXPECT_EQ(fragmented.receive_close(), 1007);
}

TEST_F(WebSocketClosing, ReturnsEveryCodeThatMayBeSent) {
    for (const int number : {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014,
                             3000, 3999, 4000, 4999}) {
        const auto code = static_cast<std::uint16_t>(number);
        SCOPED_TRACE(code);
        WebSocketClient client(port(), "/");
        client.socket().send(client_close(code, "a reason \xE2\x82\xAC"));
        EXPECT_EQ(client.receive_close(), code);
        EXPECT_TRUE(client.at_end());
    }
}

TEST_F(WebSocketClosing, RefusesEveryCodeThatMustNotBeSent) {
    for (const int number :
         {0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65'535}) {
        const auto code = static_cast<std::uint16_t>(number);
        SCOPED_TRACE(code);
        const std::string payload{static_cast<char>(code >> 8), static_cast<char>(code & 0xFF)};
        WebSocketClient client(port(), "/");
        client.send(Opcode::close, payload);
        EXPECT_EQ(client.receive_close(), 1002);
        EXPECT_TRUE(client.at_end());
    }
}

TEST_F(WebSocketClosing, AnswersACloseWithoutACodeInKind) {
    WebSocketClient client(port(), "/");
    client.send(Opcode::close, {});
    EXPECT_EQ(client.receive_close(), 1005);
    EXPECT_TRUE(client.at_end());
}

TEST_F(WebSocketClosing, SendsWhatIsDueBeforeItAndNothingAfter) {
    WebSocketClient client(port(), "/");
    client.socket().send(client_frame(Opcode::text, "one") + client_frame(Opcode::ping, "two") +
                         client_close(1000) + client_frame(Opcode::text, "three"));
    EXPECT_EQ(client.receive_message(), "one");
    EXPECT_EQ(client.receive().event, Event::pong);
    EXPECT_EQ(client.receive_close(), 1000);
    EXPECT_TRUE(client.at_end());
}

TEST_F(WebSocketClosing, OutlivesPeersThatVanishInTheMiddle) {
    const std::string frame = client_frame(Opcode::text, std::string(300, 'x'));
    for (std::size_t cut = 0; cut < 20; ++cut) {
        WebSocketClient reset(port(), "/");
        reset.socket().send(std::string_view(frame).substr(0, cut));
        reset.socket().reset();
        WebSocketClient gone(port(), "/");
        gone.socket().send(std::string_view(frame).substr(0, cut));
        gone.socket().close();
    }
    WebSocketClient client(port(), "/");
    client.send_text("still there");
    EXPECT_EQ(client.receive_message(), "still there");
}

}  // namespace
}  // namespace parley::conformance
