#include "transports/gate.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <ctime>
#include <exception>
#include <utility>

#include "core/hub.hpp"
#include "transports/http_connection.hpp"
#include "transports/listener.hpp"
#include "transports/log.hpp"
#include "transports/tls_contexts.hpp"
#include "transports/tls_handshake.hpp"

namespace parley::transports {
namespace {

using boost::asio::ip::tcp;

// Connections over the limit that may be answered 503 at once; past them a connection is closed
// unanswered. Each holds a descriptor for a second at most.
constexpr std::size_t refusing_max = 256;

// The part of a drain's deadline over which sessions are closed; the rest is for their goodbyes.
constexpr double drain_spread = 0.8;
constexpr std::chrono::milliseconds drain_step_min{1};

}  // namespace

Gate::Gate(ShardThread& thread, const TransportConfig& config, ConnectionCount& connections,
           std::span<const FrontendEntry> frontends)
    : thread_(&thread),
      config_(config),
      process_connections_(&connections),
      cors_(config.allowed_origins),
      drain_timer_(*this, [](core::Timer& timer) noexcept {
          static_cast<DrainTimer&>(timer).gate->close_due();
      }) {
    for (const FrontendEntry& entry : frontends) frontends_.push_back(entry.make(*this));
    thread_->set_after_turn([this] { turn_ended(); });
}

Gate::~Gate() {
    gone_ = nullptr;
    for (const auto& listener : listeners_) listener->close();
    abort_all();
    // What was aborted ends in handlers that are ready now, and those may ready others.
    while (count_ > 0) {
        const std::size_t before = count_;
        thread_->run_ready();
        if (count_ == before) break;
    }
    thread_->run_ready();
    thread_->set_after_turn({});
}

tcp::endpoint Gate::listen(const tcp::endpoint& endpoint, ListenerKind kind) {
    listeners_.push_back(std::make_unique<Listener>(*this, endpoint, config_.backlog, kind));
    return listeners_.back()->endpoint();
}

tcp::endpoint Gate::listen_on(int descriptor, ListenerKind kind) {
    listeners_.push_back(std::make_unique<Listener>(*this, descriptor, kind));
    return listeners_.back()->endpoint();
}

void Gate::add_frontend(std::unique_ptr<Frontend> frontend) {
    frontends_.push_back(std::move(frontend));
}

void Gate::reconfigure(const core::LimitsConfig& limits, const TransportConfig& config) {
    shard().set_limits(limits);
    config_ = config;
    cors_ = Cors(config_.allowed_origins);
    for (const auto& frontend : frontends_) frontend->config_changed();
}

void Gate::set_tls(std::shared_ptr<const TlsContexts> contexts) {
    if (!tls_record_) tls_record_ = std::make_unique_for_overwrite<TlsRecordBuffer>();
    tls_ = std::move(contexts);
}

bool Gate::full() const noexcept {
    return process_connections_->now() >= shard().config().limits.connections;
}

void Gate::accepted(int descriptor, const tcp::endpoint& peer, ListenerKind kind) {
    const bool refused = full();
    shard().metrics().add(refused ? core::Metric::connections_refused
                                  : core::Metric::connections_accepted);
    if (refused && refusing_ >= refusing_max) {
        ::close(descriptor);
        return;
    }
    try {
        TcpStream stream(thread_->executor(), peer.protocol(), descriptor);
        if (refused) ++refusing_;
        boost::asio::co_spawn(thread_->executor(),
                              kind == ListenerKind::tls
                                  ? serve_tls(*this, std::move(stream), peer, refused)
                                  : serve_http(*this, std::move(stream), peer, refused),
                              [this, refused](const std::exception_ptr& failure) {
                                  if (refused) --refusing_;
                                  if (!failure) return;
                                  try {
                                      std::rethrow_exception(failure);
                                  } catch (const std::exception& error) {
                                      log::error("connection failed", {{"error", error.what()}});
                                  }
                              });
    } catch (const std::exception& error) {
        log::warn("connection dropped", {{"error", error.what()}});
    }
}

void Gate::add(Connection& connection) noexcept {
    open_.push_back(connection);
    ++count_;
    process_connections_->add();
}

void Gate::remove(Connection& connection) noexcept {
    connection.unlink();
    --count_;
    process_connections_->remove();
    if (draining_) check_gone();
}

void Gate::descriptor_closed() noexcept {
    for (const auto& listener : listeners_) listener->resume();
}

Frontend* Gate::frontend_for(const HttpTarget& target) const noexcept {
    for (const auto& frontend : frontends_) {
        if (frontend->owns(target)) return frontend.get();
    }
    return nullptr;
}

void Gate::arm(core::Timer& timer, core::TimePoint due) noexcept {
    shard().timers().arm(timer, due);
    thread_->rearm_soon();
}

std::string_view Gate::http_date() {
    const auto wall = shard().now().wall;
    const auto second = std::chrono::duration_cast<std::chrono::seconds>(wall.time_since_epoch());
    if (second != date_second_) {
        date_second_ = second;
        const std::time_t time = std::chrono::system_clock::to_time_t(wall);
        std::tm parts{};
        ::gmtime_r(&time, &parts);
        std::array<char, 40> text{};
        const std::size_t length =
            std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
        date_.assign(text.data(), length);
    }
    return date_;
}

void Gate::turn_ended() noexcept {
    // By index: what follows may list connections for the next turn, behind these.
    const std::size_t count = after_turn_.size();
    for (std::size_t i = 0; i < count; ++i) after_turn_[i]->after_turn();
    after_turn_.erase(after_turn_.begin(),
                      after_turn_.begin() + static_cast<std::ptrdiff_t>(count));
}

// ---- the way out -----------------------------------------------------------------------------

void Gate::drain(core::Duration deadline, std::function<void()> gone) {
    if (draining_) return;
    draining_ = true;
    gone_ = std::move(gone);
    for (const auto& listener : listeners_) listener->close();
    thread_->refresh_now();
    drain_start_ = now();
    drain_deadline_ = drain_start_ + deadline;
    drain_total_ = count_;
    drain_closed_ = 0;
    log::debug("gate draining", {{"shard", shard().index()}, {"connections", count_}});
    for (Connection& connection : open_) connection.announce_drain();
    check_gone();
    if (count_ > 0) close_due();
}

void Gate::close_due() noexcept {
    const core::TimePoint at = now();
    if (at >= drain_deadline_) return abort_all();
    const double spread =
        std::max(1.0, static_cast<double>((drain_deadline_ - drain_start_).count()) * drain_spread);
    const double elapsed = static_cast<double>((at - drain_start_).count());
    const auto due = std::min(
        drain_total_,
        static_cast<std::size_t>(static_cast<double>(drain_total_) * elapsed / spread) + 1);
    for (; drain_closed_ < due && !open_.empty(); ++drain_closed_) {
        Connection& connection = open_.front();
        connection.unlink();
        leaving_.push_back(connection);
        connection.close(core::close_reasons::draining);
    }
    if (open_.empty()) return arm(drain_timer_, drain_deadline_);
    const auto step = std::chrono::duration_cast<core::Duration>(
        std::chrono::duration<double, core::Duration::period>(
            spread / static_cast<double>(drain_total_ + 1)));
    arm(drain_timer_,
        std::min(drain_deadline_, at + std::max<core::Duration>(step, drain_step_min)));
}

void Gate::abort_all() noexcept {
    for (ConnectionList* list : {&open_, &leaving_}) {
        for (Connection& connection : *list) connection.abort();
    }
}

void Gate::check_gone() {
    if (count_ > 0 || !gone_) return;
    drain_timer_.cancel();
    // Deferred: the last connection is still on the way out of its own function.
    thread_->defer([gone = std::exchange(gone_, nullptr)] { gone(); });
}

}  // namespace parley::transports
