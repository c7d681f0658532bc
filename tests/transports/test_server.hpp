// TestServer: shards with their gates on a port of their own, in this process.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "core/hub.hpp"
#include "transports/frontend_table.hpp"
#include "transports/gate.hpp"
#include "transports/loopback_client.hpp"
#include "transports/send_ring.hpp"
#include "transports/tls_contexts.hpp"

namespace parley::transports::test {

// What servers of tests take for the process's memory.
inline std::atomic<std::size_t> pretended_memory{0};

// Without rates: what a test says is all let through.
inline core::Config unlimited(std::uint32_t shards = 1) {
    core::Config config;
    config.shards = shards;
    config.limits.enabled = false;
    return config;
}

class TestServer {
public:
    explicit TestServer(core::Config core = {}, TransportConfig transports = {},
                        std::span<const FrontendEntry> table = frontends,
                        const std::shared_ptr<const TlsContexts>& tls = nullptr,
                        core::Accounts* accounts = nullptr)
        : config_(std::move(transports)) {
        for (std::uint32_t i = 0; i < core.shards; ++i) threads_.emplace_back(uring(config_.io));
        std::vector<core::ShardLoop*> loops;
        for (ShardThread& thread : threads_) loops.push_back(&thread);
        hub_.emplace(std::move(core), loops, core::machine_now(), 42);
        hub_->set_accounts(accounts);
        boost::asio::ip::tcp::endpoint endpoint(boost::asio::ip::address_v4::loopback(), 0);
        boost::asio::ip::tcp::endpoint tls_endpoint = endpoint;
        for (std::size_t i = 0; i < threads_.size(); ++i) {
            threads_[i].attach(hub_->shard(i));
            gates_.push_back(std::make_unique<Gate>(threads_[i], config_, connections_, table));
            endpoint = gates_.back()->listen(endpoint);
            if (!tls) continue;
            gates_.back()->set_tls(tls);
            tls_endpoint = gates_.back()->listen(tls_endpoint, ListenerKind::tls);
        }
        for (const auto& gate : gates_) gate->set_neighbours(gates_);
        port_ = endpoint.port();
        tls_port_ = tls_endpoint.port();
        for (ShardThread& thread : threads_) thread.start();
    }
    ~TestServer() {
        for (ShardThread& thread : threads_) thread.stop();
        for (ShardThread& thread : threads_) thread.join();
        if (when_joined_) when_joined_();
        gates_.clear();
        EXPECT_EQ(connections_.now(), 0U) << "a connection was left behind";
    }
    TestServer(const TestServer&) = delete;
    TestServer& operator=(const TestServer&) = delete;

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    [[nodiscard]] core::Hub& hub() noexcept { return *hub_; }
    [[nodiscard]] Gate& gate(std::size_t shard) noexcept { return *gates_[shard]; }
    [[nodiscard]] std::uint16_t tls_port() const noexcept { return tls_port_; }
    // Gives every gate a place for files and waits until they have it; `stop` ends its threads.
    void set_file_store(core::FileStore& store, std::function<void()> stop) {
        when_joined_ = std::move(stop);
        for (std::size_t i = 0; i < gates_.size(); ++i) {
            std::promise<void> done;
            hub_->shard(i).post([&](core::Shard&) {
                gates_[i]->set_file_store(&store);
                done.set_value();
            });
            done.get_future().get();
        }
    }
    // Gives every gate other contexts and waits until they have them.
    void set_tls(const std::shared_ptr<const TlsContexts>& tls) {
        for (std::size_t i = 0; i < gates_.size(); ++i) {
            std::promise<void> done;
            hub_->shard(i).post([&](core::Shard&) {
                gates_[i]->set_tls(tls);
                done.set_value();
            });
            done.get_future().get();
        }
    }
    [[nodiscard]] std::uint64_t total(core::Metric metric) const { return hub_->total(metric); }

    [[nodiscard]] Admission& admission() noexcept { return connections_; }

    // Starts a drain of the first shard, once that has been told to everybody there; the future is
    // ready when it has no connection left.
    [[nodiscard]] std::future<void> drain(core::Duration deadline) {
        auto gone = std::make_shared<std::promise<void>>();
        std::promise<void> begun;
        hub_->shard(0).post([&](core::Shard&) {
            gates_[0]->drain(deadline, [gone] { gone->set_value(); });
            begun.set_value();
        });
        begun.get_future().get();
        return gone->get_future();
    }

    // What a server with that setting would do.
    [[nodiscard]] static bool uring(IoChoice choice) {
        static const bool offered = !send_ring_refusal();
        return choice == IoChoice::uring || (choice == IoChoice::automatic && offered);
    }

private:
    TransportConfig config_;
    Admission connections_{
        []() noexcept -> std::size_t { return pretended_memory.load(std::memory_order_relaxed); }};
    std::deque<ShardThread> threads_;
    std::optional<core::Hub> hub_;
    std::vector<std::unique_ptr<Gate>> gates_;
    std::function<void()> when_joined_;
    std::uint16_t port_ = 0;
    std::uint16_t tls_port_ = 0;
};

// Counters move on the shard's thread, a moment behind what a client sees.
inline void await_total(const TestServer& server, core::Metric metric, std::uint64_t least) {
    const auto end = std::chrono::steady_clock::now() + LoopbackClient::patience;
    while (server.total(metric) < least && std::chrono::steady_clock::now() < end) {
        std::this_thread::yield();
    }
    EXPECT_GE(server.total(metric), least) << core::name_of(metric);
}

}  // namespace parley::transports::test
