// Peer: one end of a simulated session: a transport that takes everything at once, and the timer of
// its heartbeat, as every connection has one.
//
// Path:     Audience, Subscriber → [Peer]
// Runs on:  the thread of its population.
// Owned by: Population.
// Bounds:   keeps nothing that it is handed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/shard.hpp"
#include "core/subscriber.hpp"
#include "core/timer_wheel.hpp"

namespace parley::bench {

// What all peers of a population have seen.
struct Seen {
    std::uint64_t frames = 0;
    std::uint64_t bytes = 0;
    std::uint64_t replies = 0;
    std::uint64_t pings = 0;
    std::uint64_t blocked = 0;  // told to end, or refused: there must be none
    std::string scratch;        // replies are encoded into it, as a transport has to
};

class Peer final : public core::Transport {
public:
    Peer(core::Shard& shard, Seen& seen, const core::PeerIdentity& identity)
        : Transport(traits), seen_(&seen), ping_(*this) {
        session_ = core::Subscriber::open(shard, *this, identity);
    }

    [[nodiscard]] core::Subscriber& session() const noexcept { return *session_; }
    // The connection ends with a goodbye.
    void end() {
        session_->closed(core::close_reasons::normal);
        session_.reset();
    }
    void arm_ping(core::TimePoint due) noexcept { session_->shard().timers().arm(ping_, due); }

    core::WriteResult write_some(std::span<const core::Frame* const> frames) noexcept override {
        // As a kernel would: the length and the first bytes.
        for (const core::Frame* frame : frames) seen_->bytes += frame->bytes().size();
        seen_->frames += frames.size();
        return {frames.size(), false};
    }
    void reply(const core::Reply& reply) noexcept override {
        ++seen_->replies;
        if (std::holds_alternative<protocol::Error>(reply.message)) ++seen_->blocked;
        seen_->scratch.clear();
        core::append_reply(seen_->scratch, reply);
    }
    void close(const core::CloseReason&) noexcept override { ++seen_->blocked; }
    void resume() noexcept override {}

private:
    static constexpr core::WireFormat bare_json{
        0, [](const core::WireFormat&, const core::Publication& publication, std::string& out) {
            out += publication.json();
        }};
    static constexpr core::TransportTraits traits{"simulated", &bare_json};

    struct Ping : core::Timer {
        explicit Ping(Peer& peer) noexcept : Timer(&fire), owner(&peer) {}
        static void fire(Timer& timer) noexcept {
            Peer& peer = *static_cast<Ping&>(timer).owner;
            ++peer.seen_->pings;
            const core::Shard& shard = peer.session_->shard();
            peer.arm_ping(shard.now().mono + shard.config().heartbeat.ping_every);
        }
        Peer* owner;
    };

    Seen* seen_;
    Ping ping_;
    std::shared_ptr<core::Subscriber> session_;
};

}  // namespace parley::bench
