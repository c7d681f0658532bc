#include "loadtest/delivery_check.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

namespace parley::load {
namespace {

using Arrival = DeliveryCheck::Arrival;

struct Counts {
    int in_order = 0, out_of_order = 0, duplicate = 0;
};

void count(Counts& counts, Arrival arrival) {
    switch (arrival) {
        case Arrival::in_order:
            ++counts.in_order;
            return;
        case Arrival::out_of_order:
            ++counts.out_of_order;
            return;
        case Arrival::duplicate:
            ++counts.duplicate;
            return;
    }
}

// A fresh check of a room with one publisher, fed by stamps or by offsets behind `base`.
struct Feed {
    explicit Feed(bool by_offsets, std::uint64_t room_offset = 0)
        : numbered(by_offsets), base(room_offset) {
        check.begin(true, base, numbered);
    }
    void give(std::uint32_t number) {
        count(counts,
              numbered ? check.arrived_at(base + number, 0, number) : check.arrived(0, number));
    }
    bool numbered;
    std::uint64_t base;
    DeliveryCheck check{1};
    Counts counts;
};

TEST(DeliveryCheck, EveryPermutationIsWholeAndOnlyTheSortedOneInOrder) {
    for (const bool numbered : {false, true}) {
        std::vector<std::uint32_t> order(6);
        std::iota(order.begin(), order.end(), 1);
        do {
            Feed feed(numbered, numbered ? 40 : 0);
            for (const std::uint32_t number : order) feed.give(number);
            EXPECT_EQ(feed.check.received(), 6u);
            EXPECT_EQ(feed.check.missing(), 0u);
            EXPECT_EQ(feed.counts.duplicate, 0);
            EXPECT_EQ(feed.counts.out_of_order == 0, std::is_sorted(order.begin(), order.end()));
        } while (std::next_permutation(order.begin(), order.end()));
    }
}

TEST(DeliveryCheck, EverySetOfLostDeliveriesBeforeTheLastIsMissed) {
    for (const bool numbered : {false, true}) {
        for (unsigned kept = 0; kept < 64; ++kept) {
            Feed feed(numbered);
            std::uint64_t lost = 0;
            for (std::uint32_t number = 1; number <= 6; ++number) {
                if ((kept >> (number - 1) & 1) != 0) {
                    feed.give(number);
                } else {
                    ++lost;
                }
            }
            feed.give(7);
            EXPECT_EQ(feed.check.missing(), lost);
            EXPECT_EQ(feed.check.received(), 7 - lost);
            EXPECT_EQ(feed.counts.out_of_order + feed.counts.duplicate, 0);
        }
    }
}

TEST(DeliveryCheck, EachRepetitionIsADuplicateWhereverItComes) {
    for (const bool numbered : {false, true}) {
        for (std::uint32_t again = 1; again <= 5; ++again) {
            for (std::uint32_t after = again; after <= 5; ++after) {
                Feed feed(numbered);
                for (std::uint32_t number = 1; number <= 5; ++number) {
                    feed.give(number);
                    if (number == after) feed.give(again);
                }
                EXPECT_EQ(feed.counts.duplicate, 1);
                EXPECT_EQ(feed.counts.in_order, 5);
                EXPECT_EQ(feed.check.received(), 5u);
            }
        }
    }
}

TEST(DeliveryCheck, ALateDeliveryThatComesTwiceIsLateOnceAndADuplicateOnce) {
    for (const bool numbered : {false, true}) {
        Feed feed(numbered);
        for (const std::uint32_t number : {1u, 3u, 2u, 2u}) feed.give(number);
        EXPECT_EQ(feed.counts.out_of_order, 1);
        EXPECT_EQ(feed.counts.duplicate, 1);
        EXPECT_EQ(feed.check.received(), 3u);
    }
}

TEST(DeliveryCheck, EveryAnnouncedRangeIsNoLoss) {
    for (std::uint32_t from = 1; from <= 6; ++from) {
        for (std::uint32_t to = from; to <= 6; ++to) {
            for (const bool announced_late : {false, true}) {
                Feed feed(true, 100);
                for (std::uint32_t number = 1; number <= 7; ++number) {
                    if (number == from && !announced_late) {
                        EXPECT_EQ(feed.check.announce(100 + from, 100 + to), to - from + 1);
                    }
                    if (number < from || number > to) feed.give(number);
                }
                if (announced_late) {
                    EXPECT_EQ(feed.check.missing(), to - from + 1);
                    EXPECT_EQ(feed.check.announce(100 + from, 100 + to), to - from + 1);
                }
                EXPECT_EQ(feed.check.announced(), to - from + 1);
                EXPECT_EQ(feed.check.missing(), 0u);
                EXPECT_EQ(feed.check.received() + feed.check.announced(), 7u);
                EXPECT_EQ(feed.counts.out_of_order + feed.counts.duplicate, 0);
            }
        }
    }
}

TEST(DeliveryCheck, AGapThatBeginsLaterThanTheNextOffsetLeavesAHole) {
    Feed feed(true);
    feed.give(1);
    EXPECT_EQ(feed.check.announce(4, 6), 3u);
    EXPECT_EQ(feed.check.missing(), 2u);
    EXPECT_EQ(feed.check.announce(4, 6), 0u);
    feed.give(7);
    EXPECT_EQ(feed.check.missing(), 2u);
    EXPECT_EQ(feed.counts.in_order, 2);
}

TEST(DeliveryCheck, APublishersOwnOrderIsKeptUnderInOrderOffsets) {
    DeliveryCheck check(2);
    check.begin(true, 0, true);
    EXPECT_EQ(check.arrived_at(1, 0, 1), Arrival::in_order);
    EXPECT_EQ(check.arrived_at(2, 1, 2), Arrival::in_order);
    EXPECT_EQ(check.arrived_at(3, 1, 1), Arrival::out_of_order);
    EXPECT_EQ(check.arrived_at(4, 0, 2), Arrival::in_order);
    EXPECT_EQ(check.received(), 4u);
}

TEST(DeliveryCheck, PublishersAreCheckedApartWhereTheServerNumbersNothing) {
    DeliveryCheck check(2);
    check.begin(true, 0, false);
    EXPECT_EQ(check.arrived(1, 1), Arrival::in_order);
    EXPECT_EQ(check.arrived(0, 1), Arrival::in_order);
    EXPECT_EQ(check.arrived(1, 3), Arrival::in_order);
    EXPECT_EQ(check.arrived(0, 2), Arrival::in_order);
    EXPECT_EQ(check.missing(), 1u);
    EXPECT_EQ(check.arrived(0, 2), Arrival::duplicate);
}

TEST(DeliveryCheck, OtherPeoplesPublicationsCountAsOffsetsOnly) {
    DeliveryCheck check(1);
    check.begin(true, 0, true);
    EXPECT_EQ(check.arrived_at(1, 0, 1), Arrival::in_order);
    EXPECT_EQ(check.passed(2), Arrival::in_order);
    EXPECT_EQ(check.arrived_at(3, 0, 2), Arrival::in_order);
    EXPECT_EQ(check.received(), 2u);
    EXPECT_EQ(check.missing(), 0u);
}

TEST(DeliveryCheck, ALaterLifeStartsWhereverTheRoomIs) {
    DeliveryCheck check(1);
    check.begin(false, 0, false);
    EXPECT_EQ(check.arrived(0, 17), Arrival::in_order);
    EXPECT_EQ(check.arrived(0, 19), Arrival::in_order);
    EXPECT_EQ(check.missing(), 1u);
    check.begin(false, 0, false);
    EXPECT_EQ(check.missing(), 0u);
    EXPECT_EQ(check.received(), 0u);
    EXPECT_EQ(check.arrived(0, 3), Arrival::in_order);
}

TEST(DeliveryCheck, MoreHolesThanItRemembersStillCountAsMissing) {
    DeliveryCheck check(1);
    check.begin(true, 0, false);
    const auto holes = static_cast<std::uint32_t>(DeliveryCheck::holes_max + 100);
    for (std::uint32_t i = 1; i <= holes; ++i) {
        EXPECT_EQ(check.arrived(0, 2 * i), Arrival::in_order);
    }
    EXPECT_EQ(check.missing(), holes);
    EXPECT_EQ(check.arrived(0, 1), Arrival::out_of_order);
    EXPECT_EQ(check.missing(), holes - 1);
    EXPECT_EQ(check.arrived(0, 2 * holes - 1), Arrival::duplicate);
}

}  // namespace
}  // namespace parley::load
