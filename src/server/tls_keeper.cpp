#include "server/tls_keeper.hpp"

#include <sys/stat.h>

#include <array>
#include <ctime>
#include <exception>
#include <utility>

#include "core/clock.hpp"
#include "server/config_file.hpp"
#include "transports/log.hpp"

namespace parley::server {
namespace {

namespace log = transports::log;
using transports::TlsConfig;
using transports::TlsContexts;

// RFC 3339.
std::string format_time(std::int64_t seconds) {
    const std::time_t time = seconds;
    std::tm parts{};
    ::gmtime_r(&time, &parts);
    std::array<char, 32> text{};
    return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

}  // namespace

std::shared_ptr<const TlsContexts> load_tls(const TlsConfig& config,
                                            std::shared_ptr<transports::TicketKeys> tickets) {
    const auto now = std::chrono::duration_cast<std::chrono::seconds>(
        core::machine_now().wall.time_since_epoch());
    try {
        return std::make_shared<const TlsContexts>(config, std::move(tickets), now.count());
    } catch (const transports::TlsError& failure) {
        throw ConfigError(failure.what());
    }
}

TlsKeeper::TlsKeeper(boost::asio::io_context& io, const TlsConfig& config, Reloaded reloaded)
    : config_(config),
      reloaded_(std::move(reloaded)),
      tickets_(std::make_shared<transports::TicketKeys>()),
      loaded_(stamps_of(config)),
      seen_(loaded_),
      check_timer_(io),
      rotate_timer_(io) {
    took(load_tls(config_, tickets_));
    check_soon();
    rotate_soon();
}

void TlsKeeper::took(std::shared_ptr<const TlsContexts> contexts) {
    contexts_ = std::move(contexts);
    expires_.store(contexts_->expires(), std::memory_order_relaxed);
    for (const std::string& warning : contexts_->warnings()) log::warn(warning);
    log::info("certificates loaded", {{"certificates", contexts_->certificates()},
                                      {"expires", format_time(contexts_->expires())}});
}

bool TlsKeeper::reload(const TlsConfig& config) {
    // Taken before the files are read: what is written meanwhile is seen as a change.
    loaded_ = seen_ = stamps_of(config);
    bool well = false;
    try {
        auto fresh = load_tls(config, tickets_);
        config_ = config;
        took(std::move(fresh));
        reloaded_(contexts_);
        well = true;
    } catch (const std::exception& failure) {
        // The files of the configuration that serves are the ones to watch.
        loaded_ = seen_ = stamps_of(config_);
        log::error("certificates not loaded, the old ones stay", {{"error", failure.what()}});
        reloaded_(nullptr);
    }
    check_soon();
    rotate_soon();
    return well;
}

std::vector<TlsKeeper::Stamp> TlsKeeper::stamps_of(const TlsConfig& config) {
    std::vector<Stamp> stamps;
    const auto add = [&](const std::string& file) {
        struct stat found {};
        if (::stat(file.c_str(), &found) != 0) {
            stamps.emplace_back();
            return;
        }
        stamps.push_back(
            {found.st_ino, found.st_size, found.st_mtim.tv_sec, found.st_mtim.tv_nsec});
    };
    for (const auto* files : {&config.cert, &config.key, &config.ocsp}) {
        for (const std::string& file : *files) add(file);
    }
    add(config.client_ca);
    return stamps;
}

void TlsKeeper::check_soon() {
    if (config_.reload_check.count() == 0) {
        check_timer_.cancel();
        return;
    }
    check_timer_.expires_after(config_.reload_check);
    check_timer_.async_wait([this](const boost::system::error_code& error) {
        if (!error) check();
    });
}

// A change is acted on when it has stood still for one look: a certificate and its key are two
// files, and whoever replaces them does so one after the other.
void TlsKeeper::check() {
    auto now = stamps_of(config_);
    const bool still = now == seen_;
    seen_ = std::move(now);
    if (!still || seen_ == loaded_) return check_soon();
    reload(TlsConfig(config_));
}

void TlsKeeper::rotate_soon() {
    rotate_timer_.expires_after(config_.ticket_rotation);
    rotate_timer_.async_wait([this](const boost::system::error_code& error) {
        if (error) return;
        try {
            tickets_->rotate();
        } catch (const std::exception& failure) {
            log::error("ticket keys not changed", {{"error", failure.what()}});
        }
        rotate_soon();
    });
}

}  // namespace parley::server
