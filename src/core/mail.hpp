// Mail: what crosses shards beside the room ring: the call that a room has news, and a question to
// a room's home with its answer.
//
// Path:     Room, Shard::post() → [Mail] → Shard::turn()
// Runs on:  sent by any thread, delivered on the receiving shard.
// Owned by: itself; deliver() frees or keeps it.
// Bounds:   one call per room and shard; one question per session.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "core/mailbox.hpp"

namespace parley::core {

class Shard;

struct Mail : MailboxNode {
    // What the receiving shard does with it, and what is done where it was never received.
    using Deliver = void (*)(Mail& mail, Shard& shard);
    using Discard = void (*)(Mail& mail) noexcept;
    Mail(Deliver how, Discard otherwise) noexcept : deliver(how), discard(otherwise) {}
    Deliver deliver;
    Discard discard;
};

struct Errand : Mail {
    std::function<void(Shard&)> task;
    explicit Errand(std::function<void(Shard&)> what) : Mail(&run, &drop), task(std::move(what)) {}
    static void run(Mail& mail, Shard& shard) {
        const std::unique_ptr<Errand> errand(static_cast<Errand*>(&mail));
        errand->task(shard);
    }
    static void drop(Mail& mail) noexcept { delete static_cast<Errand*>(&mail); }
};

}  // namespace parley::core
