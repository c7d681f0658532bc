#include "core/permissions.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>

namespace parley::core {
namespace {

constexpr std::size_t kinds = static_cast<std::size_t>(RoomKind::end_);
constexpr std::size_t roles = static_cast<std::size_t>(Role::end_);
constexpr std::size_t acts = static_cast<std::size_t>(Act::end_);

// One line a kind and act, one letter a role, from banned to owner: y may, - may not.
struct Row {
    RoomKind kind;
    Act act;
    std::string_view may;
};
constexpr Row matrix[] = {
    {RoomKind::open, Act::read, "-yyyyy"},          {RoomKind::open, Act::send, "--yyyy"},
    {RoomKind::open, Act::edit, "--yyyy"},          {RoomKind::open, Act::remove, "--yyyy"},
    {RoomKind::open, Act::moderate, "----yy"},      {RoomKind::open, Act::set_topic, "----yy"},
    {RoomKind::open, Act::invite, "----yy"},        {RoomKind::open, Act::appoint, "-----y"},
    {RoomKind::members, Act::read, "-y-yyy"},       {RoomKind::members, Act::send, "---yyy"},
    {RoomKind::members, Act::edit, "---yyy"},       {RoomKind::members, Act::remove, "---yyy"},
    {RoomKind::members, Act::moderate, "----yy"},   {RoomKind::members, Act::set_topic, "----yy"},
    {RoomKind::members, Act::invite, "----yy"},     {RoomKind::members, Act::appoint, "-----y"},
    {RoomKind::read_only, Act::read, "-yyyyy"},     {RoomKind::read_only, Act::send, "----yy"},
    {RoomKind::read_only, Act::edit, "----yy"},     {RoomKind::read_only, Act::remove, "----yy"},
    {RoomKind::read_only, Act::moderate, "----yy"}, {RoomKind::read_only, Act::set_topic, "----yy"},
    {RoomKind::read_only, Act::invite, "----yy"},   {RoomKind::read_only, Act::appoint, "-----y"},
    {RoomKind::hidden, Act::read, "-y-yyy"},        {RoomKind::hidden, Act::send, "---yyy"},
    {RoomKind::hidden, Act::edit, "---yyy"},        {RoomKind::hidden, Act::remove, "---yyy"},
    {RoomKind::hidden, Act::moderate, "----yy"},    {RoomKind::hidden, Act::set_topic, "----yy"},
    {RoomKind::hidden, Act::invite, "----yy"},      {RoomKind::hidden, Act::appoint, "-----y"},
};
static_assert(std::size(matrix) == kinds * acts);

TEST(Permissions, AreThoseOfTheMatrixForEveryRoleActAndKind) {
    for (const Row& row : matrix) {
        ASSERT_EQ(row.may.size(), roles);
        for (std::size_t i = 0; i < roles; ++i) {
            EXPECT_EQ(may(static_cast<Role>(i), row.act, row.kind), row.may[i] == 'y')
                << name_of(static_cast<Role>(i)) << ' ' << name_of(row.act) << ' '
                << name_of(row.kind);
        }
    }
}

TEST(Permissions, SayWhyWhereSomebodyMayNot) {
    for (const Row& row : matrix) {
        for (std::size_t i = 0; i < roles; ++i) {
            const auto role = static_cast<Role>(i);
            if (may(role, row.act, row.kind)) continue;
            const std::string why = refusal_text(role, std::nullopt, row.act, row.kind);
            const std::string expected =
                role == Role::banned ? "banned"
                : role == Role::muted && row.act != Act::moderate && row.act != Act::set_topic &&
                        row.act != Act::invite && row.act != Act::appoint &&
                        row.kind != RoomKind::read_only
                    ? "muted"
                    : "only ";
            EXPECT_NE(why.find(expected), std::string::npos)
                << why << ": " << name_of(role) << ' ' << name_of(row.act) << ' '
                << name_of(row.kind);
        }
    }
    const WallTime until{std::chrono::seconds(1'800'000'000)};
    EXPECT_EQ(refusal_text(Role::muted, until, Act::send, RoomKind::open),
              "you are muted here until 2027-01-15T08:00:00.000Z");
    EXPECT_EQ(refusal_text(Role::banned, until, Act::read, RoomKind::open),
              "you are banned from this room until 2027-01-15T08:00:00.000Z");
    EXPECT_EQ(refusal_text(Role::none, {}, Act::read, RoomKind::hidden),
              "only members may read this room; ask an owner or moderator to invite you");
    EXPECT_EQ(refusal_text(Role::member, {}, Act::send, RoomKind::read_only),
              "only moderators may send in this room");
}

// Actor by actor: which roles a target may have, and may be given.
TEST(Permissions, NobodyMakesAnythingOfWhoIsAsHighAndOnlyOwnersAppoint) {
    for (std::size_t a = 0; a < roles; ++a) {
        for (std::size_t t = 0; t < roles; ++t) {
            for (std::size_t w = 0; w < roles; ++w) {
                const auto actor = static_cast<Role>(a);
                const auto target = static_cast<Role>(t);
                const auto what = static_cast<Role>(w);
                bool expected = false;
                if (actor == Role::owner) expected = target != Role::owner;
                if (actor == Role::moderator) {
                    expected = target != Role::owner && target != Role::moderator &&
                               what != Role::owner && what != Role::moderator;
                }
                EXPECT_EQ(may_make(actor, target, what), expected)
                    << name_of(actor) << ' ' << name_of(target) << ' ' << name_of(what);
            }
        }
    }
}

TEST(RoomWords, AreReadAsTheyAreWritten) {
    for (std::size_t i = 0; i < roles; ++i) {
        const auto role = static_cast<Role>(i);
        EXPECT_EQ(protocol::role_from(name_of(role)), role);
    }
    for (std::size_t i = 0; i < kinds; ++i) {
        const auto kind = static_cast<RoomKind>(i);
        EXPECT_EQ(protocol::room_kind_from(name_of(kind)), kind);
    }
    EXPECT_FALSE(protocol::role_from("Owner"));
    EXPECT_FALSE(protocol::room_kind_from(""));
}

}  // namespace
}  // namespace parley::core
