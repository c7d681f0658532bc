#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/json_codec.hpp"

namespace parley::protocol {
namespace {

struct Refusal {
    std::string text;
    std::string message;
    CommandId id;
};

void expect_refused(const Refusal& refusal) {
    const auto decoded = decode_command(refusal.text);
    ASSERT_FALSE(decoded.has_value()) << refusal.text;
    EXPECT_THAT(decoded.error().message, testing::HasSubstr(refusal.message)) << refusal.text;
    EXPECT_EQ(decoded.error().message.find('\n'), std::string::npos) << refusal.text;
    EXPECT_EQ(decoded.error().id, refusal.id) << refusal.text;
}

// A frame of id 5 with these fields.
std::string frame(std::string_view fields) {
    return "{\"id\":5," + std::string(fields) + "}";
}

const CommandId five = std::int64_t{5};

TEST(JsonRefusals, WhatIsNoJsonSaysWhyAndWhere) {
    const Refusal cases[] = {
        {"", "frame is not JSON: it ends too early at byte 0", {}},
        {"   ", "frame is not JSON: it ends too early at byte 3", {}},
        {"hello", "frame is not JSON: syntax error at byte 0", {}},
        {"{'type':1}", "frame is not JSON: syntax error at byte 1", {}},
        {R"({"type":"ping",})", "frame is not JSON: syntax error at byte 15", {}},
        {R"({"type":"ping"}x)", "frame is not JSON: something follows the end of the value", {}},
        {R"({"type":"ping"}{})", "something follows the end of the value at byte 15", {}},
        {R"({"id":5,"type":"ping" "a":1})", "frame is not JSON: syntax error at byte 22", five},
        {R"({"id":5,"text":"\q"})", "frame is not JSON: syntax error", five},
        {R"({"id":5,"text":"\ud800x"})", "frame is not JSON: syntax error at byte 22", five},
        {R"({"id":5,"text":"\ud800\u0041"})", "a surrogate without its other half", five},
        {R"({"id":5,"text":"\udc00"})", "a surrogate without its other half", five},
        {R"({"id":5,"text":"\u12g4"})", "frame is not JSON: expected hex digit", five},
        {"{\"id\":5,\"text\":\"a\nb\"}", "frame is not JSON: syntax error at byte 17", five},
        {"{\"id\":5,\"text\":\"\xC3(\"}", "frame is not JSON: syntax error", five},
        {"{\"id\":5,\"text\":\"\xED\xA0\x80\"}", "frame is not JSON: syntax error", five},
        {"{\"id\":5,\"text\":\"\xC0\x80\"}", "frame is not JSON: syntax error", five},
        {R"({"id":5,"n":01})", "frame is not JSON: syntax error", five},
        {R"({"id":5,"n":NaN})", "frame is not JSON: syntax error", five},
        {R"({"id":5,/**/"n":1})", "frame is not JSON: syntax error", five},
    };
    for (const auto& refusal : cases) expect_refused(refusal);
}

TEST(JsonRefusals, AFrameIsAnObject) {
    const Refusal cases[] = {
        {"[]", "a frame must be a JSON object, got an array", {}},
        {"null", "a frame must be a JSON object, got null", {}},
        {" true ", "a frame must be a JSON object, got a boolean", {}},
        {"-1.5", "a frame must be a JSON object, got a number", {}},
        {R"("{}")", "a frame must be a JSON object, got a string", {}},
    };
    for (const auto& refusal : cases) expect_refused(refusal);
}

TEST(JsonRefusals, TheIdIsAnIntegerOrAShortString) {
    const std::string rule = R"("id" must be an integer or a string of at most 128 bytes, got )";
    const Refusal cases[] = {
        {R"({"id":1.0,"type":"ping"})", rule + "1.0", {}},
        {R"({"id":1e3,"type":"ping"})", rule + "1e3", {}},
        {R"({"id":9223372036854775808,"type":"ping"})", rule + "9223372036854775808", {}},
        {R"({"id":-9223372036854775809,"type":"ping"})", rule + "-9223372036854775809", {}},
        {R"({"id":true,"type":"ping"})", rule + "a boolean", {}},
        {R"({"id":[1],"type":"ping"})", rule + "an array", {}},
        {R"({"id":{},"type":"ping"})", rule + "an object", {}},
        {R"({"id":")" + std::string(129, 'x') + R"(","type":"ping"})", rule + "a longer one", {}},
        {R"({"id":")" + std::string(9999, 'x') + R"(","type":"ping"})", rule + "a longer one", {}},
    };
    for (const auto& refusal : cases) expect_refused(refusal);
}

TEST(JsonRefusals, TheBoundOfAStringIdCountsWhatItStandsFor) {
    std::string id;
    for (std::size_t i = 0; i < command_id_bytes_max; ++i) id += "\\u0041";
    const auto decoded = decode_command(R"({"type":"ping","id":")" + id + "\"}");
    ASSERT_TRUE(decoded.has_value());
    EXPECT_EQ(decoded->id, CommandId(std::string(command_id_bytes_max, 'A')));
}

TEST(JsonRefusals, TheTypeIsOneOfTheTable) {
    const std::string expected =
        ": expected one of hello, join, leave, send, typing, read, history, members, ping, edit, "
        "delete, direct, role, kick, topic, room, rooms";
    const Refusal cases[] = {
        {R"({"id":5})", R"("type" is missing: expected a string)", five},
        {frame(R"("type":null)"), R"("type" must be a string, got null)", five},
        {frame(R"("type":1)"), R"("type" must be a string, got a number)", five},
        {frame(R"("type":"foo")"), R"(unknown type "foo")" + expected, five},
        {frame(R"("type":"")"), R"(unknown type "")" + expected, five},
        {frame(R"("type":"Send")"), R"(unknown type "Send")" + expected, five},
        {frame(R"("type":"shout","to":"a","text":"b")"), R"(unknown type "shout")", five},
        {frame(R"("type":"message")"), R"(unknown type "message")", five},
        {frame(R"("type":"a\nb\u0000")"), R"(unknown type "a\nb\u0000")", five},
        {frame("\"type\":\"" + std::string(39, 'x') + "\xC3\xA9y\""),
         "unknown type \"" + std::string(39, 'x') + "...\"", five},
    };
    for (const auto& refusal : cases) expect_refused(refusal);
}

TEST(JsonRefusals, EveryCommandOfARoomNeedsItsName) {
    for (const std::string type :
         {"join", "leave", "send", "typing", "read", "history", "members", "edit", "delete"}) {
        const auto head = "\"type\":\"" + type + "\",\"text\":\"t\",\"offset\":1";
        expect_refused({frame(head), R"("room" is missing: expected a string)", five});
        expect_refused(
            {frame(head + ",\"room\":7"), R"("room" must be a string, got a number)", five});
        expect_refused(
            {frame(head + ",\"room\":null"), R"("room" must be a string, got null)", five});
    }
}

TEST(JsonRefusals, SendNeedsOneBody) {
    const std::string head = R"("type":"send","room":"r",)";
    const std::string rule = R"(send needs exactly one of "text" and "data", got )";
    const Refusal cases[] = {
        {frame(R"("type":"send","room":"r")"), rule + "neither", five},
        {frame(head + R"("text":null)"), rule + "neither", five},
        {frame(head + R"("text":"a","data":1)"), rule + "both", five},
        {frame(head + R"("text":"a","data":null)"), rule + "both", five},
        {frame(head + R"("text":1)"), R"("text" must be a string, got a number)", five},
        {frame(head + R"("text":{})"), R"("text" must be a string, got an object)", five},
    };
    for (const auto& refusal : cases) expect_refused(refusal);
}

TEST(JsonRefusals, KeyAndEventAreBounded) {
    const std::string head = R"("type":"send","room":"r","text":"t",)";
    const std::string rule = R"("event" must be 1 to 64 characters of A-Z a-z 0-9 _ . : -, got )";
    const Refusal cases[] = {
        {frame(head + R"("key":1)"), R"("key" must be a string, got a number)", five},
        {frame(head + R"("key":")" + std::string(129, 'k') + '"'),
         R"("key" must be a string of at most 128 bytes, got one of 129)", five},
        {frame(head + R"("event":1)"), R"("event" must be a string, got a number)", five},
        {frame(head + R"("event":"")"), rule + R"("")", five},
        {frame(head + R"("event":"a b")"), rule + R"("a b")", five},
        {frame(head + R"("event":"é")"), rule + R"("é")", five},
        {frame(head + R"("event":")" + std::string(65, 'e') + '"'), rule, five},
    };
    for (const auto& refusal : cases) expect_refused(refusal);
    for (const std::string name : {"welcome", "joined", "ack", "error", "presence", "typing",
                                   "read", "gap", "drain", "history", "members", "left", "pong"}) {
        expect_refused({frame(head + "\"event\":\"" + name + '"'),
                        "\"event\" must not be \"" + name + '"', five});
    }
    EXPECT_TRUE(decode_command(frame(head + R"("event":")" + std::string(64, 'e') + '"')));
}

TEST(JsonRefusals, CursorsIntegersAndBooleansAreWhatTheySay) {
    const std::string cursor = R"(must be a cursor like "epoch:offset", got )";
    const std::string join = R"("type":"join","room":"r",)";
    const std::string history = R"("type":"history","room":"r",)";
    const std::string read = R"("type":"read","room":"r",)";
    const Refusal cases[] = {
        {frame(join + R"("since":"abc")"), R"("since" )" + cursor + R"("abc")", five},
        {frame(join + R"("since":"toolong12:1")"), R"("since" )" + cursor, five},
        {frame(join + R"("since":7)"), R"("since" )" + cursor + "a number", five},
        {frame(history + R"("before":"e:")"), R"("before" )" + cursor + R"("e:")", five},
        {frame(history + R"("since":"e:-1")"), R"("since" )" + cursor + R"("e:-1")", five},
        {frame(join + R"("history":201)"), "an integer from 0 to 200, got 201", five},
        {frame(join + R"("history":-1)"), "an integer from 0 to 200, got -1", five},
        {frame(join + R"("history":1.5)"), "an integer from 0 to 200, got 1.5", five},
        {frame(join + R"("history":1e2)"), "an integer from 0 to 200, got 1e2", five},
        {frame(join + R"("history":"9")"), "an integer from 0 to 200, got a string", five},
        {frame(join + R"("history":4294967297)"), "from 0 to 200, got 4294967297", five},
        {frame(history + R"("limit":0)"), R"("limit" must be an integer from 1 to 200, got 0)",
         five},
        {frame(history + R"("limit":201)"), "an integer from 1 to 200, got 201", five},
        {frame(join + R"("presence":"yes")"), "must be true or false, got a string", five},
        {frame(join + R"("presence":1)"), R"("presence" must be true or false, got a number)",
         five},
        {frame(R"("type":"typing","room":"r","active":0)"), R"("active" must be true or)", five},
        {frame(R"("type":"read","room":"r")"), R"("offset" is missing: expected an integer)", five},
        {frame(read + R"("offset":null)"), R"("offset" must be an integer from 0 up, got null)",
         five},
        {frame(read + R"("offset":-1)"), "an integer from 0 up, got -1", five},
        {frame(read + R"("offset":18446744073709551616)"), "got 18446744073709551616", five},
        {frame(R"("type":"hello","name":["a"])"), R"("name" must be a string, got an array)", five},
        {frame(R"("type":"hello","token":1)"), R"("token" must be a string, got a number)", five},
    };
    for (const auto& refusal : cases) expect_refused(refusal);
}

TEST(JsonRefusals, NestingIsBounded) {
    const auto nested = [](std::size_t depth) {
        return R"({"id":5,"type":"send","room":"r","data":)" + std::string(depth - 1, '[') +
               std::string(depth - 1, ']') + "}";
    };
    EXPECT_TRUE(decode_command(nested(json_depth_max)).has_value());
    expect_refused({nested(json_depth_max + 1), "nesting deeper than 32 at byte", five});
    expect_refused({nested(100'000), "nesting deeper than 32 at byte", five});
    expect_refused({std::string(100'000, '['), "nesting deeper than 32 at byte", {}});
    std::string objects = R"({"id":5,)";
    for (int i = 0; i < 50'000; ++i) objects += R"("a":{)";
    expect_refused({objects, "nesting deeper than 32 at byte", five});
}

TEST(JsonRefusals, ServerFramesAreRefusedWithTheirPath) {
    const std::pair<std::string_view, std::string_view> cases[] = {
        {R"({"type":"send"})", R"(unknown type "send": expected one of message, ack)"},
        {R"({"type":"left"})", R"("room" is missing)"},
        {R"({"type":"typing","room":"r","user":{"id":1,"name":""},"active":true})",
         R"("user.id" must be a string, got a number)"},
        {R"({"type":"typing","room":"r","user":"ann","active":true})",
         R"("user" must be an object, got a string)"},
        {R"({"type":"members","room":"r","members":[1],"count":1})", R"("members.id" is missing)"},
        {R"({"type":"members","room":"r","members":{},"count":1})",
         R"("members" must be an array, got an object)"},
        {R"({"type":"presence","room":"r","action":"wave","count":1})",
         R"("action" must be join, leave or count, got "wave")"},
        {R"({"type":"history","room":"r","cursor":"e:1","more":false,"messages":[{"room":"r",)"
         R"("cursor":"e:1","from":{"id":"a","name":"b"},"at":""}]})",
         R"(a message needs exactly one of "text" and "data", got neither)"},
    };
    for (const auto& [text, message] : cases) {
        const auto decoded = decode_server_frame(text);
        ASSERT_FALSE(decoded.has_value()) << text;
        EXPECT_THAT(decoded.error().message, testing::HasSubstr(message)) << text;
    }
}

}  // namespace
}  // namespace parley::protocol
