#include "core/session.hpp"

#include <gtest/gtest.h>

#include <string>

#include "core/limits.hpp"

namespace parley::core {
namespace {

using protocol::Body;
using protocol::Command;
using protocol::Cursor;

constexpr JoinedRooms outside{false, 0};
constexpr JoinedRooms inside{true, 1};

struct SessionFixture {
    LimitsConfig limits;
    Session session{limits, UserPtr(new User({"id", "ann"}))};

    Action after(Command command, JoinedRooms rooms) {
        return session.on(std::move(command), rooms);
    }
    // The code that the command is refused with; empty where it isn't.
    std::string refusal(Command command, JoinedRooms rooms) {
        const auto action = after(std::move(command), rooms);
        const auto* refuse = std::get_if<Refuse>(&action);
        return refuse ? refuse->error.code : std::string();
    }
};

Command send_of(std::size_t bytes) {
    return protocol::Send{"r", {Body::Kind::text, std::string(bytes, 'x')}, {}, {}};
}

Command join_of(const std::string& room) {
    return protocol::Join{room, std::nullopt, 50, false};
}
Command history_of(const std::string& room) {
    return protocol::History{room, std::nullopt, std::nullopt, 50};
}

TEST(Session, RefusesToSpeakInARoomThatIsNotJoined) {
    SessionFixture f;
    for (const Command& command :
         {Command(send_of(1)), Command(protocol::Typing{"r", true}),
          Command(protocol::Read{"r", 1}), Command(protocol::Leave{"r"})}) {
        EXPECT_EQ(f.refusal(command, outside), "not_joined");
        EXPECT_EQ(f.refusal(command, {false, 5}), "not_joined");
        EXPECT_EQ(f.refusal(command, inside), "");
    }
}

TEST(Session, AnswersQuestionsAboutARoomWithoutJoiningIt) {
    SessionFixture f;
    for (const auto rooms : {outside, inside}) {
        EXPECT_TRUE(std::holds_alternative<AskHistory>(f.after(history_of("r"), rooms)));
        EXPECT_TRUE(std::holds_alternative<AskMembers>(f.after(protocol::Members{"r"}, rooms)));
        EXPECT_TRUE(std::holds_alternative<SendReply>(f.after(protocol::Ping{}, rooms)));
    }
}

TEST(Session, PassesOnWhatItAllows) {
    SessionFixture f;
    EXPECT_EQ(std::get<JoinRoom>(f.after(join_of("r"), outside)).join.room, "r");
    EXPECT_EQ(std::get<LeaveRoom>(f.after(protocol::Leave{"r"}, inside)).room, "r");
    EXPECT_EQ(std::get<PublishMessage>(f.after(send_of(3), inside)).send.body.content, "xxx");
    EXPECT_FALSE(
        std::get<PublishTyping>(f.after(protocol::Typing{"r", false}, inside)).typing.active);
    EXPECT_EQ(std::get<PublishRead>(f.after(protocol::Read{"r", 7}, inside)).read.offset, 7u);
    EXPECT_EQ(std::get<Rename>(f.after(protocol::Hello{"bob", {}}, outside)).name, "bob");
    EXPECT_EQ(std::get<Rename>(f.after(protocol::Hello{{}, {}}, inside)).name, "");
}

TEST(Session, JoinsEachRoomOnceAndNoMoreThanTheLimit) {
    SessionFixture f;
    f.limits.rooms_per_session = 3;
    EXPECT_EQ(f.refusal(join_of("r"), inside), "conflict");
    EXPECT_EQ(f.refusal(join_of("r"), {false, 2}), "");
    EXPECT_EQ(f.refusal(join_of("r"), {false, 3}), "forbidden");
}

TEST(Session, RefusesRoomsWithoutAProperNameInEveryCommand) {
    SessionFixture f;
    const std::string bad = "no room";
    for (const Command& command :
         {Command(join_of(bad)), Command(protocol::Leave{bad}),
          Command(protocol::Send{bad, {Body::Kind::text, "x"}, {}, {}}),
          Command(protocol::Typing{bad, true}), Command(protocol::Read{bad, 1}),
          Command(history_of(bad)), Command(protocol::Members{bad}), Command(join_of(""))}) {
        EXPECT_EQ(f.refusal(command, outside), "bad_request");
    }
}

TEST(Session, BoundsTheSizeOfAMessage) {
    SessionFixture f;
    f.limits.text_bytes = 100;
    EXPECT_EQ(f.refusal(send_of(100), inside), "");
    EXPECT_EQ(f.refusal(send_of(101), inside), "too_large");
    EXPECT_EQ(f.refusal(send_of(0), inside), "bad_request");
    const auto data = [](std::size_t bytes) {
        return protocol::Send{"r", {Body::Kind::data, std::string(bytes, '1')}, {}, {}};
    };
    EXPECT_EQ(f.refusal(data(100), inside), "");
    EXPECT_EQ(f.refusal(data(101), inside), "too_large");
}

TEST(Session, AsksForHistoryFromOneSideOnly) {
    SessionFixture f;
    const Cursor cursor{*protocol::Epoch::parse("e"), 3};
    EXPECT_EQ(f.refusal(protocol::History{"r", cursor, cursor, 5}, inside), "bad_request");
    EXPECT_EQ(f.refusal(protocol::History{"r", cursor, {}, 5}, inside), "");
    EXPECT_EQ(f.refusal(protocol::History{"r", {}, cursor, 5}, inside), "");
}

TEST(Session, IsNamedOnlyBeforeItsFirstRoom) {
    SessionFixture f;
    EXPECT_EQ(f.refusal(protocol::Hello{"bob", {}}, inside), "conflict");
    EXPECT_EQ(f.refusal(protocol::Hello{"", {}}, outside), "bad_request");
    EXPECT_EQ(f.refusal(protocol::Hello{{}, "token"}, outside), "") << "whose it is others say";
}

TEST(Session, NamesEveryRoomThatTheProtocolAllowsAndNoOther) {
    for (int c = 0; c < 256; ++c) {
        const char byte = static_cast<char>(c);
        const bool letter = c < 128 && std::isalnum(c) != 0;
        const bool inner =
            letter || (c != 0 && std::string("._:@-").find(byte) != std::string::npos);
        EXPECT_EQ(is_room_name(std::string(1, byte)), letter) << c;
        EXPECT_EQ(is_room_name(std::string("a") + byte), inner) << c;
        EXPECT_EQ(is_room_name(std::string("a") + byte + "z"), inner) << c;
    }
    EXPECT_FALSE(is_room_name(""));
    EXPECT_TRUE(is_room_name(std::string(limits::room_name_bytes_max, 'a')));
    EXPECT_FALSE(is_room_name(std::string(limits::room_name_bytes_max + 1, 'a')));
}

TEST(Session, RefusesNamesThatNobodyCouldTellApartOrShow) {
    EXPECT_EQ(refuse_name("ann", 64), std::nullopt);
    EXPECT_EQ(refuse_name("Jürgen Łukasz 名前", 64), std::nullopt);
    EXPECT_EQ(refuse_name(std::string(64, 'a'), 64), std::nullopt);
    for (const std::string& bad :
         {std::string(), std::string(65, 'a'), std::string("a\nb"), std::string("a\0b", 3),
          std::string("a\x7f"), std::string("\xff"), std::string(" a"), std::string("a ")}) {
        EXPECT_NE(refuse_name(bad, 64), std::nullopt) << testing::PrintToString(bad);
    }
}

TEST(Session, EndsAfterTooManyRefusalsInARow) {
    for (std::uint32_t most = 1; most < 30; ++most) {
        SessionFixture f;
        f.limits.errors_in_a_row = most;
        for (std::uint32_t i = 1; i < most; ++i) {
            ASSERT_EQ(f.session.count_refusal(errc::bad_request), std::nullopt);
        }
        EXPECT_EQ(f.session.count_refusal(errc::bad_request)->code, 4009);
    }
}

TEST(Session, IsToldToComeBackLaterWhereAllRefusalsWereOfItsRate) {
    SessionFixture f;
    f.limits.errors_in_a_row = 3;
    ASSERT_EQ(f.session.count_refusal(errc::rate_limited), std::nullopt);
    ASSERT_EQ(f.session.count_refusal(errc::rate_limited), std::nullopt);
    EXPECT_EQ(f.session.count_refusal(errc::rate_limited)->code, 4129);
    f.session.clear_refusals();
    static_cast<void>(f.session.count_refusal(errc::rate_limited));
    static_cast<void>(f.session.count_refusal(errc::not_joined));
    EXPECT_EQ(f.session.count_refusal(errc::rate_limited)->code, 4009);
}

TEST(Session, ForgetsItsRefusalsWhenSomethingSucceeded) {
    SessionFixture f;
    f.limits.errors_in_a_row = 2;
    for (int i = 0; i < 100; ++i) {
        ASSERT_EQ(f.session.count_refusal(errc::not_joined), std::nullopt);
        f.session.clear_refusals();
    }
}

TEST(Session, IsNotEndedWhereLimitsAreOff) {
    SessionFixture f;
    f.limits.enabled = false;
    for (int i = 0; i < 1000; ++i) {
        ASSERT_EQ(f.session.count_refusal(errc::rate_limited), std::nullopt);
    }
}

TEST(Session, SaysInAnErrorWhetherToTryAgainAndWhen) {
    for (const auto& row : errc_rows) {
        const auto plain = make_error(row.value);
        EXPECT_EQ(plain.code, row.name);
        EXPECT_EQ(plain.message, row.text);
        EXPECT_EQ(plain.temporary, row.temporary);
        EXPECT_EQ(plain.retry_after_ms, std::nullopt);
        const auto exact = make_error(row.value, "because", milliseconds(70));
        EXPECT_EQ(exact.message, "because");
        EXPECT_EQ(exact.retry_after_ms, 70u);
    }
}

}  // namespace
}  // namespace parley::core
