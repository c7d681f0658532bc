// A store of PostgreSQL in a database of its own, and a shard that asks it.
#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "protocol/json_codec.hpp"
#include "storage/postgres_store.hpp"
#include "support/postgres_cluster.hpp"
#include "support/test_hub.hpp"

namespace parley::test {

// A loop that can be waited for: its shard is woken by the store's thread.
struct AwaitedLoop final : core::ShardLoop {
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

struct PostgresFixture : ::testing::Test {
    PostgresFixture() { config.history.messages = 10; }
    ~PostgresFixture() override {
        store.reset();
        // Whatever a test left, the next one finds the server as it was.
        try {
            cluster.start();
            cluster.let_commits_go();
        } catch (const std::runtime_error& error) {
            ADD_FAILURE() << error.what();
        }
    }

    void open_store(core::Durability durability = core::Durability::sync) {
        store.reset();
        config.history.durability = durability;
        store = std::make_unique<storage::PostgresStore>(
            "postgres:" + cluster.target(database), config,
            [this](const std::string& error) {
                const std::lock_guard lock(troubles_mutex);
                troubles.push_back(error);
            },
            [this](const std::string& error) {
                const std::lock_guard lock(troubles_mutex);
                unread.push_back(error);
            });
    }
    // One turn of the shard, once there is reason for it.
    void turn(core::TimePoint give_up) {
        std::unique_lock lock(loop.mutex);
        if (!loop.bell.wait_until(lock, give_up, [this] { return loop.runnable; })) {
            throw std::runtime_error("the store does not answer; trouble: " + store->trouble());
        }
        loop.runnable = false;
        lock.unlock();
        hub.shard(0).turn(core::machine_now());
    }
    void until(const std::function<bool()>& done) {
        const auto give_up = core::machine_now().mono + std::chrono::seconds(30);
        while (!done()) turn(give_up);
    }
    // For what no answer tells of: asked again and again.
    void eventually(const std::function<bool()>& done) {
        const auto give_up = core::machine_now().mono + std::chrono::seconds(30);
        while (!done()) {
            if (core::machine_now().mono > give_up) {
                throw std::runtime_error("in vain; trouble: " + store->trouble());
            }
            static_cast<void>(try_page("nowhere", {10, 0, 9, 1}));
            std::this_thread::yield();
        }
    }
    core::Stored<core::StoredRoom> try_open(const std::string& room, const char* fresh = "fresh") {
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
    core::Stored<core::HistorySlice> try_page(const std::string& room,
                                              const core::StoredPage& asked) {
        std::optional<core::Stored<core::HistorySlice>> answer;
        store->page(hub.shard(0), room, asked,
                    [&answer](core::Stored<core::HistorySlice>&& got) { answer = std::move(got); });
        until([&] { return answer.has_value(); });
        return *answer;
    }
    core::Stored<core::HistorySlice> try_search(const std::string& room, const std::string& words,
                                                std::uint32_t limit = 50,
                                                std::uint64_t before = 0) {
        std::optional<core::Stored<core::HistorySlice>> answer;
        store->search(
            hub.shard(0), room, {words, before, limit},
            [&answer](core::Stored<core::HistorySlice>&& got) { answer = std::move(got); });
        until([&] { return answer.has_value(); });
        return *answer;
    }
    // The same where there has to be an answer.
    template <typename Answer>
    static core::Stored<Answer> had(core::Stored<Answer>&& answer) {
        if (!answer) throw std::runtime_error(answer.error().message);
        return std::move(answer);
    }
    core::Stored<core::StoredRoom> opened(const std::string& room, const char* fresh = "fresh") {
        return had(try_open(room, fresh));
    }
    core::Stored<core::HistorySlice> page(const std::string& room, const core::StoredPage& asked) {
        return had(try_page(room, asked));
    }
    core::Stored<core::HistorySlice> searched(const std::string& room, const std::string& words,
                                              std::uint32_t limit = 50) {
        return had(try_search(room, words, limit));
    }
    std::vector<std::uint64_t> found(const std::string& room, const std::string& words,
                                     std::uint32_t limit = 50, std::uint64_t before = 0) {
        return offsets(had(try_search(room, words, limit, before))->messages);
    }
    // The processes that serve connections to the database and match the condition.
    std::vector<std::string> processes(const std::string& condition) {
        return cluster.query("postgres", "SELECT pid FROM pg_stat_activity WHERE datname = '" +
                                             database + "' AND " + condition);
    }
    // For what no shard is told of.
    void wait_until(const std::function<bool()>& done, const std::string& what) {
        const auto why = [&] { return what + "; trouble: " + store->trouble(); };
        try {
            test::await(done, what, std::chrono::seconds(30));
        } catch (const std::runtime_error&) {
            throw std::runtime_error("still not: " + why());
        }
    }
    void end_connections(const std::string& condition) {
        cluster.query(
            "postgres",
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '" +
                database + "' AND " + condition);
    }
    void wait_for_trouble(bool trouble) {
        wait_until([&] { return store->accepting() != trouble; },
                   trouble ? "trouble" : "no trouble");
    }
    // All that is stored of the room.
    std::vector<std::uint64_t> stored(const std::string& room) {
        std::vector<std::uint64_t> all;
        for (const std::string& offset : cluster.query(database,
                                                       "SELECT \"offset\" FROM parley_messages AS "
                                                       "m JOIN parley_rooms AS r ON r.id = m.room"
                                                       " WHERE name = '" +
                                                           room + "' ORDER BY \"offset\"")) {
            all.push_back(std::stoull(offset));
        }
        return all;
    }
    [[nodiscard]] const storage::EngineCounters& counters() const {
        return std::as_const(*store).counters();
    }
    [[nodiscard]] std::uint64_t queued() const { return std::as_const(*store).queue().messages(); }
    static std::vector<std::uint64_t> offsets(const std::vector<core::RetainedPtr>& messages) {
        std::vector<std::uint64_t> out;
        for (const auto& message : messages) out.push_back(message->offset());
        return out;
    }
    static std::vector<std::uint64_t> range(std::uint64_t from, std::uint64_t to) {
        std::vector<std::uint64_t> out(to < from ? 0 : to - from + 1);
        std::iota(out.begin(), out.end(), from);
        return out;
    }

    PostgresCluster& cluster = PostgresCluster::of_this_program();
    std::string database = cluster.make_database();
    core::Config config = unlimited_config();
    AwaitedLoop loop;
    core::Hub hub{unlimited_config(), {&loop}, core::machine_now(), 1};
    std::mutex troubles_mutex;
    std::vector<std::string> troubles;
    std::vector<std::string> unread;
    std::uint64_t ticket = 0;
    std::unique_ptr<storage::PostgresStore> store;
};

}  // namespace parley::test
