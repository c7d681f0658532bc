#include "storage/files/file_quota.hpp"

#include <gtest/gtest.h>

#include <map>

namespace parley::storage {
namespace {

using core::FileRefusal;

struct Quota {
    Quota(std::size_t per_user, std::size_t total, std::uint64_t content = 0) {
        config.quota_per_user = per_user;
        config.total_max = total;
        config.uploads_per_user = 2;
        quota.emplace(config, content, [this](const std::string& owner) { return used[owner]; });
    }
    core::FilesConfig config;
    std::map<std::string, std::uint64_t> used;
    std::optional<FileQuota> quota;
};

std::optional<FileRefusal> cause(const std::optional<core::FileProblem>& problem) {
    return problem ? std::optional(problem->cause) : std::nullopt;
}

TEST(FileQuota, HoldsAUserWithWhatIsOnItsWay) {
    Quota of(100, 0);
    of.used["ann"] = 60;
    ASSERT_FALSE(of.quota->begin("ann"));
    EXPECT_FALSE(of.quota->reserve("ann", 30));
    EXPECT_EQ(cause(of.quota->reserve("ann", 11)), FileRefusal::quota);
    EXPECT_FALSE(of.quota->reserve("ann", 10));
    of.quota->release("ann", 30);
    EXPECT_FALSE(of.quota->reserve("ann", 30));
    ASSERT_FALSE(of.quota->begin("bob"));
    EXPECT_FALSE(of.quota->reserve("bob", 100)) << "another's is not theirs";
}

TEST(FileQuota, CountsAFileThatWasKeptInsteadOfWhatWasReservedForIt) {
    Quota of(100, 0);
    ASSERT_FALSE(of.quota->begin("ann"));
    ASSERT_FALSE(of.quota->begin("ann"));
    ASSERT_FALSE(of.quota->reserve("ann", 70));
    of.quota->file_added("ann", 70);
    of.quota->release("ann", 70);
    of.quota->ended("ann");
    EXPECT_EQ(cause(of.quota->reserve("ann", 31)), FileRefusal::quota);
    of.quota->file_removed("ann", 70);
    EXPECT_FALSE(of.quota->reserve("ann", 100));
}

TEST(FileQuota, AsksAnewWhatAUserHasOnceNothingOfTheirsIsUnderWay) {
    Quota of(100, 0);
    ASSERT_FALSE(of.quota->begin("ann"));
    of.quota->ended("ann");
    of.used["ann"] = 95;
    of.quota->file_removed("ann", 5) /* of nobody under way: the index knows */;
    ASSERT_FALSE(of.quota->begin("ann"));
    EXPECT_EQ(cause(of.quota->reserve("ann", 6)), FileRefusal::quota);
}

TEST(FileQuota, HoldsUploadsAtATimeForEachUser) {
    Quota of(0, 0);
    EXPECT_FALSE(of.quota->begin("ann"));
    EXPECT_FALSE(of.quota->begin("ann"));
    EXPECT_EQ(cause(of.quota->begin("ann")), FileRefusal::user_uploads);
    EXPECT_FALSE(of.quota->begin("bob"));
    of.quota->ended("ann");
    EXPECT_FALSE(of.quota->begin("ann"));
}

TEST(FileQuota, HoldsAllContentTogether) {
    Quota of(0, 100, 50);
    ASSERT_FALSE(of.quota->begin("ann"));
    ASSERT_FALSE(of.quota->begin("bob"));
    EXPECT_FALSE(of.quota->reserve("ann", 30));
    EXPECT_EQ(cause(of.quota->reserve("bob", 21)), FileRefusal::total);
    EXPECT_FALSE(of.quota->reserve("bob", 20));
    of.quota->release("ann", 30);
    of.quota->content_added(10);  // the rest of hers was there already
    EXPECT_EQ(cause(of.quota->reserve("bob", 21)), FileRefusal::total);
    EXPECT_FALSE(of.quota->reserve("bob", 20));
    of.quota->content_removed(60);
    EXPECT_FALSE(of.quota->reserve("bob", 60));
    EXPECT_EQ(of.quota->content(), 0u);
}

TEST(FileQuota, HoldsNothingWhereThereAreNoBounds) {
    Quota of(0, 0, std::uint64_t{1} << 50U);
    ASSERT_FALSE(of.quota->begin("ann"));
    EXPECT_FALSE(of.quota->reserve("ann", std::uint64_t{1} << 60U));
}

}  // namespace
}  // namespace parley::storage
