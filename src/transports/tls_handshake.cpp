#include "transports/tls_handshake.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "transports/connection.hpp"
#include "transports/gate.hpp"
#include "transports/http_connection.hpp"
#include "transports/log.hpp"
#include "transports/tls_contexts.hpp"
#include "transports/tls_stream.hpp"

namespace parley::transports {
namespace {

using boost::asio::ip::tcp;
using core::Metric;

// What a peer whose handshake failed may still send before it is cut off: closing over unread bytes
// would reset the connection and take the alert, or the answer, with it.
constexpr std::size_t handshake_linger_bytes_max = 64 * 1024;
constexpr std::chrono::milliseconds handshake_linger_time{1'000};

constexpr std::string_view plain_answer =
    "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n"
    "Content-Length: 49\r\nConnection: close\r\n\r\n"
    "This port speaks TLS: the address begins https://";

class TlsHandshake final : public Connection {
public:
    TlsHandshake(Gate& gate, TcpStream socket, AdmissionRefusal refusal)
        : gate_(gate),
          contexts_(gate.tls()),
          stream_(std::move(socket), contexts_->make_connection(), gate.tls_record()),
          refused_(refusal != AdmissionRefusal::none),
          deadline_(*this) {
        refused_ ? gate_.add_refused(*this) : gate_.add(*this);
    }
    ~TlsHandshake() override {
        deadline_.cancel();
        if (!done_) {
            stream_.close();
            gate_.descriptor_closed();
        }
        refused_ ? gate_.remove_refused(*this) : gate_.remove(*this);
    }

    // True: take() has the stream.
    Awaitable<bool> run();
    [[nodiscard]] TlsStream take() noexcept {
        done_ = true;
        return std::move(stream_);
    }

    bool announce_drain() noexcept override {
        end_soon();
        return false;
    }
    void close(const core::CloseReason&) noexcept override { end_soon(); }
    void abort() noexcept override {
        closing_ = true;
        stream_.close();
    }

private:
    struct Deadline : core::Timer {
        explicit Deadline(TlsHandshake& owner) noexcept
            : Timer([](core::Timer& timer) noexcept {
                  auto& self = static_cast<Deadline&>(timer);
                  self.passed = true;
                  self.handshake->stream_.cancel();
              }),
              handshake(&owner) {}
        TlsHandshake* handshake;
        bool passed = false;
    };

    // Nothing was promised to this peer yet: it connects to another server.
    void end_soon() noexcept {
        closing_ = true;
        stream_.cancel();
    }
    Awaitable<void> refuse(TlsStream::Handshake step);

    Gate& gate_;
    std::shared_ptr<const TlsContexts> contexts_;  // the handshake calls back into them
    TlsStream stream_;
    bool refused_;
    bool closing_ = false;
    bool done_ = false;
    Deadline deadline_;
};

Awaitable<bool> TlsHandshake::run() {
    using Step = TlsStream::Handshake;
    core::ShardMetrics& metrics = gate_.shard().metrics();
    const core::Duration time = contexts_->handshake_timeout();
    gate_.arm(deadline_, gate_.now() + (refused_ ? std::min(time, refused_time) : time));
    for (;;) {
        const Step step = stream_.handshake();
        if (step == Step::done) break;
        if (step == Step::failed || step == Step::plain_http) {
            metrics.add(Metric::tls_handshake_failures);
            co_await refuse(step);
            co_return false;
        }
        const auto [error] = step == Step::wants_read
                                 ? co_await stream_.socket().wait_readable(await_tuple)
                                 : co_await stream_.socket().wait_writable(await_tuple);
        if (deadline_.passed) {
            metrics.add(Metric::tls_handshake_timeouts);
            co_return false;
        }
        if (error || closing_) co_return false;
    }
    metrics.add(Metric::tls_handshakes);
    if (stream_.resumed()) metrics.add(Metric::tls_resumptions);
    co_return true;
}

// Says what can be said, and gives the peer the time to read it.
Awaitable<void> TlsHandshake::refuse(TlsStream::Handshake step) {
    TcpStream& socket = stream_.socket();
    log::debug("tls handshake failed", {{"error", take_openssl_error()}});
    if (step == TlsStream::Handshake::plain_http) {
        // Fits any socket's buffer; a peer that takes no bytes would not read them either.
        const iovec answer = buffer_of(plain_answer);
        static_cast<void>(socket.try_write(std::span(&answer, 1)));
    }
    socket.shutdown_write();
    gate_.arm(deadline_, gate_.now() + handshake_linger_time);
    std::size_t dropped = 0;
    while (dropped < handshake_linger_bytes_max && !closing_) {
        const IoResult read = socket.try_read(gate_.thread().receive_buffer());
        if (read.status == IoResult::Status::done) {
            dropped += read.bytes;
            continue;
        }
        if (read.status != IoResult::Status::would_block) co_return;
        const auto [error] = co_await socket.wait_readable(await_tuple);
        if (error || deadline_.passed) co_return;
    }
}

}  // namespace

Awaitable<void> serve_tls(Gate& gate, TcpStream socket, tcp::endpoint peer,
                          AdmissionRefusal refusal) {
    std::optional<TlsStream> stream;
    {
        TlsHandshake handshake(gate, std::move(socket), refusal);
        if (!co_await handshake.run()) co_return;
        stream.emplace(handshake.take());
    }
    co_await serve_http(gate, std::move(*stream), peer, refusal);
}

}  // namespace parley::transports
