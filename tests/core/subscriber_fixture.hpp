// Two sessions on one shard, for the tests of Subscriber.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "support/test_session.hpp"

namespace parley::test {

struct SubscriberFixture {
    explicit SubscriberFixture(core::Config config = unlimited_config()) : hub(std::move(config)) {}

    TestHub hub;
    TestSession ann{hub, 0, "ann"};
    TestSession bob{hub, 0, "bob"};

    [[nodiscard]] protocol::Epoch epoch(const std::string& room = "r") {
        return hub.shard().find_audience(room)->room()->epoch();
    }
    // Ann says 1, 2, 3 … in the room "r".
    void say(int count) {
        for (int i = 1; i <= count; ++i) ann.send("r", std::to_string(i));
        hub.settle();
    }
};

}  // namespace parley::test
