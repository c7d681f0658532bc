// The chat in a namespace of Socket.IO: a real hub, and a link that is none.
#include "transports/socketio/chat_socket.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/limits.hpp"
#include "support/chat_peer.hpp"
#include "support/test_session.hpp"

namespace parley::transports {
namespace {

using test::ChatHub;
using test::ChatPeer;
using test::TestSession;
using test::unlimited_config;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::Not;
using testing::StartsWith;

TEST(ChatSocket, IsAcceptedThenToldWhatItsRoomHoldsAndWhoIsThere) {
    ChatHub f;
    ChatPeer ann(f, 0, R"({"username":"ann"})");
    f.hub.settle();
    EXPECT_THAT(ann.take(),
                ElementsAre("accept", R"(["message_history",[]])",
                            MatchesRegex(R"re(\["users",\{"room":"lobby","count":1,)re"
                                         R"re("users":\["ann"\]\},"[0-9A-Za-z]+:0\+1"\])re")));
    EXPECT_EQ(ann.sid.size(), 20u);
    EXPECT_EQ(ann.pid.size(), 20u);
    EXPECT_NE(ann.sid, ann.pid);
    ann.say(R"(["message","hi"])");
    ChatPeer bob(f, 0, "", "username=bob%20b");
    f.hub.settle();
    EXPECT_THAT(bob.told[1], StartsWith(R"(["message_history",[{"username":"ann","text":"hi",)"));
    EXPECT_THAT(ann.told.back(),
                R"(["user_joined",{"username":"bob b","room":"lobby","count":2}])");
    bob.end(core::close_reasons::normal, SocketEnd::disconnected);
    f.hub.settle();
    EXPECT_THAT(ann.told.back(), R"(["user_left",{"username":"bob b","room":"lobby","count":1}])");
}

TEST(ChatSocket, IsWhoItSaysFirstInItsPayloadAndThenInItsQuery) {
    ChatHub f;
    for (const auto& [auth, query, name] : {std::tuple{R"({"username":"a"})", "username=b", "a"},
                                            {R"({"name":"a"})", "", "a"},
                                            {R"({})", "name=b", "b"},
                                            {"", "username=%C3%84", "\xC3\x84"}}) {
        ChatPeer peer(f, 0, auth, query);
        EXPECT_EQ(peer.socket().ready(), true);
        peer.say(R"(["join",{"room":"r"}])", 1);
        EXPECT_THAT(peer.told.back(), HasSubstr(R"("username":")" + std::string(name) + "\""));
    }
    ChatPeer guest(f, 0);
    guest.say(R"(["join",{"room":"r"}])", 1);
    EXPECT_THAT(guest.told.back(), HasSubstr(R"("username":"guest-)"));
}

TEST(ChatSocket, IsRefusedWithACodeWhereItsNameOrTokenIsNoGood) {
    ChatHub f;
    for (const auto& [auth, query, code] : {std::tuple{R"({"username":" x"})", "", "bad_request"},
                                            {R"({"username":7})", "", "bad_request"},
                                            {"", "username=%FF", "bad_request"},
                                            {"", "username=%0A", "bad_request"},
                                            {R"({"token":"t"})", "", "unauthorized"},
                                            {"", "token=t", "unauthorized"}}) {
        ChatPeer peer(f, 0, auth, query);
        EXPECT_EQ(peer.refused_data, R"({"code":")" + std::string(code) + "\"}") << auth << query;
        EXPECT_FALSE(peer.refused_message.empty());
        EXPECT_THAT(peer.told, IsEmpty());
    }
    f.hub.settle();
    EXPECT_EQ(f.hub.total(core::Metric::sessions_opened), 0u);
    EXPECT_EQ(f.hub.shard().room_count(), 0u);
}

TEST(ChatSocket, JoinsTheRoomThatItNamesOrNone) {
    protocol::SocketIoChatConfig config;
    config.default_room.clear();
    ChatHub f(unlimited_config(), config);
    ChatPeer ann(f, 0, R"({"room":"tea"})");
    EXPECT_THAT(ann.told.back(), HasSubstr(R"(["users",{"room":"tea")"));
    ChatPeer bob(f, 0, "", "room=tea");
    EXPECT_THAT(bob.told.back(), HasSubstr(R"("room":"tea","count":2)"));
    ChatPeer eve(f, 0);
    EXPECT_THAT(eve.told, ElementsAre("accept"));
    eve.say(R"(["message","hi"])");
    EXPECT_THAT(eve.told.back(), HasSubstr(R"(["error",{"code":"not_joined")"));
    ChatPeer bad(f, 0, R"({"room":"no room"})");
    EXPECT_THAT(bad.told, ElementsAre("accept", HasSubstr(R"(["error",{"code":"bad_request")")));
}

TEST(ChatSocket, TalksWithEverybodyElseInTheRoom) {
    ChatHub f;
    ChatPeer ann(f, 0, R"({"username":"ann"})");
    TestSession ws(f.hub, 0, "ws");
    ws.join("lobby");
    f.hub.settle();
    ann.take();
    ann.say(R"(["chat message","hi"])", 7);
    f.hub.settle();
    EXPECT_THAT(ann.told, ElementsAre(MatchesRegex(R"re(ack 7 \[\{"room":"lobby","offset":1,)re"
                                                   R"re("cursor":"[^"]+:1","at":"[^"]+Z"\}\])re"),
                                      HasSubstr(R"(["message",{"username":"ann","text":"hi")")));
    EXPECT_THAT(ws.texts("lobby"), ElementsAre("hi"));
    ann.take();
    ws.send("lobby", "ho");
    f.hub.settle();
    EXPECT_THAT(ann.told, ElementsAre(HasSubstr(R"("text":"ho")")));
    ann.take();
    ann.say(R"(["message","quiet"])");  // no ack was asked for
    f.hub.settle();
    EXPECT_THAT(ann.told, ElementsAre(StartsWith(R"(["message",)")));
}

TEST(ChatSocket, JoinsLeavesTypesAndReadsWithAcks) {
    ChatHub f;
    ChatPeer ann(f, 0, R"({"username":"ann"})");
    ChatPeer bob(f, 0, R"({"username":"bob"})");
    f.hub.settle();
    ann.take();
    ann.say(R"(["join","tea"])", 1);
    EXPECT_THAT(ann.take(),
                ElementsAre(R"(["message_history",[]])", HasSubstr(R"(["users",{"room":"tea")"),
                            MatchesRegex(R"re(ack 1 \[\{"room":"tea","cursor":"[^"]+:0",)re"
                                         R"re("count":1,"username":"ann"\}\])re")));
    bob.say(R"(["message",{"room":"lobby","text":"x"}])");
    f.hub.settle();
    bob.take();
    ann.say(R"(["typing",{"room":"lobby"}])", 2);
    ann.say(R"(["read",{"room":"lobby","offset":3}])", 3);
    f.hub.settle();
    EXPECT_THAT(ann.told, testing::Contains(R"(ack 2 [{"room":"lobby"}])"));
    EXPECT_THAT(ann.told, testing::Contains(R"(ack 3 [{"room":"lobby"}])"));
    EXPECT_THAT(bob.take(),
                ElementsAre(R"(["typing",{"username":"ann","room":"lobby","active":true,)"
                            R"("typing":true}])",
                            R"(["read",{"username":"ann","room":"lobby","offset":1}])"))
        << "nobody has read what was not said";
    ann.say(R"(["leave","tea"])", 4);
    EXPECT_EQ(ann.told.back(), R"(ack 4 [{"room":"tea"}])");
    ann.say(R"(["leave","tea"])", 5);
    EXPECT_THAT(ann.told.back(), StartsWith(R"(ack 5 [{"error":{"code":"not_joined","message":)"));
    ann.say(R"(["message","back in the lobby"])");
    f.hub.settle();
    EXPECT_THAT(bob.told.back(), HasSubstr("back in the lobby"));
}

TEST(ChatSocket, WritesToOneAlone) {
    ChatHub f;
    ChatPeer ann(f, 0, R"({"username":"ann"})");
    ChatPeer bob(f, 0, R"({"username":"bob"})");
    ChatPeer eve(f, 0, R"({"username":"eve"})");
    f.hub.settle();
    for (auto* peer : {&ann, &bob, &eve}) peer->take();
    ann.say(R"(["private_message",{"to":"bob","message":"psst"}])", 1);
    f.hub.settle();
    EXPECT_THAT(ann.told, testing::Contains(HasSubstr(R"(ack 1 [{"room":"dm:)")));
    EXPECT_THAT(bob.take(),
                ElementsAre(HasSubstr(R"("username":"ann","messages":[])"),
                            testing::AllOf(StartsWith(R"(["private_message",{"username":"ann")"),
                                           HasSubstr("psst"))));
    EXPECT_TRUE(eve.take().empty());
    // Who names no room goes on speaking where they did.
    bob.say(R"(["message","to all"])");
    f.hub.settle();
    EXPECT_THAT(eve.take(), ElementsAre(HasSubstr("to all")));
    for (const char* bad : {R"(["direct","bob"])", R"(["direct",{"text":"x"}])",
                            R"(["direct",{"to":"","text":"x"}])", R"(["direct",{"to":"bob"}])"}) {
        ann.say(bad, 2);
        EXPECT_THAT(ann.told.back(), HasSubstr("bad_request")) << bad;
    }
}

TEST(ChatSocket, EditsAndDeletesWithAcks) {
    ChatHub f;
    ChatPeer ann(f, 0, R"({"username":"ann"})");
    ChatPeer bob(f, 0, R"({"username":"bob"})");
    f.hub.settle();
    ann.say(R"(["message","helo"])", 1);
    f.hub.settle();
    ann.take();
    bob.take();
    ann.say(R"(["edit",{"offset":1,"text":"hello"}])", 2);
    f.hub.settle();
    EXPECT_THAT(ann.told, testing::Contains(HasSubstr(R"(ack 2 [{"room":"lobby","offset":2,)")));
    EXPECT_THAT(bob.take(),
                ElementsAre(HasSubstr(R"(["message_edited",{"username":"ann","text":"hello")")));
    bob.say(R"(["delete",{"offset":1}])", 3);
    f.hub.settle();
    EXPECT_THAT(bob.take(), ElementsAre(StartsWith(R"(ack 3 [{"error":{"code":"forbidden")")));
    ann.say(R"(["delete",1])", 4);
    f.hub.settle();
    EXPECT_THAT(ann.told, testing::Contains(HasSubstr(R"(ack 4 [{"room":"lobby","offset":3,)")));
    EXPECT_THAT(bob.take(),
                ElementsAre(HasSubstr(R"(["message_deleted",{"username":"ann","timestamp")")));
    ann.say(R"(["edit","hello"])", 5);
    EXPECT_THAT(ann.told.back(), HasSubstr("bad_request"));
    ChatPeer eve(f, 0, R"({"username":"eve"})");
    f.hub.settle();
    EXPECT_THAT(eve.told, testing::Contains(HasSubstr(R"("text":"","message":"","deleted":)")));
}

TEST(ChatSocket, IsToldAgainWhenItJoinsWhereItIsAndNobodyElseIsTold) {
    ChatHub f;
    ChatPeer ann(f, 0, R"({"username":"ann"})");
    ChatPeer bob(f, 0, R"({"username":"bob"})");
    ann.say(R"(["message","hi"])");
    f.hub.settle();
    ann.take();
    bob.take();
    ann.say(R"(["join",{"room":"lobby"}])", 9);
    f.hub.settle();
    EXPECT_THAT(ann.told, ElementsAre(HasSubstr(R"(["message_history",[{"username":"ann")"),
                                      HasSubstr(R"(["users",{"room":"lobby","count":2)"),
                                      HasSubstr(R"(ack 9 [{"room":"lobby","cursor":)")));
    EXPECT_THAT(bob.told, IsEmpty());
}

TEST(ChatSocket, GoesByTheNameThatItGivesLater) {
    ChatHub f;
    ChatPeer bob(f, 0, R"({"username":"bob"})");
    ChatPeer guest(f, 0);
    f.hub.settle();
    bob.take();
    guest.say(R"(["send_message",{"username":"ann","message":"hi"}])");
    f.hub.settle();
    EXPECT_THAT(bob.told, ElementsAre(HasSubstr(R"(["user_joined",{"username":"ann")"),
                                      HasSubstr(R"(["user_left",{"username":"guest-)"),
                                      HasSubstr(R"(["message",{"username":"ann","text":"hi")")));
    bob.take();
    guest.say(R"(["send_message",{"username":"\n","message":"no"}])", 1);
    f.hub.settle();
    EXPECT_THAT(bob.told, IsEmpty());
    EXPECT_THAT(guest.told.back(), HasSubstr(R"({"error":{"code":"bad_request")"));
}

TEST(ChatSocket, RelaysEventsWithTheirBinaryToOthers) {
    protocol::SocketIoChatConfig config;
    config.relay_events = {"draw"};
    ChatHub f(unlimited_config(), config);
    ChatPeer ann(f, 0);
    ChatPeer bob(f, 0);
    f.hub.settle();
    bob.take();
    ann.say(R"(["draw",{"_placeholder":true,"num":0},"x"])", {},
            std::vector<std::string>{"\x01\x02"});
    f.hub.settle();
    EXPECT_THAT(bob.told,
                ElementsAre(MatchesRegex(
                    R"re(\["draw",\{"_placeholder":true,"num":0\},"x","[^"]+:1"\]<..>)re")));
    ChatPeer late(f, 0);
    EXPECT_THAT(late.told[1], HasSubstr("message_history"));
    EXPECT_THAT(late.told[1], EndsWith("<\x01\x02>"));
}

TEST(ChatSocket, IsToldThatAnEventIsUnknownAndMayGoOnSayingIt) {
    core::Config config;
    config.limits.errors_in_a_row = 3;
    ChatHub f(config);
    ChatPeer ann(f, 0);
    for (std::uint64_t i = 0; i < 10; ++i) ann.say(R"(["heartbeat",{}])", i);
    EXPECT_THAT(ann.told.back(), StartsWith(R"(ack 9 [{"error":{"code":"not_found")"));
    ann.say(R"(["heartbeat",{}])");
    EXPECT_THAT(ann.told.back(), StartsWith(R"(["error",{"code":"not_found","message":)"));
    EXPECT_FALSE(ann.closed_for);
    for (int i = 0; i < 3; ++i) ann.say(R"(["message",7])");
    EXPECT_EQ(ann.closed_for->code, core::close_reasons::too_many_errors.code);
}

TEST(ChatSocket, IsHeldToItsRateBeforeItsEventIsRead) {
    core::Config config;
    config.limits.session = {1, 2};
    ChatHub f(config);
    ChatPeer ann(f, 0);
    for (int i = 0; i < 2; ++i) ann.say(R"(["message","hi"])");
    ann.say(R"(["no such event"])", 3);
    EXPECT_THAT(ann.told.back(), HasSubstr(R"(ack 3 [{"error":{"code":"rate_limited")"));
    EXPECT_THAT(ann.told.back(), HasSubstr(R"("temporary":true,"retry_after_ms":)"));
}

TEST(ChatSocket, IsOneOfTheSameRoomsInEveryNamespaceByItsPrefix) {
    protocol::SocketIoChatConfig config;
    config.namespaces = {"/support=support."};
    ChatHub f(unlimited_config(), config);
    EXPECT_TRUE(f.apps[0]->has("/"));
    EXPECT_TRUE(f.apps[0]->has("/support"));
    EXPECT_FALSE(f.apps[0]->has("/nope"));
    ChatPeer desk(f, 0, R"({"username":"ann","room":"desk"})", "", "/support");
    ChatPeer plain(f, 0, R"({"username":"bob","room":"support.desk"})");
    f.hub.settle();
    EXPECT_THAT(desk.told.back(), R"(["user_joined",{"username":"bob","room":"desk","count":2}])");
    desk.say(R"(["message","hi"])", 1);
    f.hub.settle();
    EXPECT_THAT(desk.told.back(), HasSubstr(R"("room":"desk")"));
    EXPECT_THAT(plain.told.back(), HasSubstr(R"("room":"support.desk")"));
    EXPECT_THAT(desk.told[desk.told.size() - 2], StartsWith(R"(ack 1 [{"room":"desk",)"));
}

TEST(ChatSocket, GetsNoOffsetsWhereTheyWouldBeInItsWay) {
    ChatHub f;
    ChatPeer ann(f, 0);
    // python-engineio's way of numbering; an argument of its own; in the payload.
    ChatPeer python(f, 0, "", "t=1732261762.25");
    ChatPeer query(f, 0, "", "recovery=0");
    ChatPeer payload(f, 0, R"({"recovery":false})");
    ChatPeer yeast(f, 0, "", "t=PABcX1Z.0");
    f.hub.settle();
    ann.say(R"(["message","hi"])");
    f.hub.settle();
    for (ChatPeer* peer : {&python, &query, &payload}) {
        EXPECT_EQ(peer->pid, "");
        for (const auto& each : peer->told) {
            EXPECT_THAT(each, Not(EndsWith("\"]")));
        }
        EXPECT_THAT(peer->told.back(), EndsWith(":1\"}]"));
    }
    EXPECT_NE(yeast.pid, "");
    EXPECT_THAT(yeast.told.back(), EndsWith(":1\"]"));
}

TEST(ChatSocket, WritesByAnotherWriterAfterAnUpgrade) {
    ChatHub f;
    ChatPeer ann(f, 0);
    f.hub.settle();
    ann.say(R"(["message","one"])");
    f.hub.settle();
    ann.take();
    ann.upgrade();
    ann.say(R"(["message","two"])");
    f.hub.settle();
    EXPECT_THAT(ann.told, ElementsAre("upgraded", HasSubstr("two")));
}

TEST(ChatSocket, SaysThatTheServerDrainsAndWhatWasMissed) {
    core::Config config = unlimited_config();
    config.window.messages = 16;
    config.rooms = {{"*", core::OnLag::gap}};
    ChatHub f(config);
    ChatPeer ann(f, 0);
    ChatPeer bob(f, 0);
    f.hub.settle();
    ann.frames_left = 0;
    for (int i = 0; i < 40; ++i) {
        bob.say(R"(["message","hi"])");
        f.hub.settle();
    }
    ann.frames_left = 1000;
    ann.take();
    ann.socket().on_writable();
    f.hub.settle();
    EXPECT_THAT(ann.told.front(), MatchesRegex(R"re(\["gap",\{"room":"lobby","from":[0-9]+,)re"
                                               R"re("to":24,"cursor":"[^"]+:24"\}\])re"));
    ann.socket().on_drain();
    EXPECT_THAT(ann.told.back(), MatchesRegex(R"re(\["drain",\{"retry_after_ms":[0-9]+\}\])re"));
}

TEST(ChatFormat, IsEncodedOnceForAllOfANamespace) {
    ChatHub f;
    std::vector<std::unique_ptr<ChatPeer>> peers;
    for (int i = 0; i < 4; ++i) peers.push_back(std::make_unique<ChatPeer>(f, 0));
    const auto spaces = make_chat_spaces(f.chat, 10);
    EXPECT_EQ(spaces.size(), 1u);
    const core::Publication publication(
        core::PublicationKind::message, 1,
        R"({"type":"message","room":"r","offset":1,"cursor":"e:1","from":{"id":"u","name":"n"},)"
        R"("text":"t","at":"x"})");
    const auto& format = *spaces[0].traits(true).format;
    const core::Frame& frame = publication.frame(format);
    EXPECT_EQ(&publication.frame(format), &frame);
    EXPECT_NE(&publication.frame(*spaces[0].traits(false).format), &frame);
}

TEST(ChatFormat, HasASlotOfItsOwnForEachNamespaceAndKind) {
    protocol::SocketIoChatConfig config;
    config.namespaces = {"/a=a.", "/b=b.", "/c=c.", "/d=d."};
    const auto spaces = make_chat_spaces(config, 10);
    EXPECT_EQ(spaces.size(), core::limits::socketio_namespaces_max);
    std::vector<int> slots;
    for (const auto& space : spaces) {
        slots.push_back(space.traits(false).format->slot);
        slots.push_back(space.traits(true).format->slot);
    }
    EXPECT_THAT(slots, ElementsAre(6, 7, 8, 9, 10, 11, 12, 13));
}

TEST(ChatSocket, IsToldOfAConversationThatItLeavesUnasked) {
    core::Config config = test::unlimited_config();
    config.limits.rooms_per_session = 4;
    test::ChatHub f(config);
    test::ChatPeer bob(f, 0, R"({"username":"bob"})");
    test::ChatPeer one(f, 0, R"({"username":"one"})");
    test::ChatPeer two(f, 0, R"({"username":"two"})");
    one.say(R"(["direct",{"to":"bob","text":"x"}])");
    f.hub.settle();
    EXPECT_TRUE(bob.events("left").empty());
    two.say(R"(["direct",{"to":"bob","text":"x"}])");
    f.hub.settle();
    ASSERT_EQ(bob.events("left").size(), 1u);
    EXPECT_TRUE(bob.events("left").front().starts_with(R"(["left",{"room":"dm:)"));
    EXPECT_EQ(bob.events("direct_joined").size(), 2u);
    EXPECT_TRUE(one.events("left").empty());
}

}  // namespace
}  // namespace parley::transports
