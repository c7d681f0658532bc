// A hub of several shards and a room whose home is the first, for the tests of what crosses shards.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "support/test_session.hpp"

namespace parley::test {

inline constexpr std::size_t home = 0;
inline constexpr std::size_t away = 1;

struct TwoShards {
    explicit TwoShards(core::Config config = unlimited_config(2)) : hub(std::move(config)) {}

    void expect_nothing_left() {
        hub.pass(std::chrono::seconds(11));
        for (std::size_t i = 0; i < hub.shards(); ++i) {
            EXPECT_EQ(hub.shard(i).room_count(), 0u) << "shard " << i;
        }
        EXPECT_EQ(hub.total(core::Metric::rooms_created), hub.total(core::Metric::rooms_dropped));
        EXPECT_EQ(hub.total(core::Metric::audiences_created),
                  hub.total(core::Metric::audiences_dropped));
    }

    TestHub hub;
    std::string room = hub.room_at(home);
};

}  // namespace parley::test
