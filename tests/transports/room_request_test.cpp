#include "transports/room_request.hpp"

#include <gtest/gtest.h>

namespace parley::transports {
namespace {

using std::chrono::milliseconds;

TEST(RoomInPath, FindsTheRoomOfThatLeafAlone) {
    EXPECT_EQ(room_in_path("/api/v1/rooms/lobby/events", "events"), "lobby");
    EXPECT_EQ(room_in_path("/api/v1/rooms/a%3Ab/events", "events"), "a%3Ab");
    EXPECT_EQ(room_in_path("/api/v1/rooms//events", "events"), "");
    for (const std::string_view other :
         {"", "/", "/api/v1/rooms/", "/api/v1/rooms/lobby", "/api/v1/rooms/lobby/",
          "/api/v1/rooms/lobby/event", "/api/v1/rooms/lobby/events/", "/api/v1/rooms/a/b/events",
          "/api/v2/rooms/lobby/events", "/api/v1/rooms/lobby/EVENTS"}) {
        EXPECT_FALSE(room_in_path(other, "events")) << other;
    }
}

TEST(ParseWait, TakesATimeWithItsUnitOrSeconds) {
    EXPECT_EQ(parse_wait("25s"), milliseconds(25'000));
    EXPECT_EQ(parse_wait("25"), milliseconds(25'000));
    EXPECT_EQ(parse_wait("0"), milliseconds(0));
    EXPECT_EQ(parse_wait("1500ms"), milliseconds(1'500));
    EXPECT_EQ(parse_wait("1m"), milliseconds(60'000));
    for (const std::string_view bad : {"", "s", "ms", "-1s", "+1s", " 1s", "1 s", "1.5s", "1h",
                                       "1S", "0x1", "99999999999999999999", "86401s"}) {
        EXPECT_FALSE(parse_wait(bad)) << bad;
    }
}

}  // namespace
}  // namespace parley::transports
