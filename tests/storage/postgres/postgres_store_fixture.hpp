// A store of PostgreSQL in a database of its own, and a shard that asks it.
#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "storage/postgres_store.hpp"
#include "storage/store_fixture.hpp"
#include "support/postgres_cluster.hpp"

namespace parley::test {

inline constexpr std::array both_durabilities{core::Durability::sync, core::Durability::async};

struct PostgresFixture : StoreFixture<storage::PostgresStore> {
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
            "postgres:" + cluster.target(database), config, kept_in(troubles), kept_in(unread));
    }
    // For what no answer tells of: asked again and again.
    void eventually(const std::function<bool()>& done) {
        const auto give_up = core::monotonic_now() + std::chrono::seconds(120);
        while (!done()) {
            if (core::monotonic_now() > give_up) {
                throw std::runtime_error("in vain; trouble: " + store->trouble());
            }
            static_cast<void>(try_page("nowhere", {10, 0, 9, 1}));
            std::this_thread::yield();
        }
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
            test::await(done, what, std::chrono::seconds(120));
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

    PostgresCluster& cluster = PostgresCluster::of_this_program();
    std::string database = cluster.make_database();
    std::vector<std::string> unread;
};

}  // namespace parley::test
