// What a well-behaved peer sends comes out as it was sent, however TCP cuts it; and the writing
// half.
#include "protocol/websocket_frame.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "protocol/websocket_events.hpp"

namespace parley::protocol {
namespace {

using namespace std::string_literals;
using test::client_config;
using test::decode_in_pieces;
using test::decode_whole;
using test::frame_bytes;
using test::SeenEvent;
using test::server_config;
using Event = WebSocketDecoder::Event;

struct RoleCase {
    const WebSocketDecoderConfig& config;
    bool masked;
};
const std::vector<RoleCase> both_roles{{server_config, true}, {client_config, false}};

// A stream of everything: text, binary, empty messages, fragments with control frames between,
// characters cut by fragments, every form of length, a close.
std::string mixed_stream(bool masked) {
    std::string stream;
    const auto add = [&](Opcode opcode, std::string payload, bool fin = true) {
        stream += frame_bytes({opcode, std::move(payload), fin}, masked);
    };
    add(Opcode::text, "hello");
    add(Opcode::text, "");
    add(Opcode::binary, "\x00\xFF\x80"s);
    add(Opcode::text, "gr\xC3", false);
    add(Opcode::ping, "are you there");
    add(Opcode::continuation, "\xBC\xC3\x9F", false);
    add(Opcode::pong, "");
    add(Opcode::continuation, " \xF0\x9F\x98\x80");
    add(Opcode::binary, "", false);
    add(Opcode::continuation, "", true);
    add(Opcode::text, std::string(126, 'a'));
    add(Opcode::ping, std::string(125, 'p'));
    add(Opcode::close, "\x03\xE8"s + "bye");
    add(Opcode::text, "said after the close, and so not heard");
    return stream;
}

std::vector<SeenEvent> mixed_events() {
    return {
        {Event::message, Opcode::text, "hello"},
        {Event::message, Opcode::text, ""},
        {Event::message, Opcode::binary, "\x00\xFF\x80"s},
        {Event::ping, Opcode::ping, "are you there"},
        {Event::pong, Opcode::pong, ""},
        {Event::message, Opcode::text, "gr\xC3\xBC\xC3\x9F \xF0\x9F\x98\x80"},
        {Event::message, Opcode::binary, ""},
        {Event::message, Opcode::text, std::string(126, 'a')},
        {Event::ping, Opcode::ping, std::string(125, 'p')},
        {Event::close, Opcode::close, "bye", 1000},
    };
}

TEST(WebSocketDecoder, DecodesAStreamTheSameAtEverySplitPoint) {
    for (const auto& [config, masked] : both_roles) {
        const std::string stream = mixed_stream(masked);
        for (std::size_t split = 1; split <= stream.size(); ++split) {
            std::size_t next = split;
            const auto events = decode_in_pieces(
                config, stream, [&next](std::size_t left) { return std::exchange(next, left); });
            ASSERT_EQ(events, mixed_events()) << "split at " << split;
        }
    }
}

TEST(WebSocketDecoder, DecodesAStreamTheSameInPiecesOfEverySize) {
    for (const auto& [config, masked] : both_roles) {
        const std::string stream = mixed_stream(masked);
        for (std::size_t size = 1; size < 140; ++size) {
            const auto events =
                decode_in_pieces(config, stream, [size](std::size_t) { return size; });
            ASSERT_EQ(events, mixed_events()) << "pieces of " << size;
        }
    }
}

TEST(WebSocketDecoder, IsNoBetterThanANewOneWhereItIsIdle) {
    for (const auto& [config, masked] : both_roles) {
        const std::string stream = mixed_stream(masked);
        for (std::size_t size = 1; size < 140; ++size) {
            const auto events = decode_in_pieces(
                config, stream, [size](std::size_t) { return size; }, test::Decoders::renewed);
            ASSERT_EQ(events, mixed_events()) << "pieces of " << size;
        }
    }
}

TEST(WebSocketDecoder, IsIdleBetweenMessagesAlone) {
    const std::string text = frame_bytes({Opcode::text, "hello"}, true);
    const std::string part = frame_bytes({Opcode::text, "hel", false}, true);
    WebSocketDecoder decoder(server_config);
    std::vector<SeenEvent> events;
    EXPECT_TRUE(decoder.idle());
    for (std::size_t split = 1; split < text.size(); ++split) {
        test::feed_piece(decoder, std::string_view(text).substr(0, split), events);
        EXPECT_FALSE(decoder.idle()) << split;
        test::feed_piece(decoder, std::string_view(text).substr(split), events);
        EXPECT_TRUE(decoder.idle()) << split;
    }
    test::feed_piece(decoder, part, events);
    EXPECT_FALSE(decoder.idle());
    test::feed_piece(decoder, frame_bytes({Opcode::continuation, "lo"}, true), events);
    EXPECT_TRUE(decoder.idle());
    test::feed_piece(decoder, frame_bytes({Opcode::close, ""}, true), events);
    EXPECT_FALSE(decoder.idle());
}

TEST(WebSocketDecoder, RoundTripsEveryLengthAroundTheBordersOfTheHeader) {
    for (const auto& [config, masked] : both_roles) {
        for (const std::size_t length : {0U, 1U, 7U, 125U, 126U, 127U, 65534U, 65535U, 65536U}) {
            std::string payload(length, '\0');
            for (std::size_t i = 0; i < length; ++i) payload[i] = static_cast<char>(i * 7);
            std::string stream;
            append_frame(stream, Opcode::binary, payload, false,
                         masked ? &test::test_mask : nullptr);
            EXPECT_EQ(decode_whole(config, stream),
                      (std::vector<SeenEvent>{{Event::message, Opcode::binary, payload}}));
            EXPECT_EQ(decode_in_pieces(config, stream, [](std::size_t) { return 1000; }),
                      (std::vector<SeenEvent>{{Event::message, Opcode::binary, payload}}));
        }
    }
}

// RFC 6455, 5.7, as printed there.
TEST(WebSocketDecoder, DecodesTheExamplesOfTheRfc) {
    const SeenEvent hello{Event::message, Opcode::text, "Hello"};
    EXPECT_EQ(decode_whole(client_config, "\x81\x05Hello"), std::vector{hello});
    EXPECT_EQ(decode_whole(server_config, "\x81\x85\x37\xFA\x21\x3D\x7F\x9F\x4D\x51\x58"),
              std::vector{hello});
    EXPECT_EQ(decode_whole(client_config, "\x01\x03Hel\x80\x02lo"s), std::vector{hello});
    EXPECT_EQ(decode_whole(client_config, "\x89\x05Hello"),
              (std::vector<SeenEvent>{{Event::ping, Opcode::ping, "Hello"}}));
    EXPECT_EQ(decode_whole(server_config, "\x8A\x85\x37\xFA\x21\x3D\x7F\x9F\x4D\x51\x58"),
              (std::vector<SeenEvent>{{Event::pong, Opcode::pong, "Hello"}}));
    const std::string bytes256(256, '\x11');
    EXPECT_EQ(decode_whole(client_config, "\x82\x7E\x01\x00"s + bytes256),
              (std::vector<SeenEvent>{{Event::message, Opcode::binary, bytes256}}));
    const std::string bytes65536(65536, '\x22');
    EXPECT_EQ(decode_whole(client_config, "\x82\x7F\x00\x00\x00\x00\x00\x01\x00\x00"s + bytes65536),
              (std::vector<SeenEvent>{{Event::message, Opcode::binary, bytes65536}}));
}

TEST(WebSocketDecoder, PointsIntoTheInputWhereTheMessageIsWhole) {
    std::string stream = frame_bytes({Opcode::text, "one"}) + frame_bytes({Opcode::ping, "two"}) +
                         frame_bytes({Opcode::binary, std::string(300, 'x')});
    WebSocketDecoder decoder(server_config);
    std::span<char> rest(stream);
    for (const std::size_t header : {6U, 6U, 8U}) {
        const auto step = decoder.feed(rest);
        ASSERT_NE(step.event, Event::need_more);
        EXPECT_EQ(decoder.payload().data(), rest.data() + header);
        EXPECT_FALSE(decoder.mid_message());
        rest = rest.subspan(step.consumed);
    }
    EXPECT_TRUE(rest.empty());
}

TEST(WebSocketDecoder, KnowsWhetherItIsInTheMiddleOfAMessage) {
    const std::string stream =
        frame_bytes({Opcode::text, "ab", false}) + frame_bytes({Opcode::continuation, "c"});
    WebSocketDecoder decoder(server_config);
    EXPECT_FALSE(decoder.mid_message());
    for (std::size_t i = 0; i < stream.size(); ++i) {
        char byte = stream[i];
        const auto step = decoder.feed({&byte, 1});
        const bool done = i + 1 == stream.size();
        EXPECT_EQ(step.event == Event::message, done) << i;
        EXPECT_EQ(decoder.mid_message(), !done) << i;
    }
}

TEST(WebSocketDecoder, KeepsItsPlaceWhenMoved) {
    std::string stream = frame_bytes({Opcode::text, "moved between two bytes"});
    WebSocketDecoder first(server_config);
    ASSERT_EQ(first.feed(std::span(stream).first(10)).event, Event::need_more);
    WebSocketDecoder second(std::move(first));
    ASSERT_EQ(second.feed(std::span(stream).subspan(10)).event, Event::message);
    WebSocketDecoder third(server_config);
    third = std::move(second);
    EXPECT_EQ(third.payload(), "moved between two bytes");
}

TEST(WebSocketDecoder, ReportsACloseWithoutACodeAs1005) {
    EXPECT_EQ(decode_whole(server_config, frame_bytes({Opcode::close, ""})),
              (std::vector<SeenEvent>{{Event::close, Opcode::close, "", 1005}}));
}

// ---- the writing half ------------------------------------------------------------------------

TEST(AppendFrameHeader, UsesTheShortestLength) {
    const auto header = [](std::uint64_t length) {
        std::string out;
        append_frame_header(out, Opcode::binary, length);
        return out;
    };
    EXPECT_EQ(header(0), "\x82\x00"s);
    EXPECT_EQ(header(125), "\x82\x7D"s);
    EXPECT_EQ(header(126), "\x82\x7E\x00\x7E"s);
    EXPECT_EQ(header(65535), "\x82\x7E\xFF\xFF"s);
    EXPECT_EQ(header(65536), "\x82\x7F\x00\x00\x00\x00\x00\x01\x00\x00"s);
    EXPECT_EQ(header(0x0102030405060708), "\x82\x7F\x01\x02\x03\x04\x05\x06\x07\x08"s);
}

TEST(AppendFrame, SetsTheBitsThatItWasAskedFor) {
    std::string out = "before";
    append_frame(out, Opcode::text, "Hello", true);
    EXPECT_EQ(out, "before\xC1\x05Hello"s);
    out.clear();
    append_frame(out, Opcode::text, "Hello", false, &test::test_mask);
    EXPECT_EQ(out, "\x81\x85\x37\xFA\x21\x3D\x7F\x9F\x4D\x51\x58");
    out.clear();
    append_frame_header(out, Opcode::text, 3, false);
    EXPECT_EQ(out, "\x01\x03"s);
}

TEST(AppendCloseFrame, RoundTripsEveryValidCodeAndNoOther) {
    for (unsigned code = 0; code <= 0xFFFF; ++code) {
        const auto wire_code = static_cast<std::uint16_t>(code);
        std::string out;
        append_close_frame(out, wire_code, "why", &test::test_mask);
        const auto events = decode_whole(server_config, out);
        ASSERT_EQ(events.size(), 1U);
        if (code == 1005) {
            EXPECT_EQ(events[0], (SeenEvent{Event::close, Opcode::close, "", 1005}));
        } else if (is_valid_close_code(wire_code)) {
            EXPECT_EQ(events[0], (SeenEvent{Event::close, Opcode::close, "why", wire_code}));
        } else {
            EXPECT_EQ(events[0].event, Event::failed) << code;
            EXPECT_EQ(events[0].code, 1002) << code;
        }
    }
}

TEST(AppendCloseFrame, CutsALongReasonBetweenTwoCharacters) {
    for (std::size_t ascii = 115; ascii <= 125; ++ascii) {
        const std::string reason = std::string(ascii, 'r') + "\xF0\x9F\x98\x80 and so on";
        std::string out;
        append_close_frame(out, 1001, reason);
        const auto events = decode_whole(client_config, out);
        ASSERT_EQ(events.size(), 1U);
        EXPECT_EQ(events[0].event, Event::close) << events[0].error;
        EXPECT_TRUE(reason.starts_with(events[0].payload));
        EXPECT_GE(events[0].payload.size(), 120U - (ascii > 120 ? 0 : 1));
        EXPECT_LE(events[0].payload.size(), 123U);
    }
}

TEST(IsValidCloseCode, FollowsTheRfcAndTheRegistry) {
    for (unsigned code = 0; code <= 0xFFFF; ++code) {
        const bool registered =
            (code >= 1000 && code <= 1014) && code != 1004 && code != 1005 && code != 1006;
        const bool valid = registered || (code >= 3000 && code < 5000);
        ASSERT_EQ(is_valid_close_code(static_cast<std::uint16_t>(code)), valid) << code;
    }
}

TEST(ApplyMask, IsTheBytewiseMaskAtEveryPhaseAndLength) {
    std::vector<std::size_t> lengths;
    for (std::size_t length = 0; length <= 64; ++length) lengths.push_back(length);
    for (const std::size_t length : {65U, 79U, 127U, 128U, 129U, 191U, 255U}) {
        lengths.push_back(length);
    }
    for (const std::size_t length : lengths) {
        for (unsigned phase = 0; phase < 4; ++phase) {
            for (std::size_t alignment = 0; alignment < 16; ++alignment) {
                std::string bytes(alignment + length + 1, '\x11');
                std::string expected = bytes;
                for (std::size_t i = 0; i < length; ++i) {
                    const std::uint8_t key = test::test_mask[(phase + i) % 4];
                    expected[alignment + i] = static_cast<char>(0x11 ^ key);
                }
                const auto part = std::span(bytes).subspan(alignment, length);
                ASSERT_EQ(apply_mask(part, test::test_mask, phase), (phase + length) % 4);
                ASSERT_EQ(bytes, expected) << length << " bytes, phase " << phase;
            }
        }
    }
}

}  // namespace
}  // namespace parley::protocol
