// Gate: where one shard meets the network: its listeners, its frontends, its connections, and the
// way out when the server drains.
//
// Path:     Listener → [Gate] → HttpConnection → Frontend → WebSocketConnection
// Runs on:  its shard's thread; built before that thread starts, destroyed after it was joined.
// Owned by: the server (composition root).
// Bounds:   Admission's over all gates of a process; refused connections that wait for their answer:
//           refusing_max.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/intrusive/list.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/file_store.hpp"
#include "core/timer_wheel.hpp"
#include "protocol/gzip.hpp"
#include "transports/admission.hpp"
#include "transports/connection.hpp"
#include "transports/cors.hpp"
#include "transports/frontend.hpp"
#include "transports/shard_thread.hpp"
#include "transports/tls_stream.hpp"
#include "transports/transport_config.hpp"
#include "transports/trusted_proxies.hpp"

namespace parley::transports {

class Listener;
class TlsContexts;

// What is spoken on a listener from the first byte on.
enum class ListenerKind : std::uint8_t { plain, tls };

// What one connection says while it handles one read, gathered: at most one is corked at a time.
struct CorkBuffer {
    const void* owner = nullptr;
    std::string bytes;
};

class Gate {
public:
    // All of them outlive the gate. `frontends` is asked in order (frontend_table.hpp).
    Gate(ShardThread& thread, const TransportConfig& config, Admission& admission,
         std::span<const FrontendEntry> frontends);
    // Ends what is left, without goodbyes.
    ~Gate();
    Gate(const Gate&) = delete;
    Gate& operator=(const Gate&) = delete;

    // Listens there, beside the other gates' listeners (SO_REUSEPORT). Gives back where: for port 0
    // the port that the kernel chose, which is the one to give to the other gates. Throws
    // std::system_error, naming the address.
    boost::asio::ip::tcp::endpoint listen(const boost::asio::ip::tcp::endpoint& endpoint,
                                          ListenerKind kind = ListenerKind::plain);
    // The same on a socket that listens already and that other gates accept from too (socket
    // activation). The descriptor stays the caller's. Throws std::system_error.
    boost::asio::ip::tcp::endpoint listen_on(int descriptor,
                                             ListenerKind kind = ListenerKind::plain);
    // What handshakes go by from now on; those under way keep what they began with. Before a
    // ListenerKind::tls serves.
    void set_tls(std::shared_ptr<const TlsContexts> contexts);
    // Adds one behind those of the table. Before the thread starts.
    void add_frontend(std::unique_ptr<Frontend> frontend);
    // Names where files are kept, which outlives the gate; null: nowhere. Before the thread starts, or
    // on it.
    void set_file_store(core::FileStore* store) noexcept { file_store_ = store; }
    // Names the gates of all shards, in their order, itself among them. Before the threads start.
    void set_neighbours(std::span<const std::unique_ptr<Gate>> gates) noexcept {
        neighbours_ = gates;
    }
    // Takes new settings, for what is open too. Runs on: its shard.
    void reconfigure(const core::LimitsConfig& limits, const TransportConfig& config);

    // Tells every session, then closes them evenly (1012) over most of `deadline`; what is left at
    // the deadline is cut off. Newcomers are told 503 until the gate goes. Calls `gone` once, when
    // nobody else is left.
    void drain(core::Duration deadline, std::function<void()> gone);
    [[nodiscard]] bool draining() const noexcept { return draining_; }
    // True while the gate is being destroyed: nothing is to be begun.
    [[nodiscard]] bool ending() const noexcept { return ending_; }
    // True above a mark: connections or memory (Admission::overloaded()).
    [[nodiscard]] bool overloaded() const noexcept;
    [[nodiscard]] std::size_t connections() const noexcept { return count_; }

    // ---- for listeners and connections

    void accepted(int descriptor, const boost::asio::ip::tcp::endpoint& peer, ListenerKind kind);
    void add(Connection& connection) noexcept;
    void remove(Connection& connection) noexcept;
    // For connections that were not let in and are told so: no drain waits for them.
    void add_refused(Connection& connection) noexcept;
    void remove_refused(Connection& connection) noexcept;
    // For those that were let in and have still to say whom they are from: no drain waits for them
    // either.
    void add_arriving(Connection& connection) noexcept;
    void remove_arriving(Connection& connection) noexcept;
    // A connection's descriptor was closed: listeners that rest for want of one try again.
    void descriptor_closed() noexcept;
    // The gate of that shard; null where it is not known. Of it nothing may be touched from here but
    // its shard's mail.
    [[nodiscard]] Gate* neighbour(std::size_t shard) const noexcept {
        return shard < neighbours_.size() ? neighbours_[shard].get() : nullptr;
    }
    // A place for a session that outlives its connections, judged as a newcomer; an address may have
    // as many of these as it may have connections. The reason why there is none, or the ticket.
    [[nodiscard]] AdmissionRefusal admit_session(AdmissionTicket& ticket,
                                                 const boost::asio::ip::address& address);
    // The frontend whose own that target is; null where it is nobody's.
    [[nodiscard]] Frontend* frontend_for(const HttpTarget& target) const noexcept;
    // Calls its after_turn() behind the shard's next turn; it must stay until then. Only while
    // ShardThread::turn_asked().
    void call_after_turn(Connection& connection) { after_turn_.push_back(&connection); }
    [[nodiscard]] CorkBuffer& cork() noexcept { return cork_; }
    [[nodiscard]] core::FileStore* file_store() const noexcept { return file_store_; }
    // What a new handshake goes by.
    [[nodiscard]] const std::shared_ptr<const TlsContexts>& tls() const noexcept { return tls_; }
    [[nodiscard]] TlsRecordBuffer& tls_record() noexcept { return *tls_record_; }
    // `Date` of an answer (RFC 9110, 5.6.7), written once a second.
    [[nodiscard]] std::string_view http_date();

    [[nodiscard]] ShardThread& thread() const noexcept { return *thread_; }
    [[nodiscard]] core::Shard& shard() const noexcept { return thread_->shard(); }
    [[nodiscard]] const TransportConfig& config() const noexcept { return config_; }
    // Which pages may use what lies below /api/, and how their browsers are told.
    [[nodiscard]] const Cors& cors() const noexcept { return cors_; }
    [[nodiscard]] const TrustedProxies& proxies() const noexcept { return proxies_; }
    // The shard's one compressor, made with the first answer that needs it.
    [[nodiscard]] protocol::GzipEncoder& gzip();
    // When somebody who is refused may come back: drawn, so that not all come at once.
    [[nodiscard]] core::Duration retry_after();
    [[nodiscard]] core::TimePoint now() const noexcept { return shard().now().mono; }
    // Arms a timer of this shard.
    void arm(core::Timer& timer, core::TimePoint due) noexcept;

private:
    using ConnectionList =
        boost::intrusive::list<Connection, boost::intrusive::constant_time_size<false>>;
    struct DrainTimer : core::Timer {
        DrainTimer(Gate& owner, Fire fire) noexcept : Timer(fire), gate(&owner) {}
        Gate* gate;
    };

    [[nodiscard]] AdmissionRefusal judge_newcomer(AdmissionTicket& ticket) noexcept;
    [[nodiscard]] AdmissionRefusal judge_address(AdmissionTicket& ticket,
                                                 const boost::asio::ip::address& address,
                                                 AddressKey key);
    [[nodiscard]] AdmissionRefusal counted(AdmissionRefusal refusal) noexcept;
    // Counts what was decided; false where the connection is closed without a word.
    [[nodiscard]] bool conclude(AdmissionRefusal refusal) noexcept;
    // Connections on any list.
    [[nodiscard]] std::size_t held() const noexcept { return count_ + refusing_ + arriving_count_; }
    Awaitable<void> serve(TcpStream stream, boost::asio::ip::tcp::endpoint peer,
                          AdmissionRefusal refusal, ListenerKind kind);
    Awaitable<void> serve_proxied(TcpStream stream, boost::asio::ip::tcp::endpoint proxy,
                                  AdmissionRefusal refusal, ListenerKind kind);

    void close_due() noexcept;
    void abort_all() noexcept;
    void check_gone();
    void turn_ended() noexcept;

    ShardThread* thread_;
    TransportConfig config_;  // its own: it changes on this thread only
    Admission* admission_;
    Cors cors_;
    TrustedProxies proxies_;
    std::unique_ptr<protocol::GzipEncoder> gzip_;
    std::vector<std::unique_ptr<Frontend>> frontends_;
    std::vector<std::unique_ptr<Listener>> listeners_;
    std::span<const std::unique_ptr<Gate>> neighbours_;
    core::FileStore* file_store_ = nullptr;
    ConnectionList open_;
    ConnectionList leaving_;  // told to close by the drain
    ConnectionList refused_;
    ConnectionList arriving_;
    std::size_t count_ = 0;
    std::size_t refusing_ = 0;
    std::size_t arriving_count_ = 0;

    bool ending_ = false;
    bool draining_ = false;
    DrainTimer drain_timer_;
    core::TimePoint drain_start_;
    core::TimePoint drain_deadline_;
    std::size_t drain_total_ = 0;  // that are to be closed
    std::size_t drain_closed_ = 0;
    std::function<void()> gone_;

    std::shared_ptr<const TlsContexts> tls_;
    std::unique_ptr<TlsRecordBuffer> tls_record_;
    CorkBuffer cork_;
    std::vector<Connection*> after_turn_;
    std::string date_;
    std::chrono::seconds date_second_{-1};
};

}  // namespace parley::transports
