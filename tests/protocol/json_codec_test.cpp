#include "protocol/json_codec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <set>

#include "protocol/json_samples.hpp"

namespace parley::protocol {
namespace {

using testing::HasSubstr;

template <typename T>
std::string problem_of(const Decoded<T>& decoded) {
    return decoded.has_value() ? "decoded" : decoded.error().message;
}

// The command that a text decodes to, which is one of this type.
template <typename T>
T decoded(std::string_view text) {
    const auto frame = decode_command(text);
    EXPECT_TRUE(frame.has_value()) << text << ": " << problem_of(frame);
    const auto* command = frame.has_value() ? std::get_if<T>(&frame->command) : nullptr;
    EXPECT_NE(command, nullptr) << text;
    return command != nullptr ? *command : T{};
}

TEST(JsonCodec, EveryCommandHasItsExactTextAndComesBackEqual) {
    std::set<std::size_t> seen;
    for (const auto& sample : samples::commands()) {
        for (const auto& id : samples::ids()) {
            const CommandFrame frame{id.id, sample.value};
            std::string text;
            append_command(text, frame);
            EXPECT_EQ(text, sample.text(id.text));
            const auto decoded = decode_command(text);
            ASSERT_TRUE(decoded.has_value()) << text << ": " << problem_of(decoded);
            EXPECT_EQ(*decoded, frame) << text;
        }
        seen.insert(sample.value.index());
    }
    EXPECT_EQ(seen.size(), std::variant_size_v<Command>);
}

TEST(JsonCodec, EveryServerFrameHasItsExactTextAndComesBackEqual) {
    std::set<std::size_t> seen;
    for (const auto& sample : samples::server_messages()) {
        for (const auto& id : samples::ids()) {
            const ServerFrame frame{id.id, sample.value};
            std::string text;
            append_server_frame(text, frame);
            EXPECT_EQ(text, sample.text(id.text));
            const auto decoded = decode_server_frame(text);
            ASSERT_TRUE(decoded.has_value()) << text << ": " << problem_of(decoded);
            EXPECT_EQ(*decoded, frame) << text;
        }
        seen.insert(sample.value.index());
    }
    EXPECT_EQ(seen.size(), std::variant_size_v<ServerMessage>);
}

TEST(JsonCodec, EncodersAppendAndLeaveWhatIsThere) {
    std::string out = "before";
    append_message(out, samples::hi);
    EXPECT_EQ(out, "before" + std::string(samples::hi_json));
}

TEST(JsonCodec, FramesOfEncodedMessagesEqualFramesOfMessages) {
    const std::string_view encoded[] = {samples::hi_json, samples::move_json};
    for (const std::size_t count : {0U, 1U, 2U}) {
        const std::span<const std::string_view> texts(encoded, count);
        Joined joined{"lobby", samples::cursor("e1:8"), true, {}, {}, 2};
        HistoryPage page{"lobby", samples::cursor("e1:8"), {}, true};
        std::string joined_text;
        std::string page_text;
        append_joined(joined_text, std::int64_t{3}, joined, texts);
        append_history(page_text, std::string{"h"}, page, texts);
        if (count > 0) joined.history.push_back(samples::hi);
        if (count > 1) joined.history.push_back(samples::move);
        page.messages = joined.history;
        std::string expected;
        append_server_frame(expected, {std::int64_t{3}, joined});
        EXPECT_EQ(joined_text, expected);
        expected.clear();
        append_server_frame(expected, {std::string{"h"}, page});
        EXPECT_EQ(page_text, expected);
    }
}

TEST(JsonCodec, NoPrefixOfAFrameIsAFrame) {
    const auto refuse_prefixes = [](const std::string& text, const auto& decode) {
        for (std::size_t length = 0; length < text.size(); ++length) {
            // A copy of exactly this length: a read past it is seen by AddressSanitizer.
            const std::vector<char> prefix(text.begin(),
                                           text.begin() + static_cast<std::ptrdiff_t>(length));
            const std::string_view view(prefix.data(), prefix.size());
            EXPECT_THAT(problem_of(decode(view)), HasSubstr("frame is not JSON: ")) << view;
            (void)peek_command(view);
        }
    };
    for (const auto& sample : samples::commands()) {
        refuse_prefixes(sample.text(R"(,"id":"a\u00e9\n")"), decode_command);
    }
    for (const auto& sample : samples::server_messages()) {
        refuse_prefixes(sample.text(R"(,"id":12)"), decode_server_frame);
    }
}

TEST(JsonCodec, EveryByteOfAFrameMayBeWrongWithoutHarm) {
    for (const auto& sample : samples::commands()) {
        const auto text = sample.text(R"(,"id":"a\u00e9\n")");
        for (std::size_t at = 0; at < text.size(); ++at) {
            for (const char wrong : {'\0', '"', '\\', '{', '}', ',', ':', 'u', '\xFF'}) {
                auto broken = text;
                broken[at] = wrong;
                const auto peek = peek_command(broken);
                const auto decoded = decode_command(broken);
                if (decoded.has_value()) {
                    EXPECT_EQ(decoded->id, peek.id) << broken;
                }
            }
        }
    }
}

TEST(JsonCodec, WhiteSpaceOrderAndUnknownFieldsDoNotMatter) {
    EXPECT_EQ(decoded<Send>(" \t\r\n{ \"x\" : [ { } , \"}\" ] ,\n\"text\" : \"hi\" , \"room\" : "
                            "\"lobby\", \"type\" : \"send\" } \n"),
              samples::send(Body::Kind::text, "hi"));
    const auto frame = decode_server_frame(R"({"new":1,"type":"pong","id":4,"newer":{"type":1}})");
    ASSERT_TRUE(frame.has_value());
    EXPECT_EQ(*frame, (ServerFrame{std::int64_t{4}, Pong{}}));
}

TEST(JsonCodec, DataKeepsItsTokensAndLosesItsSpaces) {
    const auto send = decoded<Send>(
        "{\"type\":\"send\",\"room\":\"r\",\"data\": { \"a b\" : [ 1.00 , 12345678901234567890123 "
        ",\n\t1E+2 ] , \"q\\\"\\u0041 }\" : \" x \" } }");
    EXPECT_EQ(send.body.kind, Body::Kind::data);
    EXPECT_EQ(send.body.content,
              R"({"a b":[1.00,12345678901234567890123,1E+2],"q\"\u0041 }":" x "})");
}

TEST(JsonCodec, NullInAnOptionalFieldIsNoField) {
    EXPECT_EQ(decoded<Hello>(R"({"type":"hello","id":null,"name":null,"token":null})"), (Hello{}));
    EXPECT_EQ(
        decoded<Join>(R"({"type":"join","room":"r","since":null,"history":null,"presence":null})"),
        (Join{"r", {}, 50, false}));
    EXPECT_EQ(decoded<Send>(R"({"type":"send","room":"lobby","text":"t","key":null,"event":null})"),
              samples::send(Body::Kind::text, "t"));
    EXPECT_EQ(decoded<Send>(R"({"type":"send","room":"lobby","text":null,"data":null})"),
              samples::send(Body::Kind::data, "null"));
    EXPECT_EQ(decoded<Typing>(R"({"type":"typing","room":"r","active":null})"),
              (Typing{"r", true}));
    EXPECT_EQ(decoded<History>(
                  R"({"type":"history","room":"r","before":null,"since":null,"limit":null})"),
              (History{"r", {}, {}, 50}));
}

TEST(JsonCodec, TheLastOfTwoEqualFieldsCounts) {
    EXPECT_EQ(decoded<Leave>(R"({"type":"ping","room":"a","type":"leave","r\u006fom":"b"})"),
              (Leave{"b"}));
    EXPECT_EQ(peek_command(R"({"type":"ping","type":"send"})").type, "send");
    EXPECT_EQ(peek_command(R"({"type":"ping","t\u0079pe":"send"})").type, "send");
}

TEST(JsonCodec, TheEventMessageIsAnOrdinaryMessage) {
    EXPECT_EQ(decoded<Send>(R"({"type":"send","room":"lobby","text":"t","event":"message"})"),
              samples::send(Body::Kind::text, "t"));
}

TEST(JsonCodec, PeekFindsTypeAndIdWhereverTheyAre) {
    for (const auto& id : samples::ids()) {
        for (const auto& sample : samples::commands()) {
            const auto text = sample.text(id.text);
            const auto peek = peek_command(text);
            EXPECT_EQ(peek.type, sample.type);
            EXPECT_EQ(peek.id, id.id) << text;
        }
    }
    const auto peek = peek_command(R"( {"x":{"id":1,"type":"no"},"id":2,"y":["}"],"type":"yes"})");
    EXPECT_EQ(peek.type, "yes");
    EXPECT_EQ(peek.id, CommandId(std::int64_t{2}));
}

struct BrokenPeek {
    std::string_view text;
    std::string_view type;
    CommandId id;
};

TEST(JsonCodec, PeekTakesFromABrokenFrameOnlyWhatIsWhole) {
    const BrokenPeek cases[] = {
        {"", "", {}},
        {"hello", "", {}},
        {"[\"type\",\"send\"]", "", {}},
        {R"({"type")", "", {}},
        {R"({"type":)", "", {}},
        {R"({"type":"se)", "", {}},
        {R"({"type":"send")", "send", {}},
        {R"({"type":"send" "id":1})", "send", {}},
        {R"({"type":"send","id":12)", "send", {}},
        {R"({"type":"send","id":12,)", "send", std::int64_t{12}},
        {R"({"type":"send","id":12,"text":"hel)", "send", std::int64_t{12}},
        {R"({"type":"send","id":1.5})", "send", {}},
        {R"({"type":"send","id":012})", "send", {}},
        {R"({"type":"send","id":99999999999999999999})", "send", {}},
        {R"({"type":"send","id":true})", "send", {}},
        {R"({"type":"send","id":{"a":1}})", "send", {}},
        {R"({"type":"send","id":"\u12"})", "send", {}},
        {R"({"type":"send","id":"\ud800"})", "send", {}},
        {"{\"type\":\"send\",\"id\":\"\xFF\"}", "send", {}},
        {R"({"type":7,"id":"a"})", "", std::string{"a"}},
        {R"({"type":"s\u0065nd","id":"\u0061"})", "", std::string{"a"}},
        {R"({"type":"send","type":null,"id":3})", "", std::int64_t{3}},
        {R"({"t\u00)", "", {}},
        {R"({"t\ud83dpe":"x","\u":1,"id":1})", "", std::int64_t{1}},
    };
    for (const auto& broken : cases) {
        const auto peek = peek_command(broken.text);
        EXPECT_EQ(peek.type, broken.type) << broken.text;
        EXPECT_EQ(peek.id, broken.id) << broken.text;
    }
}

TEST(JsonCodec, TellsATopicByItsText) {
    Message message;
    message.room = "r";
    message.cursor = {*Epoch::parse("E"), 1};
    message.body = {Body::Kind::data, R"({"topic":"x","at":"y"})"};
    message.at = "T";
    const auto said_as = [&message](const std::string& event) {
        message.event = event;
        std::string json;
        append_message(json, message);
        return json;
    };
    EXPECT_TRUE(is_topic(said_as("topic")));
    EXPECT_FALSE(is_amendment(said_as("topic")));
    EXPECT_TRUE(is_amendment(said_as("edit")));
    EXPECT_FALSE(is_topic(said_as("edit")));
    EXPECT_FALSE(is_topic(said_as("topic of the day")));
    message.body = {Body::Kind::text, R"(,"event":"topic","at":")"};
    EXPECT_FALSE(is_topic(said_as("")));
    EXPECT_FALSE(is_topic("{}"));
}

TEST(JsonCodec, TellsWhoSaidAMessageByItsText) {
    Message message;
    message.room = "r";
    message.cursor = {*Epoch::parse("E"), 1};
    message.from = {R"(i"d\)", R"(n","name":"\)"};
    message.body = {Body::Kind::text, R"(,"from":{"id":"x","name":"y"})"};
    message.at = "T";
    std::string json;
    append_message(json, message);
    EXPECT_EQ(sender_in(json), R"({"id":"i\"d\\","name":"n\",\"name\":\"\\"})");
    EXPECT_TRUE(is_said_by(json, message.from.id));
    EXPECT_FALSE(is_said_by(json, "x"));
    EXPECT_FALSE(is_said_by(json, R"(i"d)"));
    EXPECT_EQ(sender_in("{}"), "");
    EXPECT_EQ(sender_in(R"(,"from":{"id":"x")"), "");
    for (std::size_t cut = 0; cut < json.size(); ++cut) {
        EXPECT_LE(sender_in(json.substr(0, cut)).size(), cut) << "no reading beyond the end";
    }
}

}  // namespace
}  // namespace parley::protocol
