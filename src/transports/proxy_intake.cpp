#include "transports/proxy_intake.hpp"

#include <algorithm>
#include <span>

#include "protocol/proxy_protocol.hpp"
#include "transports/connection.hpp"
#include "transports/gate.hpp"
#include "transports/log.hpp"

namespace parley::transports {
namespace {

using boost::asio::ip::tcp;
using protocol::ProxiedPeer;
using protocol::ProxyHeaderDecoder;

// A connection that has said nothing yet but who it is. It owes nobody a goodbye.
class ProxyIntake final : public Connection, private core::Timer {
public:
    ProxyIntake(Gate& gate, TcpStream& stream, bool refused)
        : Timer([](core::Timer& timer) noexcept {
              auto& self = static_cast<ProxyIntake&>(timer);
              self.error_ = "no PROXY header in time";
              self.stream_.cancel();
          }),
          gate_(gate),
          stream_(stream),
          refused_(refused) {
        refused_ ? gate_.add_refused(*this) : gate_.add_arriving(*this);
        const core::Duration time = gate_.config().head_timeout;
        gate_.arm(*this, gate_.now() + (refused_ ? std::min(time, refused_time) : time));
    }
    ~ProxyIntake() override {
        refused_ ? gate_.remove_refused(*this) : gate_.remove_arriving(*this);
    }

    // True once the header is there.
    Awaitable<bool> receive() {
        for (;;) {
            const std::span<char> buffer = gate_.thread().receive_buffer();
            const IoResult peeked = stream_.try_peek(buffer);
            if (peeked.status == IoResult::Status::done) {
                const auto step = decoder_.feed({buffer.data(), peeked.bytes});
                // What belongs to the header leaves the socket, and nothing else does.
                static_cast<void>(stream_.try_read(buffer.first(step.consumed)));
                if (step.status == ProxyHeaderDecoder::Status::complete) co_return true;
                error_ = decoder_.error();
                if (step.status == ProxyHeaderDecoder::Status::malformed) co_return false;
                continue;
            }
            if (peeked.status != IoResult::Status::would_block) {
                error_ = "the connection ended before its PROXY header";
                co_return false;
            }
            const auto [error] = co_await stream_.wait_readable(await_tuple);
            if (error || !error_.empty()) co_return false;
            gate_.thread().refresh_now();
        }
    }
    [[nodiscard]] const ProxiedPeer& peer() const noexcept { return decoder_.peer(); }
    [[nodiscard]] std::string_view error() const noexcept { return error_; }

    bool announce_drain() noexcept override { return false; }
    void close(const core::CloseReason&) noexcept override { stream_.cancel(); }
    void abort() noexcept override { stream_.close(); }

private:
    Gate& gate_;
    TcpStream& stream_;
    bool refused_;
    ProxyHeaderDecoder decoder_;
    std::string_view error_;
};

tcp::endpoint endpoint_of(const ProxiedPeer& peer, const tcp::endpoint& proxy) {
    namespace ip = boost::asio::ip;
    switch (peer.family) {
        case ProxiedPeer::Family::v4: {
            ip::address_v4::bytes_type bytes{};
            std::copy_n(peer.address.begin(), bytes.size(), bytes.begin());
            return {ip::address_v4(bytes), peer.port};
        }
        case ProxiedPeer::Family::v6: {
            const ip::address_v6 address(peer.address);
            if (address.is_v4_mapped()) {
                return {ip::make_address_v4(ip::v4_mapped, address), peer.port};
            }
            return {address, peer.port};
        }
        case ProxiedPeer::Family::none:
            break;
    }
    return proxy;
}

}  // namespace

Awaitable<std::optional<tcp::endpoint>> receive_proxy_header(Gate& gate, TcpStream& stream,
                                                             tcp::endpoint proxy, bool refused) {
    std::string_view error = "nobody from there may send a PROXY header";
    if (gate.proxies().trusts(proxy.address())) {
        ProxyIntake intake(gate, stream, refused);
        if (co_await intake.receive()) co_return endpoint_of(intake.peer(), proxy);
        error = intake.error();
    }
    // Without a word of why it was cut off: the server is going.
    if (!error.empty()) {
        gate.shard().metrics().add(core::Metric::proxy_headers_refused);
        log::debug("connection refused", {{"peer", proxy.address().to_string()}, {"error", error}});
    }
    stream.close();
    gate.descriptor_closed();
    co_return std::nullopt;
}

}  // namespace parley::transports
