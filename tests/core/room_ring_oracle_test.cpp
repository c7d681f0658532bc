// The ring and its mutex version, fed the same operations: whatever one answers, the other does.
#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include "core/room_ring.hpp"
#include "support/mutex_room_ring.hpp"
#include "support/ring_entry.hpp"

namespace parley::core {
namespace {

using test::make_ring_entry;
using test::RingEntry;
using Ring = BasicRoomRing<RingEntry>;
using Oracle = test::MutexRoomRing<RingEntry>;

template <class AnyRing>
std::vector<std::uint64_t> hear(AnyRing& ring, std::uint32_t shard, std::size_t most) {
    std::vector<std::uint64_t> ids;
    ring.drain(shard, most, [&](const auto& entry) { ids.push_back(entry->id); });
    return ids;
}

// One seed's life of a room: both rings side by side, one thread.
class Life {
public:
    explicit Life(std::uint64_t seed)
        : random_(seed),
          shards_(1 + below(4)),
          home_(below(shards_)),
          last_offset_(seed % 3 == 0 ? (1U << 20) - below(300) : below(50)),
          slots_first_(1U << below(4)),
          slots_max_(slots_first_ << below(5)),
          ring_(shards_, home_, last_offset_, slots_first_, slots_max_),
          oracle_(shards_, home_, last_offset_, slots_first_, slots_max_) {}

    void step() {
        const std::uint32_t shard = below(shards_);
        switch (below(8)) {
            case 0:
            case 1:
            case 2:
                claim();
                break;
            case 3:
            case 4:
                publish();
                break;
            case 5:
                drain(shard);
                break;
            case 6:
                come_or_go(shard);
                break;
            case 7:
                wake(shard);
                break;
        }
        ASSERT_EQ(ring_.last_offset(), oracle_.last_offset());
        ASSERT_EQ(ring_.slots(), oracle_.slots());
    }

    // Everything claimed is published and everyone hears it.
    void finish() {
        while (!pending_.empty()) publish();
        for (std::uint32_t shard = 0; shard < shards_; ++shard) {
            ASSERT_EQ(hear(ring_, shard, 1 << 20), hear(oracle_, shard, 1 << 20));
        }
        ring_.release_taken();
    }

private:
    std::uint32_t below(std::uint32_t bound) {
        return static_cast<std::uint32_t>(random_() % bound);
    }

    void claim() {
        const EntryKind kind = below(3) == 0 ? EntryKind::transient : EntryKind::message;
        const auto ours = ring_.try_claim(kind);
        const auto theirs = oracle_.try_claim(kind);
        ASSERT_EQ(ours.has_value(), theirs.has_value());
        if (!ours) return;
        ASSERT_EQ(ours->offset, theirs->offset);
        pending_.emplace_back(*ours, *theirs);
        if (below(2) == 0 || pending_.size() > 5) publish();
    }

    void publish() {
        if (pending_.empty()) return;
        const std::size_t chosen = below(static_cast<std::uint32_t>(pending_.size()));
        const auto [ours, theirs] = pending_[chosen];
        pending_.erase(pending_.begin() + static_cast<std::ptrdiff_t>(chosen));
        const auto entry = make_ring_entry(++id_, ours.offset);
        ring_.publish(ours, entry);
        oracle_.publish(theirs, entry);
    }

    void drain(std::uint32_t shard) {
        const std::size_t most = below(2) == 0 ? 1 + below(5) : 1000;
        ASSERT_EQ(hear(ring_, shard, most), hear(oracle_, shard, most));
        if (ring_.attached(shard)) {
            ASSERT_EQ(ring_.position(shard), oracle_.position(shard));
        }
    }

    void come_or_go(std::uint32_t shard) {
        ASSERT_EQ(ring_.attached(shard), oracle_.attached(shard));
        if (!ring_.attached(shard)) {
            ring_.attach(shard);
            oracle_.attach(shard);
        } else if (shard != home_) {
            ring_.detach(shard);
            oracle_.detach(shard);
        }
    }

    void wake(std::uint32_t shard) {
        if (below(2) == 0) {
            ASSERT_EQ(ring_.flag(shard), oracle_.flag(shard));
        } else {
            ring_.unflag(shard);
            oracle_.unflag(shard);
        }
        ASSERT_EQ(ring_.flagged(shard), oracle_.flagged(shard));
    }

    std::mt19937_64 random_;
    std::uint32_t shards_;
    std::uint32_t home_;
    std::uint64_t last_offset_;
    std::uint32_t slots_first_;
    std::uint32_t slots_max_;
    Ring ring_;
    Oracle oracle_;
    std::vector<std::pair<Ring::Claim, Oracle::Claim>> pending_;
    std::uint64_t id_ = 0;
};

TEST(RoomRing, AnswersWhatItsMutexVersionAnswersForEverySeed) {
    const std::int64_t before = RingEntry::alive;
    for (std::uint64_t seed = 0; seed < 400; ++seed) {
        {
            Life life(seed);
            for (int i = 0; i < 400 && !testing::Test::HasFatalFailure(); ++i) life.step();
            if (!testing::Test::HasFatalFailure()) life.finish();
        }
        ASSERT_FALSE(testing::Test::HasFatalFailure()) << "seed " << seed;
        ASSERT_EQ(RingEntry::alive, before) << "seed " << seed;
    }
}

}  // namespace
}  // namespace parley::core
