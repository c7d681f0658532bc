#include "core/claim_word.hpp"

#include <gtest/gtest.h>

namespace parley::core {
namespace {

TEST(ClaimWord, CountsMessagesAndTransientEntriesInOneOrder) {
    ClaimWord word = ClaimWord::following(0);
    EXPECT_EQ(word.sequence(), 0U);
    word = word.after(EntryKind::message);
    EXPECT_EQ(word.offset(), 1U);
    word = word.after(EntryKind::transient).after(EntryKind::transient);
    EXPECT_EQ(word.offset(), 1U);
    EXPECT_EQ(word.sequence(), 3U);
    word = word.after(EntryKind::message);
    EXPECT_EQ(word.offset(), 2U);
    EXPECT_EQ(word.sequence(), 4U);
}

TEST(ClaimWord, WrapsItsTransientsWithoutTouchingTheOffset) {
    for (const std::uint64_t offset : {std::uint64_t{0}, std::uint64_t{7}, ClaimWord::offset_max}) {
        ClaimWord word = ClaimWord::following(offset);
        for (std::uint32_t i = 0; i < ClaimWord::sequence_mask; ++i) {
            word = word.after(EntryKind::transient);
        }
        EXPECT_EQ(word.offset(), offset);
        EXPECT_EQ(sequence_distance(offset, word.sequence()), ClaimWord::sequence_mask);
        word = word.after(EntryKind::transient);
        EXPECT_EQ(word.offset(), offset);
        EXPECT_FALSE(word.closed());
        EXPECT_EQ(word.bits(), ClaimWord::following(offset).bits());
    }
}

TEST(ClaimWord, SequencesFollowOneAnotherAcrossTheWrap) {
    ClaimWord word = ClaimWord::following(ClaimWord::sequence_mask - 2);
    for (int i = 0; i < 6; ++i) {
        const ClaimWord next = word.after(i % 2 == 0 ? EntryKind::message : EntryKind::transient);
        EXPECT_EQ(sequence_distance(word.sequence(), next.sequence()), 1U);
        word = next;
    }
    EXPECT_EQ(word.sequence(), 3U);
}

TEST(ClaimWord, IsExhaustedAtTheLastOffsetAndNotBefore) {
    const ClaimWord word = ClaimWord::following(ClaimWord::offset_max - 1);
    EXPECT_FALSE(word.exhausted());
    EXPECT_TRUE(word.after(EntryKind::message).exhausted());
    EXPECT_EQ(word.after(EntryKind::message).offset(), ClaimWord::offset_max);
}

TEST(ClaimWord, ClosingKeepsWhatWasCounted) {
    const ClaimWord word = ClaimWord::following(41).after(EntryKind::transient);
    const ClaimWord closed = word.as_closed();
    EXPECT_TRUE(closed.closed());
    EXPECT_NE(closed.bits(), word.bits());
    EXPECT_EQ(closed.offset(), word.offset());
    EXPECT_EQ(closed.sequence(), word.sequence());
    EXPECT_EQ(closed.as_open().bits(), word.bits());
}

}  // namespace
}  // namespace parley::core
