#include "core/room.hpp"

#include <utility>

#include "core/audience.hpp"
#include "core/hub.hpp"
#include "core/shard.hpp"

namespace parley::core {

void RoomCall::deliver_to(Mail& mail, Shard& shard) {
    // Takes over the reference that announce() took for the mailbox.
    const RoomPtr room(static_cast<RoomCall&>(mail).room, false);
    room->ring().unflag(shard.index());
    if (Audience* audience = shard.find_audience(room->name())) shard.queue_drain(*audience);
}

void RoomCall::let_go(Mail& mail) noexcept {
    intrusive_ptr_release(static_cast<RoomCall&>(mail).room);
}

Room::Room(std::string name, protocol::Epoch epoch, std::uint32_t shards, std::uint32_t home,
           std::uint64_t last_offset)
    : name_(std::move(name)),
      epoch_(epoch),
      shards_(shards),
      home_(home),
      calls_(shards > 1 ? new RoomCall[shards] : nullptr),
      ring_(shards, home, last_offset, limits::room_ring_slots_first, limits::room_ring_slots_max) {
    for (std::uint32_t i = 0; shards > 1 && i < shards; ++i) calls_[i].room = this;
}

std::optional<RoomRing::Claim> Room::claim_place(Audience& from, PublicationKind kind) noexcept {
    const auto entry = kind == PublicationKind::message ? EntryKind::message : EntryKind::transient;
    if (auto claim = ring_.try_claim(entry)) return claim;
    // Full. Where it is this very shard that has not taken, it can do so now; where it is another,
    // the publisher is told and does not wait.
    from.drain();
    return ring_.try_claim(entry);
}

TimePoint Room::born(const Audience& from) noexcept {
    return from.shard().now().mono;
}

void Room::announce(Audience& from, PublicationKind kind) noexcept {
    from.shard().metrics().add(kind == PublicationKind::message ? Metric::messages_published
                                                                : Metric::transients_published);
    from.shard().queue_drain(from);
    for (std::uint32_t i = 0; i < shards_; ++i) {
        if (i == from.shard().index() || !ring_.attached(i) || !ring_.flag(i)) continue;
        intrusive_ptr_add_ref(this);
        from.shard().hub().shard(i).deliver(calls_[i]);
    }
}

}  // namespace parley::core
