// A publishing thread of the room ring's model: try_claim(), publish() and flag(), one step for
// each atomic access.
#pragma once

#include <algorithm>

#include "sim/room_ring_model_state.hpp"

namespace parley::test::ring_model {

class ProducerSteps {
public:
    explicit ProducerSteps(Rules& rules) : rules_(rules) {}

    void step(State& s, Producer& p) {
        switch (p.doing) {
            case Doing::load_newest:
                p.segment = s.newest;
                p.doing = Doing::load_word;
                return;
            case Doing::load_word:
                load_word(s, p);
                return;
            case Doing::load_cursor_1st:
                p.least = s.cursor[rules_.mutated(Mutation::home_read_last) ? 1 : 0];
                p.doing = Doing::load_cursor_2nd;
                if (rules_.config.consumers == 1) judge(p);
                return;
            case Doing::load_cursor_2nd:
                p.least =
                    std::min(p.least, s.cursor[rules_.mutated(Mutation::home_read_last) ? 0 : 1]);
                judge(p);
                return;
            case Doing::claim:
                claim(s, p);
                return;
            case Doing::look_again:
                look_again(s, p);
                return;
            case Doing::close:
                if (unchanged(s, p)) s.segments[p.segment].closed = 1;
                return start_again(p);
            case Doing::load_next:
                p.doing = s.segments[p.segment].linked != 0 ? Doing::move_newest : Doing::link;
                return;
            case Doing::link:
                link(s, p);
                return;
            case Doing::move_newest:
                if (s.newest == p.segment) s.newest = static_cast<Byte>(p.segment + 1);
                return start_again(p);
            default:
                publish_and_wake(s, p);
        }
    }

private:
    void load_word(const State& s, Producer& p) const {
        const Segment& segment = s.segments[p.segment];
        p.messages = segment.messages;
        p.transients = segment.transients;
        p.doing = segment.closed != 0 ? Doing::load_next : Doing::load_cursor_1st;
    }

    void judge(Producer& p) const {
        const auto backlog = static_cast<Byte>(p.messages + p.transients - p.least);  // stale: huge
        p.least = 0;
        const int more = rules_.mutated(Mutation::count_backlog_one_short) ? 1 : 0;
        p.doing = backlog < rules_.slots(p.segment) + more ? Doing::claim : Doing::look_again;
    }

    [[nodiscard]] bool unchanged(const State& s, const Producer& p) const {
        const Segment& segment = s.segments[p.segment];
        return segment.messages == p.messages && segment.transients == p.transients &&
               (segment.closed == 0 || rules_.mutated(Mutation::claim_though_closed));
    }

    void claim(State& s, Producer& p) {
        if (!unchanged(s, p)) return start_again(p);
        const bool message = p.left % 2 == 0;
        Segment& segment = s.segments[p.segment];
        if (message) {
            ++segment.messages;
            rules_.promise(segment.messages == ++s.messages,
                           "offsets follow one another without a hole");
        } else {
            ++segment.transients;
        }
        p.sequence = static_cast<Byte>(p.messages + p.transients);
        p.messages = p.transients = 0;
        rules_.promise(p.sequence == s.claimed++, "one place in the order for one entry");
        p.doing =
            rules_.mutated(Mutation::flag_before_publish) ? Doing::look_attached : Doing::publish;
    }

    void look_again(const State& s, Producer& p) {
        const bool room_to_grow =
            p.segment == 0 && rules_.config.slots_first < rules_.config.slots_max;
        if (!unchanged(s, p)) return start_again(p);
        if (room_to_grow) {
            p.doing = Doing::close;
            return;
        }
        ++rules_.result.refused;
        finish(p);
    }

    void link(State& s, Producer& p) {
        if (s.segments[0].linked == 0) {
            Segment& next = s.segments[1];
            next.messages = p.messages;
            next.transients = p.transients;
            next.first = static_cast<Byte>(p.messages + p.transients);
            s.segments[0].linked = 1;
            ++rules_.result.grown;
        }
        p.doing = Doing::move_newest;
    }

    void publish_and_wake(State& s, Producer& p) {
        switch (p.doing) {
            case Doing::publish:
                publish(s, p);
                return;
            case Doing::look_attached:
                if (s.cursor[p.shard] == away) return next_shard(p);
                p.doing = Doing::look_flag;
                return;
            case Doing::look_flag:
                if (s.flagged[p.shard] != 0) return next_shard(p);
                p.doing = Doing::raise_flag;
                return;
            case Doing::raise_flag: {
                const bool raised = s.flagged[p.shard] != 0;
                s.flagged[p.shard] = 1;
                if (raised) return next_shard(p);
                p.doing = Doing::push_node;
                return;
            }
            case Doing::push_node:
                rules_.promise(s.mailbox[p.shard] == 0, "a node is in a mailbox once");
                s.mailbox[p.shard] = 1;
                return next_shard(p);
            default:
                rules_.promise(false, "the model knows what a producer does");
        }
    }

    void publish(State& s, Producer& p) {
        Slot& target = rules_.slot(s, p.segment, p.sequence);
        if (target.entry != 0) rules_.drop(s, target.entry);
        target = Slot{static_cast<Byte>(p.sequence + 1), rules_.lap(s, p.segment, p.sequence)};
        s.published_mask = static_cast<Byte>(s.published_mask | 1U << p.sequence);
        p.published = 1;
        p.segment = p.sequence = 0;
        p.doing = Doing::look_attached;
        if (rules_.mutated(Mutation::flag_before_publish)) finish(p);
    }

    void next_shard(Producer& p) {
        p.doing = Doing::look_attached;
        if (++p.shard < rules_.config.consumers) return;
        if (p.published == 0) {
            p.doing = Doing::publish;
        } else {
            finish(p);
        }
    }

    // What is not needed any more is forgotten, so that fewer states differ.
    static void start_again(Producer& p) {
        p = Producer{Doing::load_newest, p.left, 0, 0, 0, 0, 0, 0, 0};
    }
    static void finish(Producer& p) {
        --p.left;
        start_again(p);
    }

    Rules& rules_;
};

}  // namespace parley::test::ring_model
