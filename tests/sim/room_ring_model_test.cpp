// The promises of core/room_ring.hpp under every interleaving of a small model, and the proof that
// the model would notice if a step were wrong.
#include "sim/room_ring_model.hpp"

#include <gtest/gtest.h>

namespace parley::test::ring_model {
namespace {

ModelResult expect_kept(const ModelConfig& config) {
    const ModelResult result = Model(config).run();
    EXPECT_EQ(result.broken, "");
    EXPECT_GT(result.quiet, 0U) << "some interleaving ends";
    return result;
}

TEST(RoomRingModel, OneShardHearsEverythingWhileTheRingGrows) {
    const ModelResult roomy = expect_kept({.slots_first = 2, .slots_max = 4});
    EXPECT_GT(roomy.grown, 0U);
    EXPECT_EQ(roomy.refused, 0U) << "four entries always fit";
    const ModelResult tight = expect_kept({.slots_first = 1, .slots_max = 2});
    EXPECT_GT(tight.grown, 0U);
    EXPECT_GT(tight.refused, 0U);
}

TEST(RoomRingModel, TwoShardsHearTheSameWhileTheRingGrows) {
    const ModelResult result =
        expect_kept({.slots_first = 2, .slots_max = 4, .consumers = 2, .release = false});
    EXPECT_GT(result.grown, 0U);
}

TEST(RoomRingModel, TwoShardsLetNoSlotBeOverwrittenEarly) {
    for (const std::uint8_t slots : {std::uint8_t{1}, std::uint8_t{2}}) {
        const ModelResult result =
            expect_kept({.slots_first = slots, .slots_max = slots, .consumers = 2});
        EXPECT_GT(result.refused, 0U);
    }
}

TEST(RoomRingModel, EntriesAreDroppedOnceAndNotBeforeAllHaveTakenThem) {
    expect_kept({.slots_first = 1, .slots_max = 2, .entries_2nd = 1, .consumers = 2});
    expect_kept({.slots_first = 2, .slots_max = 4, .entries_2nd = 1, .consumers = 2});
}

TEST(RoomRingModel, AShardMayComeAtAnyTime) {
    expect_kept(
        {.slots_first = 2, .slots_max = 2, .entries_2nd = 1, .consumers = 2, .attaches = 1});
    expect_kept({.slots_first = 1,
                 .slots_max = 2,
                 .entries_2nd = 1,
                 .consumers = 2,
                 .attaches = 1,
                 .release = false});
}

TEST(RoomRingModel, AShardMayComeAndGoAndComeAgain) {
    expect_kept({.slots_first = 2,
                 .slots_max = 2,
                 .entries_2nd = 1,
                 .consumers = 2,
                 .attaches = 2,
                 .detaches = 1});
}

struct Mistake {
    const char* what;
    ModelConfig config;
};

void PrintTo(const Mistake& mistake, std::ostream* out) {
    *out << mistake.what;
}

class RoomRingModelMistake : public testing::TestWithParam<Mistake> {};

// The same configuration without the mistake keeps every promise; with it, one breaks.
TEST_P(RoomRingModelMistake, IsCaught) {
    ModelConfig config = GetParam().config;
    EXPECT_NE(Model(config).run().broken, "");
    config.mutation = Mutation::none;
    expect_kept(config);
}

const Mistake mistakes[] = {
    {"unflag_after_drain", {.entries_2nd = 1, .mutation = Mutation::unflag_after_drain}},
    {"flag_before_publish", {.entries_2nd = 1, .mutation = Mutation::flag_before_publish}},
    {"unflag_when_attached",
     {.slots_max = 2,
      .entries_2nd = 1,
      .consumers = 2,
      .attaches = 2,
      .detaches = 1,
      .release = false,
      .mutation = Mutation::unflag_when_attached}},
    {"home_read_last",
     {.slots_max = 2,
      .entries_2nd = 1,
      .consumers = 2,
      .attaches = 1,
      .release = false,
      .mutation = Mutation::home_read_last}},
    {"claim_though_closed",
     {.slots_first = 1, .slots_max = 2, .mutation = Mutation::claim_though_closed}},
    {"move_on_without_first",
     {.slots_first = 1, .slots_max = 2, .mutation = Mutation::move_on_without_first}},
    {"release_without_bound",
     {.slots_first = 1,
      .slots_max = 1,
      .consumers = 2,
      .mutation = Mutation::release_without_bound}},
    {"count_backlog_one_short",
     {.slots_max = 2, .entries_2nd = 1, .mutation = Mutation::count_backlog_one_short}},
};

INSTANTIATE_TEST_SUITE_P(Every, RoomRingModelMistake, testing::ValuesIn(mistakes),
                         [](const auto& tested) { return std::string(tested.param.what); });

}  // namespace
}  // namespace parley::test::ring_model
