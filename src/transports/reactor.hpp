// Reactor: tells which descriptors of a shard can be read or written (epoll(7), edge-triggered).
//
// Path:     kernel → [Reactor] → Watch → connection, Listener, ShardThread
// Runs on:  its shard.
// Owned by: ShardThread; it outlives its watches.
// Bounds:   events_max at once; one wait for reading and two for writing a descriptor.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "transports/executor.hpp"
#include "transports/wait_handler.hpp"

namespace parley::transports {

class Watch;

// A descriptor is entered once for its life, and a wait costs no system call: Asio's own reactor
// makes one for every wait, and keeps 300 bytes a descriptor where this keeps 56
// (docs/decisions/0006).
class Reactor {
public:
    // As many as a loaded shard may find ready: what it leaves waits with the kernel, where nothing
    // gathers (docs/decisions/0010).
    static constexpr int events_max = 1024;

    // `executor` runs waits that are over at once, and those that are called off. Throws
    // std::system_error.
    explicit Reactor(const Executor& executor);
    ~Reactor();
    Reactor(const Reactor&) = delete;
    Reactor& operator=(const Reactor&) = delete;

    // Waits for events until `timeout` (none: for ever; rounded up to a millisecond).
    void wait(std::optional<std::chrono::nanoseconds> timeout) noexcept;
    // Calls what waited for the events that wait() found.
    void dispatch();

    [[nodiscard]] const Executor& executor() const noexcept { return executor_; }

private:
    friend class Watch;
    friend struct WatchDeleter;

    int epoll_;
    Executor executor_;
    std::array<epoll_event, events_max> events_;
    int count_ = 0;
    std::vector<Watch*> gone_;  // closed while events that may name them are being looked at
    bool dispatching_ = false;
};

// What is waited for: both, or reading alone, of a descriptor that others hold too or that is only
// read.
enum class Interest : std::uint8_t { both, reading };

// One descriptor and who waits for it. It knows whether another attempt may succeed: from the
// kernel's events on, until an attempt has shown that there is no more.
class Watch {
public:
    // Takes over the descriptor, which must be non-blocking. Throws std::system_error where the
    // kernel won't watch it; the descriptor is closed then.
    Watch(Reactor& reactor, int descriptor, Interest interest);
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    [[nodiscard]] int descriptor() const noexcept { return descriptor_; }
    [[nodiscard]] const Executor& executor() const noexcept { return reactor_->executor(); }

    // An attempt found less than it asked for: what comes next will be an event. Once the peer has
    // finished sending there is none, and reading goes on to the end.
    void drained() noexcept { may_read_ = hung_up_; }
    // An attempt found no room for all that it offered.
    void filled() noexcept { may_write_ = false; }

    // Completes with an error_code once an attempt may succeed, or with operation_aborted after
    // cancel(); never from within this call.
    template <typename Token>
    auto wait_readable(Token&& token) {
        return wait(token, &read_, may_read_);
    }
    template <typename Token>
    auto wait_writable(Token&& token) {
        return wait(token, may_write_ ? nullptr : &writers().write, may_write_);
    }
    // The same beside a wait_writable(): for a reader that has to write first, as TLS may have to.
    template <typename Token>
    auto wait_writable_to_read(Token&& token) {
        return wait(token, may_write_ ? nullptr : &writers().write_to_read, may_write_);
    }
    // Ends the waits that are under way, from the loop.
    void cancel() noexcept;
    // Gives up the descriptor, open and watched no more: whoever takes it watches it elsewhere. Of
    // the watch nothing is left to do but to go.
    [[nodiscard]] int release() noexcept;

private:
    friend class Reactor;
    friend struct WatchDeleter;

    ~Watch() = default;

    template <typename Token>
    auto wait(Token& token, WaitHandler* slot, bool at_once) {
        return boost::asio::async_initiate<Token, void(boost::system::error_code)>(
            [this, slot, at_once](auto&& handler) {
                if (at_once) {
                    boost::asio::post(executor(), [handler = std::move(handler)]() mutable {
                        std::move(handler)(boost::system::error_code());
                    });
                } else {
                    *slot = WaitHandler(std::move(handler));
                }
            },
            token);
    }
    // Who waits to write.
    struct Writers {
        WaitHandler write;
        WaitHandler write_to_read;
    };
    [[nodiscard]] Writers& writers() {
        if (!writers_) writers_ = std::make_unique<Writers>();
        return *writers_;
    }
    void happened(std::uint32_t events);
    void abort(WaitHandler& handler) noexcept;
    void close() noexcept;

    Reactor* reactor_;
    int descriptor_;
    Interest interest_;
    bool may_read_ = false;
    bool may_write_ = true;
    bool hung_up_ = false;
    WaitHandler read_;
    // Made for the first wait, and kept: most connections are never written more than they take,
    // and one that is, is again.
    std::unique_ptr<Writers> writers_;
};

// With the allocator's header it fills a block of 64 bytes.
static_assert(sizeof(Watch) <= 56);

// Calls off what waits, closes the descriptor, and frees the watch once no event can name it.
struct WatchDeleter {
    void operator()(Watch* watch) const noexcept;
};
using WatchPtr = std::unique_ptr<Watch, WatchDeleter>;

// Watches a descriptor. Throws as Watch does.
[[nodiscard]] WatchPtr watch(Reactor& reactor, int descriptor, Interest interest = Interest::both);

}  // namespace parley::transports
