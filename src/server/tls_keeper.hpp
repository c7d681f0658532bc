// TlsKeeper: the certificates that are served, kept as their files are: loaded at the start, again
// when asked for or when a file has changed; and the keys of session tickets, changed in time.
//
// Path:     Server → [TlsKeeper] → TlsContexts → Gate
// Runs on:  the main thread; expires() on any.
// Owned by: Server.
// Bounds:   tls.reload_check between two looks at the files.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "transports/tls_contexts.hpp"

namespace parley::server {

// Loads what `config` names, as serving would. Throws ConfigError.
[[nodiscard]] std::shared_ptr<const transports::TlsContexts> load_tls(
    const transports::TlsConfig& config, std::shared_ptr<transports::TicketKeys> tickets);

class TlsKeeper {
public:
    // Whether loading again succeeded: with what is served from now on, or null where the old stays.
    using Reloaded = std::function<void(std::shared_ptr<const transports::TlsContexts> fresh)>;

    // Loads. Throws ConfigError. `reloaded` is called from reload() and from the loop.
    TlsKeeper(boost::asio::io_context& io, const transports::TlsConfig& config, Reloaded reloaded);

    // What to begin with.
    [[nodiscard]] const std::shared_ptr<const transports::TlsContexts>& contexts() const noexcept {
        return contexts_;
    }
    // Loads everything anew, by what may be another configuration. Where that fails the old stays,
    // with a line in the log, and the answer is false.
    bool reload(const transports::TlsConfig& config);
    // When the first of the certificates ends, in seconds since 1970.
    [[nodiscard]] std::int64_t expires() const noexcept {
        return expires_.load(std::memory_order_relaxed);
    }

private:
    // What a file is known by: enough to see that it was replaced or written to.
    struct Stamp {
        std::uint64_t inode = 0;  // 0: there is none
        std::int64_t size = 0, seconds = 0, nanoseconds = 0;
        bool operator==(const Stamp&) const = default;
    };

    [[nodiscard]] static std::vector<Stamp> stamps_of(const transports::TlsConfig& config);
    void took(std::shared_ptr<const transports::TlsContexts> contexts);
    void check_soon();
    void check();
    void rotate_soon();

    transports::TlsConfig config_;
    Reloaded reloaded_;
    std::shared_ptr<transports::TicketKeys> tickets_;
    std::shared_ptr<const transports::TlsContexts> contexts_;
    std::atomic<std::int64_t> expires_{0};  // relaxed: a gauge
    std::vector<Stamp> loaded_;             // the files as they were last loaded, well or not
    std::vector<Stamp> seen_;               // as they were at the last look
    boost::asio::steady_timer check_timer_;
    boost::asio::steady_timer rotate_timer_;
};

}  // namespace parley::server
