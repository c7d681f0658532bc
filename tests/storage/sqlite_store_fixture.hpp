// A store of SQLite in a folder of its own, and a shard that asks it.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "protocol/json_codec.hpp"
#include "storage/sqlite_store.hpp"
#include "support/test_hub.hpp"

namespace parley::test {

class TemporaryFolder {
public:
    TemporaryFolder() {
        std::string name = (std::filesystem::temp_directory_path() / "parley-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
        path_ = name;
    }
    ~TemporaryFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    [[nodiscard]] std::string file(const std::string& name) const { return path_ / name; }

private:
    std::filesystem::path path_;
};

// A loop that can be waited for: its shard is woken by the store's thread.
struct WaitingLoop final : core::ShardLoop {
    std::mutex mutex;
    std::condition_variable bell;
    bool runnable = false;
    void run_soon() noexcept override { wake(); }
    void wake() noexcept override {
        const std::lock_guard lock(mutex);
        runnable = true;
        bell.notify_one();
    }
};

struct SqliteFixture : ::testing::Test {
    SqliteFixture() { config.history.messages = 10; }
    ~SqliteFixture() override { store.reset(); }

    void open_store(core::Durability durability = core::Durability::sync) {
        store.reset();
        config.history.durability = durability;
        store = std::make_unique<storage::SqliteStore>(path, config, [this](const std::string& e) {
            const std::lock_guard lock(troubles_mutex);
            troubles.push_back(e);
        });
    }
    // Turns the shard until `done`, at most ten seconds.
    void until(const std::function<bool()>& done) {
        core::Shard& shard = hub.shard(0);
        const auto give_up = core::machine_now().mono + std::chrono::seconds(10);
        while (!done()) {
            std::unique_lock lock(loop.mutex);
            if (!loop.bell.wait_until(lock, give_up, [this] { return loop.runnable; })) {
                throw std::runtime_error("the store does not answer");
            }
            loop.runnable = false;
            lock.unlock();
            shard.turn(core::machine_now());
        }
    }
    // For what the store does without being asked.
    static bool eventually(const std::function<bool()>& done) {
        const auto give_up = core::machine_now().mono + std::chrono::seconds(10);
        while (!done() && core::machine_now().mono < give_up) std::this_thread::yield();
        return done();
    }
    core::Stored<core::StoredRoom> opened(const std::string& room, const char* fresh = "fresh") {
        std::optional<core::Stored<core::StoredRoom>> answer;
        store->open(hub.shard(0), room, *protocol::Epoch::parse(fresh),
                    [&answer](core::Stored<core::StoredRoom>&& got) { answer = std::move(got); });
        until([&] { return answer.has_value(); });
        return *answer;
    }
    static std::string json(const std::string& room, std::uint64_t offset, const std::string& text,
                            const char* epoch = "first") {
        std::string out;
        protocol::append_message(out, {room,
                                       {*protocol::Epoch::parse(epoch), offset},
                                       {"id", "ann"},
                                       {protocol::Body::Kind::text, text},
                                       {},
                                       "2026-01-31T23:59:59.999Z"});
        return out;
    }
    void append(const std::string& room, std::uint64_t offset, const std::string& text,
                const std::string& key = {}, core::WallTime at = core::machine_now().wall) {
        store->append(hub.shard(0), room,
                      {core::Retained::make(offset, json(room, offset, text)),
                       key.empty() ? "" : "ann", key, at},
                      ++ticket);
    }
    core::Stored<core::HistorySlice> page(const std::string& room, const core::StoredPage& asked) {
        std::optional<core::Stored<core::HistorySlice>> answer;
        store->page(hub.shard(0), room, asked,
                    [&answer](core::Stored<core::HistorySlice>&& got) { answer = std::move(got); });
        until([&] { return answer.has_value(); });
        return *answer;
    }
    std::vector<std::uint64_t> found(const std::string& room, const std::string& words,
                                     std::uint32_t limit = 50, std::uint64_t before = 0) {
        std::optional<core::Stored<core::HistorySlice>> answer;
        store->search(
            hub.shard(0), room, {words, before, limit},
            [&answer](core::Stored<core::HistorySlice>&& got) { answer = std::move(got); });
        until([&] { return answer.has_value(); });
        return offsets((**answer).messages);
    }
    // Whether a search is answered at all.
    bool found_or_refused(const std::string& room, const std::string& words) {
        bool answered = false;
        store->search(hub.shard(0), room, {words, 0, 5},
                      [&answered](core::Stored<core::HistorySlice>&&) { answered = true; });
        until([&] { return answered; });
        return answered;
    }
    static std::vector<std::uint64_t> offsets(const std::vector<core::RetainedPtr>& messages) {
        std::vector<std::uint64_t> out;
        for (const auto& message : messages) out.push_back(message->offset());
        return out;
    }
    static std::vector<std::uint64_t> range(std::uint64_t from, std::uint64_t to) {
        std::vector<std::uint64_t> out;
        for (; from <= to; ++from) out.push_back(from);
        return out;
    }

    TemporaryFolder folder;
    std::string path = folder.file("history.db");
    core::Config config = unlimited_config();
    WaitingLoop loop;
    core::Hub hub{unlimited_config(), {&loop}, core::machine_now(), 1};
    std::mutex troubles_mutex;
    std::vector<std::string> troubles;
    std::uint64_t ticket = 0;
    std::unique_ptr<storage::SqliteStore> store;
};

}  // namespace parley::test
