// A DiskFileStore of a test's own, and its answers waited for.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "storage/files/disk_file_store.hpp"
#include "support/folder.hpp"

namespace parley::test {

// An upload whose `taken` and `done` are waited for.
class UploadWatch {
public:
    core::FileUploadEvents events() {
        return {[state = state_](std::size_t bytes) {
                    state->taken += bytes;
                    if (!state->let_in.exchange(true)) state->first.set_value(true);
                },
                [state = state_](core::FileAnswer<core::FileInfo>&& answer) {
                    if (!state->let_in.exchange(true)) state->first.set_value(false);
                    state->done.set_value(std::move(answer));
                }};
    }
    // Whether it was let in.
    bool wait_let_in() { return state_->first.get_future().get(); }
    core::FileAnswer<core::FileInfo> wait() { return state_->done.get_future().get(); }
    [[nodiscard]] std::size_t taken() const { return state_->taken; }

private:
    struct State {
        std::atomic<std::size_t> taken{0};
        std::atomic<bool> let_in{false};
        std::promise<bool> first;
        std::promise<core::FileAnswer<core::FileInfo>> done;
    };
    std::shared_ptr<State> state_ = std::make_shared<State>();
};

struct StoreOnDisk {
    explicit StoreOnDisk(core::FilesConfig config = {}, const std::string& path = {},
                         std::chrono::milliseconds rounds = std::chrono::hours(1)) {
        config.folder = path.empty() ? folder.path() : path;
        config.types = {"*"};
        store.emplace(config,
                      storage::DiskFileStoreHooks{[this] { return now_ms.load(); },
                                                  [this](std::string_view) { ++reports; }, rounds});
    }

    static core::NewFile ann(std::string room = "lobby") {
        return {std::move(room), "ann", "a.txt", "", std::nullopt};
    }
    core::FileAnswer<core::FileInfo> put(const std::string& bytes, core::NewFile file = ann()) {
        UploadWatch watch;
        auto upload = store->begin(std::move(file), watch.events());
        if (!upload) return upload.error();
        (*upload)->write(std::string(bytes));
        (*upload)->finish();
        return watch.wait();
    }
    core::FileAnswer<core::OpenFile> open(const std::string& id) {
        return ask<core::OpenFile>([&](auto done) { store->open(id, std::move(done)); });
    }
    core::FileAnswer<core::FileList> list(core::FileListAsk what) {
        return ask<core::FileList>([&](auto done) { store->list(what, std::move(done)); });
    }
    core::FileAnswer<core::FileInfo> remove(const std::string& id,
                                            std::optional<std::string> owner = "ann") {
        return ask<core::FileInfo>([&](auto done) { store->remove(id, owner, std::move(done)); });
    }
    static std::string read(core::FileReader& reader, std::uint64_t offset, std::size_t bytes) {
        auto read = std::make_shared<std::promise<std::string>>();
        reader.read(offset, bytes, [read](std::string&& got) { read->set_value(std::move(got)); });
        return read->get_future().get();
    }
    // Files of content, and uploads that are under way on disk.
    [[nodiscard]] std::vector<std::string> on_disk() const {
        auto names = folder.files();
        std::erase_if(names, [](const std::string& name) {
            return name == "lock" || name.starts_with("index.db");
        });
        return names;
    }
    // Waits until everything that was asked of each lane so far is done.
    void settle() {
        for (std::uint32_t i = 0; i < store->config().threads; ++i) (void)open("none");
    }

    Folder folder;
    std::atomic<std::int64_t> now_ms{1'000'000};
    std::atomic<int> reports{0};
    std::optional<storage::DiskFileStore> store;

private:
    template <typename T, typename Ask>
    core::FileAnswer<T> ask(Ask ask) {
        auto answer = std::make_shared<std::promise<core::FileAnswer<T>>>();
        ask([answer](core::FileAnswer<T>&& got) { answer->set_value(std::move(got)); });
        return answer->get_future().get();
    }
};

}  // namespace parley::test
