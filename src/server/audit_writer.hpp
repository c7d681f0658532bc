// AuditWriter: writes what was done about who may do what into the log, on a thread of its own: whoever
// reads the log slowly holds up no shard.
//
// Path:     Shard::audit() → [AuditWriter] → log
// Runs on:  write() on any shard; the rest on its own thread.
// Owned by: the server (composition root).
// Bounds:   lines_max that wait to be written; further ones are dropped and counted.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/audit.hpp"

namespace parley::server {

// One record with what it borrowed.
struct AuditLine {
    explicit AuditLine(const core::AuditRecord& record);
    core::AuditAct act;
    core::AuditOutcome outcome;
    std::string room;
    protocol::User by;
    protocol::User user;
    std::string role;
    std::string until;
    std::string reason;
    std::uint64_t offset;
    std::string cause;
};

class AuditWriter {
public:
    static constexpr std::size_t lines_max = 10'000;

    explicit AuditWriter(std::function<void(const AuditLine&)> write);
    // Writes what waits.
    ~AuditWriter();
    AuditWriter(const AuditWriter&) = delete;
    AuditWriter& operator=(const AuditWriter&) = delete;

    void write(const core::AuditRecord& record);
    [[nodiscard]] std::uint64_t dropped() const noexcept {
        return dropped_.load(std::memory_order_relaxed);
    }

private:
    void serve();

    const std::function<void(const AuditLine&)> write_;
    std::atomic<std::uint64_t> dropped_{0};  // a count alone: nothing follows from it
    std::mutex mutex_;
    std::condition_variable bell_;
    std::vector<AuditLine> waiting_;
    bool stopping_ = false;
    std::thread thread_;
};

// As a line of the log.
void log_audit(const AuditLine& line);

}  // namespace parley::server
