#include "server/audit_writer.hpp"

#include <utility>

#include "core/clock.hpp"
#include "transports/log.hpp"

namespace parley::server {

AuditLine::AuditLine(const core::AuditRecord& record)
    : act(record.act),
      outcome(record.outcome),
      room(record.room),
      by(record.by != nullptr ? *record.by : protocol::User{}),
      user{std::string(record.user), std::string(record.user_name)},
      role(record.role),
      until(record.until ? core::format_rfc3339(*record.until) : std::string()),
      reason(record.reason),
      offset(record.offset),
      cause(record.cause) {}

AuditWriter::AuditWriter(std::function<void(const AuditLine&)> write)
    : write_(std::move(write)), thread_([this] { serve(); }) {}

AuditWriter::~AuditWriter() {
    {
        const std::scoped_lock lock(mutex_);
        stopping_ = true;
    }
    bell_.notify_one();
    thread_.join();
}

void AuditWriter::write(const core::AuditRecord& record) {
    AuditLine line(record);
    {
        const std::scoped_lock lock(mutex_);
        if (waiting_.size() >= lines_max) {
            dropped_.fetch_add(1, std::memory_order_relaxed);
            return;
        }
        waiting_.push_back(std::move(line));
    }
    bell_.notify_one();
}

void AuditWriter::serve() {
    for (bool stopping = false; !stopping;) {
        std::vector<AuditLine> lines;
        {
            std::unique_lock lock(mutex_);
            bell_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
            stopping = stopping_;
            lines.swap(waiting_);
        }
        for (const AuditLine& line : lines) write_(line);
    }
}

void log_audit(const AuditLine& line) {
    transports::log::info("audit", {{"act", core::name_of(line.act)},
                                    {"outcome", core::name_of(line.outcome)},
                                    {"room", line.room},
                                    {"by", line.by.id},
                                    {"by_name", line.by.name},
                                    {"user", line.user.id},
                                    {"user_name", line.user.name},
                                    {"role", line.role},
                                    {"until", line.until},
                                    {"reason", line.reason},
                                    {"offset", line.offset},
                                    {"cause", line.cause}});
}

}  // namespace parley::server
