#include "storage/sqlite_room_records.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "storage/sqlite_store_fixture.hpp"

namespace parley::test {
namespace {

using core::ReadMark;
using core::RoomRecord;
using core::RoomRole;
using protocol::Role;
using storage::SqliteRoomRecords;

protocol::Epoch epoch(std::string_view text) {
    return *protocol::Epoch::parse(text);
}

struct Records : ::testing::Test {
    Records() { open(); }
    ~Records() override { records.reset(); }

    void open() {
        records.reset();
        records = std::make_unique<SqliteRoomRecords>(path, [this](const std::string& error) {
            const std::scoped_lock lock(troubles_mutex);
            troubles.push_back(error);
        });
    }
    void until(const std::function<bool()>& done) { turn_until(hub.shard(0), loop, done); }
    // Whether it was kept, by the code of the refusal; empty: it was.
    template <typename Ask>
    std::string kept(Ask ask) {
        std::optional<std::string> code;
        ask([&code](const std::optional<protocol::Error>& refused) {
            code = refused ? refused->code : std::string();
        });
        until([&] { return code.has_value(); });
        return *code;
    }
    std::string save(const std::string& room, RoomRole role) {
        return kept([&](core::WhenKept done) {
            records->save_role(hub.shard(0), room, std::move(role), std::move(done));
        });
    }
    std::string claim(const std::string& room, const protocol::User& owner) {
        return kept([&](core::WhenKept done) {
            records->save_claim(hub.shard(0), room, owner, std::move(done));
        });
    }
    std::string save_topic(const std::string& room, const std::string& topic) {
        return kept([&](core::WhenKept done) {
            records->save_topic(hub.shard(0), room, topic, std::move(done));
        });
    }
    core::Recorded<RoomRecord> load(const std::string& room) {
        std::optional<core::Recorded<RoomRecord>> found;
        records->load(hub.shard(0), room, [&found](core::Recorded<RoomRecord>&& record) {
            found.emplace(std::move(record));
        });
        until([&] { return found.has_value(); });
        return std::move(*found);
    }
    core::Recorded<std::vector<ReadMark>> marks(const std::string& user) {
        std::optional<core::Recorded<std::vector<ReadMark>>> found;
        records->load_marks(hub.shard(0), user,
                            [&found](core::Recorded<std::vector<ReadMark>>&& read) {
                                found.emplace(std::move(read));
                            });
        until([&] { return found.has_value(); });
        return std::move(*found);
    }

    core::Recorded<std::optional<ReadMark>> mark(const std::string& user, const std::string& room) {
        std::optional<core::Recorded<std::optional<ReadMark>>> found;
        records->load_mark(hub.shard(0), user, room,
                           [&found](core::Recorded<std::optional<ReadMark>>&& read) {
                               found.emplace(std::move(read));
                           });
        until([&] { return found.has_value(); });
        return std::move(*found);
    }

    Folder folder;
    std::string path = folder.file("accounts.db");
    AwaitedLoop loop;
    core::Hub hub{unlimited_config(), {&loop}, core::machine_now(), 1};
    std::mutex troubles_mutex;
    std::vector<std::string> troubles;
    std::unique_ptr<SqliteRoomRecords> records;
    core::WallTime later =
        std::chrono::floor<milliseconds>(core::machine_now().wall) + std::chrono::hours(1);
};

TEST_F(Records, WhatWasKeptIsThereAfterARestart) {
    const RoomRole muted{{"u1", "ann"}, Role::muted, later, Role::member};
    const RoomRole owner{{"u2", "bob"}, Role::owner};
    EXPECT_FALSE(records->has("r"));
    EXPECT_EQ(save("r", muted), "");
    EXPECT_EQ(save("r", owner), "");
    EXPECT_EQ(save_topic("r", "all of it"), "");
    EXPECT_TRUE(records->has("r"));
    open();
    EXPECT_TRUE(records->has("r"));
    EXPECT_FALSE(records->has("s"));
    const auto record = load("r");
    ASSERT_TRUE(record);
    EXPECT_EQ(record->topic, "all of it");
    EXPECT_EQ(record->roles, (std::vector{muted, owner}));
    EXPECT_TRUE(load("s")->empty());
}

TEST_F(Records, ARoleIsReplacedAndNoneIsNothing) {
    EXPECT_EQ(save("r", {{"u1", "ann"}, Role::banned, later}), "");
    EXPECT_EQ(save("r", {{"u1", "anna"}, Role::moderator}), "");
    EXPECT_EQ(load("r")->roles, (std::vector{RoomRole{{"u1", "anna"}, Role::moderator}}));
    EXPECT_EQ(save("r", {{"u1", "anna"}, Role::none}), "");
    EXPECT_EQ(save_topic("r", "x"), "");
    EXPECT_EQ(save_topic("r", ""), "");
    EXPECT_TRUE(load("r")->empty());
    open();
    EXPECT_FALSE(records->has("r"));
}

TEST_F(Records, OfWhatIsRefusedOrTakenBackNoNameIsKept) {
    const RoomRole owner{{"u2", "bob"}, Role::owner};
    EXPECT_EQ(save("r", owner), "");
    EXPECT_EQ(save_topic("r", "x"), "");
    EXPECT_EQ(save("r", {{"u2", "bob"}, Role::none}), "");
    EXPECT_TRUE(records->has("r")) << "the topic is kept";
    EXPECT_EQ(save_topic("r", ""), "");
    EXPECT_FALSE(records->has("r"));
    for (std::size_t i = 0; i < storage::SqliteRecordTables::rooms_owned_max; ++i) {
        records->save_claim(hub.shard(0), "r" + std::to_string(i), {"u1", "ann"},
                            [](const std::optional<protocol::Error>&) {});
    }
    EXPECT_EQ(claim("one more", {"u1", "ann"}), "forbidden");
    EXPECT_FALSE(records->has("one more"));
    EXPECT_TRUE(records->has("r7"));
    EXPECT_EQ(claim("r7", {"u1", "ann"}), "forbidden");
    EXPECT_TRUE(records->has("r7")) << "it was there before";
    // What follows it on its way there counts, whatever became of it.
    int answers = 0;
    const auto count = [&answers](const std::optional<protocol::Error>&) { ++answers; };
    records->save_claim(hub.shard(0), "two", {"u1", "ann"}, count);
    records->save_role(hub.shard(0), "two", owner, count);
    EXPECT_TRUE(records->has("two"));
    until([&] { return answers == 2; });
    EXPECT_TRUE(records->has("two"));
    storage::SqliteDatabase other = patient_writer(path);
    other.run("BEGIN IMMEDIATE");
    EXPECT_EQ(save_topic("three", "x"), "unavailable");
    EXPECT_EQ(save_topic("two", "x"), "unavailable");
    other.run("COMMIT");
    EXPECT_FALSE(records->has("three"));
    EXPECT_TRUE(records->has("two"));
}

TEST_F(Records, WhatHasEndedIsWhatItWasBeforeAfterARestart) {
    const core::WallTime past = later - std::chrono::hours(2);
    EXPECT_EQ(save("r", {{"u1", "ann"}, Role::muted, past, Role::moderator}), "");
    EXPECT_EQ(save("r", {{"u2", "bob"}, Role::banned, past, Role::none}), "");
    open();
    EXPECT_EQ(load("r")->roles, (std::vector{RoomRole{{"u1", "ann"}, Role::moderator}}));
}

TEST_F(Records, AClaimIsAnOwnersAndOneUserHasSoManyOfThem) {
    for (std::size_t i = 0; i < storage::SqliteRecordTables::rooms_owned_max; ++i) {
        records->save_claim(hub.shard(0), "r" + std::to_string(i), {"u1", "ann"},
                            [](const std::optional<protocol::Error>&) {});
    }
    EXPECT_EQ(claim("one more", {"u1", "ann"}), "forbidden");
    EXPECT_TRUE(load("one more")->empty());
    EXPECT_EQ(claim("one more", {"u2", "bob"}), "");
    EXPECT_EQ(load("one more")->roles, (std::vector{RoomRole{{"u2", "bob"}, Role::owner}}));
    EXPECT_EQ(load("r7")->roles, (std::vector{RoomRole{{"u1", "ann"}, Role::owner}}));
}

TEST_F(Records, AMarkGoesForwardInItsEpochAndAnywhereInAnother) {
    records->save_mark("u1", {"r", epoch("a"), 5});
    EXPECT_EQ(*marks("u1"), (std::vector{ReadMark{"r", epoch("a"), 5}}));
    records->save_mark("u1", {"r", epoch("a"), 3});
    EXPECT_EQ(marks("u1")->front().offset, 5u);
    records->save_mark("u1", {"r", epoch("b"), 2});
    records->save_mark("u1", {"s", epoch("a"), 1});
    records->save_mark("u2", {"r", epoch("a"), 9});
    open();
    auto found = *marks("u1");
    std::ranges::sort(found, {}, &ReadMark::room);
    EXPECT_EQ(found, (std::vector{ReadMark{"r", epoch("b"), 2}, ReadMark{"s", epoch("a"), 1}}));
    EXPECT_EQ(marks("u2")->front().offset, 9u);
    EXPECT_TRUE(marks("nobody")->empty());
}

TEST_F(Records, ASingleMarkIsThereBeforeItIsWrittenAndAfter) {
    EXPECT_EQ(*mark("u1", "r"), std::nullopt);
    records->save_mark("u1", {"r", epoch("a"), 5, "ann"});
    EXPECT_EQ(marks("u1")->size(), 1u) << "it is written";
    EXPECT_EQ(*mark("u1", "r"), (ReadMark{"r", epoch("a"), 5, "ann"}));
    EXPECT_EQ(*mark("u2", "r"), std::nullopt);
    EXPECT_EQ(*mark("u1", "s"), std::nullopt);
    storage::SqliteDatabase other = patient_writer(path);
    other.run("BEGIN IMMEDIATE");  // nothing is written until then
    records->save_mark("u1", {"r", epoch("a"), 4});
    records->save_mark("u1", {"s", epoch("a"), 2});
    EXPECT_EQ((*mark("u1", "r"))->offset, 5u) << "never back";
    EXPECT_EQ((*mark("u1", "s"))->offset, 2u);
    records->save_mark("u1", {"r", epoch("a"), 6});
    EXPECT_EQ((*mark("u1", "r"))->offset, 6u);
    records->save_mark("u1", {"r", epoch("b"), 1});
    EXPECT_EQ((*mark("u1", "r"))->offset, 1u) << "another life of the room";
    other.run("COMMIT");
    open();
    EXPECT_EQ(*mark("u1", "r"), (ReadMark{"r", epoch("b"), 1}));
}

TEST_F(Records, OfOneUserTheNewestMarksStay) {
    const std::size_t most = storage::SqliteRecordTables::marks_per_user_max;
    records->save_mark("u1", {"a first", epoch("a"), 1});
    EXPECT_EQ(marks("u1")->size(), 1u);
    const auto asked = core::machine_now().wall;
    until([&] {  // the next are younger by a millisecond
        loop.wake();
        return core::machine_now().wall > asked + milliseconds(2);
    });
    for (std::size_t i = 0; i < most; ++i) {
        records->save_mark("u1", {"r" + std::to_string(i), epoch("a"), i + 1});
    }
    const auto found = *marks("u1");
    EXPECT_EQ(found.size(), most);
    EXPECT_EQ(std::ranges::count(found, "a first", &ReadMark::room), 0);
}

TEST_F(Records, MarksThatOthersMakeTakeThePlaceOfNoneThatWereRead) {
    const std::size_t most = storage::SqliteRecordTables::unread_per_user_max;
    records->save_mark("u1", {"read", epoch("a"), 1});
    records->save_mark("u1", {"dm-answered", epoch("a"), 0});
    records->save_mark("u1", {"dm-answered", epoch("a"), 2});
    EXPECT_EQ(marks("u1")->size(), 2u);
    for (std::size_t i = 0; i < most; ++i) {
        records->save_mark("u1", {"dm-" + std::to_string(i), epoch("a"), 0});
    }
    EXPECT_EQ(marks("u1")->size(), most + 2);
    EXPECT_EQ(records->counters().marks_displaced, 0u);
    const auto asked = core::machine_now().wall;
    until([&] {  // the next are younger by a millisecond
        loop.wake();
        return core::machine_now().wall > asked + milliseconds(2);
    });
    for (std::size_t i = 0; i < most; ++i) {
        records->save_mark("u1", {"spam-" + std::to_string(i), epoch("a"), 0});
    }
    const auto found = *marks("u1");
    EXPECT_EQ(found.size(), most + 2);
    EXPECT_EQ(records->counters().marks_displaced, most);
    EXPECT_EQ(found.front().room.substr(0, 4), "spam") << "the last first";
    EXPECT_EQ((*mark("u1", "read"))->offset, 1u);
    EXPECT_EQ((*mark("u1", "dm-answered"))->offset, 2u);
    EXPECT_EQ(*mark("u1", "dm-0"), std::nullopt);
}

TEST_F(Records, AFileThatIsLockedRefusesAndMarksAreTriedAgain) {
    EXPECT_EQ(save_topic("r", "before"), "");
    storage::SqliteDatabase other = patient_writer(path);
    other.run("BEGIN EXCLUSIVE");
    records->save_mark("u1", {"r", epoch("a"), 4});
    EXPECT_EQ(save("r", {{"u1", "ann"}, Role::owner}), "unavailable");
    EXPECT_TRUE(records->counters().failing);
    EXPECT_GE(records->counters().failures, 1u);
    other.run("COMMIT");
    until([&] {
        loop.wake();
        return !records->counters().failing;
    });
    EXPECT_EQ(marks("u1")->front().offset, 4u);
    EXPECT_EQ(load("r")->topic, "before");
    EXPECT_TRUE(load("r")->roles.empty());
    EXPECT_EQ(save("r", {{"u1", "ann"}, Role::owner}), "");
    const std::scoped_lock lock(troubles_mutex);
    ASSERT_GE(troubles.size(), 2u);
    EXPECT_FALSE(troubles.front().empty());
    EXPECT_TRUE(troubles.back().empty());
}

TEST_F(Records, AFileOfALaterVersionIsRefusedAndLeftAsItIs) {
    records.reset();
    {
        storage::SqliteDatabase file = patient_writer(path);
        file.run("UPDATE room_records_schema SET version = 99");
    }
    try {
        SqliteRoomRecords later_version(path, [](const std::string&) {});
        FAIL() << "it was opened";
    } catch (const std::runtime_error& error) {
        EXPECT_NE(std::string(error.what()).find("99"), std::string::npos) << error.what();
        EXPECT_NE(std::string(error.what()).find(path), std::string::npos) << error.what();
    }
    storage::SqliteDatabase file(path, storage::SqliteDatabase::Access::read);
    EXPECT_EQ(file.number("SELECT version FROM room_records_schema"), 99);
}

TEST_F(Records, EveryEarlierVersionIsBroughtUp) {
    records.reset();
    const auto migrations = storage::room_record_migrations();
    for (std::size_t version = 0; version <= migrations.size(); ++version) {
        const std::string file = folder.file("v" + std::to_string(version));
        {
            storage::SqliteDatabase old(file, storage::SqliteDatabase::Access::write);
            old.run("CREATE TABLE room_records_schema(version INTEGER NOT NULL) STRICT");
            for (std::size_t i = 0; i < version; ++i) old.run(std::string(migrations[i]).c_str());
            const std::string mark =
                "INSERT INTO room_records_schema VALUES(" + std::to_string(version) + ")";
            old.run(mark.c_str());
            if (version > 0) {
                old.run(
                    "INSERT INTO read_marks(user, room, epoch, offset, at)"
                    " VALUES('u1', 'r', 'a', 5, 1)");
            }
        }
        path = file;
        open();
        EXPECT_EQ(save_topic("r", "topic"), "") << version;
        EXPECT_EQ(load("r")->topic, "topic") << version;
        if (version > 0) {
            EXPECT_EQ(*mark("u1", "r"), (ReadMark{"r", epoch("a"), 5})) << version;
        }
    }
}

}  // namespace
}  // namespace parley::test
