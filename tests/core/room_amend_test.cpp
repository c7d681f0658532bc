// Messages that are edited and deleted: over sessions, in memory and in stores of either durability.
#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/at_home.hpp"
#include "core/file_store.hpp"
#include "support/fake_accounts.hpp"
#include "support/fake_store.hpp"
#include "support/test_session.hpp"

namespace parley::core {
namespace {

using protocol::Ack;
using protocol::Body;
using protocol::Delete;
using protocol::Edit;
using protocol::HistoryPage;
using protocol::Joined;
using protocol::Message;
using test::FakeStore;
using test::TestHub;
using test::TestSession;

// Where messages are kept, and how many shards there are.
struct Place {
    std::optional<Durability> store;
    std::uint32_t shards;
};
const std::vector<Place> places{{std::nullopt, 1},      {std::nullopt, 2},
                                {Durability::async, 1}, {Durability::async, 2},
                                {Durability::sync, 1},  {Durability::sync, 2}};

// Ann and bob in the room "r", wherever its home is.
struct Talk {
    explicit Talk(const Place& place) : durability(place.store) {
        if (durability) store.emplace(*durability);
        config = test::unlimited_config(place.shards);
        config.history.durability = durability.value_or(Durability::sync);
        config.history.messages = 10;
        begin();
    }
    void begin() {
        hub.emplace(config, ++seed, store ? &*store : nullptr);
        ann.emplace(*hub, 0, "ann");
        bob.emplace(*hub, config.shards - 1, "bob");
        for (auto* one : {&*ann, &*bob}) one->join("r");
        hub->settle();
    }
    void end() {
        ann.reset();
        bob.reset();
        hub.reset();
    }
    void say(const std::string& text, std::string key = {}) {
        ann->send("r", text, std::move(key));
        hub->settle();
    }
    void edit(TestSession& who, std::uint64_t offset, std::string text, std::string key = {}) {
        who.say(Edit{"r", offset, {Body::Kind::text, std::move(text)}, std::move(key)});
        hub->settle();
    }
    void remove(TestSession& who, std::uint64_t offset, std::string key = {}) {
        who.say(Delete{"r", offset, {}, std::move(key)});
        hub->settle();
    }
    std::vector<Message> history(TestSession& who, std::uint32_t limit = 50) {
        who.forget();
        who.say(protocol::History{"r", {}, {}, limit});
        hub->settle();
        const auto page = who.last<HistoryPage>();
        return page ? page->messages : std::vector<Message>();
    }
    // All that is kept of the room, wherever, as one text.
    std::string all_kept() {
        std::string all;
        for (const auto& message : history(*bob, 200)) {
            protocol::append_message(all, message);
        }
        if (!store) return all;
        for (const auto& message : store->rooms["r"].messages) all += message->json();
        return all;
    }

    std::optional<Durability> durability;
    std::optional<FakeStore> store;
    Config config;
    std::uint64_t seed = 0;
    std::optional<TestHub> hub;
    std::optional<TestSession> ann;
    std::optional<TestSession> bob;
};

TEST(RoomAmend, AnEditIsHeardByAllAndShowsInWhatWasSaid) {
    for (const Place& place : places) {
        Talk f(place);
        f.say("helo");
        f.say("world");
        f.edit(*f.ann, 1, "hello");
        const auto ack = f.ann->last<Ack>();
        ASSERT_TRUE(ack);
        EXPECT_EQ(ack->cursor.offset, 3U) << "an offset of its own";
        for (auto* one : {&*f.ann, &*f.bob}) {
            const auto heard = one->last<Message>();
            ASSERT_TRUE(heard);
            EXPECT_EQ(heard->cursor, ack->cursor);
            EXPECT_EQ(heard->event, "edit");
            EXPECT_EQ(heard->body.content, R"({"offset":1,"text":"hello"})");
            EXPECT_EQ(heard->from, f.ann->user());
        }
        const auto kept = f.history(*f.bob);
        ASSERT_EQ(kept.size(), 3U);
        EXPECT_EQ(kept[0].body.content, "hello");
        EXPECT_EQ(kept[0].edited, ack->at);
        EXPECT_EQ(kept[0].edit, 3U);
        EXPECT_EQ(kept[0].cursor.offset, 1U);
        EXPECT_EQ(kept[1].body.content, "world");
        EXPECT_EQ(kept[2].event, "edit");
        TestSession eve(*f.hub, 0, "eve");
        eve.join("r");
        f.hub->settle();
        EXPECT_EQ(eve.last<Joined>()->history.at(0), kept[0]);
        EXPECT_EQ(f.hub->total(Metric::messages_edited), 1U);
        EXPECT_EQ(f.hub->total(Metric::messages_published), 3U);
    }
}

TEST(RoomAmend, WhatIsDeletedIsGoneFromEverywhere) {
    for (const Place& place : places) {
        Talk f(place);
        f.say("secret one");
        f.edit(*f.ann, 1, "secret two");
        f.edit(*f.ann, 1, "secret three");
        EXPECT_EQ(f.all_kept().find("secret one"), std::string::npos);
        EXPECT_EQ(f.all_kept().find("secret two"), std::string::npos);
        EXPECT_NE(f.all_kept().find("secret three"), std::string::npos);
        f.remove(*f.ann, 1);
        const auto kept = f.history(*f.bob);
        ASSERT_EQ(kept.size(), 4U);
        EXPECT_FALSE(kept[0].deleted.empty());
        EXPECT_EQ(kept[0].from, f.ann->user());
        EXPECT_EQ(kept[3].event, "delete");
        EXPECT_EQ(kept[3].body.content, R"({"offset":1})");
        EXPECT_EQ(f.all_kept().find("secret"), std::string::npos);
        EXPECT_EQ(f.hub->total(Metric::messages_deleted), 1U);
        f.edit(*f.ann, 1, "again");
        EXPECT_EQ(f.ann->error(), "not_found");
        f.ann->forget();
        f.remove(*f.ann, 1);
        EXPECT_EQ(f.ann->error(), "not_found");
    }
}

TEST(RoomAmend, IsRefusedToOthersAndOfWhatIsNoMessage) {
    for (const Place& place : places) {
        Talk f(place);
        f.say("mine");
        f.edit(*f.ann, 1, "mine, edited");
        struct Row {
            std::function<void()> act;
            TestSession* who;
            const char* code;
        };
        const std::vector<Row> rows{
            {[&] { f.edit(*f.bob, 1, "yours"); }, &*f.bob, "forbidden"},
            {[&] { f.remove(*f.bob, 1); }, &*f.bob, "forbidden"},
            {[&] { f.edit(*f.ann, 2, "x"); }, &*f.ann, "forbidden"},
            {[&] { f.remove(*f.ann, 2); }, &*f.ann, "forbidden"},
            {[&] { f.edit(*f.ann, 0, "x"); }, &*f.ann, "not_found"},
            {[&] { f.edit(*f.ann, 3, "x"); }, &*f.ann, "not_found"},
            {[&] { f.edit(*f.ann, ~std::uint64_t{0}, "x"); }, &*f.ann, "not_found"},
            {[&] { f.edit(*f.ann, 1, ""); }, &*f.ann, "bad_request"},
            {[&] { f.edit(*f.ann, 1, std::string(20'000, 'x')); }, &*f.ann, "too_large"},
            {[&] {
                 f.ann->say(Edit{"elsewhere", 1, {Body::Kind::text, "x"}, {}});
                 f.hub->settle();
             },
             &*f.ann, "not_joined"},
        };
        for (std::size_t i = 0; i < rows.size(); ++i) {
            rows[i].who->forget();
            rows[i].act();
            EXPECT_EQ(rows[i].who->error(), rows[i].code) << i;
        }
        EXPECT_EQ(f.history(*f.bob).size(), 2U) << "nothing was published";
        EXPECT_EQ(f.history(*f.bob)[0].body.content, "mine, edited");
    }
}

TEST(RoomAmend, ModeratorsDeleteWhatOthersSaid) {
    for (const Place& place : places) {
        Talk f(place);
        f.say("spam");
        Shard& home = f.hub->hub().home_of("r");
        std::optional<AckAnswer> answer;
        const Later<AckAnswer> later = [&] { return [&](AckAnswer&& ack) { answer = ack; }; };
        RoomHome& at_home = *home.find_audience("r")->home();
        const UserPtr moderator(new User(protocol::User{"id-mod", "mod"}));
        auto now = at_home.amend(moderator, {"r", 1, std::nullopt, "spam", {}}, true, later);
        if (now) answer = now;
        f.hub->settle();
        ASSERT_TRUE(answer && *answer);
        const auto heard = f.ann->last<Message>();
        EXPECT_EQ(heard->from.name, "mod");
        EXPECT_EQ(heard->body.content, R"({"offset":1,"reason":"spam"})");
        EXPECT_FALSE(f.history(*f.bob)[0].deleted.empty());
        EXPECT_EQ(f.history(*f.bob)[0].from.name, "ann");
    }
}

TEST(RoomAmend, IsDecidedByWhatSomebodyIsInTheRoom) {
    for (const std::uint32_t shards : {1U, 2U}) {
        TestHub hub(test::unlimited_config(shards));
        test::FakeAccounts accounts;
        hub.hub().set_accounts(&accounts);
        std::vector<std::string> log;
        hub.hub().set_audit_log([&log](const AuditRecord& record) {
            log.push_back(std::string(name_of(record.act)) + " " +
                          std::string(name_of(record.outcome)) + " " + record.by->name + " " +
                          std::string(record.user_name) + " " + std::to_string(record.offset));
        });
        Grant moderator;
        moderator.moderates = true;
        accounts.add("t-mod", "mod", moderator);
        TestSession ann(hub, 0, "ann");
        TestSession bob(hub, shards - 1, "bob");
        TestSession mod(hub, 0, std::nullopt);
        mod.say(protocol::Hello{std::nullopt, "t-mod"});
        for (auto* one : {&ann, &bob, &mod}) one->join("r");
        hub.settle();
        ann.send("r", "spam");
        ann.send("r", "more");
        hub.settle();
        bob.say(Delete{"r", 1, {}, {}});
        hub.settle();
        EXPECT_EQ(bob.error(), "forbidden");
        mod.say(Edit{"r", 1, {Body::Kind::text, "ham"}, {}});
        hub.settle();
        EXPECT_EQ(mod.error(), "forbidden") << "nobody puts words into others' mouths";
        mod.forget();
        mod.say(Delete{"r", 1, "spam", {}});
        hub.settle();
        EXPECT_TRUE(mod.last<Ack>()) << mod.error();
        EXPECT_EQ(log,
                  (std::vector<std::string>{"delete refused bob  1", "delete done mod ann 1"}));
        mod.say(protocol::SetRole{"r", ann.user().id, protocol::Role::muted, {}, {}});
        hub.settle();
        for (const protocol::Command& command :
             {protocol::Command(Edit{"r", 2, {Body::Kind::text, "x"}, {}}),
              protocol::Command(Delete{"r", 2, {}, {}})}) {
            ann.forget();
            ann.say(command);
            hub.settle();
            EXPECT_EQ(ann.error(), "forbidden") << "she is muted";
        }
    }
}

TEST(RoomAmend, CountsOncePerKey) {
    for (const Place& place : places) {
        Talk f(place);
        f.say("one", "key");
        f.edit(*f.ann, 1, "two", "edit");
        const auto first = f.ann->last<Ack>();
        f.edit(*f.ann, 1, "two", "edit");
        EXPECT_EQ(f.ann->last<Ack>()->cursor, first->cursor);
        f.remove(*f.ann, 1, "delete");
        const auto gone = f.ann->last<Ack>();
        f.remove(*f.ann, 1, "delete");
        EXPECT_EQ(f.ann->last<Ack>()->cursor, gone->cursor) << "not that it is not there";
        EXPECT_EQ(f.history(*f.bob).size(), 3U);
    }
}

TEST(RoomAmend, ReachesWhatIsNoLongerInMemory) {
    for (const Place& place : places) {
        if (!place.store) continue;
        Talk f(place);
        f.say("old");
        f.say("older than the rest");
        for (int i = 3; i <= 20; ++i) f.say("more");  // ten in memory
        f.edit(*f.ann, 1, "changed");
        f.edit(*f.ann, 1, "changed again");
        f.remove(*f.ann, 2);
        f.edit(*f.bob, 1, "x");
        EXPECT_EQ(f.bob->error(), "forbidden");
        const auto kept = f.history(*f.bob, 200);
        ASSERT_EQ(kept.size(), 23U);
        EXPECT_EQ(kept[0].body.content, "changed again");
        EXPECT_EQ(kept[0].edit, 22U);
        EXPECT_FALSE(kept[1].deleted.empty());
        EXPECT_EQ(kept[20].body.content, R"({"offset":1})") << "the edit that was overtaken";
        EXPECT_EQ(f.all_kept().find("older than"), std::string::npos);
    }
    Talk memory({std::nullopt, 1});
    for (int i = 1; i <= 20; ++i) memory.say("more");
    memory.edit(*memory.ann, 5, "x");
    EXPECT_EQ(memory.ann->error(), "not_found") << "no longer kept";
}

TEST(RoomAmend, OfSeveralAtOnceEachSeesTheOneBefore) {
    for (const Place& place : places) {
        if (!place.store) continue;
        Talk f(place);
        for (int i = 1; i <= 20; ++i) f.say("old");
        TestSession other(*f.hub, 0, "ann");  // the same user, by another session
        other.join("r");
        f.hub->settle();
        f.store->by_itself = false;
        // All of them are asked before the store has answered any.
        f.ann->say(Delete{"r", 2, {}, {}});
        other.say(Edit{"r", 2, {Body::Kind::text, "resurrected"}, {}});
        for (int i = 0; i < 10 && f.hub->settle() + f.store->asked() > 0; ++i) {
            f.store->work(1);
        }
        f.store->by_itself = true;
        f.store->work();
        f.hub->settle();
        EXPECT_TRUE(f.ann->last<Ack>());
        EXPECT_EQ(other.error(), "not_found") << "it was deleted before";
        EXPECT_EQ(f.all_kept().find("resurrected"), std::string::npos);
    }
}

TEST(RoomAmend, NothingOfItIsKeptWhereItCouldNotBeStored) {
    Talk f({Durability::sync, 1});
    f.say("one");
    f.store->by_itself = false;
    f.ann->say(Edit{"r", 1, {Body::Kind::text, "two"}, {}});
    f.hub->settle();
    EXPECT_FALSE(f.ann->subscriber().ready()) << "not acked before it is stored";
    EXPECT_EQ(f.bob->texts("r").size(), 1U) << "nor heard";
    f.store->fail();
    f.hub->settle();
    EXPECT_EQ(f.ann->error(), "unavailable");
    f.store->by_itself = true;
    EXPECT_EQ(f.history(*f.bob)[0].body.content, "one");
    f.say("another");
    f.edit(*f.ann, 1, "three");
    EXPECT_EQ(f.history(*f.bob)[0].body.content, "three");
    EXPECT_EQ(f.history(*f.bob)[0].edit, 3U);
}

TEST(RoomAmend, IsThereAfterARestart) {
    for (const Place& place : places) {
        if (!place.store) continue;
        Talk f(place);
        f.say("one");
        f.say("two");
        f.edit(*f.ann, 1, "edited");
        f.remove(*f.ann, 2);
        f.end();
        f.begin();
        const auto joined = f.bob->last<Joined>();
        ASSERT_TRUE(joined);
        ASSERT_EQ(joined->history.size(), 4U);
        EXPECT_EQ(joined->history[0].body.content, "edited");
        EXPECT_FALSE(joined->history[1].deleted.empty());
        f.edit(*f.ann, 1, "edited after");
        EXPECT_EQ(f.ann->error(), "forbidden")
            << "an id without an account lives as long as the process";
    }
}

TEST(RoomAmend, ATransportThatComesBackIsToldWhatItMissed) {
    for (const Place& place : places) {
        Talk f(place);
        f.say("one");
        const auto at_one = f.ann->last<Ack>()->cursor;
        f.edit(*f.ann, 1, "overtaken");
        f.edit(*f.ann, 1, "edited");
        f.say("two");
        TestSession eve(*f.hub, 0, "eve");
        eve.say(protocol::Join{"r", at_one, 50, false});
        f.hub->settle();
        const auto joined = eve.last<Joined>();
        ASSERT_TRUE(joined);
        EXPECT_TRUE(joined->recovered);
        ASSERT_EQ(joined->history.size(), 3U);
        EXPECT_EQ(joined->history[0].body.content, R"({"offset":1})");
        EXPECT_EQ(joined->history[1].body.content, R"({"offset":1,"text":"edited"})");
    }
}

// What a message that goes takes with it.
class NotedFiles final : public FileStore {
public:
    struct Removed {
        std::string id, room, owner;
    };
    std::vector<Removed> removed;

    const FilesConfig& config() const noexcept override { return config_; }
    FileAnswer<std::unique_ptr<FileUpload>> begin(NewFile, FileUploadEvents) override {
        return FileProblem{FileRefusal::disk, {}};
    }
    void open(std::string, Done<OpenFile>) override {}
    void list(FileListAsk, Done<FileList>) override {}
    void remove(std::string, std::optional<std::string>, Done<FileInfo>) override {}
    void remove_with_message(std::string id, std::string room, std::string owner) override {
        removed.push_back({std::move(id), std::move(room), std::move(owner)});
    }
    void note_refusal(FileRefusal) noexcept override {}

private:
    FilesConfig config_;
};

TEST(RoomAmend, FilesGoWithTheMessageUnlessAnotherShowsThem) {
    for (const Place& place : places) {
        Talk f(place);
        NotedFiles files;
        f.hub->hub().set_files(&files);
        const std::string mine = "AAAAAAAAAAAAAAAAAAAAA1";
        const std::string shared = "AAAAAAAAAAAAAAAAAAAAA2";
        f.say("see /api/v1/files/" + mine + " and /api/v1/files/" + shared);
        f.bob->send("r", "look: /api/v1/files/" + shared);
        f.hub->settle();
        f.edit(*f.ann, 1, "better: /api/v1/files/" + mine + " and /api/v1/files/" + shared);
        EXPECT_TRUE(files.removed.empty());
        f.remove(*f.ann, 1);
        ASSERT_EQ(files.removed.size(), 1U);
        EXPECT_EQ(files.removed[0].id, mine);
        EXPECT_EQ(files.removed[0].room, "r");
        EXPECT_EQ(files.removed[0].owner, f.ann->user().id);
        f.end();
    }
}

}  // namespace
}  // namespace parley::core
