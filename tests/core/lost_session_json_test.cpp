// Lost sessions beyond their process: as text and back, and through a store.
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "core/lost_sessions.hpp"
#include "core/room_access.hpp"
#include "support/fake_accounts.hpp"
#include "support/fake_store.hpp"
#include "support/test_hub.hpp"

namespace parley::core {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using test::FakeStore;
using test::TestHub;

protocol::Epoch epoch(const char* text) {
    return *protocol::Epoch::parse(text);
}

// Rooms, joins, messages past what a trail keeps, a room that was left: every part is in use.
Trail long_trail() {
    Trail before;
    before.joined("a", {epoch("A1"), 5});
    before.handed("a", 7);
    Trail trail(before, StreamPlace{{epoch("A1"), 7}, 0, 0},
                {{"a", epoch("A1"), 7}, {"b", epoch("B1"), std::nullopt}});
    trail.joined("b", {epoch("B1"), 100});
    trail.joined("c", {epoch("C1"), 0});
    for (std::uint64_t i = 1; i <= limits::trail_runs_max; ++i) {
        trail.handed("a", 7 + i);
        trail.handed("b", 100 + i);
    }
    trail.left("c");
    return trail;
}

std::string stands(const std::optional<std::vector<RoomStand>>& found) {
    if (!found) return "lost";
    std::string text;
    for (const auto& stand : *found) {
        text += stand.room + ":" + std::string(stand.epoch.view()) + ":" +
                (stand.offset ? std::to_string(*stand.offset) : "-") + " ";
    }
    return text;
}

TEST(TrailJson, GivesBackATrailThatTellsTheSamePlaces) {
    for (const Trail& trail : {Trail(), long_trail()}) {
        const auto back = Trail::from_json(trail.to_json());
        ASSERT_TRUE(back);
        EXPECT_EQ(back->to_json(), trail.to_json());
        EXPECT_EQ(stands(back->stands_at({})), stands(trail.stands_at({})));
        std::size_t told = 0;
        for (std::uint64_t i = 0; i < 300; ++i) {
            for (const char* name : {"A1", "B1", "C1"}) {
                for (const std::uint32_t join : {0U, 1U, 2U}) {
                    const StreamPlace place{{epoch(name), i}, join, 0};
                    EXPECT_EQ(stands(back->stands_at(place)), stands(trail.stands_at(place)));
                    told += trail.stands_at(place) ? 1U : 0U;
                }
            }
        }
        EXPECT_TRUE(told > 50 || trail.to_json() == Trail().to_json());
    }
}

TEST(TrailJson, RefusesWhatIsNoneOfOurs) {
    const std::string good = long_trail().to_json();
    for (std::size_t cut = 0; cut < good.size(); ++cut) {
        EXPECT_FALSE(Trail::from_json(good.substr(0, cut))) << cut;
    }
    for (const char* text : {"[]", "{}", "7", R"({"rooms":[],"runs":[[1,9,0]],"joins":0})",
                             R"({"rooms":[["a","!",true,0,null,0]],"runs":[],"joins":0})",
                             R"({"rooms":[],"runs":[],"joins":-1})"}) {
        EXPECT_FALSE(Trail::from_json(text)) << text;
    }
}

TEST(LostSessionJson, GivesBackAllOfIt) {
    const LostSession session{
        "/", "sid", UserPtr(new User({"id", "an \"n\\ä"})), long_trail(), {"b", "a"}};
    const auto back = lost_session_from_json(to_json(session));
    ASSERT_TRUE(back);
    EXPECT_EQ(back->scope, session.scope);
    EXPECT_EQ(back->session, session.session);
    EXPECT_EQ(back->user->who, session.user->who);
    EXPECT_EQ(back->trail.to_json(), session.trail.to_json());
    EXPECT_EQ(back->rooms, session.rooms);
    EXPECT_FALSE(lost_session_from_json("{}"));
    EXPECT_FALSE(lost_session_from_json(""));
}

TEST(LostSessionJson, WhoWasSignedInIsNoGuestAndMayDoNothingByIt) {
    const LostSession session{"/", "sid", test::granted("id", "ann"), {}, {}};
    const auto back = lost_session_from_json(to_json(session));
    ASSERT_TRUE(back);
    EXPECT_EQ(back->user->who, session.user->who);
    EXPECT_TRUE(is_signed_in(*back->user));
    EXPECT_TRUE(refuse_read(*back->user, "lobby"));
    EXPECT_TRUE(refuse_write(*back->user, "lobby"));
    const LostSession guest{"/", "sid", UserPtr(new User({"id", "ann"})), {}, {}};
    EXPECT_EQ(lost_session_from_json(to_json(guest))->user->grant(), nullptr);
    std::string before = to_json(guest);
    before.replace(before.find(",\"signed_in\":false"), 18, "");
    EXPECT_FALSE(lost_session_from_json(before)) << "nobody knows what they were";
}

TEST(LostSessions, OutliveTheProcessWithAStoreUntilTheirTimeIsOver) {
    for (const std::uint32_t shards : {1U, 3U}) {
        FakeStore store(Durability::sync);
        const auto config = test::unlimited_config(shards);
        const auto at = [&](TestHub& hub, std::size_t shard, const char* key, auto lasts) {
            hub.shard(shard).lost_sessions().keep(
                key, {"/", key, UserPtr(new User({"id", "ann"})), {}, {}},
                {hub.now().mono + lasts, 10});
        };
        {
            TestHub hub(config, 1, &store);
            hub.hub().take_up_sessions(hub.now());
            at(hub, 0, "short", seconds(30));
            at(hub, shards - 1, "long", minutes(2));
            hub.jump(seconds(10));
            hub.hub().settle(hub.now());
        }
        EXPECT_EQ(store.sessions.size(), 2U);
        TestHub hub(config, 1, &store);  // whose clock begins 10 s earlier
        hub.hub().take_up_sessions(hub.now());
        EXPECT_TRUE(store.sessions.empty());
        const auto find = [&](const char* key) {
            for (std::size_t i = 0; i < shards; ++i) {
                if (auto session = hub.shard(i).lost_sessions().take(key)) return session->session;
            }
            return std::string();
        };
        hub.pass(seconds(31));
        EXPECT_EQ(find("short"), "");
        EXPECT_EQ(find("long"), "long");
    }
}

}  // namespace
}  // namespace parley::core
