#include "storage/files/file_index.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <limits>
#include <string>

#include "support/folder.hpp"

namespace parley::storage {
namespace {

using core::FileInfo;
using testing::ElementsAre;
using testing::HasSubstr;

FileInfo file(std::string id, std::string room = "lobby", std::string owner = "ann",
              std::string sha = "aa", std::uint64_t size = 10, std::int64_t created_ms = 1'000) {
    return {std::move(id), std::move(room), std::move(owner), "a b.png", "image/png",
            size,          std::move(sha),  created_ms};
}

class Index : public testing::Test {
protected:
    [[nodiscard]] std::string path() const { return folder_.path() + "/index.db"; }
    void add(const FileInfo& info) {
        change([&] { index_.add(info); });
    }
    bool remove(const FileInfo& info) {
        bool last = false;
        change([&] { last = index_.remove(info); });
        return last;
    }
    template <typename F>
    void change(F f) {
        FileIndex::Change change(index_);
        f();
        change.commit();
    }
    std::vector<std::string> page(std::string room, std::optional<std::uint64_t> before,
                                  std::size_t limit) {
        std::vector<std::string> ids;
        const auto list = index_.list({std::move(room), before, limit});
        next_ = list.next;
        for (const FileInfo& info : list.files) ids.push_back(info.id);
        return ids;
    }

    test::Folder folder_;
    FileIndex index_{path()};
    std::optional<std::uint64_t> next_;
};

TEST_F(Index, GivesBackWhatItWasGiven) {
    const FileInfo strange{"id'; DROP TABLE files; --", "r",  "o", "grüß\"'.png", "image/png",
                           std::uint64_t{1} << 40U,     "ab", -5};
    add(strange);
    const auto found = index_.find(strange.id);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->id, strange.id);
    EXPECT_EQ(found->room, "r");
    EXPECT_EQ(found->owner, "o");
    EXPECT_EQ(found->name, strange.name);
    EXPECT_EQ(found->type, "image/png");
    EXPECT_EQ(found->size, strange.size);
    EXPECT_EQ(found->sha256, "ab");
    EXPECT_EQ(found->created_ms, -5);
    EXPECT_FALSE(index_.find("other"));
}

TEST_F(Index, SaysWhenContentHasItsLastFileRemoved) {
    add(file("1"));
    add(file("2"));
    add(file("3", "lobby", "ann", "bb", 5));
    EXPECT_EQ(index_.content_bytes(), 15u);
    EXPECT_EQ(index_.files(), 3u);
    EXPECT_FALSE(remove(file("1")));
    EXPECT_TRUE(index_.has_content("aa"));
    EXPECT_TRUE(remove(file("2")));
    EXPECT_FALSE(index_.has_content("aa"));
    EXPECT_TRUE(index_.has_content("bb"));
    EXPECT_EQ(index_.content_bytes(), 5u);
    EXPECT_EQ(index_.files(), 1u);
}

TEST_F(Index, ForgetsAChangeThatIsNotCommitted) {
    {
        FileIndex::Change change(index_);
        index_.add(file("1"));
    }
    EXPECT_FALSE(index_.find("1"));
    EXPECT_FALSE(index_.has_content("aa"));
    {
        FileIndex::Change change(index_);
        index_.add(file("2"));
        EXPECT_THROW(index_.add(file("2")), IndexError) << "an id is there once";
    }
    EXPECT_FALSE(index_.find("2"));
    add(file("2"));
}

TEST_F(Index, PagesThroughARoomNewestFirst) {
    for (int i = 0; i < 5; ++i) add(file(std::to_string(i)));
    add(file("other", "elsewhere"));
    EXPECT_THAT(page("lobby", std::nullopt, 2), ElementsAre("4", "3"));
    ASSERT_TRUE(next_);
    // What comes meanwhile moves nothing.
    add(file("5"));
    EXPECT_THAT(page("lobby", next_, 2), ElementsAre("2", "1"));
    ASSERT_TRUE(next_);
    EXPECT_THAT(page("lobby", next_, 2), ElementsAre("0"));
    EXPECT_FALSE(next_);
    EXPECT_THAT(page("lobby", std::nullopt, 6), ElementsAre("5", "4", "3", "2", "1", "0"));
    EXPECT_FALSE(next_) << "exactly as many as were asked for";
    EXPECT_THAT(page("nowhere", std::nullopt, 2), ElementsAre());
    EXPECT_THAT(page("lobby", 0, 2), ElementsAre());
    EXPECT_THAT(page("lobby", std::numeric_limits<std::uint64_t>::max(), 1), ElementsAre("5"));
}

TEST_F(Index, AddsUpWhatAUserHas) {
    add(file("1", "a", "ann", "aa", 10));
    add(file("2", "b", "ann", "aa", 10));
    add(file("3", "a", "bob", "bb", 7));
    EXPECT_EQ(index_.used_by("ann"), 20u) << "each of their files, whatever is kept once";
    EXPECT_EQ(index_.used_by("bob"), 7u);
    EXPECT_EQ(index_.used_by("eve"), 0u);
}

TEST_F(Index, FindsTheOldestFirst) {
    add(file("new", "a", "ann", "aa", 10, 300));
    add(file("old", "a", "ann", "aa", 10, 100));
    add(file("older", "a", "ann", "aa", 10, 50));
    const auto old = index_.older_than(300, 10);
    ASSERT_EQ(old.size(), 2u);
    EXPECT_EQ(old[0].id, "older");
    EXPECT_EQ(index_.older_than(300, 1).size(), 1u);
    EXPECT_TRUE(index_.older_than(50, 10).empty());
}

TEST_F(Index, IsThereAgainWhenItIsOpenedAnew) {
    add(file("1"));
    FileIndex again(path());
    EXPECT_TRUE(again.find("1"));
}

TEST_F(Index, RefusesADatabaseOfALaterVersionAndWhatIsNone) {
    test::Folder other;
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open((other.path() + "/index.db").c_str(), &database), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(database, "PRAGMA user_version = 99", nullptr, nullptr, nullptr),
              SQLITE_OK);
    sqlite3_close(database);
    const auto refusal = [](const std::string& name) -> std::string {
        try {
            FileIndex index(name);
        } catch (const IndexError& error) {
            return error.what();
        }
        return "none";
    };
    EXPECT_THAT(refusal(other.path() + "/index.db"),
                HasSubstr("version 99, and this server knows up to 1"));
    other.write("noise.db", std::string(5'000, 'x'));
    EXPECT_THAT(refusal(other.path() + "/noise.db"), HasSubstr("noise.db: "));
    EXPECT_THAT(refusal(other.path() + "/no/folder.db"), HasSubstr("no/folder.db: "));
}

}  // namespace
}  // namespace parley::storage
