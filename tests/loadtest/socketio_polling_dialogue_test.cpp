// Socket.IO over polling, through the user who speaks it, cut at every byte.
#include <gtest/gtest.h>

#include <algorithm>

#include "loadtest/socketio_stage.hpp"

namespace parley::load {
namespace {

using Stage = SocketIoStage;
using PollStage = SocketIoPollStage;
using PostStage = SocketIoPostStage;

TEST(SocketIoPollingDialogue, OpensASessionConnectsAndPolls) {
    Stage stage(Transport::socketio_polling, listener);
    EXPECT_TRUE(stage.take_said().starts_with(
        "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n"));
    stage.give(answer(engine_open("abc")));
    const std::string post = stage.take_said();
    EXPECT_TRUE(post.starts_with("POST " + session_path + " HTTP/1.1\r\n"));
    EXPECT_NE(post.find("\r\nContent-Type: text/plain;charset=UTF-8\r\n"), std::string::npos);
    EXPECT_EQ(body_of(post), connect_packet);
    EXPECT_EQ(stage.user.posts(), nullptr);
    stage.give(answer("ok"));
    EXPECT_TRUE(stage.take_said().starts_with("GET " + session_path + " HTTP/1.1\r\n"));
    stage.give(answer(connected));
    EXPECT_EQ(stage.user.state(), VirtualUser::State::opening);
    EXPECT_TRUE(stage.take_said().starts_with("GET " + session_path));
    stage.give(answer(history(40)));
    EXPECT_EQ(stage.user.state(), VirtualUser::State::ready);
    EXPECT_EQ(stage.counts().received, 0u);
}

TEST(SocketIoPollingDialogue, AnswersMayBeSplitAnywhere) {
    const std::string bytes = answer(engine_open("abc")) + answer("ok") +
                              answer(joined({connected, history(40), message(41, 1)})) +
                              answer(joined({message(42, 2), "2", message(43, 3)})) + answer("ok") +
                              answer("6") + answer(message(44, 4));
    for (std::size_t at = 0; at <= bytes.size(); ++at) {
        Stage stage(Transport::socketio_polling, listener);
        stage.give_split(bytes, at);
        ASSERT_EQ(stage.user.state(), VirtualUser::State::ready) << "split at " << at;
        EXPECT_EQ(stage.counts().received, 4u) << "split at " << at;
        EXPECT_EQ(stage.counts().duplicate + stage.counts().out_of_order, 0u);
        EXPECT_EQ(stage.tally().latency.max(), 5'000'000u);
        EXPECT_EQ(stage.tally().handshake.max(), 8'000'000u);
        EXPECT_TRUE(stage.tally().failures.empty());
    }
}

TEST(SocketIoPollingDialogue, AListenersPongGoesBetweenTwoPolls) {
    PollStage stage;
    stage.give(answer("2"));
    const std::string post = stage.take_said();
    EXPECT_TRUE(post.starts_with("POST " + session_path));
    EXPECT_EQ(body_of(post), "3");
    stage.give(answer("ok"));
    EXPECT_TRUE(stage.take_said().starts_with("GET " + session_path));
}

TEST(SocketIoPollingDialogue, GoesOnOverAFreshConnectionWhereTheServerEndsOne) {
    PollStage stage;
    stage.give(answer(message(41, 1), 200, "Connection: close\r\n"));
    EXPECT_TRUE(stage.user.reconnects());
    EXPECT_TRUE(stage.said.empty());
    stage.user.reopen(stage.said, stage.context);
    EXPECT_TRUE(stage.take_said().starts_with("GET " + session_path));
    stage.give(answer(message(42, 2)));
    EXPECT_EQ(stage.counts().received, 2u);
    EXPECT_TRUE(stage.user.full_member());
    // An aborted poll ends the session.
    EXPECT_FALSE(stage.user.resumes());
}

TEST(SocketIoPollingDialogue, APublisherPollsWhileItPosts) {
    PostStage stage;
    EXPECT_TRUE(stage.first_poll.starts_with("GET " + session_path));
    EXPECT_TRUE(stage.connect.starts_with("POST " + session_path));
    EXPECT_EQ(body_of(stage.connect), R"(40{"username":"u0","room":"load-0"})");
    EXPECT_EQ(stage.user.state(), VirtualUser::State::ready);
    EXPECT_FALSE(stage.user.posts()->due());
    EXPECT_EQ(stage.user.pending(), 0u);
}

TEST(SocketIoPollingDialogue, OneRequestIsUnansweredAndTheRestWaitsForTheNext) {
    PostStage stage;
    stage.publish(1);
    const std::string post = stage.take_post();
    const std::string body = body_of(post);
    EXPECT_TRUE(body.starts_with(R"(421["message",{"room":"load-0","text":"~P)")) << body;
    EXPECT_TRUE(stage.take_said().empty());
    stage.publish(2);
    stage.give(answer("2"));
    EXPECT_TRUE(body_of(stage.take_said()).empty());
    stage.publish(3);
    EXPECT_TRUE(stage.take_post().empty());
    EXPECT_FALSE(stage.user.posts()->may_end());
    stage.post_answer("ok");
    EXPECT_TRUE(stage.user.posts()->may_end());
    const std::string next = body_of(stage.take_post());
    const std::size_t pong = next.find(
        "\x1e"
        "3\x1e");
    EXPECT_TRUE(next.starts_with("422[")) << next;
    ASSERT_NE(pong, std::string::npos) << next;
    EXPECT_TRUE(next.substr(pong + 3).starts_with("423[")) << next;
}

TEST(SocketIoPollingDialogue, NoRequestIsLargerThanTheServerTakes) {
    for (std::size_t bytes_max = 1; bytes_max < 400; ++bytes_max) {
        PostStage stage(bytes_max);
        for (const std::uint32_t n : {1u, 2u, 3u, 4u}) stage.publish(n);
        std::string all;
        while (stage.user.posts()->due()) {
            const std::string body = body_of(stage.take_post());
            ASSERT_FALSE(body.empty());
            EXPECT_TRUE(body.size() <= bytes_max || body.find('\x1e') == std::string::npos);
            all += (all.empty() ? "" : "\x1e") + body;
            stage.post_answer("ok");
        }
        EXPECT_EQ(std::count(all.begin(), all.end(), '\x1e'), 3) << bytes_max;
        EXPECT_NE(all.find("424["), std::string::npos);
    }
}

TEST(SocketIoPollingDialogue, ItsPostsGoOnOverAFreshConnection) {
    PostStage stage;
    stage.publish(1);
    (void)stage.take_post();
    stage.publish(2);
    stage.post_answer("ok", 200, "Connection: close\r\n");
    EXPECT_TRUE(stage.user.posts()->must_end());
    EXPECT_TRUE(stage.user.posts()->due());
    stage.user.posts()->on_fresh_connection();
    EXPECT_FALSE(stage.user.posts()->must_end());
    EXPECT_TRUE(body_of(stage.take_post()).starts_with("422["));
}

TEST(SocketIoPollingDialogue, APostThatIsNotAnsweredOkEndsTheUser) {
    struct Case {
        const char* body;
        unsigned status;
        const char* reason;
    };
    for (const Case& c :
         {Case{R"({"code":1,"message":"Session ID unknown"})", 400,
               "a POST was answered 400 Session ID unknown"},
          Case{"", 413, "a POST was answered 413"}, Case{"no", 200, "a POST was answered 200"}}) {
        PostStage stage;
        stage.publish(1);
        (void)stage.take_post();
        stage.post_answer(c.body, c.status);
        EXPECT_EQ(stage.user.state(), VirtualUser::State::closed);
        EXPECT_EQ(stage.tally().failures.begin()->first, c.reason);
        EXPECT_EQ(stage.tally().statuses.at(static_cast<std::uint16_t>(c.status)), 1u);
        EXPECT_EQ(stage.tally().unanswered, 1u);
    }
    PostStage stage;
    stage.post_answer("ok");
    EXPECT_EQ(stage.user.state(), VirtualUser::State::closed);
    EXPECT_TRUE(stage.tally().failures.begin()->first.starts_with("an answer to no request"));
}

TEST(SocketIoPollingDialogue, LeavingSaysNothingAndIsOver) {
    PollStage stage;
    stage.user.leave(stage.said, stage.context);
    EXPECT_TRUE(stage.said.empty());
    EXPECT_EQ(stage.user.state(), VirtualUser::State::closed);
}

TEST(SocketIoPollingDialogue, WhatIsNoSessionIsAFailureWithAReason) {
    struct Case {
        const char* reason;
        std::string answer;
    };
    const Case cases[] = {
        {"answered 400 Transport unknown",
         answer(R"({"code":0,"message":"Transport unknown"})", 400)},
        {"answered 503", answer("", 503)},
        {"without a session", answer("6")},
        {"no packet", answer("")},
        {"without an id", answer("0{}")},
        {"broken answer", "220 mail.example ESMTP\r\n\r\n"},
    };
    for (const Case& c : cases) {
        Stage stage(Transport::socketio_polling, listener);
        stage.give(c.answer);
        EXPECT_EQ(stage.user.state(), VirtualUser::State::closed) << c.reason;
        EXPECT_EQ(stage.tally().failed, 1u) << c.reason;
        EXPECT_NE(stage.tally().failures.begin()->first.find(c.reason), std::string::npos)
            << stage.tally().failures.begin()->first;
    }
}

}  // namespace
}  // namespace parley::load
