#include "storage/files/content_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "support/folder.hpp"

namespace parley::storage {
namespace {

using testing::ElementsAre;

const std::string sha = "ab12" + std::string(60, '0');
const std::string place = "ab/12/" + sha;

std::string arrive(ContentFolder& folder, std::string_view content) {
    auto incoming = folder.create();
    ContentFolder::write(incoming.file, content);
    ContentFolder::sync(incoming.file);
    folder.make_ready(incoming.name, sha);
    return incoming.name;
}

TEST(ContentFolder, PutsContentIntoTwoLevelsOfFolders) {
    test::Folder temp;
    ContentFolder folder(temp.path() + "/made/below");
    arrive(folder, "hello");
    folder.try_put_in_place(sha);
    EXPECT_THAT(temp.files(), ElementsAre("made/below/" + place, "made/below/lock"));
    const OpenDescriptor file = folder.open(sha);
    ASSERT_TRUE(file.is_open());
    EXPECT_EQ(ContentFolder::read(file, 1, 3), "ell");
    EXPECT_EQ(ContentFolder::read(file, 3, 100), "lo");
    EXPECT_EQ(ContentFolder::read(file, 5, 100), "");
    folder.take_out(sha);
    folder.remove_ready(sha);
    EXPECT_EQ(ContentFolder::read(file, 0, 5), "hello") << "who reads it reads on";
    EXPECT_FALSE(folder.open(sha).is_open());
    EXPECT_THAT(temp.files(), ElementsAre("made/below/lock"));
}

TEST(ContentFolder, ReadsWhatIsReadyAndNotInItsPlace) {
    test::Folder temp;
    ContentFolder folder(temp.path());
    arrive(folder, "hello");
    EXPECT_EQ(ContentFolder::read(folder.open(sha), 0, 10), "hello");
}

TEST(ContentFolder, LeavesNothingOfWhatIsDiscarded) {
    test::Folder temp;
    ContentFolder folder(temp.path());
    const auto one = folder.create();
    const auto two = folder.create();
    EXPECT_NE(one.name, two.name);
    folder.discard(one.name);
    folder.discard(one.name);
    EXPECT_THAT(temp.files(), ElementsAre("incoming/" + two.name, "lock"));
}

// The process may have ended between any two of an arrival's steps, and the index knows of it or not.
TEST(ContentFolder, RecoversWhateverTheProcessBeforeHasLeft) {
    for (const bool known : {false, true}) {
        for (int step = 0; step < 3; ++step) {
            SCOPED_TRACE(std::to_string(known) + std::to_string(step));
            test::Folder temp;
            {
                ContentFolder folder(temp.path());
                if (step == 0) (void)folder.create();
                if (step > 0) arrive(folder, "hello");
                if (step == 2) folder.try_put_in_place(sha);
            }
            ContentFolder folder(temp.path());
            const auto removed = folder.recover([known](std::string_view) { return known; });
            const bool kept = step == 2 || (step == 1 && known);
            EXPECT_EQ(removed, step == 0 || (step == 1 && !known) ? 1u : 0u);
            EXPECT_EQ(temp.files(), kept ? std::vector<std::string>({place, "lock"})
                                         : std::vector<std::string>({"lock"}));
            EXPECT_EQ(folder.open(sha).is_open(), kept);
        }
    }
}

TEST(ContentFolder, SweepsWhatIsNotItsOwn) {
    test::Folder temp;
    temp.write("incoming/upload-7", "x");
    temp.write("incoming/" + std::string(64, 'g'), "no hash");
    temp.write("incoming/" + sha, "unknown");
    ContentFolder folder(temp.path());
    EXPECT_EQ(folder.recover([](std::string_view) { return false; }), 3u);
    EXPECT_THAT(temp.files(), ElementsAre("lock"));
}

TEST(ContentFolder, TakesOutWhatIsNotThere) {
    test::Folder temp;
    ContentFolder folder(temp.path());
    folder.take_out(sha);
    folder.remove_ready(sha);
}

TEST(ContentFolder, IsForOneProcess) {
    test::Folder temp;
    ContentFolder folder(temp.path());
    try {
        ContentFolder second(temp.path());
        FAIL() << "two of them would remove each other's uploads";
    } catch (const std::runtime_error& error) {
        EXPECT_THAT(error.what(), testing::HasSubstr("another server keeps its files there"));
    }
}

TEST(ContentFolder, NamesWhatCantBeUsed) {
    test::Folder temp;
    temp.write("file", "x");
    try {
        ContentFolder folder(temp.path() + "/file");
        FAIL();
    } catch (const std::system_error& error) {
        EXPECT_THAT(error.what(), testing::HasSubstr(temp.path() + "/file"));
    }
}

}  // namespace
}  // namespace parley::storage
