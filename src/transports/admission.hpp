// Admission: whether a new connection is let in: so many in all, from one address and in a second,
// and none above a mark of memory. Who is in stays in.
//
// Path:     Listener → Gate → [Admission] → AdmissionTicket, carried by the stream
// Runs on:  any thread; one for all gates of a process.
// Owned by: the server (composition root). It outlives every ticket.
// Bounds:   limits.connections, .connections_per_address, .memory, .handshakes.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "core/config.hpp"
#include "core/metrics.hpp"
#include "core/token_bucket.hpp"
#include "transports/address_table.hpp"

namespace parley::transports {

// Why a connection is not let in.
enum class AdmissionRefusal : std::uint8_t {
    none,
    draining,     // the server is about to go
    connections,  // as many as it takes
    memory,
    handshakes,  // too many new ones at a time
    address,     // as many as one address may have
};

// For a connection that is only to hear why it is refused: at most so long for each step to that.
inline constexpr core::Duration refused_time = std::chrono::seconds(1);

// What is said of it, and how it is counted. Not for `none`.
struct AdmissionRefusalRow {
    AdmissionRefusal refusal;
    core::Metric metric;
    std::string_view detail;
};
[[nodiscard]] const AdmissionRefusalRow& row_of(AdmissionRefusal refusal) noexcept;

// Above either nobody new is let in.
struct AdmissionMarks {
    std::size_t connections;
    std::size_t memory;  // 0: no mark

    explicit AdmissionMarks(const core::LimitsConfig& limits) noexcept
        : connections(limits.connections),
          memory(limits.enabled && !limits.dry_run ? limits.memory : 0) {}
    AdmissionMarks(std::size_t connections_max, std::size_t memory_max) noexcept
        : connections(connections_max), memory(memory_max) {}
};

class Admission;

// One connection's place. It goes where the stream goes; its destructor gives the place back.
class AdmissionTicket {
public:
    AdmissionTicket() noexcept = default;
    AdmissionTicket(AdmissionTicket&& other) noexcept
        : admission_(std::exchange(other.admission_, nullptr)), key_(other.key_) {}
    AdmissionTicket& operator=(AdmissionTicket&& other) noexcept;
    ~AdmissionTicket() { give_back(); }

    // Counts the connection for that address, once its real one is known; how many that address has
    // with it. Not for an empty ticket, and once only.
    std::size_t count_for(AddressKey key);

private:
    friend class Admission;
    // No address: multicast is nobody's source.
    static constexpr AddressKey uncounted = ~AddressKey{0};

    explicit AdmissionTicket(Admission& admission) noexcept : admission_(&admission) {}
    void give_back() noexcept;

    Admission* admission_ = nullptr;
    AddressKey key_ = uncounted;
};

// The process's resident memory in bytes; 0 where the system does not tell.
[[nodiscard]] std::size_t resident_bytes() noexcept;

class Admission {
public:
    using MemoryReader = std::size_t (*)() noexcept;
    explicit Admission(MemoryReader memory = &resident_bytes) noexcept : memory_(memory) {}
    Admission(const Admission&) = delete;
    Admission& operator=(const Admission&) = delete;

    // Connections that hold a ticket.
    [[nodiscard]] std::size_t now() const noexcept {
        return count_.load(std::memory_order_relaxed);
    }
    [[nodiscard]] const AddressTable& addresses() const noexcept { return addresses_; }

    // Whether one more is let in: `none`, `connections`, `memory` or `handshakes`. Takes from the
    // bucket of handshakes where it is. Without limits.enabled only limits.connections holds.
    [[nodiscard]] AdmissionRefusal judge(const core::LimitsConfig& limits,
                                         core::TimePoint now) noexcept;
    // True above a mark: for readiness. A mark once reached is left behind only well below it: at
    // 95 % of the connections, at 90 % of the memory.
    [[nodiscard]] bool overloaded(const AdmissionMarks& marks, core::TimePoint now) noexcept;
    // A place for one connection.
    [[nodiscard]] AdmissionTicket admit() noexcept;

private:
    friend class AdmissionTicket;

    [[nodiscard]] bool full(std::size_t limit) noexcept;
    [[nodiscard]] bool over_memory(std::size_t mark, core::TimePoint now) noexcept;

    // Relaxed, all of them: numbers that guard nothing but themselves. A count that is a few off for
    // a moment admits or refuses a few more.
    alignas(64) std::atomic<std::size_t> count_{0};
    std::atomic<bool> full_{false};
    std::atomic<bool> over_memory_{false};
    std::atomic<std::int64_t> next_look_ns_{0};
    core::SharedTokenBucket handshakes_;
    MemoryReader memory_;
    AddressTable addresses_;
};

}  // namespace parley::transports
