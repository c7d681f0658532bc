// Where a session of several rooms stood, told from one place of its stream.
#include "core/trail.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "core/limits.hpp"

namespace parley::core {
namespace {

using protocol::Cursor;
using protocol::Epoch;

const Epoch epoch_a = *Epoch::parse("AAAAA");
const Epoch epoch_b = *Epoch::parse("BBBBB");

StreamPlace message(const Epoch& epoch, std::uint64_t offset) {
    return {{epoch, offset}, 0, 0};
}
StreamPlace join(const Epoch& epoch, std::uint64_t offset, std::uint32_t number) {
    return {{epoch, offset}, number, 0};
}

// "a=5 b=-" : a at 5, b not told of yet; "?" where it can't be told.
std::string stands(const Trail& trail, const std::optional<StreamPlace>& last) {
    const auto found = trail.stands_at(last);
    if (!found) return "?";
    std::string out;
    for (const RoomStand& stand : *found) {
        if (!out.empty()) out += ' ';
        out += stand.room + '=' + (stand.offset ? std::to_string(*stand.offset) : "-");
    }
    return out;
}

struct TwoRooms {
    TwoRooms() {
        trail.joined("a", {epoch_a, 3});
        trail.handed("a", 5);
        trail.joined("b", {epoch_b, 7});
        trail.handed("a", 6);
        trail.handed("b", 9);
        trail.handed("b", 10);
        trail.handed("a", 8);
    }
    Trail trail;
};

TEST(Trail, TellsWhereEachRoomStoodAtEveryPlaceOfTheStream) {
    const TwoRooms f;
    EXPECT_EQ(stands(f.trail, std::nullopt), "a=- b=-");
    EXPECT_EQ(stands(f.trail, join(epoch_a, 3, 1)), "a=3 b=-");
    EXPECT_EQ(stands(f.trail, message(epoch_a, 4)), "a=4 b=-");
    EXPECT_EQ(stands(f.trail, message(epoch_a, 5)), "a=5 b=-");
    EXPECT_EQ(stands(f.trail, join(epoch_b, 7, 2)), "a=5 b=7");
    EXPECT_EQ(stands(f.trail, message(epoch_a, 6)), "a=6 b=7");
    EXPECT_EQ(stands(f.trail, message(epoch_b, 8)), "a=6 b=8");
    EXPECT_EQ(stands(f.trail, message(epoch_b, 9)), "a=6 b=9");
    EXPECT_EQ(stands(f.trail, message(epoch_b, 10)), "a=6 b=10");
    EXPECT_EQ(stands(f.trail, message(epoch_a, 7)), "a=7 b=10");
    EXPECT_EQ(stands(f.trail, message(epoch_a, 8)), "a=8 b=10");
}

TEST(Trail, IsNotUsedUpByWhatCarriesNoOffset) {
    TwoRooms f;
    for (std::size_t i = 0; i < limits::trail_runs_max; ++i) {
        f.trail.handed("b", 10);
        f.trail.handed("a", 8);
    }
    EXPECT_EQ(stands(f.trail, message(epoch_a, 4)), "a=4 b=-");
    EXPECT_EQ(stands(f.trail, message(epoch_a, 8)), "a=8 b=10");
}

TEST(Trail, DoesNotTellOfPlacesThatItWasNeverAt) {
    const TwoRooms f;
    EXPECT_EQ(stands(f.trail, message(epoch_a, 9)), "?");  // not handed
    EXPECT_EQ(stands(f.trail, message(epoch_a, 3)), "?");  // what the room held before
    EXPECT_EQ(stands(f.trail, message(epoch_b, 7)), "?");
    EXPECT_EQ(stands(f.trail, join(epoch_b, 7, 3)), "?");
    EXPECT_EQ(stands(f.trail, join(epoch_a, 3, 2)), "?");
    EXPECT_EQ(stands(f.trail, message(*Epoch::parse("CCCCC"), 5)), "?");
}

TEST(Trail, NamesNoRoomThatWasLeftButKnowsItsPlaces) {
    TwoRooms f;
    f.trail.left("b");
    EXPECT_EQ(stands(f.trail, message(epoch_b, 9)), "a=6");
    EXPECT_EQ(stands(f.trail, message(epoch_a, 8)), "a=8");
    // Joined again: what was said of the first time is another place.
    EXPECT_EQ(f.trail.joined("b", {epoch_b, 10}), 3u);
    EXPECT_EQ(stands(f.trail, message(epoch_b, 10)), "a=6 b=-");
    EXPECT_EQ(stands(f.trail, join(epoch_b, 10, 3)), "a=8 b=10");
}

TEST(Trail, KeepsARoomsPlaceForAnotherOnceNothingNamesIt) {
    Trail trail;
    for (int i = 0; i < 1000; ++i) {
        const std::string room = "r" + std::to_string(i);
        const auto number = trail.joined(room, {epoch_a, 1});
        EXPECT_EQ(stands(trail, join(epoch_a, 1, number)), room + "=1");
        trail.left(room);
    }
    EXPECT_EQ(stands(trail, join(epoch_a, 1, 1000)), "");
}

TEST(Trail, ForgetsTheOldestAndThenDoesNotTell) {
    Trail trail;
    trail.joined("a", {epoch_a, 0});
    trail.joined("b", {epoch_b, 0});
    // Each makes a run: 2 joins and limits::trail_runs_max - 2 of these fit.
    const auto fits = static_cast<std::uint64_t>(limits::trail_runs_max - 2);
    for (std::uint64_t i = 1; i <= fits / 2; ++i) {
        trail.handed("a", i);
        trail.handed("b", i);
    }
    EXPECT_EQ(stands(trail, std::nullopt), "a=- b=-");
    EXPECT_EQ(stands(trail, join(epoch_a, 0, 1)), "a=0 b=-");
    trail.handed("a", 1000);
    EXPECT_EQ(stands(trail, std::nullopt), "?");
    EXPECT_EQ(stands(trail, join(epoch_a, 0, 1)), "a=0 b=-");  // where the rest begins
    trail.handed("b", 1000);
    EXPECT_EQ(stands(trail, join(epoch_a, 0, 1)), "?");
    EXPECT_EQ(stands(trail, join(epoch_b, 0, 2)), "a=0 b=0");
    EXPECT_EQ(stands(trail, message(epoch_a, 1)), "a=1 b=0");
    EXPECT_EQ(stands(trail, message(epoch_b, 1000)), "a=1000 b=1000");
}

TEST(Trail, GoesOnFromWhereAnotherOneWasLeft) {
    const TwoRooms f;
    const StreamPlace last = message(epoch_b, 9);
    const auto at = *f.trail.stands_at(last);
    Trail next(f.trail, last, at);
    // Nothing was heard since: the same again.
    EXPECT_EQ(stands(next, last), "a=6 b=9");
    EXPECT_EQ(stands(next, std::nullopt), "?");
    next.handed("b", 10);
    next.handed("a", 8);
    EXPECT_EQ(stands(next, last), "a=6 b=9");
    EXPECT_EQ(stands(next, message(epoch_b, 10)), "a=6 b=10");
    EXPECT_EQ(stands(next, message(epoch_a, 7)), "a=7 b=10");
    EXPECT_EQ(next.joined("c", {*Epoch::parse("CCCCC"), 1}), 3u);
}

TEST(Trail, GoesOnWithARoomThatIsToldOfAgain) {
    const TwoRooms f;
    const StreamPlace last = message(epoch_a, 4);
    Trail next(f.trail, last, *f.trail.stands_at(last));
    EXPECT_EQ(stands(next, last), "a=4 b=-");
    next.joined("b", {epoch_b, 10});
    next.handed("a", 8);
    EXPECT_EQ(stands(next, last), "a=4 b=-");
    EXPECT_EQ(stands(next, join(epoch_b, 10, 3)), "a=4 b=10");
    EXPECT_EQ(stands(next, message(epoch_a, 8)), "a=8 b=10");
}

}  // namespace
}  // namespace parley::core
