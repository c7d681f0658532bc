// Mailbox: how one shard puts something on another shard's desk.
//
// Path:     Room → [Mailbox] → Shard, which then drains the room
// Runs on:  push(): any thread. take_all(): the owner's.
// Owned by: Shard. The nodes belong to whoever pushed them until they are taken.
// Bounds:   none of its own: a node lies in it once, so there are at most as many as exist. For a
//           room on a shard there is one, and RoomRing::flag() says who may push it.
//
// How it works
//   1. push() writes node.next and then makes the node the newest, by compare-and-swap (release).
//      It never follows the pointer it found, so a node that is taken and pushed again in between
//      does no harm.
//   2. take_all() takes the whole chain with one exchange (acquire). It reads the newest push,
//   whose
//      release sequence contains all pushes before it, each being a read-modify-write: every
//      node.next and everything written before any of those pushes is visible.
//   3. The chain is newest first; take_all() turns it round.
//   4. No wake-up is lost: every push follows, in the one order of changes to newest_, either
//      another push, which is then taken together with it, or an exchange, and then it finds null
//      and wakes the owner. An owner that takes everything each time it is woken sees every node.
#pragma once

#include <atomic>

namespace parley::core {

// Something that can lie in a mailbox: a base class, or a member of what it stands for.
struct MailboxNode {
    MailboxNode* next = nullptr;
};

// Many producers, one consumer, intrusive, without a lock, first in first out.
class Mailbox {
public:
    Mailbox() = default;
    Mailbox(const Mailbox&) = delete;
    Mailbox& operator=(const Mailbox&) = delete;

    // Any thread. Adds the node, which must lie in no mailbox and is not touched afterwards.
    // True when the mailbox was empty: the caller has to wake the owner.
    [[nodiscard]] bool push(MailboxNode& node) noexcept {
        MailboxNode* newest = newest_.load(std::memory_order_relaxed);
        do {
            node.next = newest;
        } while (!newest_.compare_exchange_weak(newest, &node, std::memory_order_release,
                                                std::memory_order_relaxed));  // with take_all()
        return newest == nullptr;
    }

    // The owner's thread. Calls f(MailboxNode&) for every node, in the order of the pushes. f may
    // free the node or push it again, here too: what is pushed meanwhile waits for the next call.
    template <class F>
    void take_all(F&& f) {
        MailboxNode* newest = newest_.exchange(nullptr, std::memory_order_acquire);  // with push()
        MailboxNode* oldest = nullptr;
        while (newest != nullptr) {
            MailboxNode* older = newest->next;
            newest->next = oldest;
            oldest = newest;
            newest = older;
        }
        while (oldest != nullptr) {
            MailboxNode& node = *oldest;
            oldest = node.next;
            f(node);
        }
    }

private:
    std::atomic<MailboxNode*> newest_{nullptr};
};

}  // namespace parley::core
