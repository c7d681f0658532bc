// SendRing: the sends of a flush slice, many in one system call (io_uring(7)).
//
// Path:     WebSocketConnection → [SendRing] → kernel
// Runs on:  its shard, on the thread that made it.
// Owned by: ShardThread.
// Bounds:   sends_max sends gathered. None is under way but within submit(): a frame has to outlive
//           that, and no more.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/frame.hpp"
#include "core/metrics.hpp"
#include "transports/connection.hpp"

struct io_uring;

namespace parley::transports {

// Each send is tried once and never waits (MSG_DONTWAIT): the kernel carries it out within the one
// call, and only what it did not take whole comes back as a completion. So nothing has to be kept
// for sends that are under way, and a connection that goes has none (docs/decisions/0009).
class SendRing {
public:
    // As many as a flush slice writes by default. 64 were as good or a little worse.
    static constexpr unsigned sends_max = 256;

    // Throws std::system_error where the kernel refuses.
    SendRing();
    ~SendRing();
    SendRing(const SendRing&) = delete;
    SendRing& operator=(const SendRing&) = delete;

    // From here to end() connections gather what they are handed; end() submits the rest of it.
    void begin(core::ShardMetrics& metrics) noexcept { metrics_ = &metrics; }
    void end() noexcept;
    [[nodiscard]] bool gathering() const noexcept { return metrics_ != nullptr; }
    // The kernel has refused a batch: what it left of it must not be submitted with another, and
    // the ring is to go.
    [[nodiscard]] bool broken() const noexcept { return broken_; }

    // Sends the frame on that socket, with the next submit() at the latest. What the kernel does not
    // take of it is told to `sender` then (Connection::send_fell_short(), abort()). Only while
    // gathering(), and once a socket between two submits: a second frame could overtake the rest of
    // the first.
    void gather(int descriptor, const core::Frame& frame, Connection& sender) noexcept;
    // A socket that gather() was given is about to be closed: its number may come to be another's.
    void forget(int descriptor) noexcept;
    // Carries out what was gathered.
    void submit() noexcept;
    // Names the time between two submits: never 0, and again after 65,535 of them. Whoever takes an
    // earlier one for this submits once more than it had to.
    [[nodiscard]] std::uint16_t round() const noexcept { return round_; }

private:
    struct Ring {
        Ring();
        ~Ring();
        std::unique_ptr<io_uring> state;
    };
    struct Send {
        Connection* sender;
        const core::Frame* frame;
    };

    [[nodiscard]] bool is_known(int descriptor) const noexcept {
        const auto index = static_cast<std::size_t>(descriptor);
        return index < known_.size() && known_[index];
    }
    [[nodiscard]] bool carry_out() noexcept;
    void make_known() noexcept;
    [[nodiscard]] std::uint64_t take_completions() noexcept;

    Ring ring_;
    core::ShardMetrics* metrics_ = nullptr;
    std::uint16_t round_ = 1;
    bool broken_ = false;
    unsigned count_ = 0;
    std::uint64_t bytes_ = 0;  // of what is gathered
    std::array<Send, sends_max> sends_;
    // Sockets that the kernel holds for this ring, by descriptor: it finds them faster, and without
    // counting who holds them. Entered behind the batch that met them first.
    std::vector<bool> known_;
    std::array<int, sends_max> strangers_;
    unsigned strangers_count_ = 0;
};

// Why SendRing can't be used here: what the kernel refuses, or does otherwise than SendRing takes it
// to. Nothing where it can. Tried out on a pair of sockets.
[[nodiscard]] std::optional<std::string> send_ring_refusal();

}  // namespace parley::transports
