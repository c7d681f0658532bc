#include "protocol/rest_codec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "protocol/json_scan.hpp"

namespace parley::protocol {
namespace {

using testing::HasSubstr;
using enum RestDialect;

const Cursor cursor{*Epoch::parse("Ab3"), 7};

RestCommand decoded(std::string_view type, std::string_view text, RestDialect dialect = parley) {
    auto command = decode_rest_command(type, {"lobby"}, text, dialect);
    EXPECT_TRUE(command) << text << ": " << (command ? "" : command.error().message);
    return command ? *command : RestCommand{};
}

std::string problem(std::string_view type, std::string_view text, RestDialect dialect = parley) {
    const auto command = decode_rest_command(type, {"lobby"}, text, dialect);
    return command ? "decoded" : command.error().message;
}

TEST(RestCodec, DecodesABodyAsTheCommandOfThePath) {
    const Body hi{Body::Kind::text, "hi"};
    EXPECT_EQ(decoded("send", R"({"text":"hi"})"),
              (RestCommand{std::nullopt, Send{"lobby", hi, "", ""}}));
    EXPECT_EQ(decoded("send", R"( {"text":"hi","name":"ann","key":"k","event":"e"} )"),
              (RestCommand{"ann", Send{"lobby", hi, "k", "e"}}));
    EXPECT_EQ(decoded("send", R"({"data":[ 1 ],"room":"other","type":"ping","id":{}})"),
              (RestCommand{std::nullopt, Send{"lobby", {Body::Kind::data, "[1]"}, "", ""}}));
    EXPECT_EQ(decoded("typing", "{}"), (RestCommand{std::nullopt, Typing{"lobby", true}}));
    EXPECT_EQ(decoded("typing", R"({"active":false})"),
              (RestCommand{std::nullopt, Typing{"lobby", false}}));
    EXPECT_EQ(decoded("read", R"({"offset":3})"), (RestCommand{std::nullopt, Read{"lobby", 3}}));
    EXPECT_EQ(decoded("members", R"({"name":"ann"})"), (RestCommand{"ann", Members{"lobby"}}));
    EXPECT_EQ(decoded("history", R"({"since":"Ab3:7","limit":2})"),
              (RestCommand{std::nullopt, History{"lobby", std::nullopt, cursor, 2}}));
}

TEST(RestCodec, KnowsTheWordsOfPlainChatPagesWhereTheyAreSpoken) {
    const Body hi{Body::Kind::text, "hi"};
    const RestCommand expected{"ann", Send{"lobby", hi, "", ""}};
    EXPECT_EQ(decoded("send", R"({"username":"ann","message":"hi"})", plain_chat), expected);
    EXPECT_EQ(decoded("send", R"({"username":"ann","text":"hi"})", plain_chat), expected);
    EXPECT_EQ(
        decoded("send", R"({"name":"ann","text":"hi","message":"no","username":"no"})", plain_chat),
        expected);
    EXPECT_THAT(problem("send", R"({"message":"hi"})"), HasSubstr("exactly one of"));
    EXPECT_EQ(decoded("members", R"({"username":"ann"})").name, std::nullopt);
}

TEST(RestCodec, SaysWhatIsWrongWithABody) {
    EXPECT_THAT(problem("send", ""), HasSubstr("the body is not JSON"));
    EXPECT_THAT(problem("send", "{"), HasSubstr("the body is not JSON"));
    EXPECT_THAT(problem("send", "{}{}"), HasSubstr("the body is not JSON"));
    EXPECT_EQ(problem("send", "[]"), "the body must be a JSON object, got an array");
    EXPECT_EQ(problem("send", "null"), "the body must be a JSON object, got null");
    EXPECT_THAT(problem("send", R"({"text":"a","name":[]})"), HasSubstr("\"name\" must be"));
    EXPECT_THAT(problem("read", "{}"), HasSubstr("\"offset\" is missing"));
    EXPECT_THAT(problem("read", R"({"offset":1.5})"), HasSubstr("\"offset\" must be"));
}

TEST(RestCodec, TakesARoomForWhatItIsWhateverItIs) {
    for (const std::string_view room : {"", "a\"b", "a\\", "\n", "x}"}) {
        const auto command = decode_rest_command("members", {room}, "{}", parley);
        ASSERT_TRUE(command);
        EXPECT_EQ(std::get<Members>(command->command).room, room);
    }
}

TEST(RestCodec, TakesWhatThePathSaysForTheOffset) {
    const auto said = [](std::string_view offset, std::string_view text) {
        return decode_rest_command("delete", {"lobby", {}, offset}, text, parley);
    };
    EXPECT_EQ(std::get<Delete>(said("7", "{}")->command), (Delete{"lobby", 7, "", ""}));
    EXPECT_EQ(std::get<Delete>(said("7", R"({"offset":8,"reason":"spam","key":"k"})")->command),
              (Delete{"lobby", 7, "spam", "k"}));
    for (const std::string_view bad : {"x", "007", "-1", "1.5", "1,2", "{}", "\"7\"", " "}) {
        const auto refused = said(bad, "{}");
        ASSERT_FALSE(refused) << bad;
        EXPECT_THAT(refused.error().message, HasSubstr("\"offset\" must be")) << bad;
    }
}

TEST(RestCodec, ShowsPlainPagesWhatMessagesHaveBecome) {
    const HistoryPage page{"lobby", cursor, {}, false};
    std::string edit = R"({"type":"message","room":"lobby","offset":9,"cursor":"Ab3:9",)"
                       R"("from":{"id":"u","name":"Ann"},"data":{"offset":7,"text":"hi"},)"
                       R"("event":"edit","at":"T"})";
    const std::vector<std::string_view> messages{
        R"({"type":"message","room":"lobby","offset":7,"cursor":"Ab3:7",)"
        R"("from":{"id":"u","name":"Ann"},"text":"hi","at":"T","edited":"U","edit":9})",
        R"({"type":"message","room":"lobby","offset":8,"cursor":"Ab3:8",)"
        R"("from":{"id":"u","name":"Ann"},"at":"T","deleted":"V"})",
        edit,
        R"({"type":"message","room":"lobby","offset":10,"cursor":"Ab3:10",)"
        R"("from":{"id":"u","name":"Ann"},"data":{"topic":"all"},"event":"topic","at":"T"})"};
    std::string out;
    append_chat_page(out, page, false, messages);
    EXPECT_THAT(out,
                HasSubstr(R"("messages":[{"id":"Ab3:7","offset":7,"room":"lobby","username":"Ann",)"
                          R"("text":"hi","message":"hi","timestamp":"T","edited":"U"},)"
                          R"({"id":"Ab3:8","offset":8,"room":"lobby","username":"Ann",)"
                          R"("text":"","message":"","deleted":"V","timestamp":"T"}])"));
}

TEST(RestCodec, WritesEachAnswerExactly) {
    std::string out;
    append_rest_ack(out, {"lobby", cursor, "T"});
    EXPECT_EQ(out, R"({"room":"lobby","offset":7,"cursor":"Ab3:7","at":"T"})");

    out.clear();
    const std::vector<std::string_view> texts{"{1}", "{2}"};
    append_rest_page(out, {"lobby", cursor, {}, true}, true, texts);
    EXPECT_EQ(out, R"({"room":"lobby","cursor":"Ab3:7","recovered":true,"messages":[{1},{2}],)"
                   R"("more":true})");

    out.clear();
    append_rest_members(out, {"lobby", {{"1", "ann"}, {"2", "b\"b"}}, 9});
    EXPECT_EQ(out,
              R"({"room":"lobby","members":[{"id":"1","name":"ann"},{"id":"2","name":"b\"b"}],)"
              R"("count":9})");

    out.clear();
    const std::vector<ListedRoom> rooms{{"a", 1, 2}, {"b", 0, 0}};
    append_rest_rooms(out, rooms, false);
    EXPECT_EQ(out, R"({"rooms":[{"room":"a","members":1,"last_offset":2},)"
                   R"({"room":"b","members":0,"last_offset":0}],"more":false})");

    out.clear();
    append_rest_visit(out, {"lobby", {"1", "ann"}, cursor, 3, 30'000});
    EXPECT_EQ(out, R"({"room":"lobby","user":{"id":"1","name":"ann"},"cursor":"Ab3:7","count":3,)"
                   R"("ttl_ms":30000})");

    out.clear();
    append_chat_users(out, {"lobby", {{"1", "ann"}}, 4});
    EXPECT_EQ(out, R"({"count":4,"users":["ann"]})");
}

TEST(RestCodec, RetellsMessagesForPlainChatPages) {
    const User ann{"1", "a\nn"};
    const auto retold = [&](const Body& body) {
        std::string json;
        append_message(json, {"lobby", cursor, ann, body, "", "T"});
        const std::vector<std::string_view> texts{json};
        std::string out;
        append_chat_page(out, {"lobby", {}, {}, false}, false, texts);
        EXPECT_EQ(check_json(out), std::nullopt) << out;
        return out;
    };
    EXPECT_EQ(retold({Body::Kind::text, "h\"i"}),
              R"({"room":"lobby","cursor":null,"recovered":false,"messages":[{"id":"Ab3:7",)"
              R"("offset":7,"room":"lobby","username":"a\nn","text":"h\"i","message":"h\"i",)"
              R"("timestamp":"T"}],"more":false})");
    EXPECT_THAT(retold({Body::Kind::data, R"({"x":1})"}), HasSubstr(R"("data":{"x":1},)"));
}

TEST(RestCodec, RoundTripsASendAndItsAck) {
    for (const Send& send : {Send{"lobby", {Body::Kind::text, "h\"i"}, "", ""},
                             Send{"lobby", {Body::Kind::data, "{\"a\":1}"}, "k", "e"}}) {
        for (const std::string_view name : {"", "ann"}) {
            std::string text;
            append_rest_send(text, send, name);
            const RestCommand back = decoded("send", text);
            EXPECT_EQ(std::get<Send>(back.command), send);
            EXPECT_EQ(back.name.value_or(""), name);
        }
    }
    const Ack ack{"lobby", cursor, "2026-11-22T12:00:00.000Z"};
    std::string text;
    append_rest_ack(text, ack);
    EXPECT_EQ(*decode_rest_ack(text), ack);
    for (const std::string_view bad :
         {"", "[]", "{}", R"({"room":"a","offset":6,"cursor":"Ab3:7","at":"T"})",
          R"({"room":"a","offset":7,"cursor":"Ab3","at":"T"})"}) {
        EXPECT_FALSE(decode_rest_ack(bad)) << bad;
    }
}

}  // namespace
}  // namespace parley::protocol
