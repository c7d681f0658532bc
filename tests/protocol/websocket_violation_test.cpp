// Every breach of RFC 6455 and of the limits ends the connection with its own close code, at the
// same byte however the stream was cut.
#include <gtest/gtest.h>

#include <optional>
#include <string>
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

// The code that a stream fails with, whole and byte by byte alike; 0 where it doesn't.
std::uint16_t failure(const WebSocketDecoderConfig& config, std::string_view stream) {
    const auto whole = decode_whole(config, stream);
    EXPECT_EQ(decode_in_pieces(config, stream, [](std::size_t) { return 1; }), whole);
    if (whole.empty() || whole.back().event != Event::failed) return 0;
    EXPECT_FALSE(whole.back().error.empty());
    return whole.back().code;
}

// How many bytes a decoder takes, fed one by one, before it fails.
std::optional<std::size_t> fails_at(const WebSocketDecoderConfig& config, std::string stream) {
    WebSocketDecoder decoder(config);
    for (std::size_t i = 0; i < stream.size(); ++i) {
        if (decoder.feed(std::span(stream).subspan(i, 1)).event == Event::failed) return i;
    }
    return std::nullopt;
}

TEST(WebSocketDecoder, RefusesFramesThatAreMaskedTheWrongWay) {
    EXPECT_EQ(failure(server_config, frame_bytes({Opcode::text, "a"}, false)), 1002);
    EXPECT_EQ(failure(client_config, frame_bytes({Opcode::text, "a"}, true)), 1002);
    EXPECT_EQ(failure(server_config, frame_bytes({Opcode::ping, ""}, false)), 1002);
}

TEST(WebSocketDecoder, JudgesEveryFirstByte) {
    for (const bool deflate : {false, true}) {
        const WebSocketDecoderConfig config{.role = WebSocketRole::client, .deflate = deflate};
        for (unsigned first = 0; first <= 0xFF; ++first) {
            const unsigned opcode = first & 0x0F;
            const bool fin = (first & 0x80) != 0;
            const bool rsv1_fits = (first & 0x40) == 0 || (deflate && (opcode == 1 || opcode == 2));
            const bool known = opcode == 1 || opcode == 2 || (opcode >= 8 && opcode <= 10);
            const bool whole = fin || opcode < 8;
            const bool fine = (first & 0x30) == 0 && rsv1_fits && known && whole;
            const std::string stream{static_cast<char>(first), '\0'};
            EXPECT_EQ(failure(config, stream), fine ? 0 : 1002) << first;
        }
    }
}

TEST(WebSocketDecoder, RefusesContinuationsOfNothingAndMessagesWithinMessages) {
    EXPECT_EQ(failure(server_config, frame_bytes({Opcode::continuation, "a"})), 1002);
    EXPECT_EQ(failure(server_config,
                      frame_bytes({Opcode::text, "a"}) + frame_bytes({Opcode::continuation, "b"})),
              1002);
    EXPECT_EQ(failure(server_config,
                      frame_bytes({Opcode::text, "a", false}) + frame_bytes({Opcode::text, "b"})),
              1002);
    EXPECT_EQ(failure(server_config, frame_bytes({Opcode::binary, "a", false}) +
                                         frame_bytes({Opcode::continuation, "b"}) +
                                         frame_bytes({Opcode::continuation, "c"})),
              1002);
}

TEST(WebSocketDecoder, RefusesLongControlFrames) {
    for (const Opcode opcode : {Opcode::close, Opcode::ping, Opcode::pong}) {
        EXPECT_EQ(failure(server_config, frame_bytes({opcode, std::string(126, 'a')})), 1002);
        EXPECT_EQ(failure(server_config, frame_bytes({opcode, std::string(65536, 'a')})), 1002);
    }
}

TEST(WebSocketDecoder, RefusesLengthsThatAreNotInTheirShortestForm) {
    EXPECT_EQ(failure(client_config, "\x82\x7E\x00\x7D"s), 1002);
    EXPECT_EQ(failure(client_config, "\x82\x7E\x00\x00"s), 1002);
    EXPECT_EQ(failure(client_config, "\x82\x7F\x00\x00\x00\x00\x00\x00\xFF\xFF"s), 1002);
    EXPECT_EQ(failure(client_config, "\x82\x7F\x80\x00\x00\x00\x00\x01\x00\x00"s), 1002);
    EXPECT_EQ(failure(client_config, "\x82\x7F\x00\x00\x00\x00\x00\x01\x00\x01"s), 1009);
}

TEST(WebSocketDecoder, RefusesMalformedCloseFrames) {
    EXPECT_EQ(failure(server_config, frame_bytes({Opcode::close, "\x03"})), 1002);
    EXPECT_EQ(failure(server_config, frame_bytes({Opcode::close, "\x03\xEE"})), 1002);
    EXPECT_EQ(failure(server_config, frame_bytes({Opcode::close, "\x03\xE8\xC3("})), 1007);
    EXPECT_EQ(failure(server_config, frame_bytes({Opcode::close, "\x03\xE8\xC3"})), 1007);
}

TEST(WebSocketDecoder, RefusesTextThatIsNotUtf8AtItsBadByte) {
    const std::string text = "ab\xED\xA0\x80 and much more";
    const std::size_t bad = 6 + 3;  // behind the header
    EXPECT_EQ(failure(server_config, frame_bytes({Opcode::text, text})), 1007);
    EXPECT_EQ(fails_at(server_config, frame_bytes({Opcode::text, text})), bad);
    // Fragmented within the bad sequence: the byte comes behind the second header.
    const std::string fragments = frame_bytes({Opcode::text, text.substr(0, 3), false}) +
                                  frame_bytes({Opcode::continuation, text.substr(3)});
    EXPECT_EQ(failure(server_config, fragments), 1007);
    EXPECT_EQ(fails_at(server_config, fragments), bad + 6);
    // A text may not end within a character, and binary may be anything.
    EXPECT_EQ(failure(server_config, frame_bytes({Opcode::text, "ab\xE2\x82"})), 1007);
    EXPECT_EQ(failure(server_config, frame_bytes({Opcode::text, "ab\xE2", false}) +
                                         frame_bytes({Opcode::continuation, ""})),
              1007);
    EXPECT_EQ(failure(server_config, frame_bytes({Opcode::binary, text})), 0);
}

TEST(WebSocketDecoder, RefusesABigFrameByItsHeaderAlone) {
    const WebSocketDecoderConfig config{.message_bytes_max = 1000, .frame_bytes_max = 100};
    const std::string fits = frame_bytes({Opcode::binary, std::string(100, 'a')});
    EXPECT_EQ(failure(config, fits), 0);
    std::string header;
    append_frame_header(header, Opcode::binary, 101, true, false, &test::test_mask);
    EXPECT_EQ(failure(config, header), 1009);
}

TEST(WebSocketDecoder, RefusesABigMessageByTheHeaderThatMakesItBig) {
    const WebSocketDecoderConfig config{.message_bytes_max = 100, .frame_bytes_max = 1000};
    const std::string begin = frame_bytes({Opcode::binary, std::string(60, 'a'), false});
    EXPECT_EQ(failure(config, begin + frame_bytes({Opcode::continuation, std::string(40, 'a')})),
              0);
    std::string header;
    append_frame_header(header, Opcode::continuation, 41, true, false, &test::test_mask);
    EXPECT_EQ(failure(config, begin + header), 1009);
    std::string whole;
    append_frame_header(whole, Opcode::text, 101, true, false, &test::test_mask);
    EXPECT_EQ(failure(config, whole), 1009);
}

TEST(WebSocketDecoder, RefusesTooManyFragmentsButNotTooManyControlFrames) {
    const WebSocketDecoderConfig config{.fragments_max = 3};
    const std::string ping = frame_bytes({Opcode::ping, "p"});
    std::string stream = frame_bytes({Opcode::text, "", false}) + ping + ping + ping + ping +
                         frame_bytes({Opcode::continuation, "", false}) + ping;
    EXPECT_EQ(failure(config, stream + frame_bytes({Opcode::continuation, "c"})), 0);
    stream += frame_bytes({Opcode::continuation, "", false});
    EXPECT_EQ(failure(config, stream), 0);
    EXPECT_EQ(failure(config, stream + frame_bytes({Opcode::continuation, ""})), 1008);
}

TEST(WebSocketDecoder, StaysFailed) {
    WebSocketDecoder decoder(server_config);
    std::string bare = frame_bytes({Opcode::text, "a"}, false);
    ASSERT_EQ(decoder.feed(bare).event, Event::failed);
    std::string good = frame_bytes({Opcode::text, "a"});
    const auto step = decoder.feed(good);
    EXPECT_EQ(step.event, Event::failed);
    EXPECT_EQ(step.consumed, good.size());
    EXPECT_EQ(decoder.close_code(), 1002);
    EXPECT_TRUE(decoder.payload().empty());
    EXPECT_FALSE(decoder.mid_message());
}

}  // namespace
}  // namespace parley::protocol
