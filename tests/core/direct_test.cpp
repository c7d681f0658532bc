// Direct messages: over sessions of several shards, with accounts and without.
#include "core/direct.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/at_home.hpp"
#include "protocol/direct_room.hpp"
#include "support/fake_accounts.hpp"
#include "support/fake_store.hpp"
#include "support/test_session.hpp"

namespace parley::core {
namespace {

using protocol::Ack;
using protocol::Body;
using protocol::Direct;
using protocol::Joined;
using protocol::Message;
using test::TestHub;
using test::TestSession;

// A session that is told of what is for its user.
struct Chatter : TestSession {
    Chatter(TestHub& hub, std::size_t shard, std::optional<std::string> name,
            std::string address = "127.0.0.1")
        : TestSession(hub, shard, std::move(name), std::move(address)) {
        subscriber().take_directs();
    }
    void write(const std::string& to, std::string text, std::string key = {}) {
        say(Direct{to, {Body::Kind::text, std::move(text)}, std::move(key)});
    }
};

TEST(Direct, IsNobodyElsesWhateverAPatternSaysOfAllRooms) {
    Config config = test::unlimited_config(1);
    config.rooms.push_back({});
    config.rooms.back().match = "*";
    config.rooms.back().kind = protocol::RoomKind::hidden;
    test::FakeAccounts accounts;
    TestHub hub(config);
    hub.hub().set_accounts(&accounts);
    accounts.add("a", "ann");
    accounts.add("b", "bob");
    Chatter ann(hub, 0, std::nullopt);
    Chatter bob(hub, 0, std::nullopt);
    ann.say(protocol::Hello{std::nullopt, "a"});
    bob.say(protocol::Hello{std::nullopt, "b"});
    hub.settle();
    ann.write("bob", "psst");
    hub.settle();
    const auto ack = ann.last<Ack>();
    ASSERT_TRUE(ack);
    EXPECT_FALSE(hub.shard().find_audience(ack->room)->room()->governed());
    for (Chatter* one : {&ann, &bob}) {
        one->say(protocol::Hello{std::nullopt, one == &ann ? "a" : "b"});  // judged anew
        hub.settle();
        EXPECT_TRUE(one->all<protocol::Removed>().empty());
        EXPECT_TRUE(one->all<protocol::RolePush>().empty());
    }
    bob.send(ack->room, "what?");
    hub.settle();
    EXPECT_EQ(ann.texts(ack->room), (std::vector<std::string>{"psst", "what?"}));
}

TEST(Direct, IsHeardByAllSessionsOfBothAndByNobodyElse) {
    for (const std::uint32_t shards : {1U, 2U, 3U}) {
        TestHub hub(test::unlimited_config(shards));
        Chatter ann(hub, 0, "ann");
        Chatter ann_too(hub, shards - 1, "ann");
        Chatter bob(hub, shards - 1, "bob");
        Chatter bob_too(hub, 0, "bob");
        Chatter eve(hub, 0, "eve");
        ann.write("bob", "psst");
        EXPECT_FALSE(ann.subscriber().ready());
        hub.settle();
        EXPECT_TRUE(ann.subscriber().ready());
        const auto ack = ann.last<Ack>();
        ASSERT_TRUE(ack);
        EXPECT_EQ(ack->room, protocol::direct_room(ann.user().id, bob.user().id));
        EXPECT_EQ(ack->cursor.offset, 1U);
        for (auto* one : {&ann, &ann_too, &bob, &bob_too}) {
            const auto joined = one->last<Joined>();
            ASSERT_TRUE(joined);
            EXPECT_EQ(joined->room, ack->room);
            EXPECT_TRUE(joined->history.empty());
            const bool hers = one == &ann || one == &ann_too;
            EXPECT_EQ(joined->direct, hers ? bob.user() : ann.user());
            EXPECT_EQ(one->texts(ack->room), std::vector<std::string>{"psst"});
        }
        EXPECT_EQ(eve.heard().size(), 1U) << "her welcome";
        bob.write(ann.user().id, "what?");
        bob_too.send(ack->room, "louder");
        hub.settle();
        EXPECT_EQ(ann.texts(ack->room).size(), 3U);
        EXPECT_EQ(ann.all<Joined>().size(), 1U) << "it is in it already";
        EXPECT_EQ(hub.total(Metric::directs_sent), 2U);
    }
}

TEST(Direct, IsClosedToEverybodyElse) {
    for (const std::uint32_t shards : {1U, 2U}) {
        TestHub hub(test::unlimited_config(shards));
        Chatter ann(hub, 0, "ann");
        Chatter bob(hub, shards - 1, "bob");
        Chatter eve(hub, 0, "eve");
        ann.write("bob", "psst");
        hub.settle();
        const std::string room = ann.last<Ack>()->room;
        const std::vector<protocol::Command> commands{
            protocol::Join{room, {}, 50, false},
            protocol::Send{room, {Body::Kind::text, "x"}, {}, {}},
            protocol::Typing{room, true},
            protocol::Read{room, 1},
            protocol::History{room, {}, {}, 50},
            protocol::Members{room},
            protocol::Edit{room, 1, {Body::Kind::text, "x"}, {}},
            protocol::Delete{room, 1, {}, {}},
        };
        for (std::size_t i = 0; i < commands.size(); ++i) {
            eve.forget();
            eve.say(commands[i]);
            hub.settle();
            EXPECT_EQ(eve.error(), "forbidden") << i;
        }
        eve.forget();
        eve.join("dm:nobody:atall");
        hub.settle();
        EXPECT_EQ(eve.error(), "forbidden");
        EXPECT_TRUE(refuse_outsider(*eve.subscriber().session().user(), room));
        EXPECT_FALSE(refuse_outsider(*bob.subscriber().session().user(), room));
        bob.say(protocol::Leave{room});
        bob.join(room);
        hub.settle();
        EXPECT_EQ(bob.last<Joined>()->history.size(), 1U) << "theirs to come back to";
        for (std::size_t shard = 0; shard < shards; ++shard) {
            EXPECT_TRUE(rooms_at_home(hub.shard(shard), {}, 100).empty()) << "not listed";
        }
    }
}

TEST(Direct, HasNobodyAboveAnybody) {
    Config config = test::unlimited_config(2);
    RoomRule closed;
    closed.match = "*";
    closed.kind = protocol::RoomKind::members;
    config.rooms.push_back(closed);
    TestHub hub(config);
    test::FakeAccounts accounts;
    hub.hub().set_accounts(&accounts);
    Grant moderator;
    moderator.moderates = true;
    accounts.add("t-ann", "ann", moderator);
    Chatter ann(hub, 0, std::nullopt);
    Chatter bob(hub, 1, "bob");
    ann.say(protocol::Hello{std::nullopt, "t-ann"});
    hub.settle();
    ann.write("bob", "psst");
    hub.settle();
    ASSERT_TRUE(ann.last<Ack>()) << ann.error();
    const std::string room = ann.last<Ack>()->room;
    bob.send(room, "what?");
    hub.settle();
    EXPECT_EQ(ann.texts(room).size(), 2U) << "whatever rooms are by their rule";
    ann.say(protocol::SetRole{room, "bob", protocol::Role::banned, {}, {}});
    hub.settle();
    EXPECT_EQ(ann.error(), "forbidden");
    ann.forget();
    ann.say(protocol::Delete{room, 2, {}, {}});
    hub.settle();
    EXPECT_EQ(ann.error(), "forbidden");
}

TEST(Direct, IsNotListedAmongTheOthersWhateverThePage) {
    TestHub hub;
    Chatter ann(hub, 0, "ann");
    Chatter bob(hub, 0, "bob");
    Chatter eve(hub, 0, "eve");
    ann.write("bob", "psst");
    hub.settle();
    ann.write("eve", "psst");
    hub.settle();
    for (const char* room : {"a", "dm", "dma", "zoo"}) ann.join(room);
    hub.settle();
    std::vector<std::string> listed;
    for (const std::size_t most : {1U, 2U, 3U, 10U}) {
        listed.clear();
        for (std::string after;;) {
            const auto page = rooms_at_home(hub.shard(), after, most);
            for (const auto& room : page) listed.push_back(room.room);
            if (page.size() < most) break;
            after = listed.back();
        }
        EXPECT_EQ(listed, (std::vector<std::string>{"a", "dm", "dma", "zoo"})) << most;
    }
    EXPECT_EQ(rooms_at_home(hub.shard(), "dm:x", 10).size(), 2U);
}

TEST(Direct, SaysWhoCannotBeWrittenTo) {
    TestHub hub(test::unlimited_config(2));
    Chatter ann(hub, 0, "ann");
    Chatter bob(hub, 1, "bob", "10.0.0.1");
    Chatter other_bob(hub, 0, "bob", "10.0.0.2");
    struct Row {
        std::string to, text;
        const char* code;
    };
    for (const Row& row :
         {Row{"nobody", "x", "not_found"}, Row{"bob", "x", "conflict"},
          Row{"ann", "x", "bad_request"}, Row{"bob", "", "bad_request"}, Row{"", "x", "not_found"},
          Row{"bob", std::string(20'000, 'x'), "too_large"}}) {
        ann.forget();
        ann.write(row.to, row.text);
        hub.settle();
        EXPECT_EQ(ann.error(), row.code) << row.to;
        EXPECT_TRUE(ann.subscriber().ready());
    }
    ann.forget();
    ann.write(other_bob.user().id, "you");
    hub.settle();
    EXPECT_TRUE(ann.last<Ack>());
    EXPECT_TRUE(bob.all<Message>().empty());
    EXPECT_EQ(other_bob.all<Message>().size(), 1U);
}

TEST(Direct, FindsNobodyWhoHasStillToSignIn) {
    Config config = test::unlimited_config();
    config.access.anonymous = false;
    TestHub hub(config);
    test::FakeAccounts accounts;
    hub.hub().set_accounts(&accounts);
    accounts.add("a", "ann");
    Chatter ann(hub, 0, std::nullopt);
    ann.say(protocol::Hello{std::nullopt, "a"});
    Chatter bob(hub, 0, "bob");
    hub.settle();
    for (const std::string& who : {std::string("bob"), bob.user().id}) {
        ann.forget();
        ann.write(who, "psst");
        hub.settle();
        EXPECT_EQ(ann.error(), "not_found");
    }
}

TEST(Direct, WaitsForAnAccountThatIsNotThere) {
    TestHub hub(test::unlimited_config(2));
    test::FakeAccounts accounts;
    hub.hub().set_accounts(&accounts);
    accounts.add("t-ann", "ann");
    accounts.add("t-carl", "carl");
    Chatter ann(hub, 0, std::nullopt);
    ann.say(protocol::Hello{std::nullopt, "t-ann"});
    hub.settle();
    ann.write("carl", "when you are back");
    hub.settle();
    ASSERT_TRUE(ann.last<Ack>());
    const std::string room = ann.last<Ack>()->room;
    EXPECT_EQ(room, protocol::direct_room("id-ann", "id-carl"));
    EXPECT_EQ(ann.last<Joined>()->direct, (protocol::User{"id-carl", "carl"}));
    Chatter carl(hub, 1, std::nullopt);
    carl.say(protocol::Hello{std::nullopt, "t-carl"});
    carl.join(room);
    hub.settle();
    EXPECT_EQ(carl.last<Joined>()->history.size(), 1U);
    accounts.be_overloaded(true);
    ann.forget();
    ann.write("carl", "x");
    hub.settle();
    EXPECT_EQ(ann.error(), "unavailable");
    accounts.be_overloaded(false);
    // Who has no account may be there all the same.
    Chatter guest(hub, 1, "guest");
    ann.write("guest", "found");
    hub.settle();
    EXPECT_EQ(guest.all<Message>().size(), 1U);
}

TEST(Direct, CountsOncePerKey) {
    TestHub hub(test::unlimited_config(2));
    Chatter ann(hub, 0, "ann");
    Chatter bob(hub, 1, "bob");
    ann.write("bob", "once", "key");
    hub.settle();
    ann.write("bob", "once", "key");
    hub.settle();
    EXPECT_EQ(ann.last<Ack>()->cursor.offset, 1U);
    EXPECT_EQ(bob.all<Message>().size(), 1U);
}

// Conversations that others began and nobody answered make room for newer ones, and for nothing else.
TEST(Direct, FillsNobodysRooms) {
    for (const std::uint32_t shards : {1U, 2U}) {
        Config config = test::unlimited_config(shards);
        config.limits.rooms_per_session = 6;
        TestHub hub(config);
        Chatter bob(hub, 0, "bob");
        bob.join("own");
        hub.settle();
        std::deque<Chatter> others;
        const auto written_by = [&](const std::string& name) {
            others.emplace_back(hub, shards - 1, name).write("bob", "hello");
            hub.settle();
            EXPECT_TRUE(others.back().last<Ack>()) << "it is said all the same";
            return others.back().last<Ack>()->room;
        };
        const std::string friends = written_by("friend");
        bob.send(friends, "hello");
        hub.settle();
        const std::string first = written_by("stranger-0");
        for (int i = 1; i < 5; ++i) {
            const std::string room = written_by("stranger-" + std::to_string(i));
            EXPECT_EQ(bob.texts(room), std::vector<std::string>{"hello"});
            EXPECT_EQ(bob.subscriber().room_count(), 3U);
        }
        EXPECT_EQ(bob.all<protocol::Left>().size(), 4U);
        EXPECT_EQ(bob.all<protocol::Left>().front().room, first);
        EXPECT_EQ(hub.total(Metric::directs_given_way), 4U);
        EXPECT_TRUE(bob.subscriber().listens_to("own"));
        others.front().write("bob", "still there?");
        hub.settle();
        EXPECT_EQ(bob.texts(friends).back(), "still there?");
        // To have read is as good as an answer.
        const std::string last = others.back().last<Ack>()->room;
        bob.say(protocol::Read{last, 1});
        const std::string refused = written_by("one more");
        EXPECT_TRUE(bob.texts(refused).empty());
        EXPECT_TRUE(bob.subscriber().listens_to(last));
        EXPECT_EQ(hub.total(Metric::direct_joins_refused), 1U);
        EXPECT_EQ(hub.total(Metric::directs_given_way), 4U);
        bob.join("lobby");
        hub.settle();
        EXPECT_EQ(bob.last<Joined>()->room, "lobby");
    }
}

// However many are on their way.
TEST(Direct, FillsNobodysRoomsWhereSeveralBeginAtOnce) {
    for (const std::uint32_t shards : {1U, 2U}) {
        Config config = test::unlimited_config(shards);
        config.limits.rooms_per_session = 4;
        TestHub hub(config);
        Chatter bob(hub, 0, "bob");
        bob.join("own");
        hub.settle();
        std::deque<Chatter> others;
        for (int i = 0; i < 4; ++i) {
            others.emplace_back(hub, shards - 1, "stranger-" + std::to_string(i));
        }
        for (Chatter& other : others) other.write("bob", "hello");
        hub.settle();
        EXPECT_EQ(bob.subscriber().room_count(), 2U);
        EXPECT_TRUE(bob.subscriber().listens_to("own"));
        EXPECT_EQ(hub.total(Metric::directs_given_way), 3U);
        for (const Chatter& other : others) {
            const std::string room =
                protocol::direct_room(bob.user().id, other.subscriber().session().user()->who.id);
            const auto members =
                hub.hub().home_of(room).find_audience(room)->home()->member_count();
            EXPECT_EQ(members, bob.subscriber().listens_to(room) ? 2U : 1U);
        }
    }
}

TEST(Direct, LeavesNoConversationForOneThatCanNotBeOpened) {
    test::FakeStore store(Durability::sync);
    Config config = test::unlimited_config();
    config.history.durability = Durability::sync;
    config.limits.rooms_per_session = 2;
    TestHub hub(config, 1, &store);
    Chatter bob(hub, 0, "bob");
    Chatter ann(hub, 0, "ann");
    ann.write("bob", "hello");
    hub.settle();
    const std::string room = ann.last<Ack>()->room;
    ASSERT_TRUE(bob.subscriber().listens_to(room));
    Chatter eve(hub, 0, "eve");
    store.by_itself = false;
    eve.write("bob", "hello");
    for (int i = 0; i < 20 && hub.settle() + store.asked() > 0; ++i) {
        if (store.asked() > 0) store.fail();
    }
    EXPECT_FALSE(eve.last<Ack>());
    EXPECT_TRUE(bob.subscriber().listens_to(room));
    EXPECT_EQ(hub.total(Metric::directs_given_way), 0U);
}

TEST(Direct, KeepsWhatWasEverAnsweredInANewSession) {
    Config config = test::unlimited_config();
    config.limits.rooms_per_session = 4;
    TestHub hub(config);
    Chatter ann(hub, 0, "ann");
    std::optional<Chatter> bob(std::in_place, hub, 0U, "bob");
    ann.write("bob", "hello");
    hub.settle();
    const std::string room = ann.last<Ack>()->room;
    bob->send(room, "hello");
    hub.settle();
    bob.emplace(hub, 0U, "bob");
    ann.write("bob", "again");
    hub.settle();
    std::deque<Chatter> strangers;
    for (int i = 0; i < 5; ++i) {
        strangers.emplace_back(hub, 0, "stranger-" + std::to_string(i)).write("bob", "hello");
        hub.settle();
    }
    ann.send(room, "and again");
    hub.settle();
    EXPECT_EQ(bob->texts(room), (std::vector<std::string>{"again", "and again"}));
    EXPECT_EQ(hub.total(Metric::directs_given_way), 4U);
    // Who begins it has no need to answer.
    strangers.front().write("ann", "hello");
    hub.settle();
    EXPECT_TRUE(strangers.front().all<protocol::Left>().empty());
}

TEST(Direct, LeavesOthersTransportsAlone) {
    TestHub hub;
    Chatter ann(hub, 0, "ann");
    Chatter bob(hub, 0, "bob");
    TestSession stream(hub, 0, "bob");  // which listens to what it asked for
    ann.write("bob", "psst");
    hub.settle();
    EXPECT_TRUE(stream.all<Joined>().empty());
    EXPECT_EQ(bob.all<Message>().size(), 1U);
}

TEST(Direct, IsNotToldToTokensThatAreGoodForOtherRoomsOnly) {
    TestHub hub(test::unlimited_config(2));
    test::FakeAccounts accounts;
    hub.hub().set_accounts(&accounts);
    Grant bot;
    bot.all_rooms = false;
    bot.rooms = {"bots.*"};
    accounts.add("t-bot", "bob", bot);
    accounts.add("t-bob", "bob");
    Grant sends;
    sends.reads = false;
    accounts.add("t-sends", "bob", sends);
    std::deque<Chatter> bobs;
    for (const char* token : {"t-bot", "t-bob", "t-sends"}) {
        bobs.emplace_back(hub, bobs.size() % 2, std::nullopt).say(protocol::Hello{{}, token});
    }
    Chatter ann(hub, 0, "ann");
    hub.settle();
    ann.write("bob", "psst");
    hub.settle();
    ASSERT_TRUE(ann.last<Ack>());
    EXPECT_EQ(bobs[0].all<Joined>().size(), 0U);
    EXPECT_EQ(bobs[1].all<Message>().size(), 1U);
    EXPECT_EQ(bobs[2].all<Joined>().size(), 0U);
    bobs[0].write("ann", "x");
    hub.settle();
    EXPECT_EQ(bobs[0].error(), "forbidden");
}

TEST(Direct, FollowsAUserThroughANewName) {
    TestHub hub;
    Chatter ann(hub, 0, "ann");
    Chatter bob(hub, 0, "bob");
    bob.say(protocol::Hello{"robert", std::nullopt});
    ann.write("bob", "x");
    hub.settle();
    EXPECT_EQ(ann.error(), "not_found");
    ann.write("robert", "x");
    hub.settle();
    EXPECT_EQ(bob.all<Message>().size(), 1U);
    { Chatter gone(hub, 0, "gone"); }
    ann.forget();
    ann.write("gone", "x");
    hub.settle();
    EXPECT_EQ(ann.error(), "not_found");
}

TEST(Direct, ReachesTheRoomsOfAStoreBeforeTheyAreOpen) {
    for (const auto durability : {Durability::sync, Durability::async}) {
        for (const std::uint32_t shards : {1U, 2U}) {
            test::FakeStore store(durability);
            Config config = test::unlimited_config(shards);
            config.history.durability = durability;
            TestHub hub(config, 1, &store);
            Chatter ann(hub, 0, "ann");
            Chatter bob(hub, shards - 1, "bob");
            store.by_itself = false;
            ann.write("bob", "psst");
            for (int i = 0; i < 20 && hub.settle() + store.asked() > 0; ++i) store.work(1);
            hub.settle();
            const auto ack = ann.last<Ack>();
            ASSERT_TRUE(ack);
            EXPECT_EQ(bob.texts(ack->room), std::vector<std::string>{"psst"});
            EXPECT_EQ(store.texts(ack->room), std::vector<std::string>{"psst"});
        }
    }
}

TEST(Direct, PutsNobodyIntoARoomTwice) {
    for (const std::uint32_t shards : {1U, 2U}) {
        TestHub hub(test::unlimited_config(shards));
        Chatter ann(hub, 0, "ann");
        Chatter bob(hub, shards - 1, "bob");
        const std::string room = protocol::direct_room(ann.user().id, bob.user().id);
        // Both write at once, and one of them joins by itself.
        ann.write("bob", "one");
        bob.write("ann", "two");
        hub.settle();
        ann.say(protocol::Leave{room});
        hub.settle();
        ann.join(room);
        bob.write("ann", "three");
        hub.settle();
        EXPECT_EQ(hub.hub().home_of(room).find_audience(room)->home()->member_count(), 2U);
        const auto texts = ann.texts(room);
        EXPECT_EQ(texts.back(), "three");
        ann.end(close_reasons::normal);
        bob.end(close_reasons::normal);
        hub.settle();
        const Audience* left = hub.hub().home_of(room).find_audience(room);
        EXPECT_EQ(left->home()->member_count(), 0U) << "everybody who came has left";
    }
}

}  // namespace
}  // namespace parley::core
