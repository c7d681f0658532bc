// The chat's events over Socket.IO, out and in.
#include "protocol/socketio_chat.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "protocol/json_codec.hpp"
#include "protocol/json_scan.hpp"

namespace parley::protocol {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::string at = "2026-01-31T23:59:59.999Z";

std::string message(const std::string& what, std::uint64_t offset = 5,
                    const std::string& room = "lobby") {
    return R"({"type":"message","room":")" + room + R"(","offset":)" + std::to_string(offset) +
           R"(,"cursor":"ep:)" + std::to_string(offset) +
           R"(","from":{"id":"u1","name":"a\"nn"},)" + what + R"(,"at":")" + at + R"("})";
}

struct Speaker {
    SocketIoChatConfig config;
    ChatVoice voice{&config, "", true, 10};

    std::vector<ChatEvent> events(std::string_view push, std::uint32_t said = 0) const {
        std::vector<ChatEvent> out;
        append_push_events(out, voice, push, said);
        for (const auto& event : out) EXPECT_EQ(check_json(event.args), std::nullopt) << event.args;
        return out;
    }
    std::vector<std::string> args(std::string_view push, std::uint32_t said = 0) const {
        std::vector<std::string> out;
        for (auto& event : events(push, said)) out.push_back(event.args);
        return out;
    }
};

const std::string hello_args =
    R"(["message",{"username":"a\"nn","text":"hi","message":"hi","timestamp":")" + at +
    R"(","room":"lobby","offset":5,"id":"ep:5"})";

TEST(SocketIoChat, SaysAMessageWithItsOffsetBehindIt) {
    Speaker speaker;
    EXPECT_THAT(speaker.args(message(R"("text":"hi")")), ElementsAre(hello_args + ",\"ep:5\"]"));
    speaker.voice.offsets = false;
    EXPECT_THAT(speaker.args(message(R"("text":"hi")")), ElementsAre(hello_args + "]"));
}

TEST(SocketIoChat, SaysDataInPlaceOfText) {
    const Speaker speaker;
    const auto said = speaker.args(message(R"("data":{"a":[1,"x"]})"));
    EXPECT_THAT(said, ElementsAre(HasSubstr(R"("username":"a\"nn","data":{"a":[1,"x"]},"time)")));
    EXPECT_THAT(said[0], testing::Not(HasSubstr("\"text\"")));
}

TEST(SocketIoChat, SaysAMessageByEveryNameAndTellsWhichOnesWereHeard) {
    Speaker speaker;
    speaker.config.message_events = {"message", "new_message", "chat"};
    const auto push = message(R"("text":"hi")");
    const auto said = speaker.args(push);
    ASSERT_EQ(said.size(), 3u);
    EXPECT_THAT(said[0], testing::StartsWith(R"(["message",{)"));
    EXPECT_THAT(said[0], testing::EndsWith(R"(},"ep:5/1"])"));
    EXPECT_THAT(said[1], testing::StartsWith(R"(["new_message",{)"));
    EXPECT_THAT(said[1], testing::EndsWith(R"(},"ep:5/2"])"));
    EXPECT_THAT(said[2], testing::EndsWith(R"(},"ep:5"])"));
    EXPECT_THAT(speaker.args(push, 1), ElementsAre(said[1], said[2]));
    EXPECT_THAT(speaker.args(push, 2), ElementsAre(said[2]));
}

TEST(SocketIoChat, LeavesTheNamespacesPrefixOut) {
    Speaker speaker;
    speaker.voice.prefix = "support.";
    EXPECT_THAT(speaker.args(message(R"("text":"hi")", 5, "support.desk")),
                ElementsAre(HasSubstr(R"("room":"desk",)")));
}

TEST(SocketIoChat, SaysACustomEventByItsOwnName) {
    const Speaker speaker;
    EXPECT_THAT(speaker.args(message(R"("data":[1,"two",null],"event":"draw")")),
                ElementsAre(R"(["draw",1,"two",null,"ep:5"])"));
    EXPECT_THAT(speaker.args(message(R"("data":[],"event":"draw")")),
                ElementsAre(R"(["draw","ep:5"])"));
    EXPECT_THAT(speaker.args(message(R"("data":{"x":1},"event":"draw")")),
                ElementsAre(R"(["draw",{"x":1},"ep:5"])"));
    EXPECT_THAT(speaker.args(message(R"("text":"t","event":"draw")")),
                ElementsAre(R"(["draw","t","ep:5"])"));
}

TEST(SocketIoChat, SaysWhatWasEditedAndDeletedByItsOwnOffset) {
    Speaker speaker;
    EXPECT_THAT(speaker.args(message(R"("data":{"offset":3,"text":"new"},"event":"edit")", 9)),
                ElementsAre(R"(["message_edited",{"username":"a\"nn","text":"new","message":"new",)"
                            R"("timestamp":")" +
                            at + R"(","room":"lobby","offset":3,"id":"ep:3"},"ep:9"])"));
    EXPECT_THAT(speaker.args(message(R"("data":{"offset":3,"data":[1]},"event":"edit")", 9)),
                ElementsAre(HasSubstr(R"("username":"a\"nn","data":[1],"timestamp")")));
    EXPECT_THAT(speaker.args(message(R"("data":{"offset":3,"reason":"spam"},"event":"delete")", 9)),
                ElementsAre(R"(["message_deleted",{"username":"a\"nn","reason":"spam",)"
                            R"("timestamp":")" +
                            at + R"(","room":"lobby","offset":3,"id":"ep:3"},"ep:9"])"));
    EXPECT_THAT(speaker.args(message(R"("data":{"offset":3},"event":"edit")", 9)), ElementsAre())
        << "whose words were changed again";
    speaker.config.edited_event = "changed";
    speaker.voice.offsets = false;
    EXPECT_THAT(speaker.args(message(R"("data":{"offset":3,"text":"new"},"event":"edit")", 9)),
                ElementsAre(testing::AllOf(testing::StartsWith(R"(["changed",)"),
                                           testing::EndsWith(R"("id":"ep:3"}])"))));
}

TEST(SocketIoChat, SaysWhatIsBetweenTwoByAnotherName) {
    Speaker speaker;
    speaker.config.message_events = {"message", "new_message"};
    const std::string room = "dm:ann:bob";
    EXPECT_THAT(speaker.args(message(R"("text":"hi")", 5, room)),
                ElementsAre(R"(["private_message",{"username":"a\"nn","text":"hi","message":"hi",)"
                            R"("timestamp":")" +
                            at + R"(","room":"dm:ann:bob","offset":5,"id":"ep:5"},"ep:5"])"));
    const User bob{"u2", "bob"};
    const std::string first = message(R"("text":"hi")", 5, room);
    const std::vector<std::string_view> messages{first};
    const auto joined = direct_joined_event(speaker.voice, room, &bob, messages,
                                            RecoveryOffset{*Cursor::parse("ep:5"), 0, 2});
    EXPECT_EQ(check_json(joined.args), std::nullopt) << joined.args;
    EXPECT_THAT(joined.args, testing::StartsWith(R"(["direct_joined",{"room":"dm:ann:bob",)"
                                                 R"("username":"bob","messages":[{"username":)"));
    EXPECT_THAT(joined.args, testing::EndsWith(R"(}]},"ep:5+2"])"));
    EXPECT_EQ(direct_joined_event(speaker.voice, room, nullptr, {}, std::nullopt).args,
              R"(["direct_joined",{"room":"dm:ann:bob","messages":[]}])");
}

TEST(SocketIoChat, ShowsInAHistoryWhatMessagesHaveBecome) {
    const Speaker speaker;
    const std::string edited =
        message(R"("text":"new")", 1).substr(0, message(R"("text":"new")", 1).size() - 1) +
        R"(,"edited":"U","edit":3})";
    std::string deleted = message(R"("x":0)", 2);
    deleted.insert(deleted.size() - 1, R"(,"deleted":"V")");
    const std::string edit = message(R"("data":{"offset":1,"text":"new"},"event":"edit")", 3);
    const std::string removal = message(R"("data":{"offset":2},"event":"delete")", 4);
    const std::vector<std::string_view> all{edited, deleted, edit, removal};
    const auto event = history_event(speaker.voice, all, std::nullopt);
    EXPECT_EQ(check_json(event.args), std::nullopt) << event.args;
    EXPECT_EQ(event.args,
              R"(["message_history",[{"username":"a\"nn","text":"new","message":"new",)"
              R"("timestamp":")" +
                  at + R"(","edited":"U","room":"lobby","offset":1,"id":"ep:1"},)" +
                  R"({"username":"a\"nn","text":"","message":"","deleted":"V","timestamp":")" + at +
                  R"(","room":"lobby","offset":2,"id":"ep:2"}]])");
}

TEST(SocketIoChat, NeverSaysAnEventThatAClientTakesForAnother) {
    Speaker speaker;
    speaker.config.stop_typing_event = "halt";
    for (const std::string name :
         {"connect", "connect_error", "disconnect", "disconnecting", "newListener",
          "removeListener", "message", "message_history", "users", "user_joined", "user_left",
          "typing", "halt", "read", "error", "gap", "drain", "welcome"}) {
        const auto said = speaker.args(message(R"("data":[1],"event":")" + name + "\""));
        EXPECT_THAT(said, ElementsAre(testing::StartsWith(
                              R"(["message",{"username":"a\"nn","data":[1],"event":")" + name)))
            << name;
    }
}

TEST(SocketIoChat, SaysWhatIsTransientWithoutAnOffsetAndEndsItInAnObject) {
    const Speaker speaker;
    EXPECT_THAT(speaker.args(R"({"type":"typing","room":"lobby","user":{"id":"u","name":"ann"},)"
                             R"("active":true})"),
                ElementsAre(R"(["typing",{"username":"ann","room":"lobby","active":true,)"
                            R"("typing":true}])"));
    EXPECT_THAT(
        speaker.args(R"({"type":"read","room":"lobby","user":{"id":"u","name":"ann"},"offset":7})"),
        ElementsAre(R"(["read",{"username":"ann","room":"lobby","offset":7}])"));
    for (const auto& [action, event] :
         {std::pair{"join", "user_joined"}, std::pair{"leave", "user_left"}}) {
        EXPECT_THAT(
            speaker.args(R"({"type":"presence","room":"lobby","action":")" + std::string(action) +
                         R"(","user":{"id":"u","name":"ann"},"count":3})"),
            ElementsAre("[\"" + std::string(event) +
                        R"(",{"username":"ann","room":"lobby","count":3}])"));
    }
    EXPECT_THAT(speaker.args(R"({"type":"presence","room":"lobby","action":"count","count":300})"),
                ElementsAre(R"(["users",{"room":"lobby","count":300,"users":[]}])"));
}

TEST(SocketIoChat, SaysThatTypingStoppedByAnotherNameWhereThereIsOne) {
    Speaker speaker;
    const std::string push =
        R"({"type":"typing","room":"lobby","user":{"id":"u","name":"ann"},"active":false})";
    EXPECT_THAT(speaker.args(push), ElementsAre(HasSubstr(R"(["typing",)")));
    speaker.config.stop_typing_event = "stop typing";
    EXPECT_THAT(speaker.args(push), ElementsAre(HasSubstr(R"(["stop typing",)")));
}

TEST(SocketIoChat, SaysTopicsAndRoles) {
    Speaker speaker;
    const std::string topic = message(R"("data":{"topic":"a\"ll"},"event":"topic")");
    const std::string said = R"(["topic",{"username":"a\"nn","topic":"a\"ll","timestamp":")" + at +
                             R"(","room":"lobby","offset":5,"id":"ep:5"})";
    EXPECT_THAT(speaker.args(topic), ElementsAre(said + ",\"ep:5\"]"));
    EXPECT_EQ(history_event(speaker.voice, std::vector<std::string_view>{topic}, std::nullopt).args,
              R"(["message_history",[]])")
        << "it is no message";
    speaker.voice.offsets = false;
    EXPECT_THAT(speaker.args(topic), ElementsAre(said + "]"));
    EXPECT_THAT(
        speaker.args(R"({"type":"role","room":"lobby","user":{"id":"u1","name":"ann"},)"
                     R"("role":"muted","until":"T","by":{"id":"u2","name":"bob"},"reason":"r"})"),
        ElementsAre(R"(["role",{"username":"ann","room":"lobby","role":"muted","until":"T",)"
                    R"("by":"bob","reason":"r"}])"));
    const RolePush role{"lobby", {"u1", "ann"}, Role::none, {}, {}, {}};
    EXPECT_EQ(role_event(speaker.voice, role).args,
              R"(["role",{"username":"ann","room":"lobby","role":"none"}])");
}

TEST(SocketIoChat, SaysWhoWasPutOut) {
    Speaker speaker;
    speaker.voice.prefix = "support.";
    const User bob{"u2", "b\"ob"};
    EXPECT_EQ(
        removed_event(speaker.voice, {"support.lobby", Removed::Action::ban, bob, "spam"}).args,
        R"(["removed",{"room":"lobby","action":"ban","by":"b\"ob","reason":"spam"}])");
    EXPECT_EQ(removed_event(speaker.voice, {"support.lobby", Removed::Action::kick, {}, {}}).args,
              R"(["removed",{"room":"lobby","action":"kick"}])");
}

TEST(SocketIoChat, TellsWhatARoomHolds) {
    const Speaker speaker;
    const auto one = message(R"("text":"hi")");
    const auto two = message(R"("text":"ho")", 6);
    const std::vector<std::string_view> both{one, two};
    const auto event = history_event(speaker.voice, both, std::nullopt);
    EXPECT_EQ(check_json(event.args), std::nullopt);
    EXPECT_THAT(event.args, testing::StartsWith(R"(["message_history",[{"username")"));
    EXPECT_THAT(event.args, testing::EndsWith(R"("id":"ep:6"}]])"));
    EXPECT_EQ(history_event(speaker.voice, {}, std::nullopt).args, R"(["message_history",[]])");
    const std::vector<User> users{{"1", "ann"}, {"2", "bob"}};
    EXPECT_EQ(users_event(speaker.voice, "lobby", 2, users,
                          RecoveryOffset{{*Epoch::parse("ep"), 5}, 0, 3})
                  .args,
              R"(["users",{"room":"lobby","count":2,"users":["ann","bob"]},"ep:5+3"])");
}

// ---- binary

TEST(SocketIoBinary, ComesOutAsAttachments) {
    const Speaker speaker;
    const auto said = speaker.events(
        message(R"("data":[{"$binary":"AQID"},{"in":[{"$binary":""}]}],"event":"f")"));
    ASSERT_EQ(said.size(), 1u);
    EXPECT_EQ(
        said[0].args,
        R"(["f",{"_placeholder":true,"num":0},{"in":[{"_placeholder":true,"num":1}]},"ep:5"])");
    EXPECT_THAT(said[0].attachments, ElementsAre("\x01\x02\x03", ""));
}

TEST(SocketIoBinary, StaysJsonWhereItIsNone) {
    for (const std::string& json : std::vector<std::string>{
             R"({"$binary":"AQI"})", R"({"$binary":"AQID="})", R"({"$binary":"A QI"})",
             R"({"$binary":1})", R"({"$binary":"AQID","x":1})", R"({"$binary":["AQID"]})",
             R"({"$binary":"AQJ="})", R"("$binary")"}) {
        std::string out;
        std::vector<std::string> attachments;
        append_with_attachments(out, attachments, json, 10);
        EXPECT_EQ(out, json);
        EXPECT_TRUE(attachments.empty()) << json;
    }
}

TEST(SocketIoBinary, StaysJsonWhereAClientWouldHangUp) {
    // More than it takes, or a placeholder of what is not there.
    std::string many = "[";
    for (int i = 0; i < 11; ++i) many += std::string(i ? "," : "") + R"({"$binary":"AQID"})";
    many += ']';
    for (const std::string& json :
         {many, std::string(R"([{"_placeholder":true,"num":9},{"$binary":"AQID"}])"),
          std::string(R"([{"$binary":"AQID"},{"\u005fplaceholder":true,"num":0}])")}) {
        std::string out = "x";
        std::vector<std::string> attachments{"before"};
        append_with_attachments(out, attachments, json, 10);
        EXPECT_EQ(out, "x" + json);
        EXPECT_THAT(attachments, ElementsAre("before"));
    }
}

TEST(SocketIoBinary, OfAHistoryIsAttachedWhereAllOfItCanBe) {
    const Speaker speaker;
    const auto binary = message(R"("data":{"$binary":"AQID"})");
    const auto spoilt = message(R"("data":{"_placeholder":true,"num":7})");
    std::vector<std::string_view> messages(10, binary);
    EXPECT_EQ(history_event(speaker.voice, messages, std::nullopt).attachments.size(), 10u);
    messages.push_back(binary);
    EXPECT_TRUE(history_event(speaker.voice, messages, std::nullopt).attachments.empty());
    EXPECT_TRUE(
        history_event(speaker.voice, std::vector<std::string_view>{binary, spoilt}, std::nullopt)
            .attachments.empty());
}

TEST(SocketIoBinary, GoesRoundUnchangedForEveryByteAndLength) {
    std::string bytes;
    for (int i = 0; i < 300; ++i) {
        std::string json;
        append_with_binary(json, R"([ {"num":0, "_placeholder":true} ,"x"])",
                           std::vector<std::string>{bytes});
        std::string out;
        std::vector<std::string> attachments;
        append_with_attachments(out, attachments, json, 10);
        EXPECT_EQ(out, R"([{"_placeholder":true,"num":0},"x"])");
        ASSERT_THAT(attachments, ElementsAre(bytes));
        bytes.push_back(static_cast<char>(i));
    }
}

// ---- offsets and names

TEST(RecoveryOffset, IsReadAsItIsWritten) {
    const Cursor cursor{*Epoch::parse("ab3"), 77};
    for (const RecoveryOffset& offset :
         {RecoveryOffset{cursor}, RecoveryOffset{cursor, 2, 0}, RecoveryOffset{cursor, 0, 9}}) {
        std::string text;
        append_recovery_offset(text, offset);
        EXPECT_EQ(parse_recovery_offset(text), offset) << text;
    }
    for (const std::string_view bad :
         {"", "ab3", "ab3:", "ab3:1/", "ab3:1/0", "ab3:1+x", "ab3:1/1/1", "ab3:1+1 ",
          "ab3:1/99999999999", ":1", "a-b:1"}) {
        EXPECT_EQ(parse_recovery_offset(bad), std::nullopt) << bad;
    }
}

TEST(ChatNamespace, IsANameAndAPrefix) {
    const auto read = parse_chat_namespace("/support/desk=support.desk:");
    ASSERT_TRUE(read);
    EXPECT_EQ(read->name, "/support/desk");
    EXPECT_EQ(read->prefix, "support.desk:");
    for (const std::string_view bad : {"", "/", "/a", "/a=", "a=b", "/=b", "/a=.b", "/a=b c",
                                       "/a b=c", "/a,b=c", "/a=b\"", "/=="}) {
        EXPECT_FALSE(parse_chat_namespace(bad)) << bad;
    }
}

// ---- in

struct Listener {
    SocketIoChatConfig config;
    std::vector<std::string> joined{"first", "lobby"};
    std::vector<std::string> attachments;

    Listener() { config.relay_events = {"draw", "game:*"}; }

    ChatRequest read(std::string_view args) {
        auto request = decode_chat_event(config, args, attachments, joined);
        if (request) return std::move(*request);
        ADD_FAILURE() << args << ": " << request.error().message;
        return {std::nullopt, Ping{}};
    }
    template <typename Command>
    Command command(std::string_view args) {
        const auto request = read(args);
        const auto* found = std::get_if<Command>(&request.command);
        EXPECT_NE(found, nullptr) << args;
        return found ? *found : Command{};
    }
    ChatRefusal refusal(std::string_view args) {
        auto request = decode_chat_event(config, args, attachments, joined);
        EXPECT_FALSE(request) << args;
        return request ? ChatRefusal{} : std::move(request.error());
    }
};

TEST(SocketIoChatEvent, SaysAMessageInEveryForm) {
    Listener f;
    const Send plain{"lobby", {Body::Kind::text, "hi"}, {}, {}};
    for (const std::string_view args :
         {R"(["message","hi"])", R"(["send_message","hi"])", R"(["chat message","hi"])",
          R"(["message",{"text":"hi"}])", R"(["message",{"message":"hi","room":null}])",
          R"(["send_message",{"msg":"hi","username":"eve"}])",
          R"(["message",{"te\u0078t":"hi","data":1}])"}) {
        EXPECT_EQ(f.command<Send>(args), plain) << args;
    }
    EXPECT_EQ(f.command<Send>(R"(["message",{"text":"hi","room":"first","key":"k"}])"),
              (Send{"first", {Body::Kind::text, "hi"}, "k", {}}));
    EXPECT_EQ(f.command<Send>(R"(["message",{"data":{"a": 1}}])"),
              (Send{"lobby", {Body::Kind::data, R"({"a":1})"}, {}, {}}));
    EXPECT_EQ(f.read(R"(["message",{"text":"hi","username":"eve"}])").username, "eve");
    EXPECT_EQ(f.read(R"(["message",{"text":"hi"}])").username, std::nullopt);
    f.attachments = {"\x01\x02\x03"};
    const Send binary{"lobby", {Body::Kind::data, R"({"$binary":"AQID"})"}, {}, {}};
    EXPECT_EQ(f.command<Send>(R"(["message",{"_placeholder":true,"num":0}])"), binary);
    EXPECT_EQ(f.command<Send>(R"(["message",{"data":{"_placeholder":true,"num":0}}])"), binary);
}

TEST(SocketIoChatEvent, JoinsAndLeaves) {
    Listener f;
    for (const std::string_view args :
         {R"(["join","r"])", R"(["join",{"room":"r","username":"eve"}])"}) {
        EXPECT_EQ(f.command<Join>(args).room, "r") << args;
        EXPECT_TRUE(f.command<Join>(args).presence);
    }
    EXPECT_EQ(f.read(R"(["join",{"room":"r","username":"eve"}])").username, "eve");
    for (const std::string_view args : {R"(["join"])", R"(["join",null])", R"(["join",{}])"}) {
        EXPECT_EQ(f.command<Join>(args).room, "lobby") << args;
    }
    f.config.default_room.clear();
    EXPECT_THAT(f.refusal(R"(["join"])").message, HasSubstr("\"room\" is missing"));
    EXPECT_EQ(f.command<Leave>(R"(["leave","first"])").room, "first");
    EXPECT_EQ(f.command<Leave>(R"(["leave",{"room":"first"}])").room, "first");
    EXPECT_EQ(f.command<Leave>(R"(["leave"])").room, "lobby");
}

TEST(SocketIoChatEvent, TypesInEveryForm) {
    Listener f;
    for (const std::string_view args :
         {R"(["typing"])", R"(["typing",true])", R"(["typing","ann"])", R"(["typing",{}])",
          R"(["typing",{"room":"lobby"}])", R"(["typing",{"typing":true}])",
          R"(["typing",{"is_typing":true}])", R"(["typing",{"isTyping":true,"username":"x"}])"}) {
        EXPECT_EQ(f.command<Typing>(args), (Typing{"lobby", true})) << args;
    }
    for (const std::string_view args :
         {R"(["typing",false])", R"(["typing",{"active":false}])", R"(["stop_typing"])",
          R"(["stop_typing",{"typing":true}])", R"(["stop_typing","ann"])"}) {
        EXPECT_EQ(f.command<Typing>(args), (Typing{"lobby", false})) << args;
    }
    EXPECT_EQ(f.command<Typing>(R"(["typing","first"])"), (Typing{"first", true}));
    EXPECT_EQ(f.command<Read>(R"(["read",7])"), (Read{"lobby", 7}));
    EXPECT_EQ(f.command<Read>(R"(["read",{"offset":7,"room":"first"}])"), (Read{"first", 7}));
    EXPECT_EQ(f.command<Read>(R"(["read",{"id":"ep:7"}])"), (Read{"lobby", 7}));
}

TEST(SocketIoChatEvent, EditsAndDeletes) {
    Listener f;
    const Body hi{Body::Kind::text, "hi"};
    for (const std::string_view args : {R"(["edit",{"offset":7,"text":"hi"}])",
                                        R"(["edit_message",{"id":"ep:7","message":"hi"}])",
                                        R"(["edit",{"offset":7,"msg":"hi","room":"lobby"}])"}) {
        EXPECT_EQ(f.command<Edit>(args), (Edit{"lobby", 7, hi, ""})) << args;
    }
    EXPECT_EQ(f.command<Edit>(R"(["edit",{"offset":7,"data":[1],"key":"k","room":"first"}])"),
              (Edit{"first", 7, {Body::Kind::data, "[1]"}, "k"}));
    EXPECT_EQ(f.command<Delete>(R"(["delete",7])"), (Delete{"lobby", 7, "", ""}));
    EXPECT_EQ(f.command<Delete>(R"(["delete_message",{"id":"ep:7","reason":"r","key":"k"}])"),
              (Delete{"lobby", 7, "r", "k"}));
    EXPECT_EQ(f.command<Direct>(R"(["direct",{"to":"bob","text":"hi","key":"k"}])"),
              (Direct{"bob", hi, "k"}));
    EXPECT_EQ(f.command<Direct>(R"(["private_message",{"recipient":"bob","data":1}])"),
              (Direct{"bob", {Body::Kind::data, "1"}, ""}));
    for (const std::string_view args :
         {R"(["edit"])", R"(["edit","hi"])", R"(["edit",{"text":"hi"}])",
          R"(["edit",{"offset":7}])", R"(["edit",{"offset":-1,"text":"hi"}])",
          R"(["edit",{"id":"7","text":"hi"}])", R"(["delete"])", R"(["delete","7"])",
          R"(["delete",{"offset":7,"reason":1}])", R"(["direct",{"text":"hi"}])",
          R"(["direct",{"to":1,"text":"hi"}])"}) {
        EXPECT_EQ(f.refusal(args).why, ChatRefusal::Why::bad_request) << args;
    }
}

TEST(SocketIoChatEvent, RelaysWhatIsAllowed) {
    Listener f;
    EXPECT_EQ(f.command<Send>(R"(["draw",1, {"x" : [2]}])"),
              (Send{"lobby", {Body::Kind::data, R"([1,{"x":[2]}])"}, {}, "draw"}));
    EXPECT_EQ(f.command<Send>(R"(["game:move"])"),
              (Send{"lobby", {Body::Kind::data, "[]"}, {}, "game:move"}));
    EXPECT_EQ(f.command<Send>(R"(["draw",{"room":"first"}])").room, "first");
    f.attachments = {"\x01\x02\x03", ""};
    EXPECT_EQ(
        f.command<Send>(R"(["draw",{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}])")
            .body.content,
        R"([{"$binary":""},{"$binary":"AQID"}])");
}

TEST(SocketIoChatEvent, IsRefusedWithWhatWasExpected) {
    Listener f;
    using Why = ChatRefusal::Why;
    const auto expect = [&f](std::string_view args, Why why, std::string_view text) {
        const auto refusal = f.refusal(args);
        EXPECT_EQ(refusal.why, why) << args;
        EXPECT_THAT(refusal.message, HasSubstr(std::string(text))) << args;
    };
    expect(R"(["message"])", Why::bad_request, "takes a string or {");
    expect(R"(["message",7])", Why::bad_request, "got a number");
    expect(R"(["message",{"text":7}])", Why::bad_request, "\"text\" must be a string");
    expect(R"(["message",{"text":"x","room":7}])", Why::bad_request, "\"room\" must be a string");
    expect(R"(["message",{"text":"x","username":{}}])", Why::bad_request, "\"username\" must be");
    expect(R"(["message",{"text":"x","key":")" + std::string(200, 'k') + "\"}]", Why::bad_request,
           "at most 128 bytes");
    expect(R"(["join",7])", Why::bad_request, "takes a room's name");
    expect(R"(["typing",{"active":1}])", Why::bad_request, "true or false");
    expect(R"(["read",{"offset":-1}])", Why::bad_request, "takes {offset");
    expect(R"(["read"])", Why::bad_request, "takes {offset");
    expect(R"(["login","x"])", Why::unknown_event, "there is no event \"login\"");
    expect(R"([5,"x"])", Why::unknown_event, "there is no event \"5\"");
    f.config.relay_events = {"*"};
    expect(R"(["user_joined",{}])", Why::unknown_event, "the server's to send");
    expect(R"(["error",{}])", Why::unknown_event, "the server's to send");
    f.joined.clear();
    expect(R"(["message","hi"])", Why::not_joined, "join a room first");
    expect(R"(["leave"])", Why::not_joined, "join a room first");
}

TEST(ChatAuth, IsReadFieldByField) {
    const auto all = decode_chat_auth(
        R"({"username":"ann","room":"r","pid":"p","offset":"o","recovery":false,"x":1})");
    ASSERT_TRUE(all);
    EXPECT_EQ(all->name, "ann");
    EXPECT_EQ(all->room, "r");
    EXPECT_EQ(all->pid, "p");
    EXPECT_EQ(all->offset, "o");
    EXPECT_EQ(all->recovery, false);
    EXPECT_FALSE(all->token);
    EXPECT_EQ(decode_chat_auth(R"({"name":"bob"})")->name, "bob");
    EXPECT_EQ(decode_chat_auth(R"({"name":"bob","username":"ann"})")->name, "ann");
    EXPECT_TRUE(decode_chat_auth(R"({"token":"t"})")->token);
    EXPECT_FALSE(decode_chat_auth(R"({"token":null,"username":null})")->token);
    EXPECT_TRUE(decode_chat_auth(""));
    EXPECT_THAT(decode_chat_auth(R"({"username":7})").error(), HasSubstr("\"username\" must be"));
}

}  // namespace
}  // namespace parley::protocol
