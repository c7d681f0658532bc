// Sockets of the chat that are lost and come back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "core/room_acts.hpp"
#include "support/chat_peer.hpp"

namespace parley::transports {
namespace {

using std::chrono::seconds;
using test::ChatHub;
using test::ChatPeer;
using test::unlimited_config;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

// "room:offset" of each message in these arguments.
std::vector<std::string> said_in(std::string_view args) {
    constexpr std::string_view room_key = R"("room":")";
    constexpr std::string_view offset_key = R"("offset":)";
    std::vector<std::string> found;
    for (auto at = args.find(room_key); at != args.npos; at = args.find(room_key, at)) {
        at += room_key.size();
        const auto offset = args.find(offset_key, at) + offset_key.size();
        found.push_back(std::string(args.substr(at, args.find('"', at) - at)) + ":" +
                        std::string(args.substr(offset, args.find(',', offset) - offset)));
    }
    return found;
}

// The same for all that was said by this name, in order.
std::vector<std::string> messages(const std::vector<std::string>& told,
                                  std::string_view name = "message") {
    std::vector<std::string> found;
    for (const auto& args : told) {
        if (!args.starts_with("[\"" + std::string(name) + "\",{")) continue;
        found.push_back(said_in(args).front());
    }
    return found;
}

struct RecoveryFixture : ChatHub {
    explicit RecoveryFixture(protocol::SocketIoChatConfig config = {}, std::uint32_t shards = 1)
        : ChatHub(unlimited_config(shards), std::move(config)) {
        hub.settle();
    }
    void say(const std::string& room, int count = 1) {
        for (int i = 0; i < count; ++i) {
            bob.say(R"(["message",{"room":")" + room + R"(","text":"x"}])");
            hub.settle();
        }
    }
    [[nodiscard]] std::uint64_t total(core::Metric metric) { return hub.total(metric); }

    ChatPeer bob{*this, 0, R"({"username":"bob"})"};
};

TEST(ChatRecovery, GoesOnWhereItWasLost) {
    RecoveryFixture f;
    ChatPeer ann(f, 0, R"({"username":"ann"})");
    f.say("lobby", 3);
    const auto sid = ann.sid;
    const auto pid = ann.pid;
    const auto last = ann.last_offset();
    ann.lose();
    f.say("lobby", 3);
    ann.come_back(0, pid, last);
    EXPECT_EQ(ann.sid, sid);
    EXPECT_EQ(ann.pid, pid);
    EXPECT_EQ(ann.told.front(), "accept");
    EXPECT_EQ(ann.told.size(), 4u);
    EXPECT_THAT(messages(ann.told), ElementsAre("lobby:4", "lobby:5", "lobby:6"));
    f.say("lobby", 1);
    EXPECT_THAT(messages(ann.told).back(), "lobby:7");
    ann.say(R"(["message","mine"])", 1);
    f.hub.settle();
    EXPECT_THAT(ann.told.back(), HasSubstr(R"("username":"ann")"));
    EXPECT_EQ(f.total(core::Metric::lost_sessions_recovered), 1u);
    EXPECT_EQ(f.total(core::Metric::recoveries_refused), 0u);
}

TEST(ChatRecovery, GoesOnFromTheConnectionWhereNothingWasHeardSince) {
    RecoveryFixture f;
    ChatPeer ann(f, 0, R"({"username":"ann"})");
    const auto sid = ann.sid;
    const auto pid = ann.pid;
    const auto joined = ann.last_offset();
    EXPECT_EQ(ann.last_offset(1), std::nullopt);  // accepted, and no event yet
    ann.lose();
    f.say("lobby", 2);
    // It has got what it was told on joining.
    ann.come_back(0, pid, joined);
    EXPECT_EQ(ann.sid, sid);
    EXPECT_THAT(messages(ann.told), ElementsAre("lobby:1", "lobby:2"));
    EXPECT_THAT(ann.events("message_history"), testing::IsEmpty());
    // It has not: it is told now.
    ChatPeer eve(f, 0, R"({"username":"eve"})");
    const auto eve_sid = eve.sid;
    const auto eve_pid = eve.pid;
    eve.lose();
    f.say("lobby", 1);
    eve.come_back(0, eve_pid, std::nullopt);
    EXPECT_EQ(eve.sid, eve_sid);
    EXPECT_THAT(eve.told,
                ElementsAre("accept", HasSubstr(R"("offset":3)"), StartsWith("[\"users\"")));
}

TEST(ChatRecovery, IsAnHonestFreshStartWhereItCannotFollow) {
    core::Config config = unlimited_config();
    config.history.messages = 5;
    ChatHub f(config);
    ChatPeer bob(f, 0, R"({"username":"bob"})");
    const auto lost = [&](const std::optional<std::string>& offset, const std::string& pid = {},
                          int missed = 1, bool goodbye = false) {
        ChatPeer ann(f, 0, R"({"username":"ann"})");
        bob.say(R"(["message","before"])");
        f.hub.settle();
        const auto sid = ann.sid;
        const auto own_pid = pid.empty() ? ann.pid : pid;
        const auto last = offset ? offset : ann.last_offset();
        ann.end(core::close_reasons::vanished, goodbye ? SocketEnd::disconnected : SocketEnd::lost);
        for (int i = 0; i < missed; ++i) bob.say(R"(["message","missed"])");
        f.hub.settle();
        ann.come_back(0, own_pid, last, R"(,"username":"ann")");
        f.hub.settle();
        const bool same = ann.sid == sid;
        if (!same) {
            EXPECT_NE(ann.pid, own_pid);
            EXPECT_THAT(ann.told[1], StartsWith(R"(["message_history",[{)"));
            EXPECT_THAT(messages(ann.told), testing::IsEmpty());
        }
        return same;
    };
    EXPECT_TRUE(lost({}));
    EXPECT_TRUE(lost({}, {}, 5));
    EXPECT_FALSE(lost({}, {}, 6));  // more than the room retains
    EXPECT_FALSE(lost("nonsense"));
    EXPECT_FALSE(lost("AAAAA:1"));
    EXPECT_FALSE(lost({}, "A0123456789012345678"));  // gone, or never there
    EXPECT_FALSE(lost({}, "_0123456789012345678"));  // no such shard
    EXPECT_FALSE(lost({}, "short"));
    EXPECT_FALSE(lost({}, {}, 1, true));
    EXPECT_EQ(f.hub.total(core::Metric::recoveries_refused), 7u);
}

TEST(ChatRecovery, IsForgottenAfterItsWindow) {
    RecoveryFixture f;
    ChatPeer ann(f, 0);
    const auto sid = ann.sid;
    const auto pid = ann.pid;
    const auto last = ann.last_offset();
    ann.lose();
    f.hub.pass(seconds(119));
    ann.come_back(0, pid, last);
    EXPECT_EQ(ann.sid, sid);
    ann.lose();
    f.hub.pass(seconds(121));
    ann.come_back(0, pid, last);
    EXPECT_NE(ann.sid, sid);
}

TEST(ChatRecovery, FollowsARoomThatWentWhileNothingHadBeenSaidInIt) {
    for (const bool forgets : {false, true}) {
        core::Config config = unlimited_config();
        if (forgets) config.history.idle_ttl = seconds(60);
        ChatHub f(config);
        ChatPeer bob(f, 0, R"({"username":"bob","room":"other"})");
        ChatPeer ann(f, 0, R"({"username":"ann","room":"quiet"})");
        ann.say(R"(["join","other"])");
        bob.say(R"(["message","one"])");
        f.hub.settle();
        const auto sid = ann.sid;
        const auto pid = ann.pid;
        const auto last = ann.last_offset();
        ann.lose();
        f.hub.pass(seconds(30));
        EXPECT_EQ(f.hub.shard().find_audience("quiet"), nullptr);
        bob.say(R"(["message","two"])");
        bob.say(R"(["join","quiet"])");
        bob.say(R"(["message","three"])");
        f.hub.settle();
        ann.come_back(0, pid, last);
        f.hub.settle();
        EXPECT_EQ(ann.sid == sid, !forgets);
        if (forgets) continue;
        EXPECT_THAT(messages(ann.told), testing::UnorderedElementsAre("other:2", "quiet:1"));
        // And so the next time.
        const auto later = ann.last_offset();
        ann.lose();
        bob.say(R"(["message","four"])");
        f.hub.settle();
        ann.come_back(0, pid, later);
        EXPECT_EQ(ann.sid, sid);
        EXPECT_THAT(messages(ann.told), ElementsAre("quiet:2"));
    }
}

TEST(ChatRecovery, KeepsNoMoreThanItMay) {
    protocol::SocketIoChatConfig config;
    config.recovery_max = 2;
    RecoveryFixture f(config);
    std::vector<std::string> pids;
    for (int i = 0; i < 3; ++i) {
        ChatPeer peer(f, 0);
        pids.push_back(peer.pid);
        peer.lose();
    }
    EXPECT_EQ(f.total(core::Metric::lost_sessions_dropped), 1u);
    ChatPeer first(f, 0, R"({"pid":")" + pids[0] + "\"}");
    EXPECT_NE(first.pid, pids[0]);
    ChatPeer last(f, 0, R"({"pid":")" + pids[2] + "\"}");
    EXPECT_EQ(last.pid, pids[2]);
}

TEST(ChatRecovery, IsNotOfferedWhereItIsOff) {
    protocol::SocketIoChatConfig config;
    config.recovery = false;
    RecoveryFixture f(config);
    ChatPeer ann(f, 0);
    EXPECT_EQ(ann.pid, "");
    ann.lose();
    EXPECT_EQ(f.total(core::Metric::lost_sessions_kept), 0u);
}

TEST(ChatRecovery, TakesOverAConnectionThatTheServerStillThinksAlive) {
    RecoveryFixture f;
    ChatPeer old(f, 0, R"({"username":"ann"})");
    f.say("lobby", 2);
    const auto last = old.last_offset();
    f.say("lobby", 2);  // written into the void
    ChatPeer fresh(f, 0, R"({"pid":")" + old.pid + R"(","offset":")" + *last + "\"}");
    EXPECT_EQ(fresh.sid, old.sid);
    EXPECT_THAT(messages(fresh.told), ElementsAre("lobby:3", "lobby:4"));
    EXPECT_TRUE(old.closed_for);
    const auto pid = fresh.pid;
    old.lose();
    EXPECT_EQ(f.total(core::Metric::lost_sessions_kept), 0u);
    // And once more: the old one's end has not let go of it.
    ChatPeer third(f, 0, R"({"pid":")" + pid + R"(","offset":")" + *fresh.last_offset() + "\"}");
    EXPECT_EQ(third.sid, fresh.sid);
}

// Everything that a client may have got when it was lost, in two and three rooms, with rooms joined
// and left on the way: at every such place it goes on without a message twice or missing.
struct Story {
    explicit Story(std::uint32_t shards, std::vector<std::string> names = {"message"})
        : f(config_with(std::move(names)), shards) {
        if (shards > 1) f.bob.say(R"(["join","far"])");
        f.bob.say(R"(["join","tea"])");
        f.hub.settle();
        f.say("tea", 2);
    }
    static protocol::SocketIoChatConfig config_with(std::vector<std::string> names) {
        protocol::SocketIoChatConfig config;
        config.message_events = std::move(names);
        return config;
    }
    void tell(ChatPeer& ann) {
        f.say("lobby", 2);
        ann.say(R"(["join","tea"])");
        f.hub.settle();
        f.say("tea");
        f.say("lobby");
        // Both in one turn, and runs of several.
        for (int i = 0; i < 6; ++i) {
            f.bob.say(R"(["message",{"room":"tea","text":"x"}])");
            f.bob.say(R"(["message",{"room":"lobby","text":"x"}])");
        }
        f.bob.say(R"(["typing",{"room":"tea"}])");
        f.hub.settle();
        ann.say(R"(["join","milk"])");
        f.hub.settle();
        ann.say(R"(["message",{"room":"milk","text":"x"}])");
        f.say("lobby", 2);
        ann.say(R"(["leave","milk"])");
        f.hub.settle();
        f.say("tea", 2);
    }
    RecoveryFixture f;
};

// For each room the offsets of all messages heard. A history is where a room's begin: it is told on
// joining, and again where the client was cut off before it had been told all of that.
std::map<std::string, std::vector<int>> heard(const std::vector<std::string>& told,
                                              std::string_view name = "message") {
    std::map<std::string, std::vector<int>> by_room;
    const auto hear = [&by_room](const std::string& each) {
        const auto colon = each.find(':');
        by_room[each.substr(0, colon)].push_back(std::stoi(each.substr(colon + 1)));
    };
    for (const auto& args : told) {
        if (args.starts_with(R"(["message_history",[{)")) {
            const auto listed = said_in(args);
            by_room.erase(listed.front().substr(0, listed.front().find(':')));
            for (const auto& each : listed) hear(each);
        }
        for (const auto& each : messages({args}, name)) hear(each);
    }
    return by_room;
}

// All from the first one on, none twice, up to `end`.
void expect_exact(const std::vector<int>& offsets, int end, const std::string& where) {
    std::vector<int> all(static_cast<std::size_t>(end));
    std::iota(all.begin(), all.end(), 1);
    EXPECT_EQ(offsets, all) << where;
}

void lose_everywhere(std::uint32_t shards, std::size_t back_on,
                     const std::vector<std::string>& names = {"message"}) {
    std::size_t places = 1;
    for (std::size_t cut = 1; cut <= places; ++cut) {
        Story story(shards, names);
        ChatPeer ann(story.f, shards - 1, R"({"username":"ann"})");
        story.f.hub.settle();
        story.tell(ann);
        places = ann.told.size();
        const auto sid = ann.sid;
        const auto pid = ann.pid;
        const auto last = ann.last_offset(cut);
        std::vector<std::string> got(ann.told.begin(),
                                     ann.told.begin() + static_cast<std::ptrdiff_t>(cut));
        ann.lose();
        story.f.say("lobby", 2);
        story.f.say("tea", 1);
        ann.come_back(back_on, pid, last);
        story.f.hub.settle();
        story.f.say("tea", 1);
        story.f.say("lobby", 1);
        ASSERT_EQ(ann.sid, sid) << "cut at " << cut << ", last " << last.value_or("none");
        // What was joined and not told of before the cut is told of now.
        got.insert(got.end(), ann.told.begin(), ann.told.end());
        for (const auto& name : names) {
            auto by_room = heard(got, name);
            expect_exact(by_room["lobby"], 14,
                         name + " in the lobby, cut at " + std::to_string(cut));
            expect_exact(by_room["tea"], 13, name + " at tea, cut at " + std::to_string(cut));
        }
    }
    EXPECT_GT(places, 25u);
}

TEST(ChatRecovery, LosesAndRepeatsNothingInSeveralRoomsWhereverItIsCut) {
    lose_everywhere(1, 0);
}

TEST(ChatRecovery, LosesAndRepeatsNothingWhereRoomsAndSessionsAreOnOtherShards) {
    lose_everywhere(3, 2);
    lose_everywhere(3, 0);
    lose_everywhere(3, 1);
}

TEST(ChatRecovery, LosesAndRepeatsNothingWhereAMessageIsSeveralEvents) {
    lose_everywhere(1, 0, {"message", "new_message"});
}

TEST(ChatRecovery, MayBeCutAgainAndAgainWhileItIsTold) {
    for (std::size_t first = 1; first < 30; first += 3) {
        std::size_t places = 1;
        for (std::size_t second = 0; second <= places; ++second) {
            Story story(1);
            ChatPeer ann(story.f, 0, R"({"username":"ann"})");
            story.f.hub.settle();
            story.tell(ann);
            const auto sid = ann.sid;
            const auto pid = ann.pid;
            ASSERT_LT(first, ann.told.size());
            auto last = ann.last_offset(first);
            std::vector<std::string> got(ann.told.begin(),
                                         ann.told.begin() + static_cast<std::ptrdiff_t>(first));
            ann.lose();
            story.f.say("lobby", 2);
            ann.come_back(0, pid, last);
            story.f.say("tea", 1);
            places = ann.told.size();
            if (const auto later = ann.last_offset(second)) last = later;
            got.insert(got.end(), ann.told.begin(),
                       ann.told.begin() + static_cast<std::ptrdiff_t>(second));
            ann.lose();
            story.f.say("lobby", 1);
            ann.come_back(0, pid, last);
            story.f.say("tea", 1);
            const auto where = std::to_string(first) + " and " + std::to_string(second);
            ASSERT_EQ(ann.sid, sid) << where;
            got.insert(got.end(), ann.told.begin(), ann.told.end());
            auto by_room = heard(got);
            expect_exact(by_room["lobby"], 14, "in the lobby, " + where);
            expect_exact(by_room["tea"], 13, "at tea, " + where);
        }
    }
}

TEST(ChatRecovery, KeepsItsStateWhereItIsLostBeforeItWasTakenUp) {
    RecoveryFixture f({}, 2);
    ChatPeer ann(f, 0, R"({"username":"ann"})");
    f.hub.settle();
    const auto sid = ann.sid;
    const auto pid = ann.pid;
    const auto last = ann.last_offset();
    ann.lose();
    // On another shard, gone while the first one is asked.
    ann.come_back(1, pid, last);
    ann.lose();
    f.hub.settle();
    // And while a room's home is.
    ann.come_back(1, pid, last);
    f.hub.run(0);
    f.hub.run(1);
    ann.lose();
    f.hub.settle();
    f.say("lobby", 1);
    ann.come_back(1, pid, last);
    f.hub.settle();
    EXPECT_EQ(ann.sid, sid);
    EXPECT_THAT(messages(ann.told), ElementsAre("lobby:1"));
}

// Whenever that happens, it does not believe to be where it is not.
TEST(ChatRecovery, KnowsThatItWasPutOutWhileItCameBack) {
    bool afresh = false;
    for (int steps = 0; steps < 12; ++steps) {
        RecoveryFixture f({}, 2);
        const std::string near = f.hub.room_at(1, "near");
        const std::string far = f.hub.room_at(0, "far");
        ChatPeer ann(f, 1, R"({"username":"ann"})");
        f.hub.settle();
        for (const std::string& room : {near, far}) {
            ann.say(R"(["join",")" + room + R"("])");
            f.bob.say(R"(["join",")" + room + R"("])");
            f.hub.settle();
        }
        const auto sid = ann.sid;
        const auto pid = ann.pid;
        const auto last = ann.last_offset();
        ann.lose();
        ann.come_back(1, pid, last);
        for (int i = 0; i < steps; ++i) f.hub.run(static_cast<std::size_t>(i % 2));
        core::StandingChange change;
        change.room = near;
        change.user = f.hub.hub().user_named("127.0.0.1", "ann")->who.id;
        change.removed = protocol::Removed{near, protocol::Removed::Action::kick, {}, "out"};
        core::change_standing(f.hub.shard(1), change);
        f.hub.settle();
        const bool told = !ann.events("removed").empty();
        f.say(near);
        const bool hears = !messages(ann.told).empty();
        EXPECT_TRUE(ann.sid != sid || told != hears) << steps;
        afresh = afresh || ann.sid != sid;
    }
    EXPECT_TRUE(afresh);
}

// What its user has become meanwhile it is told once it is there, or asks for afresh.
TEST(ChatRecovery, IsToldNothingOfRolesBeforeItIsBack) {
    bool afresh = false;
    for (int steps = 0; steps < 8; ++steps) {
        RecoveryFixture f({}, 2);
        ChatPeer ann(f, 1, R"({"username":"ann"})");
        f.hub.settle();
        const auto sid = ann.sid;
        const auto pid = ann.pid;
        const auto last = ann.last_offset();
        ann.lose();
        ann.come_back(1, pid, last);
        for (int i = 0; i < steps; ++i) f.hub.run(static_cast<std::size_t>(i % 2));
        protocol::RolePush push;
        push.room = "lobby";
        static_cast<core::Transport&>(ann.socket()).reply({{}, push});
        f.hub.settle();
        ASSERT_FALSE(ann.told.empty());
        EXPECT_EQ(ann.told.front(), "accept") << steps;
        EXPECT_TRUE(ann.sid != sid || ann.events("role").size() == 1) << steps;
        afresh = afresh || ann.sid != sid;
    }
    EXPECT_TRUE(afresh);
}

TEST(ChatRecovery, KeepsWhichRoomWasJoinedLast) {
    RecoveryFixture f;
    f.bob.say(R"(["join","tea"])");
    ChatPeer ann(f, 0, R"({"username":"ann"})");
    f.hub.settle();
    ann.say(R"(["join","tea"])");
    ann.say(R"(["join","lobby"])");
    f.hub.settle();
    const auto sid = ann.sid;
    const auto pid = ann.pid;
    const auto last = ann.last_offset();
    ann.lose();
    ann.come_back(0, pid, last);
    f.hub.settle();
    ASSERT_EQ(ann.sid, sid);
    f.bob.take();
    ann.say(R"(["message","x"])");
    f.hub.settle();
    EXPECT_THAT(messages(f.bob.take()), ElementsAre("lobby:1"));
}

TEST(ChatRecovery, BeginsAfreshWhereMoreWasMissedThanIsSaidAtOnce) {
    RecoveryFixture f;
    ChatPeer ann(f, 0, R"({"username":"ann"})");
    f.hub.settle();
    const auto sid = ann.sid;
    const auto pid = ann.pid;
    const auto last = ann.last_offset();
    ann.lose();
    const std::string text(10'000, 'x');
    for (int i = 0; i < 60; ++i) f.bob.say(R"(["message",")" + text + R"("])");
    f.hub.settle();
    ann.come_back(0, pid, last);
    f.hub.settle();
    EXPECT_NE(ann.sid, sid);
    EXPECT_EQ(f.total(core::Metric::recoveries_refused), 1u);
}

TEST(ChatRecovery, KeepsPresenceOverAShortAbsence) {
    RecoveryFixture f;
    ChatPeer ann(f, 0, R"({"username":"ann"})");
    f.hub.settle();
    f.bob.take();
    const auto pid = ann.pid;
    const auto last = ann.last_offset();
    ann.lose();
    f.hub.pass(seconds(5));
    ann.come_back(0, pid, last);
    f.hub.pass(seconds(60));
    EXPECT_THAT(f.bob.events("user_left"), testing::IsEmpty());
    EXPECT_THAT(f.bob.events("user_joined"), testing::IsEmpty());
}

}  // namespace
}  // namespace parley::transports
