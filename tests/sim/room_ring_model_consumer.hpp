// A shard of the room ring's model: the mailbox, unflag(), drain() and release_taken(), one step
// for each atomic access.
#pragma once

#include <algorithm>

#include "sim/room_ring_model_state.hpp"

namespace parley::test::ring_model {

class ConsumerSteps {
public:
    explicit ConsumerSteps(Rules& rules) : rules_(rules) {}

    // False when the shard has nothing to do.
    bool step(State& s, Byte index) {
        Consumer& c = s.consumer[index];
        switch (c.doing) {
            case Doing::idle:
                return receive(s, index);
            case Doing::unflag:
                s.flagged[index] = 0;
                c.doing = c.attached != 0 ? Doing::load_slot : Doing::idle;
                return true;
            case Doing::load_slot:
                take(s, c);
                return true;
            case Doing::load_following:
                follow(s, c);
                return true;
            case Doing::store_cursor:
                s.cursor[index] = c.position;
                c.doing = c.late != 0 ? Doing::unflag_late : Doing::idle;
                if (index == 0 && c.late == 0) c.doing = after_drain();
                return true;
            case Doing::unflag_late:
                s.flagged[index] = 0;
                c.late = 0;
                c.doing = index == 0 ? after_drain() : Doing::idle;
                return true;
            default:
                release(s, c);
                return true;
        }
    }

private:
    [[nodiscard]] Doing after_drain() const {
        return rules_.config.release ? Doing::scan : Doing::idle;
    }

    // A consumer's loop: it runs only when it was woken.
    bool receive(State& s, Byte index) const {
        Consumer& c = s.consumer[index];
        if (index == 1 && s.attach_notice != 0) {
            s.attach_notice = 0;
            c.doing =
                rules_.mutated(Mutation::unflag_when_attached) ? Doing::unflag : Doing::load_slot;
            return true;
        }
        if (s.mailbox[index] == 0) return false;
        s.mailbox[index] = 0;
        c.doing = Doing::unflag;
        if (rules_.mutated(Mutation::unflag_after_drain) && c.attached != 0) {
            c.doing = Doing::load_slot;
            c.late = 1;
        }
        return true;
    }

    void take(State& s, Consumer& c) {
        const Slot found = rules_.slot(s, c.segment, c.position);
        if (found.lap != rules_.lap(s, c.segment, c.position)) {
            c.doing = Doing::load_following;
            return;
        }
        rules_.promise(found.entry == c.position + 1, "every shard sees the one order");
        ++c.position;
    }

    void follow(const State& s, Consumer& c) const {
        const bool reached =
            s.segments[1].first == c.position || rules_.mutated(Mutation::move_on_without_first);
        if (c.segment == 0 && s.segments[0].linked != 0 && reached) {
            c.segment = 1;
            c.doing = Doing::load_slot;
        } else {
            c.doing = Doing::store_cursor;
        }
    }

    void release(State& s, Consumer& home) {
        switch (home.doing) {
            case Doing::scan:
                home.least = std::min(s.cursor[0], s.cursor[1]);
                return next_release(home);
            case Doing::release_next:
                release_next(s, home);
                return;
            case Doing::release_load: {
                const Slot found = rules_.slot(s, home.releasing, home.released);
                home.doing = Doing::release_swap;
                if (found.entry == 0 || found.lap != rules_.lap(s, home.releasing, home.released)) {
                    ++home.released;
                    next_release(home);
                }
                return;
            }
            case Doing::release_swap: {
                Slot& target = rules_.slot(s, home.releasing, home.released);
                if (target.entry != 0 &&
                    target.lap == rules_.lap(s, home.releasing, home.released)) {
                    rules_.drop(s, target.entry);
                    target.entry = 0;
                }
                ++home.released;
                return next_release(home);
            }
            default:
                rules_.promise(false, "the model knows what a consumer does");
        }
    }

    static void next_release(Consumer& home) {
        home.doing = home.released < home.least ? Doing::release_next : Doing::idle;
        if (home.doing == Doing::idle) home.least = 0;
    }

    void release_next(const State& s, Consumer& home) const {
        Byte end = s.cursor[0];
        if (home.releasing == 0 && s.segments[0].linked != 0) {
            if (s.segments[1].first == home.released) {
                home.releasing = 1;
                return;
            }
            end = std::min(end, s.segments[1].first);
        }
        home.doing = Doing::release_load;
        if (end - home.released > rules_.slots(home.releasing) &&
            !rules_.mutated(Mutation::release_without_bound)) {
            ++home.released;
            next_release(home);
        }
    }

    Rules& rules_;
};

}  // namespace parley::test::ring_model
