#include "storage/sqlite_room_records.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "core/history_store.hpp"
#include "core/session.hpp"
#include "core/shard.hpp"

namespace parley::storage {
namespace {

using protocol::Role;

protocol::Error not_kept() {
    return core::store_unavailable("this can't be kept at the moment");
}

protocol::Error roles_not_known() {
    return core::store_unavailable("who may do what here can't be looked up at the moment");
}

protocol::Error marks_not_known() {
    return core::store_unavailable("read marks can't be looked up at the moment");
}

}  // namespace

SqliteRoomRecords::SqliteRoomRecords(const std::string& path, OnTrouble tell) try
    : tell_(std::move(tell)), tables_(path) {
    tables_.end_what_has_ended(core::machine_now().wall);
    for (std::string& room : tables_.rooms()) known_.emplace(std::move(room), 0);
    reader_ = std::make_unique<SqliteMarkReader>(path);
    thread_ = std::thread([this] { serve(); });
} catch (const std::runtime_error& error) {
    throw std::runtime_error(path + ": " + error.what());
}

SqliteRoomRecords::~SqliteRoomRecords() {
    close();
}

void SqliteRoomRecords::close() noexcept {
    if (!thread_.joinable()) return;
    {
        const std::scoped_lock lock(mutex_);
        stopping_ = true;
    }
    bell_.notify_one();
    thread_.join();
    reader_->close();
}

// ---- asked on shards -------------------------------------------------------------------------

bool SqliteRoomRecords::has(std::string_view room) const noexcept {
    const std::shared_lock lock(known_mutex_);
    return known_.contains(room);
}

void SqliteRoomRecords::note(const std::string& room) {
    const std::scoped_lock lock(known_mutex_);
    ++known_[room];
}

void SqliteRoomRecords::settle(const std::string& room, bool kept) {
    const std::scoped_lock lock(known_mutex_);
    const auto known = known_.find(room);
    if (--known->second == 0 && !kept) known_.erase(known);
}

template <typename What>
void SqliteRoomRecords::push(std::vector<What> Work::*list, What what) {
    {
        const std::scoped_lock lock(mutex_);
        (waiting_.*list).push_back(std::move(what));
    }
    bell_.notify_one();
}

void SqliteRoomRecords::load(core::Shard& home, std::string room,
                             std::function<void(core::Recorded<core::RoomRecord>&&)> done) {
    push<Ask>(&Work::asks, Load{&home, std::move(room), std::move(done)});
}

void SqliteRoomRecords::load_marks(
    core::Shard& here, std::string user,
    std::function<void(core::Recorded<std::vector<core::ReadMark>>&&)> done) {
    push<Ask>(&Work::asks, LoadMarks{&here, std::move(user), std::move(done)});
}

void SqliteRoomRecords::load_mark(
    core::Shard& here, std::string user, std::string room,
    std::function<void(core::Recorded<std::optional<core::ReadMark>>&&)> done) {
    std::optional<core::ReadMark> newest;
    {
        const std::scoped_lock lock(mutex_);
        const std::pair key(user, room);
        const auto take = [&key, &newest](const WaitingMarks& marks) {
            const auto found = marks.find(key);
            if (found == marks.end()) return;
            if (!newest) newest.emplace(found->second);
            take_mark(*newest, core::ReadMark(found->second));
        };
        if (writing_ != nullptr) take(*writing_);
        take(waiting_.marks);
    }
    reader_->ask({&here, std::move(user), std::move(room), std::move(newest), std::move(done)});
}

void SqliteRoomRecords::load_readers(
    core::Shard& here, std::string room, std::size_t most,
    std::function<void(core::Recorded<std::vector<core::Reader>>&&)> done) {
    push<Ask>(&Work::asks, LoadReaders{&here, std::move(room), most, std::move(done)});
}

void SqliteRoomRecords::save_role(core::Shard& home, std::string room, core::RoomRole role,
                                  core::WhenKept done) {
    note(room);
    push<Save>(&Work::saves,
               SaveRole{&home, std::move(room), std::move(role), false, std::move(done)});
}

void SqliteRoomRecords::save_claim(core::Shard& home, std::string room, protocol::User owner,
                                   core::WhenKept done) {
    note(room);
    push<Save>(&Work::saves, SaveRole{&home,
                                      std::move(room),
                                      {std::move(owner), Role::owner, std::nullopt, Role::none},
                                      true,
                                      std::move(done)});
}

void SqliteRoomRecords::save_topic(core::Shard& home, std::string room, std::string topic,
                                   core::WhenKept done) {
    note(room);
    push<Save>(&Work::saves, SaveTopic{&home, std::move(room), std::move(topic), std::move(done)});
}

void SqliteRoomRecords::save_mark(std::string user, core::ReadMark mark) {
    {
        const std::scoped_lock lock(mutex_);
        const auto [at, is_new] =
            waiting_.marks.try_emplace({std::move(user), mark.room}, std::move(mark));
        if (!is_new) {
            take_mark(at->second, std::move(mark));
        } else if (waiting_.marks.size() > marks_waiting_max) {
            waiting_.marks.erase(at);
            counters_.marks_dropped.fetch_add(1, std::memory_order_relaxed);
            return;
        }
    }
    bell_.notify_one();
}

// ---- the thread ------------------------------------------------------------------------------

void SqliteRoomRecords::serve() {
    for (bool stopping = false; !stopping;) {
        Work work;
        {
            std::unique_lock lock(mutex_);
            const auto called = [this] {
                const bool only_marks = waiting_.saves.empty() && waiting_.asks.empty();
                return stopping_ || (!waiting_.empty() && !(only_marks && !trouble_.empty()));
            };
            // Marks that could not be written are tried again after a while.
            bell_.wait_for(lock, retry_every, called);
            stopping = stopping_;
            work = std::exchange(waiting_, {});
            writing_ = &work.marks;
        }
        carry_out(std::move(work));
    }
}

void SqliteRoomRecords::carry_out(Work&& work) {
    const bool written = (work.saves.empty() && work.marks.empty()) || write(work);
    {
        const std::scoped_lock lock(mutex_);
        writing_ = nullptr;
        // What was marked meanwhile is newer.
        if (!written) waiting_.marks.merge(work.marks);
    }
    for (Ask& ask : work.asks) {
        std::visit([this](auto& what) { answer(std::move(what)); }, ask);
    }
}

// All of it in one transaction, and whoever waits is told. False where it failed.
bool SqliteRoomRecords::write(Work& work) {
    std::vector<std::optional<protocol::Error>> refusals(work.saves.size());
    std::string error;
    try {
        tables_.database().run("BEGIN IMMEDIATE");
        for (std::size_t i = 0; i < work.saves.size(); ++i) {
            if (const auto* const role = std::get_if<SaveRole>(&work.saves[i])) {
                refusals[i] = tables_.save_role(role->room, role->role, role->claims);
            } else {
                const auto& topic = std::get<SaveTopic>(work.saves[i]);
                tables_.save_topic(topic.room, topic.topic);
            }
        }
        const std::uint64_t displaced = tables_.save_marks(work.marks, core::machine_now().wall);
        tables_.database().run("COMMIT");
        counters_.marks_displaced.fetch_add(displaced, std::memory_order_relaxed);
    } catch (const SqliteError& failure) {
        error = failure.what();
        tables_.database().rollback();
        std::ranges::fill(refusals, std::optional(not_kept()));
    }
    (error.empty() ? counters_.batches : counters_.failures)
        .fetch_add(1, std::memory_order_relaxed);
    set_trouble(error);
    settle(work.saves, refusals);
    for (std::size_t i = 0; i < work.saves.size(); ++i) {
        std::visit(
            [&](auto& save) {
                save.home->post([done = std::move(save.done), refused = std::move(refusals[i])](
                                    core::Shard&) { done(refused); });
            },
            work.saves[i]);
    }
    return error.empty();
}

// Names of which nothing is kept are forgotten: of what was refused, and what was taken back.
void SqliteRoomRecords::settle(const std::vector<Save>& saves,
                               const std::vector<std::optional<protocol::Error>>& refusals) {
    for (std::size_t i = 0; i < saves.size(); ++i) {
        const std::string& room =
            *std::visit([](const auto& save) { return &save.room; }, saves[i]);
        const auto* const role = std::get_if<SaveRole>(&saves[i]);
        const bool lifts = role != nullptr ? role->role.role == Role::none && !role->role.until
                                           : std::get<SaveTopic>(saves[i]).topic.empty();
        settle(room, (!refusals[i] && !lifts) || keeps(room));
    }
}

bool SqliteRoomRecords::keeps(const std::string& room) {
    try {
        return tables_.keeps(room);
    } catch (const SqliteError&) {
        return true;  // it is looked up where it matters
    }
}

// What `look` finds, or, where the file can't be read, that it can't be said.
template <typename What, typename Look>
core::Recorded<What> SqliteRoomRecords::found(Look look, protocol::Error otherwise) {
    try {
        core::Recorded<What> what = look();
        set_trouble({});
        return what;
    } catch (const SqliteError& error) {
        set_trouble(error.what());
        return otherwise;
    }
}

void SqliteRoomRecords::answer(Load&& ask) {
    auto record =
        found<core::RoomRecord>([&] { return tables_.room(ask.room); }, roles_not_known());
    ask.home->post([done = std::move(ask.done), record = std::move(record)](core::Shard&) mutable {
        done(std::move(record));
    });
}

void SqliteRoomRecords::answer(LoadMarks&& ask) {
    auto marks = found<std::vector<core::ReadMark>>([&] { return tables_.marks(ask.user); },
                                                    marks_not_known());
    ask.here->post([done = std::move(ask.done), marks = std::move(marks)](core::Shard&) mutable {
        done(std::move(marks));
    });
}

void SqliteRoomRecords::answer(LoadReaders&& ask) {
    auto readers = found<std::vector<core::Reader>>(
        [&] { return tables_.readers(ask.room, ask.most); }, marks_not_known());
    ask.here->post([done = std::move(ask.done), readers = std::move(readers)](
                       core::Shard&) mutable { done(std::move(readers)); });
}

void SqliteRoomRecords::set_trouble(const std::string& error) {
    if (trouble_ == error) return;
    const bool changed = trouble_.empty() != error.empty();
    trouble_ = error;
    counters_.failing.store(!error.empty(), std::memory_order_relaxed);
    if (changed || !error.empty()) tell_(error);
}

}  // namespace parley::storage
