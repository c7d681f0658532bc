#include "storage/sqlite_store.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "core/clock.hpp"

namespace parley::storage {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t batch_messages_max = 4096;
constexpr std::size_t batch_bytes_max = 4 * 1024 * 1024;

// With async nobody waits for a commit: what comes within this is one transaction, unless somebody
// asks for it or it becomes much. Each one costs about as much as twenty messages, and each page of
// the file that it changes as much as one: the more messages a room has in it, the less each costs.
constexpr milliseconds gather{1'000};
// A file that can't be written is tried again this often.
constexpr milliseconds retry_every{500};
constexpr milliseconds close_patience{5'000};
// Indexing waits until nothing was said for that long, or until a room has so many messages that a
// search in it would have to wait for them: 10 µs each.
constexpr milliseconds quiet{1'000};
constexpr std::uint64_t unindexed_max = 20'000;
constexpr std::size_t index_step = 500;
constexpr std::size_t remove_step = 1'000;
constexpr std::size_t shorten_step = 100;  // rooms
constexpr std::size_t sweep_step = 500;
// Rooms that may wait for a quiet moment to be indexed; then some are, quiet or not.
constexpr std::size_t to_index_max = 10'000;
// Between two steps: who waits for a commit does not wait for several of them.
constexpr milliseconds tidy_pause{10};
// Every room is looked at for what is too old, and keys are, this often.
constexpr milliseconds sweep_every{60'000};

// Makes a database of the file that two connections can use at once.
SqliteDatabase open_for_writing(const std::string& path) {
    SqliteDatabase database(path, SqliteDatabase::Access::write);
    SqliteStatement journal(database, "PRAGMA journal_mode = WAL");
    if (!journal.step() || journal.text(0) != "wal") {
        throw std::runtime_error("it can't have a write-ahead log where it is");
    }
    journal.rewind();
    // That a run began is on the disk before anything is acked in it, whatever comes after.
    database.run("PRAGMA synchronous = FULL");
    // 16 MiB between two checkpoints: each writes pages that many transactions changed.
    database.run("PRAGMA wal_autocheckpoint = 4096");
    database.run("PRAGMA cache_size = -65536");
    // What is deleted is overwritten where that costs no page more.
    database.run("PRAGMA secure_delete = FAST");
    migrate(database);
    return database;
}

bool keeps_less_than_all(const core::Config& config) {
    const auto bounded = [](const core::RoomRule& rule) {
        return rule.keep_messages || rule.keep_bytes || rule.keep_age;
    };
    return config.history.keep != core::Retention{} || std::ranges::any_of(config.rooms, bounded);
}

}  // namespace

SqliteStore::SqliteStore(const std::string& path, const core::Config& config, OnTrouble tell) try
    : Engine(
          config,
          [this](bool urgent) {
              {
                  const std::lock_guard lock(mutex_);
                  rung_ = true;
                  urgent_ = urgent_ || urgent;
              }
              bell_.notify_one();
          },
          std::move(tell)),
      any_bounded_(keeps_less_than_all(config)),
      lock_(path),
      database_(open_for_writing(path)),
      rooms_(database_, this->config()),
      last_sessions_(rooms_.sessions()),
      reader_(std::in_place, path,
              [this](PageRequest&& request) { queue().push(std::move(request)); }),
      thread_([this] { serve(); }) {
} catch (const std::exception& error) {
    throw std::runtime_error("history " + path + ": " + error.what());
}

void SqliteStore::close() noexcept {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    bell_.notify_one();
    thread_.join();
    reader_.reset();
}

void SqliteStore::page(core::Shard& home, std::string room, const core::StoredPage& asked,
                       OnAnswer<core::HistorySlice> done) {
    PageRequest request{&home, std::move(room), asked, std::move(done)};
    if (asked.behind_appends) return queue().push(std::move(request));
    // Past the queue of what is to be written.
    reader_->ask(std::move(request), false);
}

std::vector<core::StoredSession> SqliteStore::take_sessions() {
    const std::lock_guard lock(mutex_);
    sessions_taken_ = true;
    return std::exchange(last_sessions_, {});
}

void SqliteStore::keep_sessions(std::vector<core::StoredSession>&& sessions) {
    // Written behind all that is queued, when the writer is told to end.
    const std::lock_guard lock(mutex_);
    sessions_taken_ = true;
    sessions_ = std::move(sessions);
}

void SqliteStore::serve() {
    // What was committed outlives the process with either, the loss of power with FULL alone.
    if (!sync()) database_.run("PRAGMA synchronous = NORMAL");
    const auto started = core::monotonic_now();
    next_tidy_ = started + quiet;
    next_sweep_ = started + sweep_every;
    while (!wait()) {
        if (!gathering_) take_up();
        const auto now = core::monotonic_now();
        if (queue().failing()) continue;
        if (!searches_.empty()) prepare_search();
        if (now < next_tidy_) continue;
        next_tidy_ = now + (tidy() ? tidy_pause : quiet);
    }
    finish();
}

// What has come, in one transaction or as many as it takes.
void SqliteStore::take_up() {
    std::vector<StoreRequest> taken;
    queue().take_all(taken);
    std::ranges::move(taken, std::back_inserter(waiting_));
    if (queue().failing()) retry();
    while (!queue().failing() && !waiting_.empty()) write(next_batch());
}

void SqliteStore::finish() {
    const auto give_up = core::monotonic_now() + close_patience;
    take_up();
    while (queue().failing()) {
        if (core::monotonic_now() >= give_up) return;
        {
            std::unique_lock lock(mutex_);
            bell_.wait_for(lock, retry_every);
        }
        take_up();
    }
    try {
        database_.run("BEGIN IMMEDIATE");
        if (sessions_taken_) rooms_.replace_sessions(sessions_);
        rooms_.mark_clean();
        database_.run("COMMIT");
    } catch (const SqliteError& error) {
        set_trouble(error.what());
    }
}

bool SqliteStore::wait() {
    std::unique_lock lock(mutex_);
    const auto ended = [this] { return stopping_; };
    if (queue().failing()) return bell_.wait_for(lock, retry_every, ended);
    const auto ready = [this] { return rung_ || stopping_; };
    if (searches_.empty()) {
        const bool tidies = !to_index_.empty() || !overdue_.empty() || !to_shorten_.empty();
        const bool sweeps = tidies || next_sweep_ <= next_tidy_;
        bell_.wait_until(lock, sweeps ? next_tidy_ : next_sweep_, ready);
    }
    gathering_ = rung_ && !sync() && searches_.empty() && !gathered(lock);
    if (!gathering_) rung_ = urgent_ = false;
    return stopping_;
}

// Waits for more to be written at once, though not past what else there is to do; whether that was
// long enough.
bool SqliteStore::gathered(std::unique_lock<std::mutex>& lock) {
    if (!gathering_) gather_end_ = core::monotonic_now() + gather;
    const auto hurries = [this] { return urgent_ || stopping_ || queue().many(); };
    const bool hurried = bell_.wait_until(lock, std::min(gather_end_, next_tidy_), hurries);
    return hurried || core::monotonic_now() >= gather_end_;
}

SqliteStore::Batch SqliteStore::next_batch() {
    Batch batch;
    std::size_t messages = 0;
    std::size_t bytes = 0;
    while (!waiting_.empty() && messages < batch_messages_max && bytes < batch_bytes_max) {
        if (const auto* append = std::get_if<AppendRequest>(&waiting_.front())) {
            ++messages;
            bytes += append->unsaved.message->cost();
        }
        batch.push_back(std::move(waiting_.front()));
        waiting_.pop_front();
    }
    return batch;
}

void SqliteStore::write(Batch&& batch) {
    const auto began = core::monotonic_now();
    written_.clear();
    refused_.clear();
    answers_.clear();
    try {
        database_.run("BEGIN IMMEDIATE");
        carry_out(batch);
        database_.run("COMMIT");
    } catch (const SqliteError& error) {
        database_.rollback();
        rooms_.forget();
        return failed(std::move(batch), error.what());
    }
    const auto took = core::monotonic_now() - began;
    counted().batches.fetch_add(1, std::memory_order_relaxed);
    counted().commit_us.fetch_add(
        static_cast<std::uint64_t>(
            std::chrono::duration_cast<std::chrono::microseconds>(took).count()),
        std::memory_order_relaxed);
    if (!written_.empty()) last_append_ = core::monotonic_now();
    settle(written_, true);
    settle(refused_, false);
    for (const auto& give : answers_) give();
}

void SqliteStore::carry_out(Batch& batch) {
    const core::WallTime now = core::machine_now().wall;
    for (StoreRequest& request : batch) {
        if (auto* append = std::get_if<AppendRequest>(&request)) {
            const bool stored =
                rooms_.append(append->room, append->unsaved) == SqliteRooms::Appended::stored;
            (stored ? written_ : refused_).push_back(*append);
            if (!stored) continue;
            (rooms_.unindexed(append->room) < unindexed_max ? to_index_ : overdue_)
                .insert(append->room);
            if (rooms_.is_bounded(append->room)) to_shorten_.insert(append->room);
        } else if (auto* remember = std::get_if<RememberRequest>(&request)) {
            rooms_.remember(remember->room, remember->key);
        } else if (auto* open = std::get_if<OpenRequest>(&request)) {
            if (rooms_.unindexed(open->room) > 0) to_index_.insert(open->room);
            answers_.push_back([home = open->home, done = open->done,
                                stored = rooms_.open(open->room, open->fresh, now)]() mutable {
                answer<core::StoredRoom>(*home, std::move(done), std::move(stored));
            });
        } else if (auto* page = std::get_if<PageRequest>(&request)) {
            answers_.push_back([this, asked = *page]() mutable { read(std::move(asked)); });
        } else if (auto* search = std::get_if<SearchRequest>(&request)) {
            answers_.push_back(
                [this, asked = *search]() mutable { searches_.push_back(std::move(asked)); });
        }
    }
}

// A step on the way to the first search's answer: who writes does not wait for more than that.
void SqliteStore::prepare_search() {
    bool more = false;
    tidied([this, &more] { more = rooms_.index(searches_.front().room, index_step); });
    if (more) return;
    read(std::move(searches_.front()));
    searches_.pop_front();
}

void SqliteStore::read(ReadRequest&& request) {
    reader_->ask(std::move(request), true);
}

void SqliteStore::failed(Batch&& batch, const std::string& error) {
    counted().failures.fetch_add(1, std::memory_order_relaxed);
    set_trouble(error);
    std::vector<AppendRequest> refused;
    std::vector<StoreRequest> kept;
    for (StoreRequest& request : batch) {
        if (auto* open = std::get_if<OpenRequest>(&request)) {
            answer<core::StoredRoom>(*open->home, std::move(open->done),
                                     core::store_unavailable("the room's history can't be read"));
        } else if (auto* page = std::get_if<PageRequest>(&request)) {
            read(std::move(*page));
        } else if (auto* search = std::get_if<SearchRequest>(&request)) {
            read(std::move(*search));
        } else if (auto* append = std::get_if<AppendRequest>(&request); append && sync()) {
            refused.push_back(std::move(*append));
        } else {
            kept.push_back(std::move(request));
        }
    }
    settle(refused, false);
    waiting_.insert(waiting_.begin(), std::make_move_iterator(kept.begin()),
                    std::make_move_iterator(kept.end()));
}

void SqliteStore::retry() {
    try {
        database_.run("BEGIN IMMEDIATE");
        rooms_.probe();
        database_.run("COMMIT");
    } catch (const SqliteError& error) {
        database_.rollback();
        Batch refused(std::make_move_iterator(waiting_.begin()),
                      std::make_move_iterator(waiting_.end()));
        waiting_.clear();
        return failed(std::move(refused), error.what());
    }
    set_trouble({});
}

// What nobody's message depends on. Where it fails, nothing is said about whether messages can be
// written, and it is not tried again until there is a new reason for it.
bool SqliteStore::tidied(const std::function<void()>& work) {
    try {
        database_.run("BEGIN IMMEDIATE");
        work();
        database_.run("COMMIT");
        return true;
    } catch (const SqliteError&) {
        database_.rollback();
        rooms_.forget();
        counted().untidy.fetch_add(1, std::memory_order_relaxed);
        return false;
    }
}

bool SqliteStore::tidy() {
    const core::Instant now = core::machine_now();
    if (now.mono >= next_sweep_) sweep(now);
    shorten(now);
    const bool due = now.mono - last_append_ >= quiet || to_index_.size() >= to_index_max;
    std::set<std::string>& rooms = overdue_.empty() && due ? to_index_ : overdue_;
    if (!rooms.empty()) {
        bool more = false;
        tidied([this, &more, &room = *rooms.begin()] { more = rooms_.index(room, index_step); });
        if (!more) rooms.erase(rooms.begin());
    }
    return now.mono >= next_sweep_ || !to_shorten_.empty() || !rooms.empty();
}

// Looks for rooms of which something is to go by its age, some at a time.
void SqliteStore::sweep(const core::Instant& now) {
    const bool begins = swept_ == 0;
    bool ended = !any_bounded_;
    const bool well = tidied([&] {
        if (begins) rooms_.expire_keys(now.wall);
        for (std::size_t i = 0; i < sweep_step && !ended; ++i) {
            auto room = rooms_.next_room(swept_);
            ended = !room;
            if (room && rooms_.is_bounded(*room)) to_shorten_.insert(std::move(*room));
        }
    });
    if (well && !ended) return;
    swept_ = 0;
    next_sweep_ = now.mono + sweep_every;
}

void SqliteStore::shorten(const core::Instant& now) {
    if (to_shorten_.empty()) return;
    std::uint64_t removed = 0;
    std::vector<std::string> done;
    const bool well = tidied([&] {
        for (const std::string& room : to_shorten_) {
            if (done.size() == shorten_step || removed >= remove_step) break;
            if (!rooms_.remove_excess(room, now.wall, remove_step, removed)) done.push_back(room);
        }
    });
    if (!well) return to_shorten_.clear();
    for (const std::string& room : done) to_shorten_.erase(room);
    counted().removed.fetch_add(removed, std::memory_order_relaxed);
}

}  // namespace parley::storage
