// RFC 7692's compression of messages: the codec alone, then within frames.
#include "protocol/deflate.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <utility>
#include <vector>

#include "protocol/websocket_events.hpp"

namespace parley::protocol {
namespace {

using namespace std::string_literals;
using test::decode_in_pieces;
using test::decode_whole;
using test::frame_bytes;
using test::SeenEvent;
using Event = WebSocketDecoder::Event;
using Status = Inflater::Status;

constexpr std::size_t plenty = 1U << 20;

std::string deflated(std::string_view message, int window_bits = 15) {
    std::string out;
    Deflater(window_bits).compress(out, message);
    return out;
}

std::pair<Status, std::string> inflated(std::string_view bytes, std::size_t out_bytes_max = plenty,
                                        int window_bits = 15) {
    Inflater inflater(window_bits);
    std::string out;
    Status status = inflater.feed(out, bytes, out_bytes_max);
    if (status == Status::ok) status = inflater.finish(out, out_bytes_max);
    return {status, out};
}

std::vector<std::string> sample_messages() {
    std::mt19937 random(7);
    std::string noise(70000, '\0');
    for (char& c : noise) c = static_cast<char>(random());
    std::string repeated;
    while (repeated.size() < 100000) repeated += "{\"type\":\"message\",\"room\":\"lobby\"}";
    return {"", "a", "Hello", std::string(3000, 'z'), repeated, noise, noise + repeated + noise};
}

TEST(Deflate, RoundTripsWithEveryWindow) {
    for (int bits = 9; bits <= 15; ++bits) {
        for (const std::string& message : sample_messages()) {
            const auto [status, out] = inflated(deflated(message, bits), plenty, bits);
            ASSERT_EQ(status, Status::ok);
            ASSERT_TRUE(out == message) << bits << " bits, " << message.size() << " bytes";
        }
    }
}

TEST(Deflate, RoundTripsManyMessagesWithAndWithoutContextTakeover) {
    for (const bool takeover : {false, true}) {
        Deflater deflater(15, 6, takeover);
        Inflater inflater(15, takeover);
        for (int round = 0; round < 3; ++round) {
            for (const std::string& message : sample_messages()) {
                std::string bytes;
                deflater.compress(bytes, message);
                std::string out = "kept: ";
                ASSERT_EQ(inflater.feed(out, bytes, plenty), Status::ok);
                ASSERT_EQ(inflater.finish(out, plenty), Status::ok);
                ASSERT_TRUE(out == "kept: " + message);
            }
        }
        // The window shows: what was just said needs but a reference.
        std::string first;
        std::string second;
        deflater.compress(first, "a sentence that has not been said before");
        deflater.compress(second, "a sentence that has not been said before");
        EXPECT_EQ(second.size() < first.size() / 2, takeover);
    }
}

TEST(Deflate, InflatesTheSameAtEverySplitPoint) {
    const std::string message = "Hello, Hello, Hello, gr\xC3\xBC\xC3\x9F" + std::string(500, 'x');
    const std::string bytes = deflated(message);
    for (std::size_t split = 0; split <= bytes.size(); ++split) {
        Inflater inflater(15);
        std::string out;
        ASSERT_EQ(inflater.feed(out, bytes.substr(0, split), plenty), Status::ok);
        ASSERT_EQ(inflater.feed(out, bytes.substr(split), plenty), Status::ok);
        ASSERT_EQ(inflater.finish(out, plenty), Status::ok);
        ASSERT_EQ(out, message) << split;
    }
}

TEST(Deflate, StopsABombAtTheBoundExactly) {
    const std::string bomb = deflated(std::string(1U << 22, '\0'));
    ASSERT_LT(bomb.size(), 8192U);
    for (const std::size_t bound : {0U, 1U, 255U, 256U, 257U, 65536U}) {
        const auto [status, out] = inflated(bomb, bound);
        EXPECT_EQ(status, Status::too_large);
        EXPECT_LE(out.size(), bound);
    }
    for (const std::size_t length : {1U, 255U, 256U, 257U, 1024U, 65536U}) {
        const std::string bytes = deflated(std::string(length, 'b'));
        EXPECT_EQ(inflated(bytes, length).first, Status::ok) << length;
        EXPECT_EQ(inflated(bytes, length - 1).first, Status::too_large) << length;
    }
}

TEST(Deflate, RefusesWhatIsNoDeflateOrStopsShort) {
    EXPECT_EQ(inflated("\xFF\xFF\xFF\xFF").first, Status::malformed);
    EXPECT_EQ(inflated("\x06").first, Status::malformed);  // BTYPE 11 is reserved
    const std::string bytes = deflated(std::string(300, 'x') + "Hello, Hello");
    EXPECT_EQ(inflated(bytes.substr(0, bytes.size() / 2)).first, Status::malformed);
}

TEST(Deflate, IsFitForANewMessageAfterABrokenOne) {
    Inflater inflater(15);
    std::string out;
    EXPECT_EQ(inflater.feed(out, "\xFF\xFF", plenty), Status::malformed);
    EXPECT_NE(inflater.finish(out, plenty), Status::ok);
    out.clear();
    ASSERT_EQ(inflater.feed(out, deflated("again"), plenty), Status::ok);
    ASSERT_EQ(inflater.finish(out, plenty), Status::ok);
    EXPECT_EQ(out, "again");
}

TEST(Deflate, RefusesWindowsThatZlibHasNot) {
    EXPECT_THROW(Deflater(8), std::invalid_argument);
    EXPECT_THROW(Deflater(16), std::invalid_argument);
    EXPECT_THROW(Inflater(16), std::invalid_argument);
    EXPECT_NO_THROW(Inflater(8));
}

// RFC 7692, 7.2.3, as printed there.
TEST(Deflate, KnowsTheExamplesOfTheRfc) {
    const std::string hello = "\xF2\x48\xCD\xC9\xC9\x07\x00"s;
    EXPECT_EQ(deflated("Hello"), hello);
    EXPECT_EQ(deflated(""), "\0"s);
    const std::pair ok{Status::ok, "Hello"s};
    EXPECT_EQ(inflated(hello), ok);
    EXPECT_EQ(inflated("\x00\x05\x00\xFA\xFF\x48\x65\x6C\x6C\x6F\x00"s), ok);  // no compression
    EXPECT_EQ(inflated("\xF3\x48\xCD\xC9\xC9\x07\x00\x00"s), ok);              // BFINAL
    EXPECT_EQ(inflated("\xF3\x48\xCD\xC9\xC9\x07\x00"s), ok);                  // and nothing after
    EXPECT_EQ(inflated("\xF2\x48\x05\x00\x00\x00\xFF\xFF\xCA\xC9\xC9\x07\x00"s), ok);  // two blocks
    EXPECT_EQ(inflated("\0"s), (std::pair{Status::ok, ""s}));
    EXPECT_EQ(inflated(""), (std::pair{Status::ok, ""s}));
    // Sharing the window: the second Hello is shorter.
    Inflater inflater(15, true);
    for (const std::string& bytes : {hello, "\xF2\x00\x11\x00\x00"s}) {
        std::string out;
        ASSERT_EQ(inflater.feed(out, bytes, plenty), Status::ok);
        ASSERT_EQ(inflater.finish(out, plenty), Status::ok);
        EXPECT_EQ(out, "Hello");
    }
}

// ---- within frames ---------------------------------------------------------------------------

constexpr WebSocketDecoderConfig deflate_config{.deflate = true};

std::string compressed_frame(std::string_view message, Opcode opcode = Opcode::text) {
    return frame_bytes({opcode, deflated(message), true, true});
}

TEST(WebSocketDecoder, InflatesMessagesTheSameAtEverySplitPoint) {
    const std::string text = "gr\xC3\xBC\xC3\x9F " + std::string(400, 'x') + " \xF0\x9F\x98\x80";
    const std::string bytes = deflated(text);
    std::string stream = compressed_frame("Hello");
    stream += frame_bytes({Opcode::text, bytes.substr(0, 5), false, true});
    stream += frame_bytes({Opcode::ping, "between"});
    stream += frame_bytes({Opcode::continuation, bytes.substr(5, 3), false});
    stream += frame_bytes({Opcode::continuation, bytes.substr(8)});
    stream += frame_bytes({Opcode::text, "not compressed"});
    stream += compressed_frame("", Opcode::binary);
    stream += frame_bytes({Opcode::text, "", true, true});
    const std::vector<SeenEvent> expected{
        {Event::message, Opcode::text, "Hello"}, {Event::ping, Opcode::ping, "between"},
        {Event::message, Opcode::text, text},    {Event::message, Opcode::text, "not compressed"},
        {Event::message, Opcode::binary, ""},    {Event::message, Opcode::text, ""},
    };
    for (std::size_t split = 1; split <= stream.size(); ++split) {
        std::size_t next = split;
        ASSERT_EQ(decode_in_pieces(deflate_config, stream,
                                   [&next](std::size_t left) { return std::exchange(next, left); }),
                  expected)
            << split;
        ASSERT_EQ(decode_in_pieces(deflate_config, stream, [split](std::size_t) { return split; }),
                  expected)
            << split;
    }
}

TEST(WebSocketDecoder, InflatesWithTheWindowOfEarlierMessages) {
    const WebSocketDecoderConfig config{.deflate = true, .inflate_context_takeover = true};
    Deflater deflater(15, 6, true);
    std::string stream;
    std::vector<SeenEvent> expected;
    for (int i = 0; i < 20; ++i) {
        const std::string message = "the same words again and again, " + std::to_string(i);
        std::string bytes;
        deflater.compress(bytes, message);
        stream += frame_bytes({Opcode::text, bytes, true, true});
        stream += frame_bytes({Opcode::text, "bare"});
        expected.push_back({Event::message, Opcode::text, message});
        expected.push_back({Event::message, Opcode::text, "bare"});
    }
    for (std::size_t size = 1; size <= stream.size(); size = size * 2 + 1) {
        EXPECT_EQ(decode_in_pieces(config, stream, [size](std::size_t) { return size; }), expected);
    }
    EXPECT_EQ(decode_whole(deflate_config, stream).back().event, Event::failed);
}

TEST(WebSocketDecoder, InflatesWithEveryWindow) {
    const std::string message(5000, 'w');
    for (int bits = 8; bits <= 15; ++bits) {
        const WebSocketDecoderConfig config{.deflate = true, .inflate_window_bits = bits};
        const std::string bytes = deflated(message, std::max(bits, 9));
        EXPECT_EQ(decode_whole(config, frame_bytes({Opcode::binary, bytes, true, true})),
                  (std::vector<SeenEvent>{{Event::message, Opcode::binary, message}}));
    }
}

std::uint16_t failure(const WebSocketDecoderConfig& config, std::string_view stream) {
    const auto events = decode_whole(config, stream);
    EXPECT_EQ(decode_in_pieces(config, stream, [](std::size_t) { return 1; }), events);
    return !events.empty() && events.back().event == Event::failed ? events.back().code : 0;
}

TEST(WebSocketDecoder, RefusesBombsMalformedDeflateAndInflatedTextThatIsNotUtf8) {
    EXPECT_EQ(failure(deflate_config, compressed_frame(std::string(65536, 'a'))), 0);
    EXPECT_EQ(failure(deflate_config, compressed_frame(std::string(65537, 'a'))), 1009);
    EXPECT_EQ(failure(deflate_config, compressed_frame(std::string(1U << 22, 'a'))), 1009);
    EXPECT_EQ(failure(deflate_config, frame_bytes({Opcode::text, "\xFF\xFF", true, true})), 1007);
    EXPECT_EQ(failure(deflate_config, frame_bytes({Opcode::text, "\xF2\x48", true, true})), 1007);
    EXPECT_EQ(failure(deflate_config, compressed_frame("not \xC3( UTF-8")), 1007);
    EXPECT_EQ(failure(deflate_config, compressed_frame("cut \xE2\x82")), 1007);
    EXPECT_EQ(failure(deflate_config, compressed_frame("not \xC3( UTF-8", Opcode::binary)), 0);
}

TEST(WebSocketDecoder, RefusesRsv1WhereNoMessageBegins) {
    EXPECT_EQ(failure(deflate_config, frame_bytes({Opcode::ping, "p", true, true})), 1002);
    EXPECT_EQ(failure(deflate_config, frame_bytes({Opcode::text, "a", false}) +
                                          frame_bytes({Opcode::continuation, "b", true, true})),
              1002);
    EXPECT_EQ(failure({.deflate = false}, compressed_frame("Hello")), 1002);
}

}  // namespace
}  // namespace parley::protocol
