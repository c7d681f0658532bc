// Room: the order of what is said under one name, and who is to hear of it.
//
// Path:     Subscriber → [Room] → RoomRing → Audience
// Runs on:  publish() on any shard that is attached to the ring, as its home is; the rest is const.
// Owned by: the audiences of its shards, by reference count; a call in a mailbox holds it too.
// Bounds:   limits::room_ring_slots_max publications that the slowest shard has not taken; past it
//           publish() refuses.
#pragma once

#include <atomic>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/mail.hpp"
#include "core/publication.hpp"
#include "core/room_ring.hpp"
#include "core/token_bucket.hpp"
#include "protocol/cursor.hpp"

namespace parley::core {

class Audience;
class Shard;
class Room;

using RoomRing = BasicRoomRing<Publication>;

// A room's place in one shard's mailbox: there once, however many publications follow.
struct RoomCall : Mail {
    Room* room = nullptr;
    RoomCall() noexcept : Mail(&deliver_to, &let_go) {}
    static void deliver_to(Mail& mail, Shard& shard);
    static void let_go(Mail& mail) noexcept;
};

class Room : public boost::intrusive_ref_counter<Room, boost::thread_safe_counter> {
public:
    // Its next message gets last_offset + 1.
    Room(std::string name, protocol::Epoch epoch, std::uint32_t shards, std::uint32_t home,
         std::uint64_t last_offset = 0);

    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] protocol::Epoch epoch() const noexcept { return epoch_; }
    [[nodiscard]] std::uint32_t home() const noexcept { return home_; }
    [[nodiscard]] RoomRing& ring() noexcept { return ring_; }
    // True where not everybody may do everything: who has not asked the home asks it. Set by the
    // home for good; any thread reads it. Relaxed: whoever must not miss it is told by mail.
    [[nodiscard]] bool governed() const noexcept {
        return governed_.load(std::memory_order_relaxed);
    }
    void set_governed() noexcept { governed_.store(true, std::memory_order_relaxed); }
    // limits.room: what may be said in it, whichever shard it comes from. One relaxed exchange a
    // publication beside those of the ring (10 ns, 19 where two shards contend for it); a share for
    // each shard would refuse a room whose speakers sit on one shard at a fraction of its rate.
    [[nodiscard]] SharedTokenBucket& bucket() noexcept { return bucket_; }

    // `from` is this room's audience on the calling shard.
    // Gives the publication its place: claims it, has its JSON made (`make_json(offset)`, which is
    // 0 for a transient kind), stores it and wakes every shard that listens. Its offset; nothing
    // when a shard is stalled and the ring is full. Running out of memory in between ends the
    // process: a claimed place can't be given back.
    template <typename MakeJson>
    [[nodiscard]] std::optional<std::uint64_t> publish(Audience& from, PublicationKind kind,
                                                       const MakeJson& make_json) noexcept {
        const auto claim = claim_place(from, kind);
        if (!claim) return std::nullopt;
        ring_.publish(*claim, PublicationPtr(new Publication(
                                  kind, claim->offset, make_json(claim->offset), born(from))));
        announce(from, kind);
        return claim->offset;
    }

private:
    std::optional<RoomRing::Claim> claim_place(Audience& from, PublicationKind kind) noexcept;
    void announce(Audience& from, PublicationKind kind) noexcept;
    static TimePoint born(const Audience& from) noexcept;

    std::string name_;
    protocol::Epoch epoch_;
    std::atomic<bool> governed_{false};
    std::uint32_t shards_;
    std::uint32_t home_;
    std::unique_ptr<RoomCall[]> calls_;  // none where there is one shard
    SharedTokenBucket bucket_;
    RoomRing ring_;
};

using RoomPtr = boost::intrusive_ptr<Room>;

}  // namespace parley::core
