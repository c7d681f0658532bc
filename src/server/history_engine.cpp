#include "server/history_engine.hpp"

#include <stdexcept>
#include <string>

#include "core/clock.hpp"
#include "storage/postgres_store.hpp"
#include "storage/sqlite_store.hpp"
#include "transports/log.hpp"

namespace parley::server {
namespace {

namespace log = transports::log;
namespace admin = transports::admin;
using Kind = admin::MetricSource::Kind;

constexpr std::string_view sqlite_prefix = "sqlite:";

void tell_trouble(const std::string& error) {
    if (error.empty()) {
        log::info("history is written again", {});
    } else {
        log::error("history can't be written, sends are refused", {{"error", error}});
    }
}

void tell_unread(const std::string& error) {
    if (error.empty()) {
        log::info("stored messages can be read again", {});
    } else {
        log::error("stored messages can't be read, what is said is stored", {{"error", error}});
    }
}

admin::MetricSource source(const char* name, const char* help, Kind kind,
                           std::function<double()> read) {
    return {name, help, kind, [read = std::move(read)] {
                return std::vector<admin::Sample>{{{}, read()}};
            }};
}

admin::MetricSource count(const char* name, const char* help,
                          const std::atomic<std::uint64_t>& counter) {
    return source(name, help, Kind::counter, [&counter] {
        return static_cast<double>(counter.load(std::memory_order_relaxed));
    });
}

double age_in_seconds(std::int64_t since_ms) {
    const auto since = core::WallTime(std::chrono::milliseconds(since_ms));
    return std::chrono::duration<double>(core::machine_now().wall - since).count();
}

}  // namespace

std::unique_ptr<storage::Engine> make_history_engine(const ServerConfig& config) {
    const std::string& store = config.history_store;
    if (store == "memory") return nullptr;
    if (store.starts_with(sqlite_prefix)) {
        return std::make_unique<storage::SqliteStore>(store.substr(sqlite_prefix.size()),
                                                      config.core, &tell_trouble);
    }
    return std::make_unique<storage::PostgresStore>(store, config.core, &tell_trouble,
                                                    &tell_unread);
}

std::vector<admin::MetricSource> history_metrics(const storage::Engine& engine) {
    const auto& counters = engine.counters();
    return {
        count("parley_history_stored_total", "Messages written to the history store.",
              counters.messages),
        count("parley_history_batches_total",
              "Transactions of the history store that were committed.", counters.batches),
        count("parley_history_failures_total",
              "Transactions of the history store that failed, and connections for them that ended.",
              counters.failures),
        count("parley_history_forgotten_total",
              "Messages that could not be stored and were refused for that (durability sync).",
              counters.refused),
        count("parley_history_removed_total", "Messages removed from the store by its retention.",
              counters.removed),
        count("parley_history_untidy_total",
              "Failures of the store to index messages or to remove old ones.", counters.untidy),
        source("parley_history_write_seconds_total",
               "Time spent in transactions that were committed.", Kind::counter,
               [&counters] {
                   return static_cast<double>(counters.commit_us.load(std::memory_order_relaxed)) /
                          1e6;
               }),
        source("parley_history_queued", "Messages that wait to be stored.", Kind::gauge,
               [&engine] { return static_cast<double>(engine.queue().messages()); }),
        source("parley_history_queued_bytes", "The same in bytes.", Kind::gauge,
               [&engine] { return static_cast<double>(engine.queue().bytes()); }),
        source("parley_history_unsaved_seconds",
               "Age of the oldest message that is not stored yet: what a crash would lose with "
               "durability async.",
               Kind::gauge,
               [&engine, &counters] {
                   if (engine.queue().messages() == 0) return 0.0;
                   return age_in_seconds(counters.unsaved_since.load(std::memory_order_relaxed));
               }),
        source("parley_history_up", "1 while the history store can be written, else 0.",
               Kind::gauge, [&engine] { return engine.queue().failing() ? 0.0 : 1.0; }),
    };
}

}  // namespace parley::server
