// The rooms of a user with what is unread, and how far everybody has read.
#include "core/my_rooms.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/limits.hpp"
#include "protocol/direct_room.hpp"
#include "support/fake_accounts.hpp"
#include "support/fake_records.hpp"
#include "support/fake_store.hpp"
#include "support/test_session.hpp"

namespace parley::core {
namespace {

using protocol::Ack;
using protocol::Body;
using protocol::Joined;
using protocol::MyRoom;
using protocol::MyRooms;
using test::TestHub;
using test::TestSession;

struct Chatter : TestSession {
    Chatter(TestHub& hub, std::size_t shard, std::optional<std::string> name)
        : TestSession(hub, shard, std::move(name)), hub_(&hub) {
        subscriber().take_directs();
    }
    // By name.
    std::map<std::string, MyRoom> rooms() {
        forget();
        say(protocol::ListMyRooms{});
        hub_->settle();
        std::map<std::string, MyRoom> found;
        const auto list = last<MyRooms>();
        if (list) {
            for (const MyRoom& room : list->rooms) found[room.room] = room;
        }
        return found;
    }
    void read(const std::string& room, std::uint64_t offset) {
        say(protocol::Read{room, offset});
        hub_->settle();
    }

private:
    TestHub* hub_;
};

// With accounts and records, or with neither.
struct Town {
    Town(bool with_accounts, std::uint32_t shards) : hub(test::unlimited_config(shards)) {
        if (!with_accounts) return;
        hub.hub().set_accounts(&accounts);
        hub.hub().set_records(&records);
        for (const char* name : {"ann", "bob", "eve"}) {
            accounts.add(std::string("t-") + name, name);
        }
        signs_in = true;
    }
    // Signs in where there are accounts.
    void enter(Chatter& who, const std::string& name) {
        if (!signs_in) return;
        who.say(protocol::Hello{std::nullopt, "t-" + name});
        hub.settle();
    }
    test::FakeAccounts accounts;
    test::FakeRecords records;
    TestHub hub;
    bool signs_in = false;
};

TEST(MyRooms, AreThoseThatOneIsInWithWhatIsUnread) {
    for (const bool with_accounts : {false, true}) {
        for (const std::uint32_t shards : {1U, 2U, 3U}) {
            Town town(with_accounts, shards);
            Chatter ann(town.hub, 0, with_accounts ? std::nullopt : std::optional("ann"));
            Chatter bob(town.hub, shards - 1, with_accounts ? std::nullopt : std::optional("bob"));
            town.enter(ann, "ann");
            town.enter(bob, "bob");
            EXPECT_TRUE(ann.rooms().empty());
            ann.join("tea");
            bob.join("tea");
            ann.join("empty");
            town.hub.settle();
            for (const char* text : {"one", "two", "three"}) {
                bob.send("tea", text);
                town.hub.settle();
            }
            auto rooms = ann.rooms();
            ASSERT_EQ(rooms.size(), 2U);
            EXPECT_EQ(rooms["tea"].kind, "public");
            EXPECT_EQ(rooms["tea"].last_offset, 3U);
            EXPECT_EQ(rooms["tea"].unread, 3U);
            EXPECT_EQ(rooms["tea"].last->body.content, "three");
            EXPECT_EQ(rooms["empty"].unread, 0U);
            EXPECT_FALSE(rooms["empty"].last);
            ann.read("tea", 2);
            EXPECT_EQ(ann.rooms()["tea"].unread, 1U);
            EXPECT_EQ(ann.rooms()["tea"].read, 2U);
            EXPECT_EQ(bob.rooms()["tea"].unread, 3U) << "another's mark";
            // A change of what was said is nothing to read, and not the last that was said.
            bob.say(protocol::Edit{"tea", 3, {Body::Kind::text, "3"}, {}});
            town.hub.settle();
            EXPECT_EQ(ann.rooms()["tea"].unread, 1U);
            EXPECT_EQ(ann.rooms()["tea"].last->body.content, "3");
            ann.say(protocol::Leave{"empty"});
            ann.say(protocol::Leave{"tea"});
            town.hub.settle();
            rooms = ann.rooms();
            EXPECT_EQ(rooms.size(), 1U) << "where one has read";
            EXPECT_EQ(rooms["tea"].read, 2U);
        }
    }
}

TEST(MyRooms, HaveTheDirectOnesWithTheOther) {
    for (const bool with_accounts : {false, true}) {
        for (const std::uint32_t shards : {1U, 2U}) {
            Town town(with_accounts, shards);
            Chatter ann(town.hub, 0, with_accounts ? std::nullopt : std::optional("ann"));
            Chatter bob(town.hub, shards - 1, with_accounts ? std::nullopt : std::optional("bob"));
            town.enter(ann, "ann");
            town.enter(bob, "bob");
            ann.say(protocol::Direct{"bob", {Body::Kind::text, "psst"}, {}});
            town.hub.settle();
            const std::string room = ann.last<Ack>()->room;
            for (auto* one : {&ann, &bob}) {
                one->say(protocol::Leave{room});
                town.hub.settle();
            }
            auto of_bob = bob.rooms();
            ASSERT_EQ(of_bob.size(), 1U) << "though he is not in it";
            EXPECT_EQ(of_bob[room].kind, "direct");
            EXPECT_EQ(of_bob[room].direct, ann.user());
            EXPECT_EQ(of_bob[room].unread, 1U);
            auto of_ann = ann.rooms();
            ASSERT_EQ(of_ann.size(), 1U);
            EXPECT_EQ(of_ann[room].unread, 0U) << "she has said it herself";
        }
    }
}

TEST(MyRooms, ShowNobodyWhatTheyMayNotRead) {
    Town town(true, 2);
    Chatter ann(town.hub, 0, std::nullopt);
    town.enter(ann, "ann");
    town.records.save_mark("id-ann", {protocol::direct_room("x", "y"), {}, 1});
    town.records.save_mark("id-ann", {"nowhere", {}, 1});
    EXPECT_TRUE(ann.rooms().empty());
    Grant some;
    some.all_rooms = false;
    some.rooms = {"tea*"};
    town.accounts.add("t-some", "some", some);
    Chatter some_rooms(town.hub, 1, std::nullopt);
    some_rooms.say(protocol::Hello{std::nullopt, "t-some"});
    some_rooms.join("teapot");
    ann.join("lobby");
    town.hub.settle();
    town.records.save_mark("id-some", {"lobby", {}, 0});
    EXPECT_EQ(some_rooms.rooms().size(), 1U);
}

TEST(MyRooms, SayThatTheyCannotBeLookedUp) {
    Town town(true, 1);
    Chatter ann(town.hub, 0, std::nullopt);
    town.enter(ann, "ann");
    town.records.works = false;
    EXPECT_TRUE(ann.rooms().empty());
    EXPECT_EQ(ann.error(), "unavailable");
    EXPECT_TRUE(ann.subscriber().ready());
    ann.join("lobby");
    town.hub.settle();
    EXPECT_TRUE(ann.last<Joined>()) << "without its mark";
    town.records.works = true;
    EXPECT_EQ(ann.rooms().size(), 1U);
}

TEST(MyRooms, AreNoMoreThanAListHolds) {
    Config config = test::unlimited_config(2);
    config.limits.rooms_per_session = 1'000;
    TestHub hub(config);
    Chatter ann(hub, 0, "ann");
    for (std::size_t i = 0; i < limits::my_rooms_max + 20; ++i) {
        ann.join("room-" + std::to_string(i));
        hub.settle();
    }
    EXPECT_EQ(ann.rooms().size(), limits::my_rooms_max);
}

// One that can't be opened at the moment is theirs all the same.
TEST(MyRooms, SayWhichOfThemCannotBeLookedInto) {
    for (const std::uint32_t shards : {1U, 2U}) {
        test::FakeRecords records;
        TestHub hub(test::unlimited_config(shards));
        hub.hub().set_records(&records);
        Chatter ann(hub, 0, "ann");
        for (const char* const room : {"tea", "here"}) {
            ann.join(room);
            hub.settle();
            ann.send(room, "x");
            hub.settle();
            ann.read(room, 1);
        }
        ann.say(protocol::Leave{"tea"});
        hub.pass(std::chrono::hours(2));
        ASSERT_EQ(hub.hub().home_of("tea").find_audience("tea"), nullptr);
        records.rooms["tea"];
        records.works = false;
        auto rooms = ann.rooms();
        ASSERT_EQ(rooms.size(), 2U);
        EXPECT_TRUE(rooms["tea"].unavailable);
        EXPECT_EQ(rooms["tea"].kind, "public");
        EXPECT_FALSE(rooms["here"].unavailable);
        records.works = true;
        EXPECT_FALSE(ann.rooms()["tea"].unavailable);
    }
}

TEST(ReadMarks, AreToldOnJoining) {
    for (const bool with_accounts : {false, true}) {
        for (const std::uint32_t shards : {1U, 2U}) {
            Town town(with_accounts, shards);
            const auto name = with_accounts ? std::nullopt : std::optional<std::string>("ann");
            {
                Chatter ann(town.hub, 0, name);
                town.enter(ann, "ann");
                ann.join("tea");
                town.hub.settle();
                EXPECT_FALSE(ann.last<Joined>()->read);
                for (int i = 0; i < 5; ++i) ann.send("tea", "x"), town.hub.settle();
                ann.read("tea", 3);
                ann.read("tea", 2);
            }
            Chatter ann(town.hub, shards - 1, name);
            town.enter(ann, "ann");
            ann.join("tea");
            town.hub.settle();
            EXPECT_EQ(ann.last<Joined>()->read, 3U);
            ann.read("tea", 1'000'000);
            EXPECT_EQ(ann.last<protocol::ReadPush>()->offset, 5U) << "others are told no more";
            ann.say(protocol::Leave{"tea"});
            ann.join("tea");
            town.hub.settle();
            EXPECT_EQ(ann.last<Joined>()->read, 5U) << "nobody has read what was not said";
            if (with_accounts) {
                EXPECT_EQ(town.records.mark_lists, 0U) << "one mark is asked for, not all";
                EXPECT_EQ(town.records.marks.size(), 1U);
                EXPECT_EQ(town.hub.hub().read_marks().in_memory(), 0U);
            }
        }
    }
}

TEST(ReadMarks, ThatCannotBeLookedUpKeepNobodyOut) {
    Town town(true, 1);
    Chatter ann(town.hub, 0, std::nullopt);
    town.enter(ann, "ann");
    town.records.works = false;
    ann.join("tea");
    town.hub.settle();
    ASSERT_TRUE(ann.last<Joined>());
    EXPECT_FALSE(ann.last<Joined>()->read);
    EXPECT_EQ(town.hub.total(Metric::marks_unread), 1U);
}

TEST(ReadMarks, AreListedForWhoMayReadTheRoom) {
    for (const bool with_accounts : {false, true}) {
        for (const std::uint32_t shards : {1U, 2U}) {
            Town town(with_accounts, shards);
            Chatter ann(town.hub, 0, with_accounts ? std::nullopt : std::optional("ann"));
            Chatter guest(town.hub, shards - 1, "guest");
            town.enter(ann, "ann");
            for (auto* one : {&ann, &guest}) one->join("tea");
            town.hub.settle();
            for (int i = 0; i < 3; ++i) ann.send("tea", "x"), town.hub.settle();
            ann.read("tea", 3);
            guest.read("tea", 1);
            std::optional<Answered<protocol::ReadList>> answer;
            const auto ask = [&](const std::string& room) {
                answer.reset();
                list_readers(town.hub.shard(), guest.subscriber().session().user(), room,
                             [&](Answered<protocol::ReadList>&& list) { answer = list; });
                town.hub.settle();
            };
            ask("tea");
            ASSERT_TRUE(answer && *answer);
            EXPECT_EQ((*answer)->read.size(), 2U);
            for (const auto& reader : (*answer)->read) {
                EXPECT_EQ(reader.offset, reader.user == ann.user() ? 3U : 1U);
            }
            ask("nowhere");
            EXPECT_EQ(answer->error().code, "not_found");
            ask(protocol::direct_room("x", "y"));
            EXPECT_EQ(answer->error().code, "forbidden");
        }
    }
}

TEST(ReadMarks, OfRequestsAreNotedToo) {
    TestHub hub(test::unlimited_config(2));
    Chatter ann(hub, 0, "ann");
    ann.join("tea");
    ann.send("tea", "x");
    hub.settle();
    Shard& home = hub.hub().home_of("tea");
    const UserPtr user = ann.subscriber().session().user();
    EXPECT_TRUE(read_at_home(home, user, {"tea", 7}));
    EXPECT_FALSE(read_at_home(hub.hub().home_of("nowhere"), user, {"nowhere", 7}));
    hub.settle();
    ASSERT_EQ(ann.all<protocol::ReadPush>().size(), 1U);
    EXPECT_EQ(ann.last<protocol::ReadPush>()->offset, 1U) << "nobody has read what was not said";
    EXPECT_EQ(hub.hub().read_marks().recall(*user, "tea")->offset, 1U);
}

TEST(ReadMarks, InMemoryAreBoundedAndTheOldestGo) {
    ReadMarks marks;
    const auto epoch = *protocol::Epoch::parse("E");
    const protocol::User ann{"ann", "ann"};
    marks.note(ann, false, {"first", epoch, 1});
    marks.note(ann, false, {"second", epoch, 1});
    marks.note(ann, false, {"first", epoch, 2});
    for (std::size_t i = 2; i < limits::read_marks_max; ++i) {
        marks.note({"u" + std::to_string(i), "u"}, false, {"r", epoch, 1});
    }
    EXPECT_EQ(marks.forgotten(), 0U);
    marks.note({"one more", "u"}, false, {"r", epoch, 1});
    EXPECT_EQ(marks.in_memory(), limits::read_marks_max);
    EXPECT_EQ(marks.forgotten(), 1U);
    const UserPtr user(new User(ann));
    EXPECT_FALSE(marks.recall(*user, "second")) << "it was touched longest ago";
    EXPECT_EQ(marks.recall(*user, "first")->offset, 2U);
    marks.note(ann, false, {"first", epoch, 1});
    EXPECT_EQ(marks.recall(*user, "first")->offset, 2U) << "never back";
    marks.note(ann, false, {"first", *protocol::Epoch::parse("F"), 1});
    EXPECT_EQ(marks.recall(*user, "first")->offset, 1U) << "but in another life of the room";
}

// What others make by writing to somebody is bounded by itself.
TEST(ReadMarks, OfUnreadRoomsMakeRoomForNoneButTheirLike) {
    ReadMarks marks;
    const auto epoch = *protocol::Epoch::parse("E");
    const protocol::User ann{"ann", "ann"};
    const UserPtr user(new User(ann));
    marks.note(ann, false, {"read", epoch, 1});
    marks.note(ann, false, {"answered", epoch, 0});
    marks.note(ann, false, {"answered", epoch, 7});
    const auto room = [](std::size_t i) { return "dm-" + std::to_string(i); };
    constexpr std::size_t most = limits::unread_marks_per_user;
    for (std::size_t i = 0; i < most; ++i) marks.note(ann, false, {room(i), epoch, 0});
    EXPECT_EQ(marks.forgotten(), 0U);
    marks.note(ann, false, {room(0), epoch, 0});
    for (std::size_t i = 0; i < 3; ++i) marks.note(ann, false, {room(most + i), epoch, 0});
    EXPECT_EQ(marks.forgotten(), 3U);
    EXPECT_EQ(marks.in_memory(), most + 2);
    EXPECT_TRUE(marks.recall(*user, room(0))) << "it was touched again";
    EXPECT_FALSE(marks.recall(*user, room(3)));
    EXPECT_TRUE(marks.recall(*user, room(4)));
    EXPECT_EQ(marks.recall(*user, "read")->offset, 1U);
    EXPECT_EQ(marks.recall(*user, "answered")->offset, 7U);
    for (std::size_t i = 0; i < limits::read_marks_per_user; ++i) {
        marks.note(ann, false, {"r" + std::to_string(i), epoch, 1});
    }
    EXPECT_FALSE(marks.recall(*user, "read"));
    EXPECT_EQ(marks.in_memory(), most + limits::read_marks_per_user);
    for (std::size_t i = 0; i < limits::unread_marks_max; ++i) {
        marks.note({"u" + std::to_string(i), "u"}, false, {"r", epoch, 0});
    }
    EXPECT_EQ(marks.in_memory(), limits::unread_marks_max + limits::read_marks_per_user);
    EXPECT_FALSE(marks.recall(*user, room(0)));
    EXPECT_TRUE(marks.recall(*user, "r7"));
}

// The rooms of somebody who has read in many, and is written to by many.
TEST(MyRooms, AreNotTakenByStrangers) {
    for (const bool with_accounts : {false, true}) {
        Town town(with_accounts, 1);
        std::vector<std::string> mine;
        const auto come = [&](auto&& then) {
            Chatter ann(town.hub, 0, with_accounts ? std::nullopt : std::optional("ann"));
            town.enter(ann, "ann");
            then(ann);
        };
        come([&](Chatter& ann) {
            for (std::size_t i = 0; i < limits::my_rooms_max - 20; ++i) {
                mine.push_back("r" + std::to_string(i));
                ann.join(mine.back());
                town.hub.settle();
                ann.send(mine.back(), "x");
                town.hub.settle();
                ann.read(mine.back(), 1);
                ann.say(protocol::Leave{mine.back()});
                town.hub.settle();
            }
            for (std::size_t i = 0; i < 150; ++i) {
                Chatter stranger(town.hub, 0, "stranger-" + std::to_string(i));
                stranger.say(protocol::Direct{"ann", {Body::Kind::text, "hello"}, {}});
                town.hub.settle();
            }
        });
        come([&](Chatter& ann) {
            const auto rooms = ann.rooms();
            EXPECT_EQ(rooms.size(), limits::my_rooms_max);
            const auto read =
                std::ranges::count_if(rooms, [](const auto& room) { return room.second.read > 0; });
            EXPECT_EQ(read, 3 * limits::my_rooms_max / 4);
        });
    }
}

}  // namespace
}  // namespace parley::core
