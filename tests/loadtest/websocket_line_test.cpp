// What a WebSocketLine takes without its decoder, and that it hears the same as the decoder would.
#include "loadtest/websocket_line.hpp"

#include <gtest/gtest.h>

#include <span>
#include <string>
#include <vector>

#include "loadtest/virtual_user.hpp"
#include "protocol/websocket_handshake.hpp"

namespace parley::load {
namespace {

using protocol::Opcode;

std::string frame(Opcode opcode, std::string_view payload) {
    std::string out;
    protocol::append_frame(out, opcode, payload);
    return out;
}

struct LineStage {
    LineStage() : plan(scenario(), Target{}), user(1, plan) {
        std::string request;
        line.open("/", {}, request, context);
        user.open(said, 1, true, context);
        constexpr std::string_view name = "Sec-WebSocket-Key: ";
        const std::size_t at = request.find(name) + name.size();
        std::string answer =
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Accept: " +
            protocol::accept_for_key(request.substr(at, request.find("\r\n", at) - at)) +
            "\r\n\r\n";
        EXPECT_EQ(line.feed(user, answer, said, context).event, WebSocketLine::Event::upgraded);
        said.clear();
    }
    static Scenario scenario() {
        Scenario scenario;
        scenario.connections = 2;
        return scenario;
    }
    void give(std::string bytes) {
        std::span<char> rest(bytes);
        while (!rest.empty() && user.state() != VirtualUser::State::closed) {
            const auto step = line.feed(user, rest, said, context);
            if (step.event == WebSocketLine::Event::text) {
                heard.push_back((line.binary() ? "binary " : "text ") + std::string(line.text()));
            }
            ASSERT_GT(step.consumed, 0u);
            rest = rest.subspan(step.consumed);
        }
        if (user.state() == VirtualUser::State::closed) heard.emplace_back("closed");
    }

    Plan plan;
    Control control{plan.scenario};
    UserContext context{plan, control, 1};
    VirtualUser user;
    WebSocketLine line;
    std::string said;
    std::vector<std::string> heard;
};

// What a decoder alone makes of it.
std::vector<std::string> decoded(const Plan& plan, std::string bytes) {
    std::vector<std::string> heard;
    protocol::WebSocketDecoder decoder(plan.decoder);
    std::span<char> rest(bytes);
    while (!rest.empty()) {
        using Event = protocol::WebSocketDecoder::Event;
        const auto step = decoder.feed(rest);
        rest = rest.subspan(step.consumed);
        if (step.event == Event::message) {
            heard.push_back((decoder.opcode() == Opcode::binary ? "binary " : "text ") +
                            std::string(decoder.payload()));
        } else if (step.event == Event::failed || step.event == Event::close) {
            heard.emplace_back("closed");
            break;
        }
    }
    return heard;
}

TEST(WebSocketLine, HearsWhatTheDecoderHearsHoweverItIsSplit) {
    const std::string text = frame(Opcode::text, "deliver");
    const std::vector<std::string> streams{
        text,
        text + text + text,
        frame(Opcode::text, "") + text,
        frame(Opcode::text, std::string(125, 'a')) + frame(Opcode::text, std::string(126, 'b')) +
            frame(Opcode::text, std::string(300, 'c')) + text,
        frame(Opcode::text, std::string(70'000, 'd')) + text,
        text + frame(Opcode::text, "gr\xc3\xbc\xc3\x9f") + text,
        text + frame(Opcode::text, std::string(40, 'x') + "\xff") + text,  // no UTF-8
        text + frame(Opcode::binary, "\x01\xff") + text,
        text + frame(Opcode::ping, "p") + text + frame(Opcode::pong, "") + text,
        text + frame(Opcode::close, "\x03\xe8") + text,
        // In three fragments, and a whole message amid them.
        std::string("\x01\x02"
                    "ab\x00\x02"
                    "cd\x80\x01"
                    "e",
                    11) +
            text,
        std::string("\x01\x02"
                    "ab",
                    4) +
            text,
        // Masked, a reserved bit, and lengths not in their shortest form.
        text + std::string("\x81\x82zzzzab", 8),
        text + std::string("\xc1\x01"
                           "a",
                           3),
        text + std::string("\x81\x7e\x00\x03"
                           "abc",
                           7),
        text + std::string("\x81\x7f\x00\x00\x00\x00\x00\x00\x00\x03"
                           "abc",
                           13),
    };
    for (const std::string& stream : streams) {
        const std::size_t step = stream.size() > 2000 ? 997 : 1;
        for (std::size_t at = 0; at <= stream.size(); at += step) {
            LineStage stage;
            stage.give(stream.substr(0, at));
            if (stage.user.state() != VirtualUser::State::closed) stage.give(stream.substr(at));
            EXPECT_EQ(stage.heard, decoded(stage.plan, stream)) << stream.substr(0, 80) << at;
        }
    }
}

TEST(WebSocketLine, APlainTextIsNotCopied) {
    LineStage stage;
    std::string bytes = frame(Opcode::text, std::string(200, 'a'));
    ASSERT_EQ(stage.line.feed(stage.user, bytes, stage.said, stage.context).event,
              WebSocketLine::Event::text);
    EXPECT_EQ(stage.line.text().data(), bytes.data() + 4);
}

}  // namespace
}  // namespace parley::load
