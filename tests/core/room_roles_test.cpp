#include "core/room_roles.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/limits.hpp"
#include "support/fake_accounts.hpp"

namespace parley::core {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using test::granted;

const WallTime now{std::chrono::seconds(1'800'000'000)};

UserPtr anonymous(const std::string& id, const std::string& name) {
    return UserPtr(new User(protocol::User{id, name}));
}

RoomRule rule(RoomKind kind, std::vector<std::string> owners = {}) {
    RoomRule made;
    made.match = "*";
    made.kind = kind;
    made.owners = std::move(owners);
    return made;
}

TEST(RoomRoles, WithoutARuleARoomIsOpenAndNobodyIsAnything) {
    const RoomRoles roles(nullptr, {}, now);
    EXPECT_EQ(roles.kind(), RoomKind::open);
    EXPECT_TRUE(roles.is_blank());
    EXPECT_EQ(roles.role_of(*granted("a", "ann")), Role::none);
    EXPECT_FALSE(roles.refuse(*anonymous("x", "x"), Act::send));
    EXPECT_EQ(roles.refuse(*anonymous("x", "x"), Act::set_topic)->code, "forbidden");
}

TEST(RoomRoles, ConfiguredOwnersAreThoseWhoHaveSignedIn) {
    const RoomRule owned = rule(RoomKind::members, {"ann", "id-bob"});
    const RoomRoles roles(&owned, {}, now);
    EXPECT_EQ(roles.role_of(*granted("1", "ann")), Role::owner);
    EXPECT_EQ(roles.role_of(*granted("id-bob", "bob")), Role::owner);
    EXPECT_EQ(roles.role_of(*anonymous("1", "ann")), Role::none);
    EXPECT_EQ(roles.role_of(*granted("2", "bob")), Role::none);
    EXPECT_FALSE(roles.may_claim(*granted("2", "eve")));
}

TEST(RoomRoles, ATokenOfAnotherSystemOwnsByItsIdAlone) {
    const RoomRule owned = rule(RoomKind::members, {"ann", "id-bob"});
    const RoomRoles roles(&owned, {}, now);
    Grant grant;
    grant.kind = Grant::Kind::jwt;
    EXPECT_EQ(roles.role_of(*granted("9", "ann", grant)), Role::none);
    EXPECT_EQ(roles.role_of(*granted("id-bob", "bob", grant)), Role::owner);
}

TEST(RoomRoles, ATokenThatModeratesLiftsButNotAboveABan) {
    RoomRecord record;
    record.roles = {{{"b", "b"}, Role::banned}, {{"o", "o"}, Role::owner}};
    const RoomRoles roles(nullptr, std::move(record), now);
    Grant grant;
    grant.moderates = true;
    EXPECT_EQ(roles.role_of(*granted("x", "x", grant)), Role::moderator);
    EXPECT_EQ(roles.role_of(*granted("b", "b", grant)), Role::banned);
    EXPECT_EQ(roles.role_of(*granted("o", "o", grant)), Role::owner);
}

TEST(RoomRoles, TheFirstWithAnAccountMayClaimWhatIsNotOpenAndHasNoOwner) {
    for (const RoomKind kind :
         {RoomKind::open, RoomKind::members, RoomKind::read_only, RoomKind::hidden}) {
        const RoomRule of_kind = rule(kind);
        RoomRoles roles(&of_kind, {}, now);
        EXPECT_EQ(roles.may_claim(*granted("a", "ann")), kind != RoomKind::open);
        EXPECT_FALSE(roles.may_claim(*anonymous("a", "ann")));
        roles.set({{"a", "ann"}, Role::banned});
        EXPECT_FALSE(roles.may_claim(*granted("a", "ann")));
        EXPECT_EQ(roles.may_claim(*granted("b", "bob")), kind != RoomKind::open);
        roles.set({{"c", "cyd"}, Role::owner});
        EXPECT_FALSE(roles.may_claim(*granted("b", "bob")));
    }
}

TEST(RoomRoles, WhatIsForATimeEndsInWhatWasBefore) {
    RoomRoles roles(nullptr, {}, now);
    const protocol::User ann{"a", "ann"};
    roles.set(roles.made(ann, Role::moderator, std::nullopt));
    roles.set(roles.made(ann, Role::muted, now + minutes(10)));
    EXPECT_EQ(roles.assigned("a")->role, Role::muted);
    roles.set(roles.made(ann, Role::banned, now + minutes(20)));
    EXPECT_EQ(roles.next_end(), now + minutes(20));
    EXPECT_TRUE(roles.end_until(now + minutes(19)).empty());
    const auto ended = roles.end_until(now + minutes(20));
    ASSERT_EQ(ended.size(), 1u);
    EXPECT_EQ(ended[0], (RoomRole{ann, Role::moderator}));
    EXPECT_EQ(roles.assigned("a")->role, Role::moderator);
    EXPECT_FALSE(roles.next_end());
}

TEST(RoomRoles, LiftingGivesBackWhatPassedAndEndsWhatLasts) {
    RoomRoles roles(nullptr, {}, now);
    const protocol::User ann{"a", "ann"};
    const auto lifted_from = [&](Role before, Role role, std::optional<WallTime> until) {
        roles.set(roles.made(ann, Role::none, std::nullopt));
        roles.set({ann, before});
        roles.set(roles.made(ann, role, until));
        return roles.made(ann, Role::none, std::nullopt).role;
    };
    EXPECT_EQ(lifted_from(Role::member, Role::muted, now + hours(1)), Role::member);
    EXPECT_EQ(lifted_from(Role::member, Role::muted, std::nullopt), Role::member);
    EXPECT_EQ(lifted_from(Role::member, Role::banned, now + hours(1)), Role::member);
    EXPECT_EQ(lifted_from(Role::member, Role::banned, std::nullopt), Role::none);
    EXPECT_EQ(lifted_from(Role::member, Role::moderator, std::nullopt), Role::none);
    EXPECT_EQ(lifted_from(Role::member, Role::moderator, now + hours(1)), Role::member);
}

TEST(RoomRoles, WhatEndedWhileTheRoomWasAwayHasEnded) {
    RoomRecord record;
    record.topic = "t";
    record.roles = {{{"a", "ann"}, Role::muted, now - hours(1), Role::member},
                    {{"b", "bob"}, Role::banned, now, Role::none},
                    {{"c", "cyd"}, Role::banned, now + hours(1), Role::none}};
    const RoomRoles roles(nullptr, std::move(record), now);
    EXPECT_EQ(roles.topic(), "t");
    EXPECT_EQ(roles.role_of(*anonymous("a", "ann")), Role::member);
    EXPECT_EQ(roles.role_of(*anonymous("b", "bob")), Role::none);
    EXPECT_EQ(roles.role_of(*anonymous("c", "cyd")), Role::banned);
    EXPECT_EQ(roles.all().size(), 2u);
}

TEST(RoomRoles, TheLastOwnerIsTheOnlyOneForGood) {
    RoomRoles roles(nullptr, {}, now);
    roles.set({{"a", "ann"}, Role::owner});
    EXPECT_TRUE(roles.is_last_owner("a"));
    roles.set({{"b", "bob"}, Role::owner, now + hours(1), Role::none});
    EXPECT_TRUE(roles.is_last_owner("a"));
    EXPECT_FALSE(roles.is_last_owner("b"));
    roles.set({{"c", "cyd"}, Role::owner});
    EXPECT_FALSE(roles.is_last_owner("a"));
    const RoomRule owned = rule(RoomKind::open, {"eve"});
    RoomRoles configured(&owned, {}, now);
    configured.set({{"a", "ann"}, Role::owner});
    EXPECT_FALSE(configured.is_last_owner("a"));
}

TEST(RoomRoles, KeepSoManyUsersAndNoMore) {
    RoomRoles roles(nullptr, {}, now);
    for (std::size_t i = 0; i < limits::room_roles_max; ++i) {
        ASSERT_TRUE(roles.has_room_for(std::to_string(i)));
        roles.set({{std::to_string(i), "n"}, Role::banned});
    }
    EXPECT_FALSE(roles.has_room_for("one more"));
    EXPECT_TRUE(roles.has_room_for("7"));
}

}  // namespace
}  // namespace parley::core
