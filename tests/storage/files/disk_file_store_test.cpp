#include "storage/files/disk_file_store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/file_store.hpp"

namespace parley::storage {
namespace {

using core::FileRefusal;
using test::StoreOnDisk;
using test::UploadWatch;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

// FIPS 180-2, B.1
constexpr std::string_view sha_of_abc =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const std::string place_of_abc = "ba/78/" + std::string(sha_of_abc);

template <typename T>
std::optional<FileRefusal> cause(const core::FileAnswer<T>& answer) {
    return answer ? std::nullopt : std::optional(answer.error().cause);
}

std::uint64_t refusals(const StoreOnDisk& of, FileRefusal cause) {
    return of.store->counters().refused[static_cast<std::size_t>(cause)];
}

TEST(DiskFileStore, KeepsAFileAndGivesItBack) {
    StoreOnDisk of;
    const auto kept = of.put("abc");
    ASSERT_TRUE(kept);
    EXPECT_EQ(kept->id.size(), 22u);
    EXPECT_EQ(kept->room, "lobby");
    EXPECT_EQ(kept->type, "text/plain");
    EXPECT_EQ(kept->size, 3u);
    EXPECT_EQ(kept->sha256, sha_of_abc);
    EXPECT_EQ(kept->created_ms, 1'000'000);
    EXPECT_THAT(of.on_disk(), ElementsAre(place_of_abc));
    EXPECT_EQ(of.folder.read(place_of_abc), "abc");
    {
        const auto open = of.open(kept->id);
        ASSERT_TRUE(open);
        EXPECT_EQ(open->info.name, "a.txt");
        EXPECT_EQ(StoreOnDisk::read(*open->reader, 0, 10), "abc");
        EXPECT_EQ(StoreOnDisk::read(*open->reader, 1, 1), "b");
        EXPECT_EQ(of.store->counters().downloads, 1u);
    }
    EXPECT_EQ(of.store->counters().downloads, 0u);
    EXPECT_EQ(of.store->counters().bytes_sent, 4u);
    EXPECT_EQ(cause(of.open("AAAAAAAAAAAAAAAAAAAAAA")), FileRefusal::not_found);
}

TEST(DiskFileStore, KeepsEqualContentOnceUntilItsLastFileGoes) {
    StoreOnDisk of;
    const auto one = of.put("abc");
    const auto two = of.put("abc", StoreOnDisk::ann("elsewhere"));
    ASSERT_TRUE(one);
    ASSERT_TRUE(two);
    EXPECT_NE(one->id, two->id);
    EXPECT_THAT(of.on_disk(), ElementsAre(place_of_abc));
    EXPECT_EQ(of.store->counters().deduplicated, 1u);
    EXPECT_EQ(of.store->counters().content_bytes, 3u);
    const auto open = of.open(one->id);
    EXPECT_TRUE(of.remove(one->id));
    EXPECT_EQ(cause(of.open(one->id)), FileRefusal::not_found);
    EXPECT_TRUE(of.open(two->id));
    EXPECT_TRUE(of.remove(two->id));
    EXPECT_THAT(of.on_disk(), IsEmpty());
    EXPECT_EQ(of.store->counters().content_bytes, 0u);
    EXPECT_EQ(of.store->counters().files, 0u);
    EXPECT_EQ(StoreOnDisk::read(*open->reader, 0, 10), "abc") << "who reads it reads on";
    EXPECT_TRUE(of.put("abc")) << "and comes again";
    EXPECT_THAT(of.on_disk(), ElementsAre(place_of_abc));
}

TEST(DiskFileStore, LetsOnlyItsOwnerRemoveAFile) {
    StoreOnDisk of;
    const auto kept = of.put("abc");
    EXPECT_EQ(cause(of.remove(kept->id, "bob")), FileRefusal::not_owner);
    EXPECT_TRUE(of.open(kept->id));
    EXPECT_EQ(cause(of.remove("AAAAAAAAAAAAAAAAAAAAAA", "ann")), FileRefusal::not_found);
    EXPECT_TRUE(of.remove(kept->id, std::nullopt)) << "the room may, with its message";
    EXPECT_EQ(refusals(of, FileRefusal::not_owner), 1u);
    EXPECT_EQ(of.store->counters().removed, 1u);
}

TEST(DiskFileStore, ListsARoomNewestFirst) {
    StoreOnDisk of;
    std::vector<std::string> ids;
    for (const char* text : {"a", "b", "c"}) ids.push_back(of.put(text)->id);
    const auto page = of.list({"lobby", std::nullopt, 2});
    ASSERT_TRUE(page);
    ASSERT_THAT(page->files, SizeIs(2));
    EXPECT_EQ(page->files[0].id, ids[2]);
    const auto rest = of.list({"lobby", page->next, 2});
    ASSERT_THAT(rest->files, SizeIs(1));
    EXPECT_EQ(rest->files[0].id, ids[0]);
    EXPECT_FALSE(rest->next);
}

TEST(DiskFileStore, IsThereAgainAfterARestart) {
    test::Folder folder;
    std::string id;
    {
        StoreOnDisk before({}, folder.path());
        id = before.put("abc")->id;
    }
    folder.write("incoming/upload-0", "left over");
    StoreOnDisk after({}, folder.path());
    const auto open = after.open(id);
    ASSERT_TRUE(open);
    EXPECT_EQ(StoreOnDisk::read(*open->reader, 0, 10), "abc");
    EXPECT_EQ(after.store->counters().swept, 1u);
    EXPECT_EQ(after.store->counters().files, 1u);
    EXPECT_EQ(after.store->counters().content_bytes, 3u);
    EXPECT_EQ(folder.read("incoming/upload-0"), "");
}

// ---- uploads that end otherwise --------------------------------------------------------------

TEST(DiskFileStore, LeavesNothingOfAnUploadThatIsLetGo) {
    StoreOnDisk of;
    for (const bool wrote : {false, true}) {
        UploadWatch watch;
        auto upload = of.store->begin(StoreOnDisk::ann(), watch.events());
        ASSERT_TRUE(upload);
        ASSERT_TRUE(watch.wait_let_in());
        EXPECT_THAT(of.on_disk(), SizeIs(1));
        if (wrote) (*upload)->write("abc");
        upload->reset();
        of.settle();
        EXPECT_THAT(of.on_disk(), IsEmpty());
    }
    EXPECT_EQ(of.store->counters().interrupted, 2u);
    EXPECT_EQ(of.store->counters().uploads, 0u);
    EXPECT_EQ(of.store->counters().bytes_received, 3u);
}

TEST(DiskFileStore, LeavesNothingOfWhatItRefuses) {
    core::FilesConfig config;
    config.size_max = 10;
    StoreOnDisk of(config);
    EXPECT_EQ(cause(of.put("elevenbytes")), FileRefusal::size);
    core::NewFile declared = StoreOnDisk::ann();
    declared.size = 11;
    EXPECT_EQ(cause(of.put("a", declared)), FileRefusal::size);
    core::NewFile lying = StoreOnDisk::ann();
    lying.declared_type = "image/png";
    EXPECT_EQ(cause(of.put("abc", lying)), FileRefusal::content);
    EXPECT_EQ(cause(of.put("")), FileRefusal::malformed);
    EXPECT_TRUE(of.put("tencounted"));
    EXPECT_THAT(of.on_disk(), SizeIs(1));
    EXPECT_EQ(of.store->counters().uploads, 0u);
    EXPECT_EQ(refusals(of, FileRefusal::size), 2u);
}

TEST(DiskFileStore, TakesOnlyTheTypesThatItIsTo) {
    test::Folder folder;
    core::FilesConfig config;
    config.folder = folder.path();
    config.types = {"image/*"};
    DiskFileStore store(config, {[] { return 0; }});
    UploadWatch watch;
    auto upload = store.begin(StoreOnDisk::ann(), watch.events());
    (*upload)->write("abc");
    (*upload)->finish();
    const auto answer = watch.wait();
    EXPECT_EQ(cause(answer), FileRefusal::type);
    EXPECT_EQ(answer.error().text,
              "files of the type text/plain are not taken here; taken are image/*");
}

TEST(DiskFileStore, HoldsUploadsAtATimeOfAllAndOfEach) {
    core::FilesConfig config;
    config.uploads_max = 3;
    config.uploads_per_user = 2;
    StoreOnDisk of(config);
    const auto begin = [&](std::string owner, UploadWatch& watch) {
        core::NewFile file = StoreOnDisk::ann();
        file.owner = std::move(owner);
        return of.store->begin(std::move(file), watch.events());
    };
    std::vector<UploadWatch> watches(4);
    auto one = begin("ann", watches[0]);
    auto two = begin("ann", watches[1]);
    EXPECT_TRUE(watches[0].wait_let_in());
    EXPECT_TRUE(watches[1].wait_let_in());
    auto three = begin("ann", watches[2]);
    EXPECT_FALSE(watches[2].wait_let_in());
    EXPECT_EQ(cause(watches[2].wait()), FileRefusal::user_uploads);
    auto bob = begin("bob", watches[3]);
    EXPECT_TRUE(watches[3].wait_let_in());
    UploadWatch refused;
    EXPECT_EQ(cause(begin("eve", refused)), FileRefusal::uploads);
    EXPECT_EQ(refusals(of, FileRefusal::uploads), 1u);
    one->reset();
    two->reset();
    bob->reset();
    of.settle();
    EXPECT_TRUE(of.put("abc"));
}

TEST(DiskFileStore, HoldsQuotaAndTotalWhateverIsKnownAhead) {
    core::FilesConfig config;
    config.quota_per_user = 10;
    config.total_max = 15;
    StoreOnDisk of(config);
    core::NewFile bobs = StoreOnDisk::ann();
    bobs.owner = "bob";
    ASSERT_TRUE(of.put("eightbyt"));
    EXPECT_EQ(cause(of.put("abc")), FileRefusal::quota) << "found out while it came";
    core::NewFile declared = StoreOnDisk::ann();
    declared.size = 3;
    UploadWatch watch;
    const auto ahead = of.store->begin(declared, watch.events());
    EXPECT_FALSE(watch.wait_let_in()) << "and before it came";
    EXPECT_EQ(cause(watch.wait()), FileRefusal::quota);
    EXPECT_EQ(cause(of.put("eightby2", bobs)), FileRefusal::total);
    EXPECT_TRUE(of.put("sevenby", bobs));
    EXPECT_TRUE(of.remove(of.list({"lobby", std::nullopt, 2})->files.at(1).id));
    EXPECT_TRUE(of.put("abc")) << "room that was given back";
}

TEST(DiskFileStore, HoldsDownloadsAtATime) {
    core::FilesConfig config;
    config.downloads_max = 2;
    StoreOnDisk of(config);
    const std::string id = of.put("abc")->id;
    auto one = of.open(id);
    auto two = of.open(id);
    EXPECT_EQ(cause(of.open(id)), FileRefusal::downloads);
    two = core::FileProblem{FileRefusal::not_found, {}};
    EXPECT_TRUE(of.open(id));
}

TEST(DiskFileStore, RemovesWhatIsTooOld) {
    core::FilesConfig config;
    config.keep_age = std::chrono::milliseconds(100);
    StoreOnDisk of(config, {}, std::chrono::milliseconds(1));
    for (int i = 0; i < 200; ++i) ASSERT_TRUE(of.put("file " + std::to_string(i % 150)));
    of.now_ms = 1'000'050;
    const std::string young = of.put("young")->id;
    of.now_ms = 1'000'101;
    while (of.store->counters().expired < 200) std::this_thread::yield();
    EXPECT_TRUE(of.open(young));
    EXPECT_EQ(of.store->counters().files, 1u);
    EXPECT_THAT(of.on_disk(), SizeIs(1));
    EXPECT_EQ(of.store->counters().content_bytes, 5u);
}

// ---- a disk that fails -----------------------------------------------------------------------

// The largest file that this process may write, for as long as it lasts.
class FileSizeLimit {
public:
    explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
        ::getrlimit(RLIMIT_FSIZE, &before_);
        rlimit now = before_;
        now.rlim_cur = bytes;
        ::setrlimit(RLIMIT_FSIZE, &now);
    }
    ~FileSizeLimit() {
        ::setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, handler_);
    }
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;

private:
    void (*handler_)(int);
    rlimit before_{};
};

TEST(DiskFileStore, SaysThatTheDiskFailsAndGoesOnWhenItWorksAgain) {
    StoreOnDisk of;
    const std::string before = of.put("abc")->id;
    const std::string big(300'000, 'b');
    {
        const FileSizeLimit limit(200'000);
        EXPECT_EQ(cause(of.put(big)), FileRefusal::disk);
        EXPECT_EQ(cause(of.put(big)), FileRefusal::disk);
        EXPECT_TRUE(of.store->counters().failing);
        EXPECT_EQ(of.reports, 1) << "told once";
        EXPECT_THAT(of.on_disk(), ElementsAre(place_of_abc));
        EXPECT_TRUE(of.open(before)) << "what is there is read";
    }
    EXPECT_TRUE(of.put(big));
    EXPECT_FALSE(of.store->counters().failing);
    EXPECT_EQ(of.reports, 2);
    EXPECT_EQ(of.store->counters().uploads, 0u);
}

TEST(DiskFileStore, LeavesNothingWhereTheIndexCantTakeAFile) {
    StoreOnDisk of;
    sqlite3* other = nullptr;
    ASSERT_EQ(sqlite3_open((of.folder.path() + "/index.db").c_str(), &other), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
    EXPECT_EQ(cause(of.put("abc")), FileRefusal::disk);
    EXPECT_THAT(of.on_disk(), IsEmpty());
    ASSERT_EQ(sqlite3_exec(other, "ROLLBACK", nullptr, nullptr, nullptr), SQLITE_OK);
    const auto kept = of.put("abc");
    ASSERT_TRUE(kept);
    ASSERT_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
    EXPECT_EQ(cause(of.remove(kept->id)), FileRefusal::disk);
    EXPECT_TRUE(of.open(kept->id));
    sqlite3_close(other);
    EXPECT_TRUE(of.remove(kept->id));
    EXPECT_THAT(of.on_disk(), IsEmpty());
}

TEST(DiskFileStore, SaysThatContentIsGoneAndTakesItAgain) {
    StoreOnDisk of;
    const auto kept = of.put("abc");
    std::filesystem::remove(of.folder.path() + "/" + place_of_abc);
    EXPECT_EQ(cause(of.open(kept->id)), FileRefusal::disk);
    EXPECT_EQ(of.reports, 1);
    EXPECT_TRUE(of.put("abc"));
    EXPECT_TRUE(of.open(kept->id)) << "the one that was gone is there again";
    EXPECT_EQ(of.store->counters().content_bytes, 3u);
    std::filesystem::remove(of.folder.path() + "/" + place_of_abc);
    EXPECT_TRUE(of.remove(kept->id));
}

}  // namespace
}  // namespace parley::storage
