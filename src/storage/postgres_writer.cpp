#include "storage/postgres_writer.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/use_awaitable.hpp>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "core/clock.hpp"
#include "protocol/json_codec.hpp"
#include "protocol/utf8.hpp"

namespace parley::storage {
namespace {

namespace sql = postgres_sql;

constexpr std::size_t batch_messages_max = 4096;
constexpr std::size_t batch_bytes_max = 4 * 1024 * 1024;
constexpr std::size_t batch_amendments_max = 256;  // the former messages may be long

constexpr milliseconds write_patience{15'000};

constexpr std::array statements{&sql::open_rooms,
                                &sql::make_rooms,
                                &sql::insert_messages,
                                &sql::stored_messages,
                                &sql::hold_rooms,
                                &sql::amend_messages,
                                &sql::forget_words,
                                &sql::put_back,
                                &sql::insert_keys,
                                &sql::unindex_behind,
                                &sql::remove_blocks_behind,
                                &sql::remove_messages_behind,
                                &sql::remove_keys_behind,
                                &sql::probe,
                                &sql::mark_clean};

using Of = PostgresArray::Of;

struct MessageColumns {
    PostgresArray rooms{Of::int8}, offsets{Of::int8}, times{Of::timestamptz}, before{Of::int8},
        texts{Of::text};
    void add(const PostgresRoom& room, const core::Unsaved& unsaved) {
        rooms.push(room.id);
        offsets.push(unsaved.message->offset());
        times.push(unsaved.at);
        before.push(room.next_bytes);
        texts.push(unsaved.message->json());
    }
    PostgresParameters parameters() {
        PostgresParameters all;
        all.array(rooms).array(offsets).array(times).array(before).array(texts);
        return all;
    }
};

struct KeyColumns {
    PostgresArray rooms{Of::int8}, users{Of::bytea}, keys{Of::bytea}, offsets{Of::int8},
        times{Of::timestamptz};
    void add(const PostgresRoom& room, const core::StoredKey& key) {
        rooms.push(room.id);
        users.push(key.user);
        keys.push(key.key);
        offsets.push(key.offset);
        times.push(key.at);
    }
    PostgresParameters parameters() {
        PostgresParameters all;
        all.array(rooms).array(users).array(keys).array(offsets).array(times);
        return all;
    }
};

const std::string& room_of(const PostgresWriter::WriteRequest& request) {
    return std::visit([](const auto& what) -> const std::string& { return what.room; }, request);
}

// What no PostgreSQL stores as text would keep all that is behind it from being stored.
bool is_storable(const core::RetainedPtr& message) {
    const std::string_view json = message->json();
    return protocol::is_valid_utf8(json) && json.find('\0') == std::string_view::npos;
}

bool is_storable(const core::Unsaved& unsaved) {
    return is_storable(unsaved.message) &&
           std::ranges::all_of(unsaved.amended,
                               [](const auto& amended) { return is_storable(amended); });
}

}  // namespace

void PostgresWriter::take(WriteRequest&& request) {
    ++context().taken;
    waiting_.push_back(std::move(request));
}

void PostgresWriter::refuse_while_down() {
    if (up() || !context().sync() || (waiting_.empty() && batch_.empty())) return;
    std::vector<AppendRequest> refused;
    const auto refuse = [&refused](WriteRequest& request) {
        if (auto* append = std::get_if<AppendRequest>(&request)) {
            refused.push_back(std::move(*append));
        }
    };
    std::ranges::for_each(batch_, refuse);
    std::ranges::for_each(waiting_, refuse);
    batch_.clear();
    waiting_.clear();
    context().settled = context().taken;
    context().settle(refused, false);
}

void PostgresWriter::went_down() {
    context().counters.failures.fetch_add(1, std::memory_order_relaxed);
    ++context().lost;
    for (const Touched& touched : touched_) {
        if (!touched.room->unsure) unsure_.push_back(*touched.name);
        touched.room->unsure = true;
    }
    touched_.clear();
    refuse_while_down();
}

bool PostgresWriter::finished() const noexcept {
    if (!context().closing || !waiting_.empty() || !batch_.empty()) return false;
    // With sync the next run has nothing to tell from the mark; until close_patience ends it is tried
    // where something is left to be done.
    return marked_clean_ || (!up() && context().sync() && unsure_.empty());
}

awaitable<void> PostgresWriter::go_up() {
    co_await connect();
    co_await lock();
    co_await migrate(connection());
    if (context().run.number == 0) {
        context().run = co_await begin_run(connection(), context().sync());
    } else {
        co_await check_run(connection(), context().run);
    }
    co_await prepare(statements);
    if (context().sync()) co_await recover();
}

awaitable<void> PostgresWriter::lock() {
    const auto give_up = core::monotonic_now() + postgres_lock_patience;
    while (!co_await lock_database(connection(), context().name, process_)) {
        if (context().abandoned) throw PostgresError("the store ends");
        if (core::monotonic_now() >= give_up) {
            throw PostgresError("another parleyd has the database in use");
        }
        boost::asio::steady_timer pause(io(), milliseconds(50));
        co_await pause.async_wait(boost::asio::use_awaitable);
    }
    process_ = connection().process();
}

awaitable<void> PostgresWriter::recover() {
    PostgresArray rooms(Of::int8);
    PostgresArray offsets(Of::int8);
    for (const std::string& name : unsure_) {
        const PostgresRoom* room = context().rooms.find(name);
        rooms.push(room->id);
        offsets.push(room->last_offset);
    }
    if (rooms.size() != 0) {
        PostgresParameters behind;
        behind.array(rooms).array(offsets);
        // The keeper may have noted the words of what is removed.
        connection().send(sql::unindex_behind, behind);
        connection().send(sql::remove_blocks_behind, behind);
        connection().send(sql::remove_messages_behind, behind);
        connection().send(sql::remove_keys_behind, behind);
        amendments_.put_back(connection());
        co_await connection().run(write_patience);
    }
    for (const std::string& name : unsure_) context().rooms.find(name)->unsure = false;
    unsure_.clear();
    amendments_.clear();
}

awaitable<void> PostgresWriter::step() {
    if (!batch_.empty() || !waiting_.empty()) {
        co_await write();
    } else if (context().closing) {
        connection().send(sql::mark_clean);
        co_await connection().run(write_patience);
        marked_clean_ = true;
    } else {
        co_await wait();
    }
}

awaitable<void> PostgresWriter::write() {
    if (batch_.empty()) fill_batch();
    co_await find_rooms();
    choose();
    co_await make_rooms();
    co_await commit();
    conclude();
}

void PostgresWriter::fill_batch() {
    context().rooms.trim();
    std::size_t bytes = 0;
    std::size_t amendments = 0;
    while (!waiting_.empty() && batch_.size() < batch_messages_max && bytes < batch_bytes_max &&
           amendments < batch_amendments_max) {
        if (const auto* append = std::get_if<AppendRequest>(&waiting_.front())) {
            bytes += cost_of(*append);
            amendments += append->unsaved.amended.size();
        }
        batch_.push_back(std::move(waiting_.front()));
        waiting_.pop_front();
    }
}

awaitable<void> PostgresWriter::find_rooms() {
    std::map<std::string_view, protocol::Epoch> wanted;
    for (const WriteRequest& request : batch_) {
        const std::string& name = room_of(request);
        const PostgresRoom* known = context().rooms.find(name);
        if (known != nullptr && !known->unsure) continue;
        protocol::Epoch& epoch = wanted[name];
        if (known != nullptr) epoch = known->epoch;
        if (const auto* append = std::get_if<AppendRequest>(&request); append && epoch.empty()) {
            epoch =
                protocol::Epoch::parse(protocol::epoch_of_message(append->unsaved.message->json()))
                    .value_or(protocol::Epoch());
        }
    }
    if (wanted.empty()) co_return;
    PostgresArray names(Of::text);
    PostgresArray epochs(Of::text);
    for (const auto& [name, epoch] : wanted) {
        names.push(name);
        epochs.push(epoch.view());
    }
    PostgresParameters asked;
    asked.array(names).array(epochs).number(context().run.number).number(context().run.void_run);
    connection().send(sql::open_rooms, asked);
    const auto results = co_await connection().run(write_patience);
    for (int row = 0; row < results.front().rows(); ++row) {
        const std::string name(results.front().text(row, 0));
        context().rooms.settle(name, results.front(), row);
        wanted.erase(name);
    }
    for (const auto& [name, epoch] : wanted) {
        context().rooms.settle_absent(std::string(name), epoch);
    }
    unsure_.clear();
}

void PostgresWriter::choose() {
    chosen_.clear();
    stored_.clear();
    out_of_order_.clear();
    touched_.clear();
    std::set<const PostgresRoom*> begun;
    for (WriteRequest& request : batch_) {
        const std::string& name = room_of(request);
        PostgresRoom& room = *context().rooms.find(name);
        if (begun.insert(&room).second) {
            room.next_offset = room.last_offset;
            room.next_bytes = room.bytes;
            touched_.push_back({.name = &name, .room = &room});
        }
        // A copy is a few references: the batch stays whole in case that it has to be repeated.
        if (const auto* append = std::get_if<AppendRequest>(&request)) {
            choose(AppendRequest(*append), room);
        }
    }
    for (Touched& touched : touched_) {
        touched.messages = touched.room->next_offset - touched.room->last_offset;
    }
}

void PostgresWriter::choose(AppendRequest&& append, PostgresRoom& room) {
    const core::Retained& message = *append.unsaved.message;
    const bool follows = message.offset() == room.next_offset + 1;
    if (!context().sync() && message.offset() <= room.next_offset) {
        stored_.push_back(std::move(append));
    } else if ((context().sync() && !follows) || !is_storable(append.unsaved)) {
        out_of_order_.push_back(std::move(append));
    } else {
        room.next_offset = message.offset();
        room.next_bytes += message.json().size();
        chosen_.push_back(std::move(append));
    }
}

awaitable<void> PostgresWriter::make_rooms() {
    PostgresArray names(Of::text);
    PostgresArray epochs(Of::text);
    for (const Touched& touched : touched_) {
        if (touched.room->id != 0 || touched.room->epoch.empty()) continue;
        names.push(*touched.name);
        epochs.push(touched.room->epoch.view());
    }
    if (names.size() == 0) co_return;
    PostgresParameters made;
    made.array(names).array(epochs).number(context().run.number);
    connection().send(sql::make_rooms, made);
    const auto results = co_await connection().run(write_patience);
    for (int row = 0; row < results.front().rows(); ++row) {
        const std::string name(results.front().text(row, 0));
        context().rooms.find(name)->id = results.front().number(row, 1);
    }
}

awaitable<void> PostgresWriter::commit() {
    MessageColumns messages;
    KeyColumns keys;
    amendments_.clear();
    for (const Touched& touched : touched_) touched.room->next_bytes = touched.room->bytes;
    for (const AppendRequest& append : chosen_) {
        PostgresRoom& room = *context().rooms.find(append.room);
        const core::Unsaved& unsaved = append.unsaved;
        messages.add(room, unsaved);
        room.next_bytes += unsaved.message->json().size();
        for (const auto& amended : unsaved.amended) amendments_.add(room.id, amended);
        if (unsaved.key.empty()) continue;
        keys.add(room, {unsaved.user, unsaved.key, unsaved.message->offset(), unsaved.at});
    }
    for (const WriteRequest& request : batch_) {
        const auto* remember = std::get_if<RememberRequest>(&request);
        if (remember == nullptr) continue;
        const PostgresRoom& room = *context().rooms.find(remember->room);
        // Where the store has nothing of that room there is no message that the key could be of.
        if (room.id != 0) keys.add(room, remember->key);
    }
    if (messages.rooms.size() == 0 && keys.rooms.size() == 0) co_return;
    const auto began = core::monotonic_now();
    // With async nothing is put back.
    if (context().sync() && !amendments_.empty()) co_await amendments_.read_former(connection());
    connection().send_sql("BEGIN");
    if (messages.rooms.size() != 0) connection().send(sql::insert_messages, messages.parameters());
    if (keys.rooms.size() != 0) connection().send(sql::insert_keys, keys.parameters());
    if (!amendments_.empty()) amendments_.send(connection());
    connection().send_sql("COMMIT");
    const auto results = co_await connection().run(write_patience);
    works();
    if (!amendments_.empty()) note_forgotten(results[results.size() - 2]);
    const auto took = core::monotonic_now() - began;
    context().counters.batches.fetch_add(1, std::memory_order_relaxed);
    context().counters.commit_us.fetch_add(
        static_cast<std::uint64_t>(
            std::chrono::duration_cast<std::chrono::microseconds>(took).count()),
        std::memory_order_relaxed);
}

void PostgresWriter::note_forgotten(const PostgresResult& marked) {
    auto blocks = PostgresAmendments::blocks_of(marked);
    for (Touched& touched : touched_) touched.forgotten = blocks[touched.room->id];
}

void PostgresWriter::conclude() {
    for (const Touched& touched : touched_) {
        touched.room->last_offset = touched.room->next_offset;
        touched.room->bytes = touched.room->next_bytes;
        if (touched.messages != 0) {
            written_(*touched.name, *touched.room, touched.messages, touched.forgotten);
        }
    }
    touched_.clear();
    amendments_.clear();
    context().settled += batch_.size();
    context().settle(chosen_, true);
    context().settle(stored_, true);
    context().settle(out_of_order_, false);
    batch_.clear();
    chosen_.clear();
    stored_.clear();
    out_of_order_.clear();
    context().progressed();
}

}  // namespace parley::storage
