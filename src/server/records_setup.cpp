#include "server/records_setup.hpp"

#include <stdexcept>
#include <string>

#include "transports/log.hpp"

namespace parley::server {
namespace {

namespace log = transports::log;
using transports::admin::MetricSource;
using transports::admin::Sample;

}  // namespace

std::unique_ptr<storage::SqliteRoomRecords> make_room_records(const ServerConfig& config) {
    const std::string path = config.accounts.store_path();
    if (path.empty()) return nullptr;
    try {
        return std::make_unique<storage::SqliteRoomRecords>(path, [](const std::string& error) {
            if (error.empty()) return log::info("roles are kept again");
            log::error("roles, topics and read marks can't be kept", {{"error", error}});
        });
    } catch (const std::runtime_error& error) {
        throw std::runtime_error("accounts.store: " + std::string(error.what()));
    }
}

std::vector<MetricSource> room_records_metrics(const storage::SqliteRoomRecords* records,
                                               const AuditWriter& audit) {
    const auto source = [records](const char* name, const char* help, MetricSource::Kind kind,
                                  double (*read)(const storage::RoomRecordCounters&)) {
        return MetricSource{name, help, kind, [records, read] {
                                std::vector<Sample> samples;
                                if (records) samples.push_back({{}, read(records->counters())});
                                return samples;
                            }};
    };
    using Counters = storage::RoomRecordCounters;
    return {
        {"parley_audit_lines_dropped_total",
         "Lines of the audit log not written, since whoever takes the log is too slow.",
         MetricSource::Kind::counter,
         [&audit] {
             return std::vector<Sample>{{{}, static_cast<double>(audit.dropped())}};
         }},
        source("parley_room_records_batches_total",
               "Transactions of roles, topics and read marks that were committed.",
               MetricSource::Kind::counter,
               [](const Counters& counters) { return static_cast<double>(counters.batches); }),
        source("parley_room_records_failures_total",
               "Transactions of roles, topics and read marks that failed.",
               MetricSource::Kind::counter,
               [](const Counters& counters) { return static_cast<double>(counters.failures); }),
        source(
            "parley_read_marks_dropped_total", "Read marks not kept for want of room.",
            MetricSource::Kind::counter,
            [](const Counters& counters) { return static_cast<double>(counters.marks_dropped); }),
        source(
            "parley_read_marks_displaced_total",
            "Read marks that newer ones of the same user took the place of; those of unanswered "
            "conversations that others began make room for none but their like.",
            MetricSource::Kind::counter,
            [](const Counters& counters) { return static_cast<double>(counters.marks_displaced); }),
        source("parley_room_records_up", "1 while roles can be kept, else 0.",
               MetricSource::Kind::gauge,
               [](const Counters& counters) { return counters.failing ? 0.0 : 1.0; }),
    };
}

std::vector<MetricSource> read_marks_metrics(const core::ReadMarks& marks) {
    return {{"parley_read_marks",
             "Read marks in memory: of who has no account, or of all where none are kept.",
             MetricSource::Kind::gauge,
             [&marks] {
                 return std::vector<Sample>{{{}, static_cast<double>(marks.in_memory())}};
             }},
            {"parley_read_marks_forgotten_total",
             "Read marks in memory forgotten for want of room: the oldest of its kind goes, of one "
             "user or of all.",
             MetricSource::Kind::counter, [&marks] {
                 return std::vector<Sample>{{{}, static_cast<double>(marks.forgotten())}};
             }}};
}

}  // namespace parley::server
