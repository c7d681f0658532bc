#include "protocol/engineio.hpp"

#include <gtest/gtest.h>

#include <random>
#include <tuple>
#include <vector>

namespace parley::protocol {
namespace {

using Step = EnginePayload::Step;

struct Owned {
    EngineType type = EngineType::message;
    bool binary = false;
    std::string data;
    friend bool operator==(const Owned&, const Owned&) = default;
};

// Every packet of a body; nothing where it is broken.
std::optional<std::vector<Owned>> packets_of(std::string body) {
    EnginePayload payload(body);
    std::vector<Owned> packets;
    for (EnginePacket packet;;) {
        switch (payload.next(packet)) {
            case Step::packet:
                packets.push_back({packet.type, packet.binary, std::string(packet.data)});
                break;
            case Step::end:
                return packets;
            case Step::broken:
                return std::nullopt;
        }
    }
}

std::string body_of(const std::vector<Owned>& packets) {
    std::string body;
    for (const Owned& packet : packets) {
        if (packet.binary) {
            append_engine_binary_record(body, packet.data);
        } else {
            append_engine_record(body, packet.type, packet.data);
        }
    }
    return body;
}

Owned message(std::string data) {
    return {EngineType::message, false, std::move(data)};
}
Owned binary(std::string data) {
    return {EngineType::message, true, std::move(data)};
}

TEST(EnginePacket, IsATypeAndWhatFollows) {
    for (int type = 0; type <= 6; ++type) {
        const std::string text = std::to_string(type) + "probe";
        const auto packet = decode_engine_packet(text);
        ASSERT_TRUE(packet) << text;
        EXPECT_EQ(static_cast<int>(packet->type), type);
        EXPECT_FALSE(packet->binary);
        EXPECT_EQ(packet->data, "probe");
    }
    EXPECT_EQ(decode_engine_packet("4")->data, "");
}

TEST(EnginePacket, IsRefusedWithAnyOtherFirstByte) {
    EXPECT_FALSE(decode_engine_packet(""));
    for (int byte = 0; byte < 256; ++byte) {
        const std::string text{static_cast<char>(byte), 'x'};
        EXPECT_EQ(decode_engine_packet(text).has_value(), byte >= '0' && byte <= '6') << byte;
    }
}

TEST(EnginePayload, SplitsAndJoinsAsTheProtocolShows) {
    const std::vector<std::pair<std::string, std::vector<Owned>>> vectors{
        {"4hello", {message("hello")}},
        {"4test1\x1e"
         "4test2\x1e"
         "4test3",
         {message("test1"), message("test2"), message("test3")}},
        {"bAQIDBA==", {binary("\x01\x02\x03\x04")}},
        {"4\x1e"
         "2\x1e"
         "b\x1e"
         "bYQ==\x1e"
         "bYWI=\x1e"
         "bYWJj\x1e"
         "1",
         {message(""),
          {EngineType::ping, false, ""},
          binary(""),
          binary("a"),
          binary("ab"),
          binary("abc"),
          {EngineType::close, false, ""}}},
        {"4\xE2\x82\xAC", {message("\xE2\x82\xAC")}},
    };
    for (const auto& [body, packets] : vectors) {
        EXPECT_EQ(packets_of(body), packets) << body;
        EXPECT_EQ(body_of(packets), body);
    }
}

TEST(EnginePayload, RefusesWhatIsNoRecord) {
    for (const std::string_view body : {"", "abc", "\x1e", "4a\x1e",
                                        "\x1e"
                                        "4a",
                                        "4a\x1e\x1e"
                                        "4b",
                                        "4a\x1e"
                                        "7",
                                        "/", "B", "4\xFF", "4\xC3", "4\xED\xA0\x80"}) {
        EXPECT_FALSE(packets_of(std::string(body))) << body;
    }
}

TEST(EnginePayload, RefusesBase64ThatNoEncoderWrites) {
    for (const std::string_view body :
         {"bA",    "bAQ",   "bAQI",      "bAQ=",   "bAQ===",        "b=",         "b==",
          "b====", "bA===", "bAQ==AQ==", "bAQID ", "b AQID",        "bAQ\nID",    "bAQ=D",
          "bAQ-_", "bAQ*D", "bAR==",     "bAQJ=",  "bAQID\xC3\xA9", "bAQIDBA==\n"}) {
        EXPECT_FALSE(packets_of(std::string(body))) << body;
    }
}

TEST(EnginePayload, TellsWhatIsLeft) {
    std::string body =
        "4a\x1e"
        "4bc";
    EnginePayload payload(body);
    EnginePacket packet;
    EXPECT_EQ(payload.rest().size(), body.size());
    ASSERT_EQ(payload.next(packet), Step::packet);
    EXPECT_EQ(std::string(payload.rest().begin(), payload.rest().end()), "4bc");
    ASSERT_EQ(payload.next(packet), Step::packet);
    EXPECT_TRUE(payload.rest().empty());
    EXPECT_EQ(payload.next(packet), Step::end);
    EXPECT_EQ(payload.next(packet), Step::end);
}

// Around the pieces in which base64 is handed to the library, and every rest by three.
TEST(EnginePayload, CarriesBytesOfEverySize) {
    std::string bytes;
    for (std::size_t i = 0; i < 10'000; ++i) bytes += static_cast<char>(i * 31 + i / 251);
    for (std::size_t size = 0; size < bytes.size(); size += size < 40 ? 1 : 37) {
        const std::vector<Owned> packets{binary(bytes.substr(0, size)), message("x")};
        ASSERT_EQ(packets_of(body_of(packets)), packets) << size;
    }
    for (const std::size_t size : {3071U, 3072U, 3073U, 6143U, 6144U, 6145U}) {
        const std::vector<Owned> packets{binary(bytes.substr(0, size))};
        ASSERT_EQ(packets_of(body_of(packets)), packets) << size;
    }
}

std::vector<Owned> random_packets(std::mt19937_64& random) {
    std::vector<Owned> packets(1 + random() % 5);
    for (Owned& packet : packets) {
        packet.binary = random() % 2 == 0;
        packet.type = packet.binary ? EngineType::message : static_cast<EngineType>(random() % 7);
        for (auto left = random() % 40; left > 0; --left) {
            packet.data += static_cast<char>(packet.binary ? random() % 256 : ' ' + random() % 95);
        }
    }
    return packets;
}

TEST(EnginePayload, DecodesWhateverItEncodes) {
    std::mt19937_64 random(1);
    for (int round = 0; round < 2'000; ++round) {
        const auto packets = random_packets(random);
        ASSERT_EQ(packets_of(body_of(packets)), packets) << body_of(packets);
    }
}

// Every truncation and every change of one byte is refused, or is another body that is written the
// way it was read.
TEST(EnginePayload, ReadsOneMeaningOrNone) {
    const std::string body = body_of({message("ab"),
                                      binary("xyz"),
                                      binary("q"),
                                      message("\xC3\xA9"),
                                      {EngineType::pong, false, "probe"}});
    for (std::size_t size = 0; size <= body.size(); ++size) {
        if (const auto packets = packets_of(body.substr(0, size))) {
            EXPECT_EQ(body_of(*packets), body.substr(0, size));
        }
    }
    for (std::size_t at = 0; at < body.size(); ++at) {
        for (int byte = 0; byte < 256; ++byte) {
            std::string changed = body;
            changed[at] = static_cast<char>(byte);
            const auto packets = packets_of(changed);
            ASSERT_TRUE(!packets || body_of(*packets) == changed) << changed;
        }
    }
}

TEST(EngineOpen, HasExactlyTheFiveKeys) {
    std::string json;
    append_engine_open(json, {"lv_VI97HAXpY6yYWAAAB", true, 300, 200, 1'000'000});
    EXPECT_EQ(json, R"({"sid":"lv_VI97HAXpY6yYWAAAB","upgrades":["websocket"],"pingInterval":300,)"
                    R"("pingTimeout":200,"maxPayload":1000000})");
    json.clear();
    append_engine_open(json, {"x", false, 25'000, 20'000, 1});
    EXPECT_EQ(
        json,
        R"({"sid":"x","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1})");
}

TEST(EngineOpen, IsReadBack) {
    for (const bool upgrades : {true, false}) {
        std::string json;
        append_engine_open(json, {"abc", upgrades, 1, 2, 3});
        const auto open = decode_engine_open(json);
        ASSERT_TRUE(open);
        EXPECT_EQ(open->sid, "abc");
        EXPECT_EQ(open->upgrades, upgrades);
        EXPECT_EQ(std::tuple(open->ping_interval_ms, open->ping_timeout_ms, open->max_payload),
                  std::tuple(1U, 2U, 3U));
        // Cut anywhere it is none.
        for (std::size_t size = 0; size < json.size(); ++size) {
            EXPECT_FALSE(decode_engine_open(std::string_view(json).substr(0, size)));
        }
    }
    for (const std::string_view json :
         {R"({"sid":1,"upgrades":[],"pingInterval":1,"pingTimeout":2,"maxPayload":3})",
          R"({"sid":"a","upgrades":{},"pingInterval":1,"pingTimeout":2,"maxPayload":3})",
          R"({"sid":"a","upgrades":[],"pingInterval":-1,"pingTimeout":2,"maxPayload":3})",
          R"({"sid":"a","upgrades":[],"pingInterval":1.5,"pingTimeout":2,"maxPayload":3})",
          R"({"sid":"a","upgrades":[],"pingInterval":1,"maxPayload":3})", "[]"}) {
        EXPECT_FALSE(decode_engine_open(json)) << json;
    }
}

}  // namespace
}  // namespace parley::protocol
