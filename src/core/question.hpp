// Question: how a shard asks another and is answered: by mail, there and back.
//
// Path:     Subscriber, frontend → [question] → RoomHome on its shard, and back
// Runs on:  called on the shard that asks; `ask` runs on the other, `done` on the first again.
// Owned by: the mail that carries it.
// Bounds:   one under way a session, one a request: whoever asks waits for the answer.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "core/hub.hpp"
#include "core/later.hpp"
#include "core/shard.hpp"

namespace parley::core {

// Has `ask(there)` answered on another shard and hands the answer to `done(answer)` here, in a later
// turn. What `done` holds may be freed on either thread: weak references only. Never answered
// where either shard stops first.
template <typename Ask, typename Done>
void ask_shard(Shard& here, Shard& there, Ask ask, Done done) {
    there.post([ask = std::move(ask), done = std::move(done), &here](Shard& shard) mutable {
        here.post([answer = ask(shard), done = std::move(done)](Shard&) mutable {
            done(std::move(answer));
        });
    });
}

// Has `ask(home, later)` answered where that room has its home, once it is open there. Gives the
// answer back at once where that is here and now; else nothing, and the answer goes to what
// `make_done()` gave, as ask_shard() has it. An Answer is made of an error too: why the room can't be
// opened. `later` is good until `ask` returns.
template <typename Answer, typename Ask, typename MakeDone>
[[nodiscard]] std::optional<Answer> ask_home_later(Shard& here, const std::string& room, Ask ask,
                                                   MakeDone make_done) {
    Shard& home = here.hub().home_of(room);
    if (&home == &here && home.is_open(room)) {
        return ask(home, Later<Answer>([&make_done] { return Respond<Answer>(make_done()); }));
    }
    Respond<Answer> respond = [done = make_done(), &here](Answer&& answer) {
        here.post([answer = std::move(answer), done](Shard&) mutable { done(std::move(answer)); });
    };
    home.post([room, ask = std::move(ask), respond = std::move(respond)](Shard& there) mutable {
        auto question = [ask = std::move(ask), respond = std::move(respond)](
                            Shard& at, const OpenRefusal& refused) mutable {
            if (refused) return respond(Answer(*refused));
            auto now = ask(at, Later<Answer>([&respond] { return respond; }));
            if (now) respond(std::move(*now));
        };
        if (there.is_open(room)) return question(there, {});
        there.when_open(room, std::move(question));
    });
    return std::nullopt;
}

// The same for what a home always knows at once: `ask(home)`.
template <typename Ask, typename MakeDone>
[[nodiscard]] auto ask_home(Shard& here, const std::string& room, Ask ask, MakeDone make_done) {
    using Answer = decltype(ask(here));
    auto at_once = [ask = std::move(ask)](Shard& home, const Later<Answer>&) mutable {
        return std::optional<Answer>(ask(home));
    };
    return ask_home_later<Answer>(here, room, std::move(at_once), std::move(make_done));
}

// Asks every shard one after the other, the asking one first: each adds to `gathered` by
// `visit(shard, gathered)`. The whole goes to `done(gathered)` here, in a later turn.
template <typename Gathered, typename Visit, typename Done>
void ask_every_shard(Shard& here, Shard& next, Gathered gathered, Visit visit, Done done) {
    visit(next, gathered);
    Hub& hub = here.hub();
    Shard& after = hub.shard((next.index() + 1) % hub.shard_count());
    if (&after == &here) {
        here.post([gathered = std::move(gathered), done = std::move(done)](Shard&) mutable {
            done(std::move(gathered));
        });
        return;
    }
    after.post([gathered = std::move(gathered), visit = std::move(visit), done = std::move(done),
                &here](Shard& shard) mutable {
        ask_every_shard(here, shard, std::move(gathered), std::move(visit), std::move(done));
    });
}

}  // namespace parley::core
