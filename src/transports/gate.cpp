#include "transports/gate.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <ctime>
#include <exception>
#include <random>
#include <utility>

#include "core/hub.hpp"
#include "transports/http_connection.hpp"
#include "transports/listener.hpp"
#include "transports/log.hpp"
#include "transports/proxy_intake.hpp"
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

Gate::Gate(ShardThread& thread, const TransportConfig& config, Admission& admission,
           std::span<const FrontendEntry> frontends)
    : thread_(&thread),
      config_(config),
      admission_(&admission),
      cors_(config.allowed_origins),
      proxies_(config.trusted_proxies, config.use_forwarded),
      drain_timer_(*this, [](core::Timer& timer) noexcept {
          static_cast<DrainTimer&>(timer).gate->close_due();
      }) {
    for (const FrontendEntry& entry : frontends) frontends_.push_back(entry.make(*this));
    thread_->set_after_turn([this] { turn_ended(); });
}

Gate::~Gate() {
    ending_ = true;
    gone_ = nullptr;
    for (const auto& listener : listeners_) listener->close();
    abort_all();
    // What was aborted ends in handlers that are ready now, and those may ready others.
    while (held() > 0) {
        const std::size_t before = held();
        thread_->run_ready();
        if (held() == before) break;
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

void Gate::set_tls(std::shared_ptr<const TlsContexts> contexts) {
    if (!tls_record_) tls_record_ = std::make_unique_for_overwrite<TlsRecordBuffer>();
    tls_ = std::move(contexts);
}

void Gate::add_frontend(std::unique_ptr<Frontend> frontend) {
    frontends_.push_back(std::move(frontend));
}

void Gate::reconfigure(const core::LimitsConfig& limits, const TransportConfig& config) {
    shard().set_limits(limits);
    config_ = config;
    cors_ = Cors(config_.allowed_origins);
    proxies_ = TrustedProxies(config_.trusted_proxies, config_.use_forwarded);
    for (const auto& frontend : frontends_) frontend->config_changed();
}

// ---- the way in ------------------------------------------------------------------------------

bool Gate::overloaded() const noexcept {
    return admission_->overloaded(AdmissionMarks(shard().config().limits), now());
}

// What is only counted in a dry run is let in. The number of connections and a drain are no rates:
// they always hold.
AdmissionRefusal Gate::counted(AdmissionRefusal refusal) noexcept {
    if (refusal == AdmissionRefusal::none) return refusal;
    shard().metrics().add(row_of(refusal).metric);
    const bool always =
        refusal == AdmissionRefusal::draining || refusal == AdmissionRefusal::connections;
    return shard().config().limits.dry_run && !always ? AdmissionRefusal::none : refusal;
}

AdmissionRefusal Gate::judge_newcomer(AdmissionTicket& ticket) noexcept {
    const auto refusal = counted(draining_ ? AdmissionRefusal::draining
                                           : admission_->judge(shard().config().limits, now()));
    if (refusal == AdmissionRefusal::none) ticket = admission_->admit();
    return refusal;
}

AdmissionRefusal Gate::judge_address(AdmissionTicket& ticket,
                                     const boost::asio::ip::address& address, AddressKey key) {
    const core::LimitsConfig& limits = shard().config().limits;
    // A proxy's connections are those of many.
    if (!limits.enabled || proxies_.trusts(address)) return AdmissionRefusal::none;
    if (ticket.count_for(key) <= limits.connections_per_address) {
        return AdmissionRefusal::none;
    }
    const auto refusal = counted(AdmissionRefusal::address);
    if (refusal != AdmissionRefusal::none) ticket = {};
    return refusal;
}

AdmissionRefusal Gate::admit_session(AdmissionTicket& ticket,
                                     const boost::asio::ip::address& address) {
    const auto refusal = judge_newcomer(ticket);
    if (refusal != AdmissionRefusal::none) return refusal;
    return judge_address(ticket, address, session_key_of(address));
}

bool Gate::conclude(AdmissionRefusal refusal) noexcept {
    const bool refused = refusal != AdmissionRefusal::none;
    shard().metrics().add(refused ? core::Metric::connections_refused
                                  : core::Metric::connections_accepted);
    if (!refused || refusing_ < refusing_max) return true;
    shard().metrics().add(core::Metric::refused_unanswered);
    return false;
}

void Gate::accepted(int descriptor, const tcp::endpoint& peer, ListenerKind kind) {
    try {
        TcpStream stream(thread_->reactor(), descriptor);
        AdmissionRefusal refusal = judge_newcomer(stream.ticket());
        const bool proxied = config_.proxy_protocol;
        if (refusal == AdmissionRefusal::none && !proxied) {
            refusal =
                judge_address(stream.ticket(), peer.address(), address_key_of(peer.address()));
        }
        // Who comes through a proxy may still be refused for the address that it tells; who is
        // refused already counts among those who wait for their answer from here on.
        const bool decided = refusal != AdmissionRefusal::none || !proxied;
        if (decided && !conclude(refusal)) return;
        boost::asio::co_spawn(thread_->executor(),
                              proxied ? serve_proxied(std::move(stream), peer, refusal, kind)
                                      : serve(std::move(stream), peer, refusal, kind),
                              &log_failed_connection);
    } catch (const std::exception& error) {
        log::warn("connection dropped", {{"error", error.what()}});
    }
}

Awaitable<void> Gate::serve(TcpStream stream, tcp::endpoint peer, AdmissionRefusal refusal,
                            ListenerKind kind) {
    return kind == ListenerKind::tls ? serve_tls(*this, std::move(stream), peer, refusal)
                                     : serve_http(*this, std::move(stream), peer, refusal);
}

Awaitable<void> Gate::serve_proxied(TcpStream stream, tcp::endpoint proxy, AdmissionRefusal refusal,
                                    ListenerKind kind) {
    const bool refused = refusal != AdmissionRefusal::none;
    const auto peer = co_await receive_proxy_header(*this, stream, proxy, refused);
    if (!peer) co_return;
    if (!refused) {
        refusal = judge_address(stream.ticket(), peer->address(), address_key_of(peer->address()));
        if (!conclude(refusal)) co_return;
    }
    co_await serve(std::move(stream), *peer, refusal, kind);
}

// ---- those who are in ------------------------------------------------------------------------

void Gate::add(Connection& connection) noexcept {
    open_.push_back(connection);
    ++count_;
}

void Gate::remove(Connection& connection) noexcept {
    connection.unlink();
    --count_;
    if (draining_) check_gone();
}

void Gate::add_refused(Connection& connection) noexcept {
    refused_.push_back(connection);
    ++refusing_;
}

void Gate::remove_refused(Connection& connection) noexcept {
    connection.unlink();
    --refusing_;
}

void Gate::add_arriving(Connection& connection) noexcept {
    arriving_.push_back(connection);
    ++arriving_count_;
}

void Gate::remove_arriving(Connection& connection) noexcept {
    connection.unlink();
    --arriving_count_;
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
}

protocol::GzipEncoder& Gate::gzip() {
    if (!gzip_) gzip_ = std::make_unique<protocol::GzipEncoder>();
    return *gzip_;
}

core::Duration Gate::retry_after() {
    const core::DrainConfig& drain = shard().config().drain;
    std::uniform_int_distribution<std::int64_t> draw(drain.retry_min.count(),
                                                     drain.retry_max.count());
    return std::chrono::milliseconds(draw(shard().random()));
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
    thread_->refresh_now();
    drain_start_ = now();
    drain_deadline_ = drain_start_ + deadline;
    drain_total_ = 0;
    drain_closed_ = 0;
    log::debug("gate draining", {{"shard", shard().index()}, {"connections", count_}});
    shard().hold_no_more();
    for (auto next = open_.begin(); next != open_.end();) {
        Connection& connection = *next++;
        if (connection.announce_drain()) {
            connection.unlink();
            leaving_.push_back(connection);
        } else {
            ++drain_total_;
        }
    }
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
    for (ConnectionList* list : {&open_, &leaving_, &refused_, &arriving_}) {
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
