#include "transports/socketio/engine_session.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "transports/engine_fixture.hpp"
#include "transports/later_answer.hpp"

namespace parley::transports {
namespace {

using core::Metric;
using testing::ElementsAre;
using testing::IsEmpty;

class EngineSessionTime : public test::EngineFixture {};
class EngineSessionPolls : public test::EngineFixture {};
class EngineSessionPosts : public test::EngineFixture {};
class EngineSessionEnds : public test::EngineFixture {};

using std::chrono::milliseconds;
using namespace std::chrono_literals;

// ---- time ------------------------------------------------------------------------------------

TEST_F(EngineSessionTime, PingsAPollAsSoonAsTheIntervalIsOverAndNotBefore) {
    open_polling();
    EXPECT_EQ(poll(), "waits");
    at(24'999ms);
    EXPECT_TRUE(poll_waits());
    at(25'000ms);
    EXPECT_EQ(answered_, "2");
}

TEST_F(EngineSessionTime, HoldsThePingForTheNextPoll) {
    open_polling();
    at(25'000ms);
    EXPECT_EQ(poll(), "2");
    EXPECT_EQ(poll(), "waits");
}

// Every millisecond around the end of the time-out, by a timer or by what the client does.
TEST_F(EngineSessionTime, EndsAtTheMillisecondOfTheTimeout) {
    for (const milliseconds late : {-2ms, -1ms, 0ms, 1ms, 2ms}) {
        SCOPED_TRACE(late.count());
        open_polling();
        pass(25'000ms);
        EXPECT_EQ(poll(), "2");
        pass(20'000ms + late);
        EXPECT_EQ(post("3"), late < 0ms ? "ok" : "gone");
        EXPECT_EQ(handler->closed_for != nullptr, late >= 0ms);
        if (late < 0ms) continue;
        EXPECT_EQ(handler->closed_for->code, core::close_reasons::heartbeat_missed.code);
        EXPECT_EQ(poll(), "gone");
    }
}

TEST_F(EngineSessionTime, TakesNoLatePongThoughTheTimerHasNotFired) {
    const auto session = open_socket();
    at(25'000ms);
    EXPECT_THAT(transcript.controls, ElementsAre("<2>"));
    gate_.shard().set_now({gate_.now() + 20'000ms, {}});
    socket->text("3");
    ASSERT_NE(handler->closed_for, nullptr);
    EXPECT_EQ(handler->closed_for->code, core::close_reasons::heartbeat_missed.code);
    EXPECT_EQ(socket->link.closed_for->code, core::close_reasons::heartbeat_missed.code);
}

TEST_F(EngineSessionTime, PingsAnIntervalAfterThePongAndNeverBetween) {
    open_socket();
    milliseconds time{0};
    for (int round = 0; round < 5; ++round) {
        time += 25'000ms;
        at(time - 1ms);
        EXPECT_EQ(transcript.controls.size(), static_cast<std::size_t>(round));
        at(time);
        EXPECT_EQ(transcript.controls.size(), static_cast<std::size_t>(round) + 1);
        time += milliseconds(round * 4'999);
        at(time);
        socket->text("3");
    }
    EXPECT_EQ(handler->closed_for, nullptr);
}

TEST_F(EngineSessionTime, GivesAClientItsWholeTimeWhereTheServerStoodStill) {
    open_socket();
    at(100'000ms);
    EXPECT_THAT(transcript.controls, ElementsAre("<2>"));
    at(119'999ms);
    socket->text("3");
    EXPECT_EQ(handler->closed_for, nullptr);
}

// ---- polls -----------------------------------------------------------------------------------

TEST_F(EngineSessionPolls, BringWhatWasSaidMeanwhileTogether) {
    open_polling();
    handler->link->send(MessageKind::text, "one");
    handler->link->send(MessageKind::binary, "\x01\x02\x03\x04");
    EXPECT_EQ(poll(),
              "4one\x1e"
              "bAQIDBA==");
    EXPECT_EQ(poll(), "waits");
    handler->link->send(MessageKind::text, "two");
    handler->link->send(MessageKind::text, "three");
    settle();
    EXPECT_EQ(answered_,
              "4two\x1e"
              "4three");
}

TEST_F(EngineSessionPolls, TakePublicationsOnlyWhileOneWaits) {
    open_polling();
    for (int i = 0; i < 10; ++i) handler->publish(MessageKind::text, std::to_string(i));
    EXPECT_EQ(handler->pending.size(), 10U) << "they stay with their room";
    EXPECT_TRUE(handler->blocked);
    EXPECT_EQ(poll(),
              "40\x1e"
              "41\x1e"
              "42\x1e"
              "43\x1e"
              "44\x1e"
              "45\x1e"
              "46\x1e"
              "47\x1e"
              "48\x1e"
              "49");
    EXPECT_EQ(poll(), "waits");
    handler->publish(MessageKind::binary, "raw");
    settle();
    EXPECT_EQ(answered_, "bcmF3");
    handler->publish(MessageKind::text, "next");
    EXPECT_EQ(handler->pending.size(), 1U);
}

TEST_F(EngineSessionPolls, AreAnsweredWithNoMoreThanTheyMayCarryAndOneMore) {
    config().max_payload = 10'000;
    open_polling();
    std::string all;
    for (int i = 0; i < 100; ++i) {
        const std::string text(static_cast<std::size_t>(37 * i), static_cast<char>('a' + i % 26));
        handler->publish(MessageKind::text, text);
        all += text;
    }
    std::string heard;
    for (int polls = 0; heard.size() < all.size(); ++polls) {
        ASSERT_LT(polls, 100);
        EXPECT_LE(poll().size(), 10'000U + 37 * 100 + 2);
        for (const std::string& message : std::exchange(transcript.messages, {})) heard += message;
    }
    EXPECT_EQ(heard, all);
    EXPECT_EQ(poll(), "waits");
}

// python-engineio gives up at the seventeenth packet.
TEST_F(EngineSessionPolls, AreAnsweredWithSixteenPacketsWhereTheClientTakesNoMore) {
    for (std::size_t count = 1; count <= 50; ++count) {
        SCOPED_TRACE(count);
        open_polling("transport=polling&EIO=4&t=1732261762.25");
        for (std::size_t i = 0; i < count; ++i) {
            if (i % 3 == 0) handler->link->send(MessageKind::text, std::to_string(i));
            if (i % 3 != 0) handler->publish(MessageKind::text, std::to_string(i));
        }
        std::vector<std::string> heard;
        std::string body;
        while ((body = poll()) != "waits") {
            EXPECT_LT(std::ranges::count(body, '\x1e'), 16);
            ASSERT_FALSE(transcript.messages.empty());
            for (auto& message : std::exchange(transcript.messages, {})) heard.push_back(message);
        }
        EXPECT_EQ(heard.size(), count);
        handler->publish(MessageKind::text, "next");
        settle();
        EXPECT_EQ(answered_, "4next");
        transcript.messages.clear();
    }
}

// Frames of every length that a header says otherwise, joined as the core joins them.
TEST_F(EngineSessionPolls, TakeFramesApartHoweverLongTheyAre) {
    open_polling();
    for (const std::size_t length : {0UL, 1UL, 123UL, 124UL, 125UL, 126UL, 127UL, 65'533UL,
                                     65'534UL, 65'535UL, 65'536UL, 70'000UL}) {
        std::string run;
        protocol::append_frame(run, protocol::Opcode::text, "4" + std::string(length, 'x'));
        protocol::append_frame(run, protocol::Opcode::binary, std::string(length, 'y'));
        protocol::append_frame(run, protocol::Opcode::text, "4end");
        handler->pending.push_back(core::Frame::copy_of(run));
        handler->flush();
        poll();
        EXPECT_THAT(std::exchange(transcript.messages, {}),
                    ElementsAre(std::string(length, 'x'), "#" + std::string(length, 'y'), "end"));
    }
}

TEST_F(EngineSessionPolls, EndTheSessionWhenASecondOneComes) {
    open_polling();
    EXPECT_EQ(poll(), "waits");
    EngineSession* const session = sessions_.find(sid);
    EXPECT_EQ(session->poll()->status, 400U);
    settle();
    EXPECT_EQ(answered_, "1");
    EXPECT_EQ(poll(), "gone");
    EXPECT_EQ(handler->closed_for->code, core::close_reasons::protocol_error.code);
}

TEST_F(EngineSessionPolls, EndTheSessionWhenOneIsGivenUp) {
    open_polling();
    EXPECT_EQ(poll(), "waits");
    give_up_poll();
    EXPECT_EQ(poll(), "gone");
    EXPECT_EQ(handler->closed_for->code, core::close_reasons::vanished.code);
    EXPECT_EQ(total(Metric::engine_polls_lost), 1U);
}

// What was handed to an answer that was not read must not be taken for delivered.
TEST_F(EngineSessionPolls, EndTheSessionWhenAnAnswerIsNotTaken) {
    open_polling();
    handler->link->send(MessageKind::text, "lost");
    EXPECT_EQ(poll(), "4lost");
    ASSERT_TRUE(last_undelivered);
    last_undelivered();
    EXPECT_EQ(poll(), "gone");
    EXPECT_EQ(handler->closed_for->code, core::close_reasons::vanished.code);
}

TEST_F(EngineSessionPolls, EndTheSessionWhoseWordsNobodyComesFor) {
    config().waiting_bytes = 10'000;
    open_polling();
    for (int i = 0; i < 10; ++i) handler->link->send(MessageKind::text, std::string(998, 'x'));
    settle();
    EXPECT_EQ(handler->closed_for, nullptr) << "9,999 bytes and the separators are as many";
    handler->link->send(MessageKind::text, "x");
    settle();
    ASSERT_NE(handler->closed_for, nullptr);
    EXPECT_EQ(handler->closed_for->code, core::close_reasons::slow_consumer.code);
    EXPECT_EQ(total(Metric::engine_words_unfetched), 1U);
    EXPECT_EQ(poll(), "1");
    EXPECT_EQ(poll(), "gone");
}

// ---- posts -----------------------------------------------------------------------------------

TEST_F(EngineSessionPosts, AreHandedOverPacketByPacketWhileTheHandlerIsReady) {
    open_polling();
    handler->stops_after_each = true;
    std::shared_ptr<LaterAnswer> later;
    EXPECT_EQ(post("4one\x1e"
                   "bAQID\x1e"
                   "4three",
                   &later),
              "later");
    EXPECT_THAT(handler->heard, ElementsAre("one"));
    for (const std::size_t heard : {2U, 3U}) {
        handler->is_ready = true;
        handler->link->resume();
        EXPECT_EQ(handler->heard.size(), heard - 1) << "from the loop, not from within the call";
        settle();
        EXPECT_EQ(handler->heard.size(), heard);
    }
    EXPECT_THAT(handler->heard, ElementsAre("one", "#\x01\x02\x03", "three"));
}

TEST_F(EngineSessionPosts, AreHandedOverNoFurtherThanAPollThatWaitsCanCarryTheAnswers) {
    config().max_payload = 8;
    open_polling();
    handler->echoes = true;
    EXPECT_EQ(poll(), "waits");
    std::shared_ptr<LaterAnswer> later;
    EXPECT_EQ(post("4one-full\x1e"
                   "4two\x1e"
                   "4three",
                   &later),
              "later");
    EXPECT_THAT(handler->heard, ElementsAre("one-full"));
    settle();
    EXPECT_EQ(answered_, "4one-full") << "what the first brought forth has left alone";
    EXPECT_THAT(handler->heard, ElementsAre("one-full", "two", "three"));
    EXPECT_EQ(poll(),
              "4two\x1e"
              "4three");
}

TEST_F(EngineSessionPosts, EndTheSessionWhenASecondOneComesMeanwhile) {
    open_polling();
    handler->is_ready = false;
    EXPECT_EQ(post("4one"), "later");
    EXPECT_EQ(post("4two"), "400");
    EXPECT_THAT(handler->heard, IsEmpty());
    EXPECT_EQ(handler->closed_for->code, core::close_reasons::protocol_error.code);
    EXPECT_EQ(poll(), "gone");
}

TEST_F(EngineSessionPosts, AreHandedOverBeforeWhatTheWebSocketBrings) {
    const auto session = open_polling();
    handler->is_ready = false;
    EXPECT_EQ(post("4one\x1e"
                   "4two"),
              "later");
    socket.emplace(*session, EngineSocket::Part::probing, transcript);
    socket->text("2probe");
    socket->text("5");
    EXPECT_FALSE(socket->socket->ready());
    handler->is_ready = true;
    EXPECT_FALSE(socket->socket->ready()) << "the body comes first";
    handler->link->resume();
    settle();
    EXPECT_TRUE(socket->socket->ready());
    EXPECT_EQ(socket->link.resumes, 1);
    socket->text("4three");
    EXPECT_THAT(handler->heard, ElementsAre("one", "two", "three"));
}

TEST_F(EngineSessionPosts, StopAtTheFirstPacketThatEndsTheSession) {
    for (const std::string_view end : {"1", "2", "0{}", "x"}) {
        SCOPED_TRACE(end);
        open_polling();
        EXPECT_EQ(post("4one\x1e" + std::string(end) +
                       "\x1e"
                       "4two"),
                  end == "1" ? "ok" : "400");
        EXPECT_THAT(handler->heard, ElementsAre("one"));
        EXPECT_EQ(poll(), "gone");
    }
}

// What some clients send at the end of their polling, and the reference passes over.
TEST_F(EngineSessionPosts, MayHoldNoopAndUpgrade) {
    open_polling();
    EXPECT_EQ(post("6\x1e"
                   "5\x1e"
                   "4one"),
              "ok");
    EXPECT_THAT(handler->heard, ElementsAre("one"));
}

// ---- ends ------------------------------------------------------------------------------------

TEST_F(EngineSessionEnds, AreToldToThePollThatWaits) {
    open_polling();
    EXPECT_EQ(poll(), "waits");
    handler->link->send(MessageKind::text, "bye");
    handler->link->close(core::close_reasons::going_away);
    EXPECT_EQ(handler->closed_for, nullptr) << "never from within the call";
    handler->link->send(MessageKind::text, "too late");
    settle();
    EXPECT_EQ(answered_,
              "4bye\x1e"
              "1");
    EXPECT_EQ(handler->closed_for->code, core::close_reasons::going_away.code);
    EXPECT_EQ(poll(), "gone");
}

TEST_F(EngineSessionEnds, AreToldToTheNextPollForThirtySeconds) {
    for (const milliseconds late : {0ms, 1ms, 29'999ms, 30'000ms}) {
        SCOPED_TRACE(late.count());
        open_polling();
        handler->link->send(MessageKind::text, "bye");
        handler->link->close(core::close_reasons::going_away);
        settle();
        EXPECT_EQ(handler->closed_for->code, core::close_reasons::going_away.code);
        EXPECT_EQ(gate_.connections(), 0U) << "nobody waits for it";
        pass(late);
        EXPECT_EQ(post("4late"), late < 30'000ms ? "ok" : "gone");
        EXPECT_EQ(poll(), late < 30'000ms ? "4bye\x1e"
                                            "1"
                                          : "gone");
        EXPECT_EQ(poll(), "gone");
        EXPECT_EQ(sessions_.size(), 0U);
        EXPECT_THAT(handler->heard, IsEmpty());
    }
}

TEST_F(EngineSessionEnds, AreToldToAPollThatComesBeforeTheLoopDoes) {
    open_polling();
    handler->link->close(core::close_reasons::going_away);
    EXPECT_EQ(poll(), "1");
    EXPECT_EQ(handler->closed_for->code, core::close_reasons::going_away.code);
    settle();
    EXPECT_EQ(poll(), "gone");
}

TEST_F(EngineSessionEnds, AreTheWebSocketsAndItsOwnersAlike) {
    const auto session = open_socket();
    handler->link->close(core::close_reasons::going_away);
    EXPECT_EQ(socket->link.closed_for->code, core::close_reasons::going_away.code);
    EXPECT_EQ(handler->closed_for, nullptr) << "it follows from the connection's end";
    socket->end(core::close_reasons::going_away);
    EXPECT_EQ(handler->closed_for->code, core::close_reasons::going_away.code);
    EXPECT_EQ(sessions_.size(), 0U);
}

TEST_F(EngineSessionEnds, ArePartOfADrainForWhoIsBetweenTwoPolls) {
    open_polling();
    bool gone = false;
    gate_.drain(10s, [&] { gone = true; });
    EXPECT_EQ(handler->drains, 1);
    settle();
    ASSERT_NE(handler->closed_for, nullptr);
    EXPECT_EQ(handler->closed_for->code, core::close_reasons::draining.code);
    EXPECT_TRUE(gone) << "nothing is waited for that has no connection";
    EXPECT_EQ(poll(), "1");
}

}  // namespace
}  // namespace parley::transports
