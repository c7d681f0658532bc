// DiskFileStore: files in a folder of this machine: their content by its hash, an index beside it,
// and threads that see to both.
//
// Path:     FilesFrontend → FileStore → [DiskFileStore] → ContentFolder, FileIndex
// Runs on:  called on any thread; what touches the disk on threads of its own (FileLanes).
// Owned by: the server (composition root).
// Bounds:   FilesConfig. Its users bound the bytes that an upload has under way.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

#include "core/file_store.hpp"
#include "storage/files/content_folder.hpp"
#include "storage/files/file_counters.hpp"
#include "storage/files/file_index.hpp"
#include "storage/files/file_lanes.hpp"
#include "storage/files/file_quota.hpp"

namespace parley::storage {

// What the store goes by and tells; both are called on its threads.
struct DiskFileStoreHooks {
    std::function<std::int64_t()> now_ms;  // since 1970
    // The disk or the index has failed, or works again (then without a reason).
    std::function<void(std::string_view why)> report = [](std::string_view) {};
    // How often what is older than files.keep_age is looked for.
    std::chrono::milliseconds rounds_every{60'000};
};

class DiskFileStore final : public core::FileStore {
public:
    // Takes the folder, makes it where it is missing, and tidies up after the process before. Throws
    // std::runtime_error, IndexError among it, that names what can't be used.
    DiskFileStore(const core::FilesConfig& config, DiskFileStoreHooks hooks);
    ~DiskFileStore() override;

    // Does what was asked so far and ends its threads; what still comes is done within its call. Once
    // no shard runs any more.
    void stop() noexcept { lanes_.stop(); }
    [[nodiscard]] const FileCounters& counters() const noexcept { return counters_; }

    // FileStore
    [[nodiscard]] const core::FilesConfig& config() const noexcept override { return config_; }
    [[nodiscard]] core::FileAnswer<std::unique_ptr<core::FileUpload>> begin(
        core::NewFile file, core::FileUploadEvents events) override;
    void open(std::string id, Done<core::OpenFile> done) override;
    void list(core::FileListAsk ask, Done<core::FileList> done) override;
    void remove(std::string id, std::optional<std::string> owner,
                Done<core::FileInfo> done) override;
    void remove_with_message(std::string id, std::string room, std::string owner) override;
    void note_refusal(core::FileRefusal cause) noexcept override { counters_.count(cause); }

private:
    struct Work;
    class Upload;
    class Reader;

    // Steps of an upload, on its lane.
    void begin_work(Work& work);
    void write_work(Work& work, std::string_view bytes);
    void finish_work(Work& work);
    void abandon_work(Work& work) noexcept;
    [[nodiscard]] std::optional<core::FileProblem> make_room(Work& work, std::uint64_t size);
    [[nodiscard]] core::FileInfo keep(Work& work);
    void store_content(Work& work, const core::FileInfo& info);
    void end_work(Work& work) noexcept;
    void refuse(Work& work, core::FileProblem problem);

    [[nodiscard]] core::FileAnswer<core::OpenFile> open_now(const std::string& id);
    [[nodiscard]] core::FileAnswer<core::FileInfo> remove_now(
        const std::string& id, const std::optional<std::string>& owner);
    void take_away(const core::FileInfo& info);
    void remove_old();
    // Runs `step`, and gives what has failed in it as a problem.
    template <typename Answer, typename Step>
    [[nodiscard]] core::FileAnswer<Answer> guarded(Step step) noexcept;
    [[nodiscard]] core::FileProblem failed(std::string_view why);
    void worked() noexcept;
    template <typename T>
    [[nodiscard]] core::FileAnswer<T> counted(core::FileAnswer<T>&& answer) noexcept;

    core::FilesConfig config_;
    DiskFileStoreHooks hooks_;
    FileCounters counters_;
    ContentFolder folder_;
    std::mutex mutex_;  // of the index and the quota, and for content's places; by its threads only
    FileIndex index_;
    FileQuota quota_;
    FileLanes lanes_;  // last: its threads use the rest
};

}  // namespace parley::storage
