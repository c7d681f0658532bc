#include "storage/postgres_keeper.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "core/clock.hpp"
#include "core/limits.hpp"

namespace parley::storage {
namespace {

namespace sql = postgres_sql;

constexpr milliseconds patience{20'000};
constexpr std::chrono::seconds key_ttl{core::limits::idempotency_seconds};

// Words are noted once nothing was said for so long, or of so many messages that a search would have
// to wait for them: some 35 µs each.
constexpr milliseconds quiet{1'000};
constexpr std::uint64_t unindexed_max = 5'000;
// A search waits for some of them. Meanwhile the room is held: who amends in it waits, and with him
// everybody who sends. What takes long is long messages, more than many.
constexpr std::uint64_t index_step = 16 * search_block;
constexpr std::uint64_t index_step_of_search = 32 * search_block;
constexpr std::uint64_t index_step_bytes = 128 * 1024;
// Messages of full blocks that a search looks through though they are not indexed yet.
constexpr std::uint64_t unindexed_in_search = 4 * search_block;

constexpr std::uint64_t remove_step = 1'000;
// What is too much goes this often, and every room and key is looked at for what is too old.
constexpr milliseconds shorten_every{1'000};
constexpr milliseconds sweep_every{60'000};
constexpr std::uint64_t sweep_rooms = 100;
constexpr std::uint64_t sweep_keys = 5'000;

constexpr std::array statements{&sql::lock_room, &sql::index_blocks, &sql::remove_oldest,
                                &sql::remove_keys, &sql::next_rooms};

}  // namespace

awaitable<void> PostgresKeeper::go_up() {
    co_await connect();
    co_await prepare(statements);
}

void PostgresKeeper::went_down() {
    context().counters.untidy.fetch_add(1, std::memory_order_relaxed);
    hurried_.clear();
}

void PostgresKeeper::hurry(const std::string& room) {
    if (up() && hurried_.insert(room).second) ring();
}

void PostgresKeeper::note(const std::string& room, const PostgresRoom& row, std::uint64_t messages,
                          std::uint64_t forgotten) {
    last_append_ = core::monotonic_now();
    unindexed_ += messages + forgotten * search_block;
    if (forgotten != 0) to_index_.insert(room);
    const std::uint64_t before = row.last_offset - std::min(row.last_offset, messages);
    if (row.last_offset / search_block != before / search_block) to_index_.insert(room);
    if (row.keep != core::Retention{}) to_shorten_.insert(room);
}

bool PostgresKeeper::may_index(core::TimePoint now) const noexcept {
    return !to_index_.empty() && (unindexed_ >= unindexed_max || now - last_append_ >= quiet);
}

core::TimePoint PostgresKeeper::next_due() const noexcept {
    core::TimePoint due = next_sweep_;
    if (!to_shorten_.empty()) due = std::min(due, next_shortening_);
    if (!to_index_.empty()) due = std::min(due, last_append_ + quiet);
    return due;
}

awaitable<void> PostgresKeeper::step() {
    const auto now = core::monotonic_now();
    // Neither those who search nor what is too old waits for all of the other.
    const bool rested = !std::exchange(hurried_last_, false);
    if (!hurried_.empty() && rested) {
        hurried_last_ = true;
        co_await hurry_one();
    } else if (now >= next_shortening_ && !to_shorten_.empty()) {
        co_await shorten_one();
    } else if (now >= next_sweep_) {
        co_await sweep();
    } else if (!hurried_.empty()) {
        co_await hurry_one();
    } else if (may_index(now)) {
        co_await index_one();
    } else {
        co_await wait(next_due());
    }
}

awaitable<void> PostgresKeeper::hurry_one() {
    const std::string room = *hurried_.begin();
    const Indexed indexed = co_await index(room, index_step_of_search);
    works();
    if (indexed.left > unindexed_in_search) co_return;
    hurried_.erase(room);
    context().progressed();
}

// A writer that amends, or removes what nobody was told of, does so before or behind, not meanwhile.
void PostgresKeeper::lock(const std::string& room) {
    PostgresParameters which;
    connection().send(sql::lock_room, which.text(room));
}

awaitable<PostgresKeeper::Indexed> PostgresKeeper::index(std::string room, std::uint64_t most) {
    PostgresParameters which;
    which.text(room).number(most).number(index_step_bytes);
    lock(room);
    connection().send(sql::index_blocks, which);
    const auto results = co_await connection().run(patience);
    const PostgresResult& reached = results.back();
    if (reached.rows() == 0) co_return Indexed{};
    const Indexed indexed{reached.number(0, 1), reached.number(0, 2)};
    unindexed_ -= std::min(unindexed_, indexed.done);
    if (indexed.left == 0) to_index_.erase(room);
    // Of the rest no block is full.
    if (indexed.left == 0 && to_index_.empty()) unindexed_ = 0;
    co_return indexed;
}

awaitable<void> PostgresKeeper::index_one() {
    // Whatever may be wrong with this room, the others come first then.
    const std::string room = to_index_.extract(to_index_.begin()).value();
    const Indexed indexed = co_await index(room, index_step);
    if (indexed.left != 0) to_index_.insert(room);
}

awaitable<void> PostgresKeeper::shorten_one() {
    const std::string room = to_shorten_.extract(to_shorten_.begin()).value();
    const core::Retention keep = core::retention_of(context().config, room);
    // Before anything was said: nothing is too old.
    const core::WallTime before =
        keep.age.count() > 0 ? core::machine_now().wall - keep.age : core::WallTime();
    PostgresParameters which;
    which.text(room).number(keep.messages).number(keep.bytes).time(before).number(remove_step);
    lock(room);
    connection().send(sql::remove_oldest, which);
    const auto results = co_await connection().run(patience);
    const std::uint64_t removed = results.back().number(0, 0);
    context().counters.removed.fetch_add(removed, std::memory_order_relaxed);
    if (removed == remove_step) to_shorten_.insert(room);
    if (to_shorten_.empty()) next_shortening_ = core::monotonic_now() + shorten_every;
}

awaitable<void> PostgresKeeper::sweep() {
    const core::Instant now = core::machine_now();
    PostgresParameters old;
    old.time(now.wall - key_ttl).number(sweep_keys);
    connection().send(sql::remove_keys, old);
    PostgresParameters following;
    following.number(swept_).number(sweep_rooms);
    connection().send(sql::next_rooms, following);
    const auto results = co_await connection().run(patience);
    const PostgresResult& rooms = results.back();
    for (int row = 0; row < rooms.rows(); ++row) {
        std::string name(rooms.text(row, 1));
        const std::uint64_t unindexed = rooms.number(row, 2);
        if (core::retention_of(context().config, name) != core::Retention{}) {
            to_shorten_.insert(name);
        }
        if (static_cast<std::int64_t>(unindexed) >= static_cast<std::int64_t>(search_block)) {
            to_index_.insert(std::move(name));
        }
        swept_ = rooms.number(row, 0);
    }
    works();
    const bool keys_left = results.front().number(0, 0) == sweep_keys;
    if (static_cast<std::uint64_t>(rooms.rows()) < sweep_rooms && !keys_left) {
        swept_ = 0;
        next_sweep_ = now.mono + sweep_every;
    }
}

}  // namespace parley::storage
