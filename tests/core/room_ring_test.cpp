#include "core/room_ring.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "support/ring_entry.hpp"

namespace parley::core {
namespace {

using test::make_ring_entry;
using test::RingEntry;
using Ring = BasicRoomRing<RingEntry>;
using Ids = std::vector<std::uint64_t>;

constexpr std::size_t everything = std::numeric_limits<std::size_t>::max();
constexpr EntryKind lasting = EntryKind::message;
constexpr EntryKind passing = EntryKind::transient;

// Publishes one entry; false when the ring refuses it.
bool say(Ring& ring, std::uint64_t id, EntryKind kind = lasting) {
    const std::optional<Ring::Claim> claim = ring.try_claim(kind);
    if (claim) ring.publish(*claim, make_ring_entry(id, claim->offset));
    return claim.has_value();
}

Ids hear(Ring& ring, std::uint32_t shard, std::size_t most = everything) {
    Ids ids;
    const std::size_t count =
        ring.drain(shard, most, [&](const Ring::EntryPtr& entry) { ids.push_back(entry->id); });
    EXPECT_EQ(count, ids.size());
    return ids;
}

Ids range(std::uint64_t from, std::uint64_t to) {
    Ids ids;
    for (; from < to; ++from) ids.push_back(from);
    return ids;
}

TEST(RoomRing, HandsEveryEntryToEveryAttachedShardInOrder) {
    Ring ring(3, 1);
    ring.attach(0);
    for (std::uint64_t i = 0; i < 10; ++i) EXPECT_TRUE(say(ring, i));
    EXPECT_EQ(hear(ring, 0), range(0, 10));
    EXPECT_EQ(hear(ring, 1), range(0, 10));
    EXPECT_EQ(hear(ring, 2), Ids{});
    EXPECT_EQ(hear(ring, 0), Ids{});
    EXPECT_EQ(ring.position(0), 10U);
}

TEST(RoomRing, GivesMessagesOffsetsWithoutHolesAndTransientEntriesNone) {
    for (const std::uint64_t last : {std::uint64_t{0}, std::uint64_t{12345}}) {
        for (unsigned pattern = 0; pattern < 256; ++pattern) {
            Ring ring(1, 0, last);
            std::uint64_t expected = last;
            for (unsigned i = 0; i < 8; ++i) {
                const bool is_message = (pattern >> i & 1U) != 0;
                const auto claim = ring.try_claim(is_message ? lasting : passing);
                ASSERT_TRUE(claim);
                EXPECT_EQ(claim->offset, is_message ? ++expected : 0);
                ring.publish(*claim, make_ring_entry(i, claim->offset));
            }
            EXPECT_EQ(ring.last_offset(), expected);
            EXPECT_EQ(hear(ring, 0), range(0, 8));
        }
    }
}

TEST(RoomRing, RefusesAPublishThatWouldOverrunTheSlowestShard) {
    for (std::uint32_t slots = 1; slots <= 16; slots *= 2) {
        Ring ring(2, 0, 0, slots, slots);
        ring.attach(1);
        for (std::uint64_t i = 0; i < slots; ++i) EXPECT_TRUE(say(ring, i));
        EXPECT_FALSE(say(ring, 99));
        EXPECT_EQ(hear(ring, 0), range(0, slots));
        EXPECT_FALSE(say(ring, 99)) << "shard 1 has taken nothing yet";
        EXPECT_EQ(hear(ring, 1, 1), range(0, 1));
        EXPECT_TRUE(say(ring, slots));
        EXPECT_FALSE(say(ring, 99));
        EXPECT_EQ(hear(ring, 1), range(1, slots + 1));
        EXPECT_EQ(ring.last_offset(), slots + 1) << "a refusal takes no offset";
    }
}

TEST(RoomRing, ForgetsAStalledShardOnceItIsDetached) {
    Ring ring(2, 0, 0, 4, 4);
    ring.attach(1);
    for (std::uint64_t i = 0; i < 4; ++i) EXPECT_TRUE(say(ring, i));
    EXPECT_EQ(hear(ring, 0), range(0, 4));
    EXPECT_FALSE(say(ring, 4));
    ring.detach(1);
    EXPECT_FALSE(ring.attached(1));
    EXPECT_TRUE(say(ring, 4));
    EXPECT_EQ(hear(ring, 1), Ids{});
    EXPECT_EQ(hear(ring, 0), range(4, 5));
}

TEST(RoomRing, KeepsOrderWhereAClaimIsPublishedLate) {
    Ring ring(1, 0);
    const auto first = ring.try_claim(lasting);
    const auto second = ring.try_claim(lasting);
    ASSERT_TRUE(first && second);
    ring.publish(*second, make_ring_entry(2));
    EXPECT_EQ(hear(ring, 0), Ids{});
    ring.publish(*first, make_ring_entry(1));
    EXPECT_EQ(hear(ring, 0), (Ids{1, 2}));
}

TEST(RoomRing, DrainsNoMoreThanItIsAskedFor) {
    Ring ring(1, 0);
    for (std::uint64_t i = 0; i < 10; ++i) EXPECT_TRUE(say(ring, i));
    EXPECT_EQ(hear(ring, 0, 0), Ids{});
    EXPECT_EQ(hear(ring, 0, 3), range(0, 3));
    EXPECT_EQ(hear(ring, 0, 7), range(3, 10));
}

TEST(RoomRing, GrowsInOrderFromEveryFillLevelAndEveryPlaceInTheLap) {
    for (std::uint64_t lead = 0; lead < 10; ++lead) {             // where in the lap
        for (std::uint64_t taken = 0; taken <= 4; ++taken) {      // by the home when it grows
            for (std::uint64_t more = 1; more < 40; more += 3) {  // beyond the first four
                Ring ring(2, 0, lead, 4, 64);
                for (std::uint64_t i = 0; i < lead; ++i) EXPECT_TRUE(say(ring, i));
                while (ring.position(0) < 2 * lead) hear(ring, 0);
                ring.attach(1);
                for (std::uint64_t i = 0; i < 4; ++i) EXPECT_TRUE(say(ring, i));
                EXPECT_EQ(hear(ring, 0, taken), range(0, taken));
                for (std::uint64_t i = 4; i < 4 + more; ++i) EXPECT_TRUE(say(ring, i));
                EXPECT_EQ(ring.slots(), 4 + more <= 16 ? 16U : 64U);
                EXPECT_EQ(hear(ring, 1), range(0, 4 + more));
                EXPECT_EQ(hear(ring, 0), range(taken, 4 + more));
            }
        }
    }
}

TEST(RoomRing, TakesClaimsOfTheOldSegmentAfterItGrew) {
    Ring ring(1, 0, 0, 2, 32);
    std::vector<Ring::Claim> claims;
    for (int i = 0; i < 32; ++i) {
        const auto claim = ring.try_claim(i % 3 == 0 ? passing : lasting);
        ASSERT_TRUE(claim);
        claims.push_back(*claim);
    }
    EXPECT_FALSE(ring.try_claim(lasting));
    EXPECT_EQ(ring.slots(), 32U);
    for (std::size_t i = claims.size(); i-- > 1;) ring.publish(claims[i], make_ring_entry(i));
    EXPECT_EQ(hear(ring, 0), Ids{});
    ring.publish(claims[0], make_ring_entry(0));
    EXPECT_EQ(hear(ring, 0), range(0, 32));
}

TEST(RoomRing, GrowsNoFurtherThanItsBoundWhateverTheStep) {
    Ring ring(1, 0, 0, 4, 32);  // 4, 16, 32
    for (std::uint64_t i = 0; i < 32; ++i) EXPECT_TRUE(say(ring, i));
    EXPECT_EQ(ring.slots(), 32U);
    EXPECT_FALSE(say(ring, 32));
    EXPECT_EQ(hear(ring, 0), range(0, 32));
    for (std::uint64_t i = 32; i < 300; ++i) {
        EXPECT_TRUE(say(ring, i));
        EXPECT_EQ(hear(ring, 0), Ids{i});
    }
    EXPECT_EQ(ring.slots(), 32U);
}

TEST(RoomRing, AttachesAShardExactlyWhereTheHomeStands) {
    for (std::uint64_t taken = 0; taken <= 20; ++taken) {
        Ring ring(2, 0, 0, 2, 64);
        for (std::uint64_t i = 0; i < 20; ++i) EXPECT_TRUE(say(ring, i));
        hear(ring, 0, taken);
        ring.attach(1);
        EXPECT_TRUE(ring.attached(1));
        EXPECT_EQ(ring.position(1), ring.position(0));
        EXPECT_EQ(hear(ring, 1), range(taken, 20));
        ring.detach(1);
        EXPECT_TRUE(say(ring, 20));
        EXPECT_EQ(hear(ring, 0), range(taken, 21));
        ring.attach(1);
        EXPECT_TRUE(say(ring, 21));
        EXPECT_EQ(hear(ring, 1), range(21, 22)) << "20 went by while it was away";
    }
}

TEST(RoomRing, FlagsEachAttachedShardOnceUntilItUnflags) {
    Ring ring(3, 2);
    ring.attach(0);
    EXPECT_TRUE(ring.flag(0));
    EXPECT_FALSE(ring.flag(0));
    EXPECT_TRUE(ring.flagged(0));
    EXPECT_FALSE(ring.flag(1)) << "not attached";
    EXPECT_TRUE(ring.flag(2));
    ring.unflag(0);
    EXPECT_FALSE(ring.flagged(0));
    EXPECT_TRUE(ring.flag(0));
    ring.detach(0);
    EXPECT_TRUE(ring.flagged(0)) << "the wake-up is still under way";
    ring.attach(0);
    EXPECT_FALSE(ring.flag(0)) << "or the node would lie in the mailbox twice";
}

TEST(RoomRing, KeepsCountAcrossTheWrapOfSequences) {
    constexpr std::uint64_t turn = std::uint64_t{1} << 20;
    Ring ring(2, 0, turn - 40, 8, 8);  // messages carry the sequence over the wrap
    ring.attach(1);
    for (std::uint64_t i = 0; i < 100; ++i) {
        EXPECT_TRUE(say(ring, i));
        if (i % 5 == 4) {
            EXPECT_EQ(hear(ring, 0), range(i - 4, i + 1));
        }
        if (i % 7 == 6) {
            EXPECT_EQ(hear(ring, 1), range(i - 6, i + 1));
        }
    }
    EXPECT_EQ(ring.last_offset(), turn + 60);
    EXPECT_EQ(ring.position(0), turn + 60);
}

TEST(RoomRing, KeepsCountThroughAWholeTurnOfTransientEntries) {
    constexpr std::uint64_t turn = std::uint64_t{1} << 20;
    Ring ring(1, 0, 7, 64, 64);
    const auto entry = make_ring_entry(1);
    std::uint64_t taken = 0;
    while (taken < turn + 1000) {
        for (int i = 0; i < 64; ++i) {
            const auto claim = ring.try_claim(passing);
            ASSERT_TRUE(claim);
            ring.publish(*claim, entry);
        }
        ASSERT_FALSE(ring.try_claim(lasting)) << "full after " << taken;
        taken += ring.drain(0, everything, [](const Ring::EntryPtr&) {});
    }
    EXPECT_EQ(ring.position(0), 7 + taken);
    EXPECT_EQ(ring.last_offset(), 7U);
    EXPECT_EQ(ring.try_claim(lasting)->offset, 8U);
}

TEST(RoomRing, GrowsAtTheWrapOfSequences) {
    constexpr std::uint64_t turn = std::uint64_t{1} << 20;
    for (std::uint64_t before = 0; before < 12; ++before) {
        Ring ring(1, 0, turn - before, 2, 16);
        for (std::uint64_t i = 0; i < 16; ++i) EXPECT_TRUE(say(ring, i));
        EXPECT_FALSE(say(ring, 16));
        EXPECT_EQ(hear(ring, 0), range(0, 16));
        EXPECT_EQ(ring.position(0), turn - before + 16);
    }
}

TEST(RoomRing, RefusesAMessageWhenTheOffsetsAreUsedUp) {
    Ring ring(1, 0, ClaimWord::offset_max - 1);
    EXPECT_TRUE(say(ring, 1));
    EXPECT_EQ(ring.last_offset(), ClaimWord::offset_max);
    EXPECT_FALSE(say(ring, 2));
    EXPECT_TRUE(say(ring, 3, passing));
    EXPECT_EQ(hear(ring, 0), (Ids{1, 3}));
}

TEST(RoomRing, ReleasesEveryEntryWhenItGoes) {
    const std::int64_t before = RingEntry::alive;
    for (std::uint64_t said = 0; said < 80; ++said) {
        for (std::size_t taken = 0; taken <= said; taken += 7) {
            Ring ring(2, 0, 3, 2, 128);
            ring.attach(1);
            for (std::uint64_t i = 0; i < said; ++i) EXPECT_TRUE(say(ring, i));
            hear(ring, 0, taken);
            hear(ring, 1, taken / 2);
        }
        ASSERT_EQ(RingEntry::alive, before);
    }
}

TEST(RoomRing, KeepsNoEntryThatEveryShardHasTaken) {
    const std::int64_t before = RingEntry::alive;
    Ring ring(2, 0, 0, 2, 64);
    ring.attach(1);
    std::int64_t said = 0;
    for (int round = 0; round < 200; ++round) {
        const int burst = 1 + round * 7 % 30;  // grows early on, then laps
        for (int i = 0; i < burst; ++i, ++said) EXPECT_TRUE(say(ring, 0));
        hear(ring, 1, static_cast<std::size_t>(round % 2 == 0 ? 1000 : burst / 2));
        hear(ring, 0);
        const auto behind = static_cast<std::int64_t>(ring.position(0) - ring.position(1));
        ASSERT_EQ(RingEntry::alive - before, behind);
        hear(ring, 1);
        ring.release_taken();
        ASSERT_EQ(RingEntry::alive - before, 0);
    }
}

TEST(RoomRing, CostsASmallRoomLittle) {
    // A room of two people has 1.5 KiB in all, on a machine of eight cores too.
    EXPECT_LE(Ring(2, 0).bytes(), 512U);
    EXPECT_LE(Ring(8, 0).bytes(), 896U);
}

TEST(RoomRing, OldSegmentsAddLessThanAThird) {
    Ring grown(1, 0, 0, 16, 4096);
    for (std::uint64_t i = 0; i < 4096; ++i) EXPECT_TRUE(say(grown, i));
    EXPECT_EQ(grown.slots(), 4096U);
    const Ring born(1, 0, 0, 4096, 4096);
    EXPECT_LT(grown.bytes() * 3, born.bytes() * 4 + 4 * 3 * sizeof(RingSegment));
}

}  // namespace
}  // namespace parley::core
