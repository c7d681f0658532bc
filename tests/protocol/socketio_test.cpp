#include "protocol/socketio.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace parley::protocol {
namespace {

using testing::HasSubstr;

constexpr std::uint32_t attachments_max = 10;

std::string encoded(const SocketPacket& packet) {
    std::string text;
    append_socket_packet(text, packet);
    return text;
}

void expect_same(const SocketPacket& left, const SocketPacket& right) {
    EXPECT_EQ(left.type, right.type);
    EXPECT_EQ(left.attachments, right.attachments);
    EXPECT_EQ(left.name_space, right.name_space);
    EXPECT_EQ(left.id, right.id);
    EXPECT_EQ(left.json, right.json);
}

std::string refusal_of(std::string_view text) {
    const auto decoded = decode_socket_packet(text, attachments_max);
    return decoded ? "accepted" : decoded.error();
}

TEST(SocketPacket, IsReadAndWrittenAsTheProtocolShows) {
    const std::vector<std::pair<std::string_view, SocketPacket>> vectors{
        {"0", {SocketType::connect}},
        {R"(0{"token":"123"})", {SocketType::connect, 0, "/", {}, R"({"token":"123"})"}},
        {R"(0/admin,{"sid":"oSO0OpakMV_3jnilAAAA"})",
         {SocketType::connect, 0, "/admin", {}, R"({"sid":"oSO0OpakMV_3jnilAAAA"})"}},
        {R"(4/random,{"message":"Invalid namespace"})",
         {SocketType::connect_error, 0, "/random", {}, R"({"message":"Invalid namespace"})"}},
        {R"(4"Not authorized")", {SocketType::connect_error, 0, "/", {}, R"("Not authorized")"}},
        {"1", {SocketType::disconnect}},
        {"1/admin,", {SocketType::disconnect, 0, "/admin"}},
        {R"(2["foo"])", {SocketType::event, 0, "/", {}, R"(["foo"])"}},
        {R"(2/admin,["bar"])", {SocketType::event, 0, "/admin", {}, R"(["bar"])"}},
        {R"(212["foo"])", {SocketType::event, 0, "/", 12, R"(["foo"])"}},
        {R"(2[7,{}])", {SocketType::event, 0, "/", {}, "[7,{}]"}},
        {R"(29007199254740991["foo"])", {SocketType::event, 0, "/", socket_id_max, R"(["foo"])"}},
        {R"(3/admin,13["bar"])", {SocketType::ack, 0, "/admin", 13, R"(["bar"])"}},
        {R"(3456[1,"2",{"3":[false]}])",
         {SocketType::ack, 0, "/", 456, R"([1,"2",{"3":[false]}])"}},
        {"30[]", {SocketType::ack, 0, "/", 0, "[]"}},
        {R"(51-["baz",{"_placeholder":true,"num":0}])",
         {SocketType::binary_event, 1, "/", {}, R"(["baz",{"_placeholder":true,"num":0}])"}},
        {R"(52-/admin,3["baz",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}])",
         {SocketType::binary_event, 2, "/admin", 3,
          R"(["baz",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}])"}},
        {R"(50-["nothing"])", {SocketType::binary_event, 0, "/", {}, R"(["nothing"])"}},
        {R"(61-15["bar",{"_placeholder":true,"num":0}])",
         {SocketType::binary_ack, 1, "/", 15, R"(["bar",{"_placeholder":true,"num":0}])"}},
    };
    for (const auto& [text, packet] : vectors) {
        SCOPED_TRACE(text);
        const auto decoded = decode_socket_packet(text, attachments_max);
        ASSERT_TRUE(decoded) << decoded.error();
        expect_same(*decoded, packet);
        EXPECT_EQ(encoded(packet), text);
    }
}

TEST(SocketPacket, IsReadInTheFormsThatClientsWriteToo) {
    const std::vector<std::pair<std::string_view, std::string_view>> vectors{
        {"0/custom", "0/custom,"},
        {"0/,", "0"},
        {"0/,{}", "0{}"},
        {"0/custom?token=abc,{}", "0/custom,{}"},
        {"1/custom", "1/custom,"},
        {R"(2 [ "a" , 1 ] )", R"(2[ "a" , 1 ])"},
        {"0/caf\xC3\xA9", "0/caf\xC3\xA9,"},
    };
    for (const auto& [text, canonical] : vectors) {
        const auto decoded = decode_socket_packet(text, attachments_max);
        ASSERT_TRUE(decoded) << text << ": " << decoded.error();
        EXPECT_EQ(encoded(*decoded), canonical);
    }
}

TEST(SocketPacket, RefusesSayingWhatIsWrong) {
    const std::string deep = "2[\"a\"," + std::string(40, '[') + std::string(40, ']') + "]";
    const std::string long_name = "0/" + std::string(namespace_bytes_max, 'n');
    const std::vector<std::pair<std::string_view, std::string_view>> vectors{
        {"", "begins with its type"},
        {"abc", "begins with its type"},
        {"7", "begins with its type"},
        {"0null", "CONNECT carries an object"},
        {"0[]", "CONNECT carries an object"},
        {"0\"a\"", "CONNECT carries an object"},
        {"05{}", "only an event and an acknowledgement have an id"},
        {"0{}x", "JSON: something follows"},
        {"0{", "JSON: it ends too early"},
        {"1{}", "DISCONNECT carries nothing"},
        {"11", "only an event"},
        {"4", "CONNECT_ERROR carries"},
        {"4[1]", "CONNECT_ERROR carries"},
        {"2", "an event carries an array"},
        {"2{}", "an event carries an array"},
        {"2abc[\"a\"]", "JSON: "},
        {"2[]", "begins with its name"},
        {"2[null]", "begins with its name"},
        {"2[{}]", "begins with its name"},
        {"2[[\"a\"]]", "begins with its name"},
        {"2[true]", "begins with its name"},
        {"2[\"a\"", "JSON: it ends too early"},
        {"2[\"a\x1e\"]", "JSON: "},
        {"2[\"a\xFF\"]", "JSON: "},
        {"2[\"connect\"]", "'connect' is reserved"},
        {R"(2["\u0063onnect"])", "'connect' is reserved"},
        {"2[\"connect_error\"]", "reserved"},
        {"2[\"disconnect\"]", "reserved"},
        {"2[\"disconnecting\"]", "reserved"},
        {"2[\"newListener\"]", "reserved"},
        {"50-[\"removeListener\"]", "reserved"},
        {"29007199254740992[\"a\"]", "an id must be a number below 2^53"},
        {"299999999999999999999999999999[\"a\"]", "an id must be a number below 2^53"},
        {"201[\"a\"]", "an id must be"},
        {"2-1[\"a\"]", "JSON: "},
        {"21.5[\"a\"]", "JSON: "},
        {"3[1]", "needs the id"},
        {"3/a,[1]", "needs the id"},
        {"31", "an acknowledgement carries an array"},
        {"31{}", "an acknowledgement carries an array"},
        {"5[\"a\"]", "how many attachments follow, 0 to 10"},
        {"5-[\"a\"]", "how many attachments"},
        {"51[\"a\"]", "how many attachments"},
        {"511-[\"a\"]", "how many attachments"},
        {"501-[\"a\"]", "how many attachments"},
        {"5-1-[\"a\"]", "how many attachments"},
        {"51.0-[\"a\"]", "how many attachments"},
        {"599999999999999999999999-[\"a\"]", "how many attachments"},
        {"61-[1]", "needs the id"},
        {"0/a\x1e,", "control characters"},
        {"0/\xFF", "UTF-8"},
        {long_name, "more than 128 bytes"},
        {deep, "nesting deeper than 32"},
    };
    for (const auto& [text, reason] : vectors) {
        EXPECT_THAT(refusal_of(text), HasSubstr(reason)) << text;
    }
}

TEST(SocketPacket, HoldsPlaceholdersToItsAttachments) {
    const auto with = [](std::string_view object) {
        return "52-[\"a\",{\"deep\":[1,{\"x\\\"}\":" + std::string(object) + "}]}]";
    };
    for (const std::string_view good :
         {R"({"_placeholder":true,"num":0})", R"({"num":1,"_placeholder":true})",
          R"({"_placeholder" : true , "num" : 1 })", R"({"_placeholder":false,"num":9})",
          R"({"_placeholder":true,"_placeholder":false,"num":9})", R"({"_placeholder":1,"num":-1})",
          R"({"_placeholder":"true","num":9})", R"({"num":9})", R"("_placeholder")",
          R"({"_placeholder":true,"num":9,"num":1})", R"({"x":"_placeholder","num":9})",
          R"({"\u005fplaceholder":true,"num":1})", R"({"__proto__":{"_placeholder":false}})"}) {
        EXPECT_EQ(refusal_of(with(good)), "accepted") << good;
    }
    for (const std::string_view bad :
         {R"({"_placeholder":true,"num":2})",
          R"({"_placeholder":true,"num":-1})",
          R"({"_placeholder":true,"num":-0})",
          R"({"_placeholder":true,"num":0.5})",
          R"({"_placeholder":true,"num":1.0})",
          R"({"_placeholder":true,"num":1e0})",
          R"({"_placeholder":true,"num":"0"})",
          R"({"_placeholder":true,"num":"splice"})",
          R"({"_placeholder":true,"num":null})",
          R"({"_placeholder":true,"num":{"num":0}})",
          R"({"_placeholder":true,"num":[0]})",
          R"({"_placeholder":true})",
          R"({"_placeholder":true,"num":4294967296})",
          R"({"_placeholder":true,"num":18446744073709551616})",
          R"({"\u005fplaceholder":true,"num":2})",
          R"({"_placeholder":true,"\u006eum":2})",
          R"({"_placeholder":true,"num":0,"num":2})",
          R"({"num":0,"_placeholder":true,"in":{"num":1},"num":7})",
          R"({"__proto__":{"_placeholder":true,"num":2}})",
          R"([{"_placeholder":true,"num":1},{"_placeholder":true,"num":2}])"}) {
        EXPECT_THAT(refusal_of(with(bad)), HasSubstr("a placeholder must name")) << bad;
    }
    // Many of one attachment would be many times its bytes.
    EXPECT_EQ(refusal_of(R"(51-["a",{"_placeholder":true,"num":0}])"), "accepted");
    EXPECT_THAT(
        refusal_of(R"(51-["a",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}])"),
        HasSubstr("a placeholder must name"));
    // In a packet that carries none it is what a user wrote.
    EXPECT_EQ(refusal_of(R"(2["a",{"_placeholder":true,"num":7}])"), "accepted");
    EXPECT_THAT(refusal_of(R"(50-["a",{"_placeholder":true,"num":0}])"), HasSubstr("placeholder"));
}

TEST(SocketPacket, TellsWhichAttachmentAPlaceholderNames) {
    EXPECT_EQ(placeholder_num(R"({"_placeholder":true,"num":3})"), 3U);
    EXPECT_EQ(placeholder_num(R"({"num":9,"\u005fplaceholder":true,"num":0})"), 0U);
    std::string text;
    append_placeholder(text, 12);
    EXPECT_EQ(text, R"({"_placeholder":true,"num":12})");
    EXPECT_EQ(placeholder_num(text), 12U);
    for (const std::string_view other :
         {"", "[]", "7", "{}", R"({"_placeholder":false,"num":0})", R"({"_placeholder":true})",
          R"({"_placeholder":true,"num":4294967296})", R"("_placeholder")"}) {
        EXPECT_FALSE(placeholder_num(other)) << other;
    }
}

TEST(SocketPacket, NamesItsEvent) {
    EXPECT_EQ(event_name(R"(["chat message",1])"), "chat message");
    EXPECT_EQ(event_name(R"(["caf\u00e9 \"x\""])"), "caf\xC3\xA9 \"x\"");
    EXPECT_EQ(event_name("[ 12.50 , 1]"), "12.50");
    EXPECT_EQ(event_name("[]"), "");
}

// What is worst for each part of the decoder takes a time that grows with the text and no faster:
// at these sizes anything quadratic would run for minutes.
TEST(SocketPacket, TakesLinearTime) {
    const std::size_t size = std::size_t{1} << 20;
    std::string placeholders = R"(510-["a")";
    while (placeholders.size() < size) placeholders += R"(,{"_placeholder":"true","num":9})";
    EXPECT_EQ(refusal_of(placeholders + "]"), "accepted");
    std::string nested = "50-[\"a\"";
    while (nested.size() < size) nested += "," + std::string(30, '[') + std::string(30, ']');
    EXPECT_EQ(refusal_of(nested + "]"), "accepted");
    std::string keys = R"(50-["a",{"k":1)";
    while (keys.size() < size) keys += R"(,"\u005fplaceholder":true,"num":0)";
    EXPECT_THAT(refusal_of(keys + "}]"), HasSubstr("placeholder"));
    EXPECT_EQ(refusal_of("2" + std::string(size, '1')),
              "an id must be a number below 2^53, without leading zeros");
    EXPECT_THAT(refusal_of("5" + std::string(size, '1')), HasSubstr("how many attachments"));
    EXPECT_THAT(refusal_of("0/" + std::string(size, 'n')), HasSubstr("more than 128 bytes"));
    EXPECT_THAT(refusal_of("2[\"a\"," + std::string(size, '[')), HasSubstr("nesting deeper"));
    EXPECT_THAT(
        refusal_of(R"(51-["a",{"_placeholder":true,"num":)" + std::string(size, '1') + "}]"),
        HasSubstr("placeholder"));
}

// ---- whatever is encoded is decoded ----------------------------------------------------------

struct Made {
    SocketType type = SocketType::event;
    std::uint32_t attachments = 0;
    std::string name_space;
    std::optional<std::uint64_t> id;
    std::string json;

    [[nodiscard]] SocketPacket packet() const { return {type, attachments, name_space, id, json}; }
};

// `unnamed` attachments have no placeholder yet.
std::string random_value(std::mt19937_64& random, std::uint32_t& unnamed, int depth) {
    switch (random() % (depth > 0 ? 8 : 6)) {
        case 0:
            return "null";
        case 1:
            return "true";
        case 2:
            return std::to_string(static_cast<std::int64_t>(random()));
        case 3:
            return "-12.5e-3";
        case 4:
            return R"("text \u00e9 \" 1,[{")";
        case 5: {
            if (unnamed == 0) return "{}";
            std::string text;
            append_placeholder(text, --unnamed);
            return text;
        }
        case 6:
            return "[" + random_value(random, unnamed, depth - 1) + "," +
                   random_value(random, unnamed, depth - 1) + "]";
        default:
            return R"({"key":)" + random_value(random, unnamed, depth - 1) + R"(,"num":)" +
                   random_value(random, unnamed, depth - 1) + "}";
    }
}

Made random_packet(std::mt19937_64& random) {
    static constexpr std::uint64_t ids[] = {0, 1, 9, 10, 456, 4'294'967'296, socket_id_max};
    static constexpr std::string_view names[] = {"/", "/custom", "/a/b", "/caf\xC3\xA9", "/1-2"};
    Made made;
    std::uint32_t none = 0;
    made.type = static_cast<SocketType>(random() % 7);
    made.name_space = names[random() % std::size(names)];
    const auto is = [&made](SocketType one, SocketType other) {
        return made.type == one || made.type == other;
    };
    if (is(SocketType::binary_event, SocketType::binary_ack)) {
        made.attachments = static_cast<std::uint32_t>(random() % (attachments_max + 1));
    }
    const bool event = is(SocketType::event, SocketType::binary_event);
    const bool ack = is(SocketType::ack, SocketType::binary_ack);
    if (ack || (event && random() % 2 == 0)) made.id = ids[random() % std::size(ids)];
    if (event || ack) {
        made.json = event ? R"(["name")" : "[0";
        std::uint32_t unnamed = made.attachments;
        for (auto left = random() % 4; left > 0; --left) {
            made.json += "," + random_value(random, unnamed, 4);
        }
        made.json += "]";
    } else if (made.type == SocketType::connect_error ||
               (made.type == SocketType::connect && random() % 2 == 0)) {
        made.json = R"({"message":)" + random_value(random, none, 3) + "}";
    }
    return made;
}

TEST(SocketPacket, DecodesWhateverItEncodes) {
    std::mt19937_64 random(2);
    for (int round = 0; round < 5'000; ++round) {
        const Made made = random_packet(random);
        const std::string text = encoded(made.packet());
        const auto decoded = decode_socket_packet(text, attachments_max);
        ASSERT_TRUE(decoded) << text << ": " << decoded.error();
        expect_same(*decoded, made.packet());
    }
}

// What is accepted of a damaged packet has one meaning, which it keeps.
void expect_one_meaning(const std::string& text) {
    // Its own allocation, so that a sanitizer sees a look past the end.
    const std::vector<char> exact(text.begin(), text.end());
    const auto decoded = decode_socket_packet({exact.data(), exact.size()}, attachments_max);
    if (!decoded) {
        EXPECT_FALSE(decoded.error().empty());
        return;
    }
    const std::string again = encoded(*decoded);
    const auto repeated = decode_socket_packet(again, attachments_max);
    ASSERT_TRUE(repeated) << text << " became " << again << ": " << repeated.error();
    expect_same(*repeated, *decoded);
}

TEST(SocketPacket, ReadsOneMeaningOrNone) {
    std::mt19937_64 random(3);
    for (int round = 0; round < 60; ++round) {
        const std::string text = encoded(random_packet(random).packet());
        for (std::size_t at = 0; at < text.size(); ++at) {
            expect_one_meaning(text.substr(0, at));
            for (const int byte :
                 {0x00, 0x1E, 0x22, 0x2C, 0x2D, 0x2E, 0x2F, 0x30, 0x31, 0x36, 0x39,
                  0x3A, 0x3F, 0x5B, 0x5C, 0x5D, 0x65, 0x7B, 0x7D, 0x80, 0xC3, 0xFF}) {
                std::string changed = text;
                changed[at] = static_cast<char>(byte);
                expect_one_meaning(changed);
            }
        }
    }
}

}  // namespace
}  // namespace parley::protocol
