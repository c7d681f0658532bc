// From polling to WebSocket: whatever the order of what happens, nothing is lost, doubled or out of
// order, and a session ends once.
#include "transports/socketio/engine_upgrade.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "transports/engine_fixture.hpp"

namespace parley::transports {
namespace {

using core::Metric;
using testing::ElementsAre;
using namespace std::chrono_literals;

class EngineUpgrades : public test::EngineFixture {
protected:
    void probe_with(const EngineSession::Pointer& session) {
        socket.emplace(*session, EngineSocket::Part::probing, transcript);
        socket->text("2probe");
    }

    // One step of an order; where it has no place it does nothing.
    void step(char what, const EngineSession::Pointer& session) {
        switch (what) {
            case 'g':  // a GET
                if (!poll_waits()) poll();
                break;
            case 'o':  // the WebSocket opens
                if (!socket) socket.emplace(*session, EngineSocket::Part::probing, transcript);
                break;
            case '2':  // behind the switch it would be a ping of the client's, which is none
                if (socket && !socket->ended && handler->writer_changes == 0) {
                    socket->text("2probe");
                }
                break;
            case '5':
                if (socket && !socket->ended) socket->text("5");
                break;
            case 's':
            case 't':
                if (!handler->closed_for) handler->link->send(MessageKind::text, {&what, 1});
                break;
            case 'p':
            case 'q':
                if (!handler->closed_for) handler->publish(MessageKind::binary, {&what, 1});
                break;
            case 'm':  // the client says something
                if (post("4m") == "400" && socket) socket->text("4m");
                break;
            case 'c':  // this side closes
                if (!handler->closed_for) handler->link->close(core::close_reasons::going_away);
                break;
            case 'l':  // the client hangs up its poll
                if (poll_waits()) give_up_poll();
                break;
            case 'w':  // … or its WebSocket
                if (socket) socket->end(core::close_reasons::vanished);
                break;
            case '1':
                if (post("1") == "400" && socket) socket->text("1");
                break;
            case '.':  // the loop comes round
                settle();
                break;
            case '+':
                pass(100ms);
                break;
        }
        if (socket && socket->link.closed_for != nullptr) socket->end(*socket->link.closed_for);
    }

    // Runs every order of those steps, each with the loop coming round between the steps, and
    // without.
    template <typename Check>
    void every_order(std::string steps, Check check) {
        std::ranges::sort(steps);
        do {
            for (const bool settles : {true, false}) {
                transcript = {};
                socket.reset();
                const EngineSession::Pointer session = open_polling();
                for (const char what : steps) {
                    step(what, session);
                    if (settles) settle();
                }
                settle();
                check(session);
                if (!handler->closed_for) session->abort();
                settle();
                if (HasFailure()) FAIL() << "in the order " << steps;
                ASSERT_EQ(sessions_.find(sid), nullptr);
            }
        } while (std::next_permutation(steps.begin(), steps.end()));
    }
};

std::string of_kind(const std::vector<std::string>& messages, bool published) {
    std::string out;
    for (const std::string& message : messages) {
        if (message.starts_with('#') == published) out += message.back();
    }
    return out;
}

TEST_F(EngineUpgrades, KeepTheOrderOfWordsAndPublicationsInEveryOrderOfEvents) {
    every_order("go25spqt", [&](const EngineSession::Pointer& session) {
        while (sessions_.find(sid) != nullptr && session->is_open()) {
            const std::string answer = poll();
            if (answer == "waits" || answer == "400") break;
        }
        if (poll_waits()) give_up_poll();
        const std::string words = of_kind(transcript.messages, false);
        const std::string published = of_kind(transcript.messages, true);
        EXPECT_TRUE(words == "st" || words == "ts") << words;
        EXPECT_TRUE(published == "pq" || published == "qp") << published;
        EXPECT_EQ(handler->pending.size(), 0U);
    });
}

TEST_F(EngineUpgrades, EndOnceInEveryOrderOfEndings) {
    const auto orderly = [&](const EngineSession::Pointer&) {
        pass(30'000ms);  // whatever is still to be fetched
        if (poll_waits()) give_up_poll();
        EXPECT_NE(handler->closed_for, nullptr);
    };
    every_order("go25cs1", orderly);
    every_order("go25lw1", orderly);
    every_order("g25owpc", orderly);
}

TEST_F(EngineUpgrades, HandOverWhatTheClientSaysOnceInEveryOrder) {
    every_order("go25ms.", [&](const EngineSession::Pointer&) {
        if (poll_waits()) give_up_poll();
        // A message over a WebSocket that only probes costs the WebSocket: never the session.
        EXPECT_THAT(handler->heard, ElementsAre("m"));
    });
}

TEST_F(EngineUpgrades, AnswerThePollThatWaitsAndTheNextOne) {
    const auto session = open_polling();
    EXPECT_EQ(poll(), "waits");
    probe_with(session);
    EXPECT_THAT(transcript.controls, ElementsAre("<3probe>"));
    settle();
    EXPECT_EQ(answered_, "6");
    EXPECT_EQ(poll(), "waits") << "a client that polls on is not answered at once for ever";
    pass(99ms);
    EXPECT_TRUE(poll_waits());
    pass(1ms);
    EXPECT_FALSE(poll_waits());
    EXPECT_EQ(answered_, "6");
}

TEST_F(EngineUpgrades, LeaveAPollAloneBeforeTheProbe) {
    const auto session = open_polling();
    socket.emplace(*session, EngineSocket::Part::probing, transcript);
    EXPECT_EQ(poll(), "waits");
    pass(1'000ms);
    EXPECT_TRUE(poll_waits());
}

TEST_F(EngineUpgrades, EndAtTheTimeoutAndTheSessionPollsOn) {
    const auto session = open_polling();
    probe_with(session);
    pass(9'999ms);
    EXPECT_EQ(socket->link.closed_for, nullptr);
    pass(1ms);
    ASSERT_NE(socket->link.closed_for, nullptr);
    EXPECT_EQ(total(Metric::engine_upgrade_timeouts), 1U);
    socket->end(*socket->link.closed_for);
    EXPECT_EQ(handler->closed_for, nullptr);
    handler->link->send(MessageKind::text, "still here");
    EXPECT_EQ(poll(), "4still here");
    // And may try again.
    probe_with(session);
    socket->text("5");
    EXPECT_EQ(handler->writer_changes, 1);
    EXPECT_EQ(total(Metric::engine_upgrades), 1U);
}

TEST_F(EngineUpgrades, RefuseASecondWebSocketWhateverTheFirstIsAt) {
    const auto session = open_polling();
    socket.emplace(*session, EngineSocket::Part::probing, transcript);
    for (const std::string_view then : {"2probe", "5", "4hello"}) {
        test::Transcript other;
        Socket second(*session, EngineSocket::Part::probing, other);
        EXPECT_NE(second.link.closed_for, nullptr);
        second.text("5");
        second.end(*second.link.closed_for);
        EXPECT_THAT(other.messages, testing::IsEmpty());
        EXPECT_EQ(socket->link.closed_for, nullptr);
        socket->text(then);
    }
    EXPECT_THAT(handler->heard, ElementsAre("hello"));
}

TEST_F(EngineUpgrades, ChangeTheWriterAndLetABlockedOneGoOn) {
    const auto session = open_polling();
    handler->publish(MessageKind::text, "waited");
    EXPECT_TRUE(handler->blocked);
    probe_with(session);
    EXPECT_EQ(poll(), "4waited") << "what there is ends a poll as well";
    handler->publish(MessageKind::text, "flushed");
    EXPECT_TRUE(handler->blocked);
    socket->text("5");
    EXPECT_EQ(handler->writer_changes, 1);
    EXPECT_FALSE(handler->blocked);
    EXPECT_EQ(&handler->link->writer(), &socket->link) << "nothing between the core and the socket";
    EXPECT_THAT(transcript.messages, ElementsAre("waited", "flushed"));
    EXPECT_EQ(gate_.connections(), 0U);
}

TEST_F(EngineUpgrades, BringAPingThatWaitsAndTakeItsPong) {
    const auto session = open_polling();
    pass(25'000ms);
    probe_with(session);
    socket->text("5");
    EXPECT_THAT(transcript.controls, ElementsAre("<3probe>", "<2>"));
    pass(19'999ms);
    socket->text("3");
    pass(24'999ms);
    EXPECT_EQ(handler->closed_for, nullptr);
}

TEST_F(EngineUpgrades, EndTheSessionWhereAnAnswerBeforeThemWasNotTaken) {
    const auto session = open_polling();
    handler->link->send(MessageKind::text, "lost");
    EXPECT_EQ(poll(), "4lost");
    probe_with(session);
    socket->text("5");
    last_undelivered();
    ASSERT_NE(socket->link.closed_for, nullptr);
    EXPECT_NE(socket->link.closed_for->code, core::close_reasons::vanished.code)
        << "1006 is never sent";
    EXPECT_EQ(handler->closed_for->code, core::close_reasons::vanished.code);
}

// Some clients drop the poll that they have left.
TEST_F(EngineUpgrades, OutliveAnAnswerThatOnlyEndsItsPoll) {
    const auto session = open_polling();
    probe_with(session);
    EXPECT_EQ(poll(), "6");
    EXPECT_FALSE(last_undelivered);
}

}  // namespace
}  // namespace parley::transports
