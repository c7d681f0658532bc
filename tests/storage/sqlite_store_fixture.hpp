// A store of SQLite in a folder of its own, and a shard that asks it.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "storage/sqlite_store.hpp"
#include "storage/store_fixture.hpp"
#include "support/folder.hpp"

namespace parley::test {

// Another program's hand on the file, which waits for the store's.
inline storage::SqliteDatabase patient_writer(const std::string& path) {
    storage::SqliteDatabase database(path, storage::SqliteDatabase::Access::write);
    database.run("PRAGMA busy_timeout = 60000");
    return database;
}

struct SqliteFixture : StoreFixture<storage::SqliteStore> {
    ~SqliteFixture() override { store.reset(); }

    void open_store(core::Durability durability = core::Durability::sync) {
        store.reset();
        config.history.durability = durability;
        store = std::make_unique<storage::SqliteStore>(path, config, kept_in(troubles));
    }
    // For what the store does without being asked.
    static bool eventually(const std::function<bool()>& done) {
        const auto give_up = core::monotonic_now() + std::chrono::seconds(60);
        while (!done() && core::monotonic_now() < give_up) std::this_thread::yield();
        return done();
    }

    Folder folder;
    std::string path = folder.file("history.db");
};

}  // namespace parley::test
