// A model of the room ring, small enough to try every interleaving of its steps.
//
// Two producers and one or two consumers are state machines whose every step is one atomic access
// of core/room_ring.hpp, in the same order; memory is sequentially consistent (what the weaker
// orders give is argued there, in steps 1 to 7, whose numbers are used here). Sequences are not
// taken modulo anything. Addresses of entries are all alike, as if the allocator always returned
// the one last freed. run() visits every reachable state and names the first promise that breaks.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "sim/room_ring_model_consumer.hpp"
#include "sim/room_ring_model_producer.hpp"
#include "sim/room_ring_model_state.hpp"
#include "support/fingerprint_set.hpp"

namespace parley::test::ring_model {

class Model {
public:
    explicit Model(const ModelConfig& config) : rules_(config) {}

    ModelResult run() {
        visit(first_state());
        while (!open_.empty() && rules_.result.broken.empty()) {
            const State state = open_.back();
            open_.pop_back();
            expand(state);
        }
        rules_.result.states = seen_.size();
        return rules_.result;
    }

private:
    [[nodiscard]] State first_state() const {
        State s{};
        s.cursor = {0, away};
        for (Segment& segment : s.segments) {
            for (Slot& slot : segment.slots) slot.lap = 1;
        }
        for (Producer& p : s.producer) {
            p.doing = Doing::load_newest;
        }
        s.producer[0].left = rules_.config.entries;
        s.producer[1].left = rules_.config.entries_2nd;
        for (Consumer& c : s.consumer) c.doing = Doing::idle;
        s.consumer[0].attached = 1;
        if (rules_.config.consumers == 2 && rules_.config.attaches == 0) {
            s.consumer[1].attached = 1;
            s.cursor[1] = 0;
        }
        s.attaches_left = rules_.config.attaches;
        s.detaches_left = rules_.config.detaches;
        return s;
    }

    void expand(const State& state) {
        bool busy = false;
        for (Byte i = 0; i < producers; ++i) {
            if (state.producer[i].left == 0) continue;
            busy = true;
            State after = state;
            ProducerSteps(rules_).step(after, after.producer[i]);
            visit(after);
        }
        for (Byte i = 0; i < rules_.config.consumers; ++i) {
            State after = state;
            if (ConsumerSteps(rules_).step(after, i)) {
                busy = true;
                visit(after);
            }
        }
        if (!busy) {
            ++rules_.result.quiet;
            check_quiet(state);
        }
        come_and_go(state);
    }

    void visit(State state) {
        // The producers are alike: which is which makes no difference.
        if (state.producer[1] < state.producer[0]) std::swap(state.producer[0], state.producer[1]);
        std::array<std::uint64_t, sizeof(State) / sizeof(std::uint64_t)> words;
        std::memcpy(words.data(), &state, sizeof state);
        std::uint64_t hash = 0;
        for (const std::uint64_t word : words) {
            hash = (hash ^ word) * 0x9E3779B97F4A7C15ULL;
            hash ^= hash >> 32;
        }
        if (seen_.insert(hash)) open_.push_back(state);
    }

    // What may happen, but need not.
    void come_and_go(const State& state) {
        const Consumer& home = state.consumer[0];
        const Consumer& other = state.consumer[1];
        if (other.doing != Doing::idle || state.attach_notice != 0) return;
        if (other.attached == 0 && home.doing == Doing::idle && state.attaches_left > 0) {
            State after = state;
            after.consumer[1].attached = 1;
            after.consumer[1].position = home.position;
            after.consumer[1].segment = home.segment;
            after.cursor[1] = after.cursor[0];
            after.attach_notice = 1;
            --after.attaches_left;
            visit(after);
        }
        if (other.attached != 0 && state.detaches_left > 0) {
            State after = state;
            after.consumer[1].attached = 0;
            after.cursor[1] = away;
            --after.detaches_left;
            visit(after);
        }
    }

    void check_quiet(const State& s) {
        for (Byte i = 0; i < rules_.config.consumers; ++i) {
            const Consumer& c = s.consumer[i];
            rules_.promise(c.attached == 0 || c.position == s.claimed,
                           "no wake-up is lost: every attached shard has taken everything");
            rules_.promise(s.flagged[i] == 0, "no flag stays up without a wake-up");
        }
        rules_.promise(s.published_mask == (1U << s.claimed) - 1, "every claim was published");
    }

    Rules rules_;
    std::vector<State> open_;
    FingerprintSet seen_;
};

}  // namespace parley::test::ring_model
