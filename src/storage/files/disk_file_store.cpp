#include "storage/files/disk_file_store.hpp"

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <exception>
#include <utility>

#include "storage/files/upload_check.hpp"

namespace parley::storage {
namespace {

using core::FileAnswer;
using core::FileInfo;
using core::FileProblem;
using core::FileRefusal;

// How many old files are removed before a lane sees to its other tasks.
constexpr std::size_t old_files_at_once = 64;

// 132 bits of luck: who knows a file's id may fetch it where they may read its room.
std::string make_file_id() {
    constexpr std::string_view digits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::array<unsigned char, 22> luck{};
    if (::getrandom(luck.data(), luck.size(), 0) != static_cast<ssize_t>(luck.size())) {
        throw std::system_error(errno, std::system_category(), "no random numbers");
    }
    std::string id;
    for (const unsigned char byte : luck) id.push_back(digits[byte % digits.size()]);
    return id;
}

}  // namespace

// One upload, from the first look at it to its end.
struct DiskFileStore::Work {
    Work(core::NewFile what, core::FileUploadEvents whom, std::span<const std::string> types,
         std::size_t on_lane)
        : file(std::move(what)),
          events(std::move(whom)),
          check(types, file.declared_type),
          lane(on_lane) {}

    core::NewFile file;
    core::FileUploadEvents events;
    UploadCheck check;
    std::size_t lane;
    ContentFolder::Incoming incoming;
    std::uint64_t reserved = 0;
    bool begun = false;  // it has a place in the quota
    bool over = false;   // nothing of it is left to be done
};

class DiskFileStore::Upload final : public core::FileUpload {
public:
    Upload(DiskFileStore& store, std::shared_ptr<Work> work)
        : store_(&store), work_(std::move(work)) {
        post([](DiskFileStore& on, Work& it) { on.begin_work(it); });
    }
    ~Upload() override {
        post([](DiskFileStore& on, Work& it) { on.abandon_work(it); });
    }
    void write(std::string&& bytes) override {
        post([bytes = std::move(bytes)](DiskFileStore& on, Work& it) { on.write_work(it, bytes); });
    }
    void finish() override {
        post([](DiskFileStore& on, Work& it) { on.finish_work(it); });
    }

private:
    template <typename Step>
    void post(Step step) {
        store_->lanes_.post(work_->lane, [store = store_, work = work_, step = std::move(step)] {
            step(*store, *work);
        });
    }

    DiskFileStore* store_;
    std::shared_ptr<Work> work_;
};

class DiskFileStore::Reader final : public core::FileReader {
public:
    Reader(DiskFileStore& store, OpenDescriptor file)
        : store_(&store),
          lane_(store.lanes_.choose()),
          file_(std::make_shared<OpenDescriptor>(std::move(file))) {}
    ~Reader() override {
        store_->counters_.downloads.fetch_sub(1, std::memory_order_relaxed);
        // Closed on a lane: the last to close a file that was removed waits for the disk.
        store_->lanes_.post(lane_, [file = std::move(file_)] {});
    }
    void read(std::uint64_t offset, std::size_t bytes,
              std::function<void(std::string&&)> done) override {
        store_->lanes_.post(
            lane_, [store = store_, file = file_, offset, bytes, done = std::move(done)] {
                std::string got;
                try {
                    got = ContentFolder::read(*file, offset, bytes);
                    store->counters_.bytes_sent.fetch_add(got.size(), std::memory_order_relaxed);
                } catch (const std::exception& error) {
                    store->note_refusal(store->failed(error.what()).cause);
                }
                done(std::move(got));
            });
    }

private:
    DiskFileStore* store_;
    std::size_t lane_;
    std::shared_ptr<OpenDescriptor> file_;
};

DiskFileStore::DiskFileStore(const core::FilesConfig& config, DiskFileStoreHooks hooks)
    : config_(config),
      hooks_(std::move(hooks)),
      folder_(config_.folder),
      index_(config_.folder + "/index.db"),
      quota_(config_, index_.content_bytes(),
             [this](const std::string& owner) { return index_.used_by(owner); }),
      lanes_(config_.threads, hooks_.rounds_every, [this] { remove_old(); }) {
    const std::lock_guard lock(mutex_);
    counters_.swept =
        folder_.recover([this](std::string_view sha) { return index_.has_content(sha); });
    counters_.files = index_.files();
    counters_.content_bytes = quota_.content();
}

DiskFileStore::~DiskFileStore() {
    stop();
}

// ---- what fails ------------------------------------------------------------------------------

FileProblem DiskFileStore::failed(std::string_view why) {
    if (!counters_.failing.exchange(true)) hooks_.report(why);
    return {FileRefusal::disk, {}};
}

void DiskFileStore::worked() noexcept {
    if (counters_.failing.exchange(false)) hooks_.report({});
}

template <typename Answer, typename Step>
FileAnswer<Answer> DiskFileStore::guarded(Step step) noexcept {
    try {
        return step();
    } catch (const std::exception& error) {
        return failed(error.what());
    }
}

template <typename T>
FileAnswer<T> DiskFileStore::counted(FileAnswer<T>&& answer) noexcept {
    if (!answer) note_refusal(answer.error().cause);
    return std::move(answer);
}

// ---- the way in ------------------------------------------------------------------------------

FileAnswer<std::unique_ptr<core::FileUpload>> DiskFileStore::begin(core::NewFile file,
                                                                   core::FileUploadEvents events) {
    const auto refused = [this](FileRefusal cause, std::string text) {
        note_refusal(cause);
        return FileProblem{cause, std::move(text)};
    };
    if (file.size.value_or(0) > config_.size_max) {
        return refused(FileRefusal::size,
                       "a file has at most " + std::to_string(config_.size_max) + " bytes");
    }
    if (counters_.uploads.fetch_add(1, std::memory_order_relaxed) >= config_.uploads_max) {
        counters_.uploads.fetch_sub(1, std::memory_order_relaxed);
        return refused(FileRefusal::uploads, {});
    }
    auto work =
        std::make_shared<Work>(std::move(file), std::move(events), config_.types, lanes_.choose());
    return std::unique_ptr<core::FileUpload>(std::make_unique<Upload>(*this, std::move(work)));
}

void DiskFileStore::refuse(Work& work, FileProblem problem) {
    end_work(work);
    note_refusal(problem.cause);
    work.events.done(std::move(problem));
}

// Gives back everything that an upload has; what was kept of it stays.
void DiskFileStore::end_work(Work& work) noexcept {
    if (std::exchange(work.over, true)) return;
    counters_.uploads.fetch_sub(1, std::memory_order_relaxed);
    if (work.incoming.file.is_open()) folder_.discard(work.incoming.name);
    work.incoming.file = {};
    if (!work.begun) return;
    const std::lock_guard lock(mutex_);
    quota_.release(work.file.owner, work.reserved);
    quota_.ended(work.file.owner);
}

// Keeps room for the first `size` bytes of it.
std::optional<FileProblem> DiskFileStore::make_room(Work& work, std::uint64_t size) {
    if (size > config_.size_max) {
        return FileProblem{FileRefusal::size,
                           "a file has at most " + std::to_string(config_.size_max) + " bytes"};
    }
    if (size <= work.reserved) return std::nullopt;
    const std::lock_guard lock(mutex_);
    auto problem = quota_.reserve(work.file.owner, size - work.reserved);
    if (!problem) work.reserved = size;
    return problem;
}

void DiskFileStore::begin_work(Work& work) {
    auto begun = guarded<bool>([&]() -> FileAnswer<bool> {
        {
            const std::lock_guard lock(mutex_);
            if (auto problem = quota_.begin(work.file.owner)) return std::move(*problem);
            work.begun = true;
        }
        if (auto problem = make_room(work, work.file.size.value_or(0))) {
            return std::move(*problem);
        }
        work.incoming = folder_.create();
        return true;
    });
    if (!begun) return refuse(work, std::move(begun.error()));
    work.events.taken(0);
}

void DiskFileStore::write_work(Work& work, std::string_view bytes) {
    if (work.over) return;
    auto written = guarded<bool>([&]() -> FileAnswer<bool> {
        counters_.bytes_received.fetch_add(bytes.size(), std::memory_order_relaxed);
        if (auto problem = make_room(work, work.check.size() + bytes.size())) {
            return std::move(*problem);
        }
        if (auto problem = work.check.feed(bytes)) return std::move(*problem);
        ContentFolder::write(work.incoming.file, bytes);
        return true;
    });
    if (!written) return refuse(work, std::move(written.error()));
    work.events.taken(bytes.size());
}

void DiskFileStore::finish_work(Work& work) {
    if (work.over) return;
    auto kept = guarded<FileInfo>([&]() -> FileAnswer<FileInfo> {
        if (auto problem = work.check.finish()) return std::move(*problem);
        return keep(work);
    });
    if (!kept) return refuse(work, std::move(kept.error()));
    worked();
    end_work(work);
    counters_.stored.fetch_add(1, std::memory_order_relaxed);
    counters_.files.fetch_add(1, std::memory_order_relaxed);
    work.events.done(std::move(kept));
}

FileInfo DiskFileStore::keep(Work& work) {
    FileInfo info;
    info.id = make_file_id();
    info.room = work.file.room;
    info.owner = work.file.owner;
    info.name = work.file.name;
    info.type = work.check.type();
    info.size = work.check.size();
    info.sha256 = work.check.sha256();
    info.created_ms = hooks_.now_ms();
    // The long wait, before anybody else is kept waiting.
    ContentFolder::sync(work.incoming.file);
    const std::lock_guard lock(mutex_);
    if (index_.has_content(info.sha256) && folder_.open(info.sha256).is_open()) {
        FileIndex::Change change(index_);
        index_.add(info);
        change.commit();
        counters_.deduplicated.fetch_add(1, std::memory_order_relaxed);
    } else {
        store_content(work, info);
    }
    quota_.file_added(info.owner, info.size);
    return info;
}

void DiskFileStore::store_content(Work& work, const FileInfo& info) {
    // Known and not there: somebody has removed it, and here it is again.
    const bool known = index_.has_content(info.sha256);
    folder_.make_ready(work.incoming.name, info.sha256);
    work.incoming.file = {};  // under that name there is nothing left to discard
    try {
        FileIndex::Change change(index_);
        index_.add(info);
        change.commit();
    } catch (...) {
        folder_.remove_ready(info.sha256);
        throw;
    }
    if (!known) quota_.content_added(info.size);
    counters_.content_bytes = quota_.content();
    // Where that fails it is kept all the same: read from where it lies, and put into its place by
    // the next start.
    folder_.try_put_in_place(info.sha256);
}

void DiskFileStore::abandon_work(Work& work) noexcept {
    if (work.over) return;
    counters_.interrupted.fetch_add(1, std::memory_order_relaxed);
    end_work(work);
}

// ---- questions -------------------------------------------------------------------------------

void DiskFileStore::open(std::string id, Done<core::OpenFile> done) {
    lanes_.post(lanes_.choose(), [this, id = std::move(id), done = std::move(done)] {
        done(counted(guarded<core::OpenFile>([&] { return open_now(id); })));
    });
}

FileAnswer<core::OpenFile> DiskFileStore::open_now(const std::string& id) {
    const std::lock_guard lock(mutex_);
    auto info = index_.find(id);
    if (!info) return FileProblem{FileRefusal::not_found, {}};
    if (counters_.downloads.load(std::memory_order_relaxed) >= config_.downloads_max) {
        return FileProblem{FileRefusal::downloads, {}};
    }
    OpenDescriptor file = folder_.open(info->sha256);
    if (!file.is_open()) throw std::system_error(errno, std::system_category(), info->sha256);
    counters_.downloads.fetch_add(1, std::memory_order_relaxed);
    return core::OpenFile{std::move(*info), std::make_shared<Reader>(*this, std::move(file))};
}

void DiskFileStore::list(core::FileListAsk ask, Done<core::FileList> done) {
    lanes_.post(lanes_.choose(), [this, ask = std::move(ask), done = std::move(done)] {
        done(counted(guarded<core::FileList>([&]() -> FileAnswer<core::FileList> {
            const std::lock_guard lock(mutex_);
            return index_.list(ask);
        })));
    });
}

// ---- the way out -----------------------------------------------------------------------------

void DiskFileStore::remove(std::string id, std::optional<std::string> owner, Done<FileInfo> done) {
    lanes_.post(lanes_.choose(),
                [this, id = std::move(id), owner = std::move(owner), done = std::move(done)] {
                    done(counted(guarded<FileInfo>([&] { return remove_now(id, owner); })));
                });
}

void DiskFileStore::remove_with_message(std::string id, std::string room, std::string owner) {
    lanes_.post(lanes_.choose(),
                [this, id = std::move(id), room = std::move(room), owner = std::move(owner)] {
                    static_cast<void>(guarded<FileInfo>([&]() -> FileAnswer<FileInfo> {
                        {
                            const std::lock_guard lock(mutex_);
                            const auto info = index_.find(id);
                            if (!info) return FileProblem{FileRefusal::not_found, {}};
                            if (info->room != room) return FileProblem{FileRefusal::not_owner, {}};
                        }
                        return remove_now(id, owner);
                    }));
                });
}

FileAnswer<FileInfo> DiskFileStore::remove_now(const std::string& id,
                                               const std::optional<std::string>& owner) {
    const std::lock_guard lock(mutex_);
    auto info = index_.find(id);
    if (!info) return FileProblem{FileRefusal::not_found, {}};
    if (owner && *owner != info->owner) return FileProblem{FileRefusal::not_owner, {}};
    take_away(*info);
    counters_.removed.fetch_add(1, std::memory_order_relaxed);
    worked();
    return std::move(*info);
}

// With the lock held.
void DiskFileStore::take_away(const FileInfo& info) {
    bool taken_out = false;
    try {
        FileIndex::Change change(index_);
        if (index_.remove(info)) {
            folder_.take_out(info.sha256);
            taken_out = true;
        }
        change.commit();
    } catch (...) {
        // Where that fails too it is read from where it lies.
        if (taken_out) folder_.try_put_in_place(info.sha256);
        throw;
    }
    if (taken_out) {
        folder_.remove_ready(info.sha256);
        quota_.content_removed(info.size);
        counters_.content_bytes = quota_.content();
    }
    quota_.file_removed(info.owner, info.size);
    counters_.files.fetch_sub(1, std::memory_order_relaxed);
}

void DiskFileStore::remove_old() {
    if (config_.keep_age.count() == 0) return;
    auto removed = guarded<std::size_t>([&]() -> FileAnswer<std::size_t> {
        const std::lock_guard lock(mutex_);
        const auto old =
            index_.older_than(hooks_.now_ms() - config_.keep_age.count(), old_files_at_once);
        for (const FileInfo& info : old) {
            take_away(info);
            counters_.expired.fetch_add(1, std::memory_order_relaxed);
        }
        return old.size();
    });
    // The rest behind what waits on the lane, or when the store is opened again.
    if (lanes_.stopping()) return;
    if (removed && *removed == old_files_at_once) lanes_.post(0, [this] { remove_old(); });
}

}  // namespace parley::storage
