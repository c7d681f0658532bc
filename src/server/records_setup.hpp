// records_setup: who is what in which room, made of the configuration: where that is kept, and what is
// reported of it.
//
// Path:     ServerConfig → [records_setup] → Hub, Operation
// Runs on:  the main thread at start.
// Owned by: nobody; plain functions.
// Bounds:   none needed.
#pragma once

#include <memory>
#include <vector>

#include "core/read_marks.hpp"
#include "server/audit_writer.hpp"
#include "server/server_config.hpp"
#include "storage/sqlite_room_records.hpp"
#include "transports/admin/metrics_export.hpp"

namespace parley::server {

// In the file of the accounts; null without accounts.store. Throws std::runtime_error that names the
// setting.
[[nodiscard]] std::unique_ptr<storage::SqliteRoomRecords> make_room_records(
    const ServerConfig& config);

// Null where none are kept.
[[nodiscard]] std::vector<transports::admin::MetricSource> room_records_metrics(
    const storage::SqliteRoomRecords* records, const AuditWriter& audit);
// Those in memory. `marks` must outlive what is returned.
[[nodiscard]] std::vector<transports::admin::MetricSource> read_marks_metrics(
    const core::ReadMarks& marks);

}  // namespace parley::server
