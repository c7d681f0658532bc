// SimulatedAudience: a hub whose sessions are counters instead of sockets, to measure what a
// delivery costs before the kernel comes into it.
//
// Path:     benchmark → Hub, Subscriber → [CountingTransport]
// Runs on:  one thread a shard.
// Owned by: a benchmark.
// Bounds:   as many subscribers as asked for.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/hub.hpp"
#include "core/subscriber.hpp"

namespace parley::bench {

inline constexpr core::WireFormat bare_json{
    0, [](const core::WireFormat&, const core::Publication& publication, std::string& out) {
        out += publication.json();
    }};
inline constexpr core::TransportTraits counting_traits{"counting", &bare_json};

// Takes everything at once, and looks at each frame as a kernel would: its length and first bytes.
class CountingTransport final : public core::Transport {
public:
    CountingTransport() noexcept : Transport(counting_traits) {}
    core::WriteResult write_some(std::span<const core::Frame* const> frames) noexcept override {
        for (const core::Frame* frame : frames) bytes += frame->bytes().size();
        return {frames.size(), false};
    }
    void reply(const core::Reply&) noexcept override {}
    void close(const core::CloseReason&) noexcept override {}
    void resume() noexcept override {}

    std::uint64_t bytes = 0;
};

// A loop that is polled: whoever runs the shard looks whether there is anything to do.
class PolledLoop final : public core::ShardLoop {
public:
    void run_soon() noexcept override { due_.store(true, std::memory_order_relaxed); }
    void wake() noexcept override { due_.store(true, std::memory_order_release); }
    [[nodiscard]] bool take() noexcept { return due_.exchange(false, std::memory_order_acquire); }
    [[nodiscard]] bool due() const noexcept { return due_.load(std::memory_order_acquire); }

private:
    alignas(64) std::atomic<bool> due_{false};
};

class SimulatedAudience {
public:
    SimulatedAudience(std::uint32_t shards, std::size_t subscribers_per_shard, std::string room)
        : room_(std::move(room)), loops_(shards) {
        core::Config config;
        config.shards = shards;
        config.limits.enabled = false;
        config.history.messages = 0;
        std::vector<core::ShardLoop*> pointers;
        for (auto& loop : loops_) pointers.push_back(&loop);
        hub_ = std::make_unique<core::Hub>(config, pointers, core::machine_now(), 1);
        for (std::uint32_t shard = 0; shard < shards; ++shard) {
            for (std::size_t i = 0; i < subscribers_per_shard; ++i) open(shard);
        }
        settle();
    }
    ~SimulatedAudience() {
        for (auto& subscriber : subscribers_) subscriber->closed(core::close_reasons::normal);
        settle();
    }
    SimulatedAudience(const SimulatedAudience&) = delete;
    SimulatedAudience& operator=(const SimulatedAudience&) = delete;

    // One message from the first subscriber of that shard.
    void publish(std::uint32_t shard, const std::string& text) {
        first_of_[shard]->handle(
            {{}, protocol::Send{room_, {protocol::Body::Kind::text, text}, {}, {}}});
    }
    // Runs that shard while it has anything to do.
    void run(std::uint32_t shard) {
        while (loops_[shard].take()) hub_->shard(shard).turn(core::machine_now());
    }
    // One turn of that shard if it has anything to do.
    void run_once(std::uint32_t shard) {
        if (loops_[shard].take()) hub_->shard(shard).turn(core::machine_now());
    }
    [[nodiscard]] std::uint64_t delivered(std::uint32_t shard) const {
        return hub_->shard(shard).metrics().read(core::Metric::deliveries_written);
    }

private:
    void open(std::uint32_t shard) {
        auto& transport = transports_.emplace_back(std::make_unique<CountingTransport>());
        auto subscriber = core::Subscriber::open(hub_->shard(shard), *transport, {"192.0.2.1", {}});
        subscriber->handle({{}, protocol::Join{room_, {}, 0, false}});
        if (first_of_.size() == shard) first_of_.push_back(subscriber.get());
        subscribers_.push_back(std::move(subscriber));
        if (hub_->shard_count() > 1) settle();
    }
    void settle() {
        for (bool any = true; any;) {
            any = false;
            for (std::uint32_t i = 0; i < loops_.size(); ++i) {
                if (!loops_[i].due()) continue;
                any = true;
                run(i);
            }
        }
    }

    std::string room_;
    std::vector<PolledLoop> loops_;
    std::unique_ptr<core::Hub> hub_;
    std::vector<std::unique_ptr<CountingTransport>> transports_;
    std::vector<std::shared_ptr<core::Subscriber>> subscribers_;
    std::vector<core::Subscriber*> first_of_;
};

}  // namespace parley::bench
