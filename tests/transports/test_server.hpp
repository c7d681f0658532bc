// TestServer: one shard with its gate on a port of its own, in this process.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "core/hub.hpp"
#include "transports/frontend_table.hpp"
#include "transports/gate.hpp"

namespace parley::transports::test {

class TestServer {
public:
    explicit TestServer(core::Config core = {}, TransportConfig transports = {},
                        std::span<const FrontendEntry> table = frontends)
        : config_(std::move(transports)),
          hub_(std::move(core), {&thread_}, core::machine_now(), 42) {
        thread_.attach(hub_.shard(0));
        gate_.emplace(thread_, config_, connections_, table);
        port_ = gate_->listen({boost::asio::ip::address_v4::loopback(), 0}).port();
        thread_.start();
    }
    ~TestServer() {
        thread_.stop();
        thread_.join();
        gate_.reset();
        EXPECT_EQ(connections_.now(), 0U) << "a connection was left behind";
    }
    TestServer(const TestServer&) = delete;
    TestServer& operator=(const TestServer&) = delete;

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    [[nodiscard]] std::uint64_t total(core::Metric metric) const { return hub_.total(metric); }

    // Calls that on the shard and waits for its end.
    void on_shard(const std::function<void(Gate&)>& task) {
        std::promise<void> done;
        hub_.shard(0).post([&](core::Shard&) {
            task(*gate_);
            done.set_value();
        });
        done.get_future().get();
    }
    // Starts a drain; the future is ready when no connection is left.
    [[nodiscard]] std::future<void> drain(core::Duration deadline) {
        auto gone = std::make_shared<std::promise<void>>();
        auto ready = gone->get_future();
        on_shard([&](Gate& gate) { gate.drain(deadline, [gone] { gone->set_value(); }); });
        return ready;
    }

private:
    TransportConfig config_;
    ShardThread thread_;
    core::Hub hub_;
    ConnectionCount connections_;
    std::optional<Gate> gate_;
    std::uint16_t port_ = 0;
};

}  // namespace parley::transports::test
