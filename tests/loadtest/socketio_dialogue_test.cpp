// Socket.IO's dialogues, over WebSocket and whatever carries the packets, through the user who speaks
// them.
#include "loadtest/socketio_dialogue.hpp"

#include <gtest/gtest.h>

#include <array>
#include <memory>

#include "loadtest/socketio_stage.hpp"

namespace parley::load {
namespace {

using Stage = SocketIoStage;
using PollStage = SocketIoPollStage;
using PostStage = SocketIoPostStage;
using FrameStage = SocketIoFrameStage;

Target events_of_another() {
    return *parse_target(
        "path=/socket.io/?EIO=4&transport=websocket&key=k\nexpect=0{\nsend=40\nexpect=40{\n"
        "send=42[\"join\",\"{room}\"]\nexpect=42[\"joined\"\nreply=2=>3\n"
        "publish=42[\"msg\",\"{room}\",\"{payload}\"]",
        "other");
}

using Texts = std::vector<std::string>;

TEST(SocketIoWebSocketDialogue, UpgradesConnectsAndAwaitsTheHistory) {
    FrameStage stage;
    EXPECT_TRUE(stage.request.starts_with("GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n"))
        << stage.request;
    stage.give(stage.accepted);
    EXPECT_TRUE(stage.said.empty());
    stage.give(frame(engine_open("abc")));
    EXPECT_EQ(stage.spoken(), Texts{connect_packet});
    stage.give(frame(connected));
    EXPECT_EQ(stage.user.state(), VirtualUser::State::opening);
    stage.give(frame(R"(42["user_joined",{"username":"u2","room":"load-0","count":1}])"));
    EXPECT_EQ(stage.user.state(), VirtualUser::State::opening);
    stage.give(frame(history(40)));
    EXPECT_EQ(stage.user.state(), VirtualUser::State::ready);
}

TEST(SocketIoWebSocketDialogue, MayBeSplitAnywhere) {
    const std::string tail =
        frames({engine_open("abc"), connected, history(40), message(41, 1), "2", message(42, 2)});
    const std::size_t size = FrameStage().accepted.size() + tail.size();
    for (std::size_t at = 0; at <= size; ++at) {
        FrameStage stage;
        stage.give_split(stage.accepted + tail, at);
        ASSERT_EQ(stage.user.state(), VirtualUser::State::ready) << "split at " << at;
        EXPECT_EQ(stage.counts().received, 2u) << "split at " << at;
        EXPECT_EQ(stage.spoken(), (Texts{connect_packet, "3"}));
    }
}

TEST(SocketIoWebSocketDialogue, SaysGoodbye) {
    FrameStage stage;
    stage.join();
    stage.user.leave(stage.said, stage.context);
    EXPECT_EQ(stage.spoken(), (Texts{"41", "1000"}));
    std::string close;
    protocol::append_close_frame(close, 1000, {});
    stage.give(frame("41") + close);
    EXPECT_EQ(stage.user.state(), VirtualUser::State::closed);
    EXPECT_EQ(stage.tally().dropped, 0u);
}

TEST(SocketIoWebSocketDialogue, PassesOverAttachments) {
    FrameStage stage;
    stage.join();
    std::string bytes = frame(R"(451-["file",{"_placeholder":true,"num":0}])");
    protocol::append_frame(bytes, protocol::Opcode::binary, "1234");
    stage.give(bytes + frame(message(1, 1)));
    EXPECT_EQ(stage.user.state(), VirtualUser::State::ready);
    EXPECT_EQ(stage.counts().received, 1u);
}

TEST(SocketIoWebSocketDialogue, SpeaksATargetsEventsWhetherItHasTheHeartbeatOrNot) {
    FrameStage stage(publisher, events_of_another());
    EXPECT_TRUE(
        stage.request.starts_with("GET /socket.io/?EIO=4&transport=websocket&key=k HTTP/1.1\r\n"))
        << stage.request;
    stage.give(stage.accepted + frames({engine_open("abc"), "2", connected}));
    EXPECT_EQ(stage.spoken(), (Texts{"40", "3", R"(42["join","load-0"])"}));
    stage.give(frame(R"(42["joined","load-0"])"));
    EXPECT_EQ(stage.user.state(), VirtualUser::State::ready);
    stage.publish(1);
    EXPECT_TRUE(stage.spoken().front().starts_with(R"(42["msg","load-0","~P)"));
    EXPECT_EQ(stage.user.pending(), 0u);
    stage.give(frames({R"(42["msg",")" + stamp_text(1) + R"("])", R"(42["other",1])"}));
    EXPECT_EQ(stage.counts().received, 1u);
    EXPECT_TRUE(stage.tally().failures.empty());
}

// ---- both ----------------------------------------------------------------------------------------

constexpr std::array both{Transport::socketio, Transport::socketio_polling};

// A publisher who is ready, and packets to it, whatever carries them.
struct ReadyStage {
    explicit ReadyStage(Transport transport, std::uint64_t offset = 0)
        : stage(transport == Transport::socketio
                    ? static_cast<std::unique_ptr<Stage>>(std::make_unique<FrameStage>(publisher))
                    : std::make_unique<PostStage>()),
          polls(transport == Transport::socketio_polling) {
        if (!polls) static_cast<FrameStage&>(*stage).join(offset);
    }
    void give(const std::vector<std::string>& packets) {
        stage->give(polls ? answer(joined(packets)) : frames(packets));
    }
    std::unique_ptr<Stage> stage;
    bool polls;
};

TEST(SocketIoDialogue, AnAcknowledgementIsTimedFromItsMessagesIntendedInstant) {
    for (const Transport transport : both) {
        ReadyStage ready(transport);
        Stage& stage = *ready.stage;
        for (const std::uint32_t n : {1u, 2u, 3u}) stage.publish(n);
        EXPECT_GE(stage.user.pending(), 3u);
        ready.give({R"(431[{"room":"load-0","offset":1}])", R"(433[])"});
        EXPECT_EQ(stage.tally().answered, 2u);
        EXPECT_EQ(stage.tally().answer.max(), 5'000'000u);
        ready.give({R"(431[])"});
        EXPECT_EQ(stage.tally().failures.begin()->first,
                  "an acknowledgement of nothing that was sent");
        stage.user.give_up(stage.context);
        EXPECT_EQ(stage.tally().unanswered, 1u);
        ready.give({R"(432[])"});
        EXPECT_EQ(stage.tally().failures.size(), 1u);
        EXPECT_EQ(stage.tally().answered, 2u);
        stage.publish(4);
        ready.give({R"(434[])"});
        EXPECT_EQ(stage.tally().answered, 3u);
    }
}

TEST(SocketIoDialogue, ARefusalIsCountedUnderItsCode) {
    for (const Transport transport : both) {
        ReadyStage ready(transport);
        ready.stage->publish(1);
        ready.give({R"(431[{"error":{"code":"rate_limited","message":"slow","temporary":true}}])"});
        EXPECT_EQ(ready.stage->tally().refusals.at("rate_limited"), 1u);
        EXPECT_EQ(ready.stage->control.refused[publisher].load(), 1u);
        EXPECT_EQ(ready.stage->tally().answered, 0u);
    }
}

struct Fault {
    const char* name;
    std::vector<std::uint32_t> delivered;  // of 1 to 4
    std::uint64_t lost, duplicate, out_of_order;
};
const Fault faults[] = {
    {"none", {1, 2, 3, 4}, 0, 0, 0},        {"first lost", {2, 3, 4}, 1, 0, 0},
    {"middle lost", {1, 2, 4}, 1, 0, 0},    {"last lost", {1, 2, 3}, 1, 0, 0},
    {"repeated", {1, 2, 2, 3, 4}, 0, 1, 0}, {"swapped", {1, 3, 2, 4}, 0, 0, 1},
};

TEST(SocketIoDialogue, LossDuplicatesAndReorderingAreFound) {
    for (const Transport transport : both) {
        for (const Fault& fault : faults) {
            ReadyStage ready(transport);
            std::vector<std::string> packets;
            for (const std::uint32_t n : fault.delivered) packets.push_back(message(n, n));
            ready.give(packets);
            ready.stage->user.settle(4, ready.stage->context);
            const DeliveryCounts& counts = ready.stage->counts();
            EXPECT_EQ(counts.lost, fault.lost) << fault.name;
            EXPECT_EQ(counts.duplicate, fault.duplicate) << fault.name;
            EXPECT_EQ(counts.out_of_order, fault.out_of_order) << fault.name;
            EXPECT_EQ(counts.expected, counts.received + counts.lost) << fault.name;
        }
    }
}

TEST(SocketIoDialogue, WhatOthersSayKeepsTheOffsetsWhole) {
    for (const Transport transport : both) {
        ReadyStage ready(transport);
        const std::string quoted = R"(hi \"offset\":99)";
        ready.give({socketio_event(socketio_message("load-0", 1, quoted), 1), message(2, 1)});
        ready.stage->user.settle(std::nullopt, ready.stage->context);
        EXPECT_EQ(ready.stage->counts().received, 1u);
        EXPECT_EQ(ready.stage->counts().lost, 0u);
    }
}

TEST(SocketIoDialogue, TheHistoryTellsWhereTheRoomIs) {
    FrameStage stage;
    stage.join(40);
    stage.give(frame(message(42, 2)));
    stage.user.settle(std::nullopt, stage.context);
    EXPECT_EQ(stage.counts().lost, 1u);
    PollStage polling(40);
    polling.give(answer(message(42, 2)));
    polling.user.settle(std::nullopt, polling.context);
    EXPECT_EQ(polling.counts().lost, 1u);
}

TEST(SocketIoDialogue, WhatEndsAReadyUserIsCounted) {
    struct Case {
        const char* packet;
        const char* failure;  // empty: none but the lost connection
    };
    for (const Transport transport : both) {
        for (const Case& c : {Case{"1", ""}, Case{"41", ""}, Case{"5", "no packet"},
                              Case{"3", "no packet"}, Case{"abc", "no packet"}}) {
            ReadyStage ready(transport);
            ready.give({c.packet});
            Stage& stage = *ready.stage;
            EXPECT_EQ(stage.user.state(), VirtualUser::State::closed) << c.packet;
            EXPECT_EQ(stage.tally().closes.at(1006), 1u) << c.packet;
            EXPECT_EQ(stage.tally().failures.size(), *c.failure == '\0' ? 0u : 1u) << c.packet;
        }
    }
}

TEST(SocketIoDialogue, WhatGoesWrongBeforeItIsReadyIsAFailureWithAReason) {
    struct Case {
        const char* reason;
        std::vector<std::string> packets;
    };
    const Case cases[] = {
        {"connect refused: Invalid namespace",
         {engine_open("abc"), R"(44{"message":"Invalid namespace"})"}},
        {"join refused: forbidden",
         {engine_open("abc"), connected, R"(42["error",{"code":"forbidden","message":"no"}])"}},
        {"closed the session", {engine_open("abc"), "1"}},
        {"disconnected", {engine_open("abc"), connected, "41"}},
        {"no packet", {"abc"}},
    };
    for (const Case& c : cases) {
        FrameStage framed;
        framed.give(framed.accepted + frames(c.packets));
        Stage polling(Transport::socketio_polling, listener);
        polling.give(answer(c.packets.front()));
        if (c.packets.size() > 1) {
            polling.give(answer("ok") + answer(joined({c.packets.begin() + 1, c.packets.end()})));
        }
        for (Stage* const stage : {static_cast<Stage*>(&framed), &polling}) {
            EXPECT_EQ(stage->user.state(), VirtualUser::State::closed) << c.reason;
            EXPECT_EQ(stage->tally().failed, 1u) << c.reason;
            ASSERT_EQ(stage->tally().failures.size(), 1u) << c.reason;
            EXPECT_NE(stage->tally().failures.begin()->first.find(c.reason), std::string::npos)
                << stage->tally().failures.begin()->first;
        }
    }
}

TEST(SocketIoDialogue, AMessageWithoutAnOffsetIsAFault) {
    for (const Transport transport : both) {
        ReadyStage ready(transport);
        ready.give({R"(42["message",{"text":"x"}])"});
        EXPECT_EQ(ready.stage->tally().failures.at("a message without an offset"), 1u);
    }
}

TEST(SocketIoDialogue, AGapIsAnnouncedLossAndAnErrorAFault) {
    for (const Transport transport : both) {
        ReadyStage ready(transport);
        ready.give({message(1, 1), R"(42["gap",{"room":"load-0","from":2,"to":3,"cursor":"e1:3"}])",
                    message(4, 4)});
        ready.stage->user.settle(4, ready.stage->context);
        EXPECT_EQ(ready.stage->counts().announced, 2u);
        EXPECT_EQ(ready.stage->counts().lost, 0u);
        EXPECT_TRUE(ready.stage->tally().failures.empty());
        ready.give({R"(42["error",{"code":"rate_limited","message":"x","temporary":true}])"});
        EXPECT_EQ(ready.stage->tally().failures.at("error: rate_limited"), 1u);
        ready.give({R"(42["gap",{}])"});
        EXPECT_EQ(ready.stage->tally().failures.at("a gap without its offsets"), 1u);
    }
}

TEST(EnginePath, KeepsAllParametersButItsOwn) {
    EXPECT_EQ(engine_path("/socket.io/", "polling", {}), "/socket.io/?EIO=4&transport=polling");
    EXPECT_EQ(engine_path("/x/?token=t&EIO=3&sid=old&a", "websocket", "s"),
              "/x/?EIO=4&transport=websocket&token=t&a&sid=s");
    EXPECT_EQ(engine_path("/x/?transport=polling", "websocket", {}),
              "/x/?EIO=4&transport=websocket");
}

}  // namespace
}  // namespace parley::load
