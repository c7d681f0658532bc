#include "transports/send_ring.hpp"

#include <liburing.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <span>
#include <system_error>
#include <thread>
#include <utility>

#include "transports/log.hpp"

namespace parley::transports {
namespace {

// Sockets beyond are looked up. Eight bytes of the kernel's memory each, a shard: 1 MiB.
constexpr rlim_t known_max = 128 * 1024;

// Two ends of a connection, each closed at the end of the scope.
struct SocketPair {
    SocketPair() {
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) !=
            0) {
            throw std::system_error(errno, std::generic_category(), "socketpair");
        }
        // Soon full; the kernel makes at least a few thousand bytes of it.
        constexpr int buffer_bytes = 4096;
        ::setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &buffer_bytes, sizeof buffer_bytes);
    }
    ~SocketPair() {
        for (const int end : ends) ::close(end);
    }
    SocketPair(const SocketPair&) = delete;
    SocketPair& operator=(const SocketPair&) = delete;

    std::array<int, 2> ends{};
};

// Notes what it is told of one send.
struct Witness final : Connection {
    bool announce_drain() noexcept override { return false; }
    void close(const core::CloseReason&) noexcept override {}
    void abort() noexcept override { failed = true; }
    void send_fell_short(const core::Frame&, std::size_t count) noexcept override { sent = count; }

    std::optional<std::size_t> sent;  // of one that was not taken whole
    bool failed = false;
};

// Sends it in a batch of its own; whether it was told of that this many bytes went, nothing: all.
template <typename Went>
bool goes(SendRing& ring, int descriptor, const core::Frame& frame, Went went) {
    core::ShardMetrics metrics;
    Witness witness;
    ring.begin(metrics);
    ring.gather(descriptor, frame, witness);
    ring.end();
    return !witness.failed && went(witness.sent);
}

}  // namespace

SendRing::Ring::Ring() : state(std::make_unique<io_uring>()) {
    io_uring_params parameters{};
    // One thread submits; its completions are its own business; a send that fails does not keep
    // back those behind it.
    parameters.flags =
        IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SUBMIT_ALL;
    const int result = io_uring_queue_init_params(sends_max, state.get(), &parameters);
    if (result < 0) throw std::system_error(-result, std::generic_category(), "io_uring_setup");
    // Spares the look-up of the ring's own descriptor; where it is refused that is paid.
    io_uring_register_ring_fd(state.get());
}

SendRing::Ring::~Ring() {
    // At once: what goes with the ring goes a while after it, and a peer would wait for the end.
    io_uring_unregister_files(state.get());
    io_uring_queue_exit(state.get());
}

SendRing::SendRing() {
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    const auto count = static_cast<unsigned>(std::min<rlim_t>(files.rlim_cur, known_max));
    // Where it is refused each send looks its socket up.
    if (io_uring_register_files_sparse(ring_.state.get(), count) == 0) known_.resize(count);
}

SendRing::~SendRing() = default;

void SendRing::gather(int descriptor, const core::Frame& frame, Connection& sender) noexcept {
    if (count_ == sends_max) submit();
    if (broken_) return sender.abort();
    // There is one free: the queue is as long as a batch, and empty after each that was taken.
    io_uring_sqe* entry = io_uring_get_sqe(ring_.state.get());
    const std::string_view bytes = frame.bytes();
    io_uring_prep_send(entry, descriptor, bytes.data(), bytes.size(),
                       MSG_NOSIGNAL | MSG_DONTWAIT | MSG_WAITALL);
    entry->flags |= IOSQE_CQE_SKIP_SUCCESS;
    if (is_known(descriptor)) {
        entry->flags |= IOSQE_FIXED_FILE;  // at the place of its own number
    } else {
        strangers_[strangers_count_++] = descriptor;
    }
    entry->user_data = count_;
    bytes_ += bytes.size();
    sends_[count_++] = {&sender, &frame};
}

void SendRing::submit() noexcept {
    if (count_ == 0) return;
    // Ended first: what is told may lead to another write, which is not to wait for this one.
    if (++round_ == 0) ++round_;
    metrics_->add(core::Metric::send_batches);
    metrics_->add(core::Metric::sends_gathered, count_);
    broken_ = !carry_out();
    const std::uint64_t unsent = take_completions();
    const unsigned count = std::exchange(count_, 0);
    const std::uint64_t bytes = std::exchange(bytes_, 0);
    metrics_->add(core::Metric::bytes_written, bytes - unsent);
    make_known();
    if (!broken_) return;
    // It can't be told which of them went: none can be gone on with.
    for (unsigned i = 0; i < count; ++i) sends_[i].sender->abort();
}

// Those with neighbouring numbers together: sockets that were accepted one after another.
void SendRing::make_known() noexcept {
    const auto strangers = std::span(strangers_).first(std::exchange(strangers_count_, 0));
    std::ranges::sort(strangers);
    for (std::size_t i = 0; i < strangers.size();) {
        std::size_t end = i + 1;
        while (end < strangers.size() && strangers[end] == strangers[end - 1] + 1) ++end;
        const auto first = static_cast<std::size_t>(strangers[i]);
        if (first + (end - i) > known_.size()) return;
        const int taken =
            io_uring_register_files_update(ring_.state.get(), static_cast<unsigned>(first),
                                           &strangers[i], static_cast<unsigned>(end - i));
        for (int k = 0; k < taken; ++k) known_[first + static_cast<std::size_t>(k)] = true;
        i = end;
    }
}

void SendRing::forget(int descriptor) noexcept {
    if (!is_known(descriptor)) return;
    known_[static_cast<std::size_t>(descriptor)] = false;
    // A kernel may let go of it a while later, and the peer is not to wait for the end.
    ::shutdown(descriptor, SHUT_RDWR);
    const int nobody = -1;
    io_uring_register_files_update(ring_.state.get(), static_cast<unsigned>(descriptor), &nobody,
                                   1);
}

void SendRing::end() noexcept {
    submit();
    metrics_ = nullptr;
}

// False where the kernel takes no more of the batch, which it has never been seen to do.
bool SendRing::carry_out() noexcept {
    constexpr int tries_max = 1000;
    unsigned left = count_;
    int taken = 0;
    for (int tries = 0; left > 0 && tries < tries_max; ++tries) {
        taken = io_uring_submit(ring_.state.get());
        if (taken >= 0) {
            left -= std::min(left, static_cast<unsigned>(taken));
        } else if (taken != -EINTR && taken != -EAGAIN && taken != -EBUSY) {
            break;
        }
    }
    if (left == 0) return true;
    log::error("io_uring refuses a batch", {{"error", taken}, {"sends", left}});
    return false;
}

// Tells those whose send was not taken whole. Returns the bytes that were left of them.
std::uint64_t SendRing::take_completions() noexcept {
    io_uring* ring = ring_.state.get();
    std::uint64_t unsent = 0;
    unsigned seen = 0;
    unsigned head = 0;
    io_uring_cqe* completion = nullptr;
    io_uring_for_each_cqe(ring, head, completion) {
        ++seen;
        const Send& send = sends_[completion->user_data];
        const bool full = completion->res == -EAGAIN || completion->res == -EINTR;
        if (completion->res < 0 && !full) {
            unsent += send.frame->size();
            send.sender->abort();
            continue;
        }
        const auto sent = full ? 0U : static_cast<unsigned>(completion->res);
        unsent += send.frame->size() - sent;
        metrics_->add(core::Metric::writes_blocked);
        send.sender->send_fell_short(*send.frame, sent);
    }
    io_uring_cq_advance(ring, seen);
    return unsent;
}

namespace {

std::optional<std::string> try_out() {
    try {
        SendRing ring;
        const SocketPair pair;
        const int end = pair.ends[0];
        const auto word = core::Frame::copy_of("one");
        const auto much = core::Frame::copy_of(std::string(256 * 1024, 'x'));
        using Sent = std::optional<std::size_t>;
        if (goes(ring, end, *word, [](Sent sent) { return !sent; }) &&
            goes(ring, end, *much, [](Sent sent) { return sent > 0U; }) &&
            goes(ring, end, *word, [](Sent sent) { return sent == 0U; })) {
            return std::nullopt;
        }
        return "its sends that do not wait are not told of as of Linux 6.1 on";
    } catch (const std::exception& refused) {
        return refused.what();
    }
}

}  // namespace

// On a thread of its own: what the kernel does when a ring is gone interrupts calls of the thread
// that made it.
std::optional<std::string> send_ring_refusal() {
    std::optional<std::string> refusal;
    std::thread([&refusal] { refusal = try_out(); }).join();
    return refusal;
}

}  // namespace parley::transports
