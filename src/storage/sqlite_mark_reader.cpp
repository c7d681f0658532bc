#include "storage/sqlite_mark_reader.hpp"

#include <utility>

#include "core/history_store.hpp"
#include "core/shard.hpp"

namespace parley::storage {

SqliteMarkReader::SqliteMarkReader(const std::string& path)
    : database_(path, SqliteDatabase::Access::read),
      mark_(database_, "SELECT epoch, offset, name FROM read_marks WHERE user = ? AND room = ?"),
      thread_([this] { serve(); }) {}

SqliteMarkReader::~SqliteMarkReader() {
    close();
}

void SqliteMarkReader::close() noexcept {
    if (!thread_.joinable()) return;
    {
        const std::scoped_lock lock(mutex_);
        stopping_ = true;
    }
    bell_.notify_one();
    thread_.join();
}

void SqliteMarkReader::ask(Ask&& ask) {
    {
        const std::scoped_lock lock(mutex_);
        waiting_.push_back(std::move(ask));
    }
    bell_.notify_one();
}

bool SqliteMarkReader::stopping() const {
    const std::scoped_lock lock(mutex_);
    return stopping_;
}

void SqliteMarkReader::serve() {
    for (;;) {
        std::vector<Ask> asks;
        {
            std::unique_lock lock(mutex_);
            bell_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
            if (stopping_) return;
            asks = std::exchange(waiting_, {});
        }
        bool works = true;
        for (Ask& ask : asks) {
            if (stopping()) return;
            core::Recorded<std::optional<core::ReadMark>> answer =
                core::store_unavailable("read marks can't be looked up at the moment");
            // After one that has failed, perhaps after a long wait, the others wait no longer.
            try {
                if (works) answer = look_up(ask);
            } catch (const SqliteError&) {
                works = false;
            }
            ask.here->post([done = std::move(ask.done), answer = std::move(answer)](
                               core::Shard&) mutable { done(std::move(answer)); });
        }
    }
}

std::optional<core::ReadMark> SqliteMarkReader::look_up(const Ask& ask) {
    std::optional<core::ReadMark> found;
    if (mark_.bind(1, ask.user).bind(2, ask.room).step()) {
        if (const auto epoch = protocol::Epoch::parse(mark_.text(0))) {
            found = core::ReadMark{ask.room, *epoch, static_cast<std::uint64_t>(mark_.number(1)),
                                   std::string(mark_.text(2))};
        }
    }
    mark_.rewind();
    if (!ask.waiting) return found;
    if (!found) return ask.waiting;
    take_mark(*found, core::ReadMark(*ask.waiting));
    return found;
}

}  // namespace parley::storage
