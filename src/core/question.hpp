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

// Has `ask(home)` answered where that room has its home. Gives the answer back at once where that is
// here; else nothing, and the answer goes to what `make_done()` gave, as ask_shard() has it.
template <typename Ask, typename MakeDone>
[[nodiscard]] auto ask_home(Shard& here, const std::string& room, Ask ask, MakeDone make_done) {
    Shard& home = here.hub().home_of(room);
    using Answer = decltype(ask(home));
    if (&home == &here) return std::optional<Answer>(ask(home));
    ask_shard(here, home, std::move(ask), make_done());
    return std::optional<Answer>();
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
