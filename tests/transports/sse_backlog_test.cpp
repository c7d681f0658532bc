#include "transports/sse/sse_backlog.hpp"

#include <gtest/gtest.h>

#include <string>

#include "transports/sse/sse_format.hpp"

namespace parley::transports {
namespace {

std::vector<core::RetainedPtr> messages_of(std::size_t count, std::size_t bytes) {
    std::vector<core::RetainedPtr> out;
    for (std::uint64_t offset = 1; offset <= count; ++offset) {
        const std::string json = R"({"cursor":"e:)" + std::to_string(offset) + R"(","text":")" +
                                 std::string(bytes, 'x') + R"("})";
        out.push_back(core::Retained::copy_of(
            core::Publication(core::PublicationKind::message, offset, json)));
    }
    return out;
}

SseBacklog backlog_of(std::size_t count, std::size_t bytes = 10) {
    return {messages_of(count, bytes), *sse_bare.format};
}

TEST(SseBacklog, OffersEveryMessageOnceInOrderHoweverManyAreTakenAtATime) {
    constexpr std::uint64_t last = 150;
    for (const std::size_t most : {1U, 2U, 63U, 64U, 1000U}) {
        SseBacklog backlog = backlog_of(last);
        std::uint64_t expected = 1;
        while (!backlog.done()) {
            const auto batch = backlog.next();
            ASSERT_FALSE(batch.frames().empty());
            ASSERT_LE(batch.frames().size(), SseBacklog::batch_frames);
            const std::size_t taken = std::min(most, batch.frames().size());
            for (const core::Frame* frame : batch.frames().first(taken)) {
                EXPECT_TRUE(frame->bytes().starts_with("id: e:" + std::to_string(expected++)));
            }
            backlog.written(taken);
        }
        EXPECT_EQ(expected, last + 1);
        EXPECT_TRUE(backlog.next().frames().empty());
    }
}

TEST(SseBacklog, MakesNoMoreBytesAtATimeThanItsBoundAndOneMessage) {
    for (const std::size_t bytes : {1'000U, 16'000U, 100'000U}) {
        SseBacklog backlog = backlog_of(100, bytes);
        while (!backlog.done()) {
            const auto batch = backlog.next();
            std::size_t sum = 0;
            for (const core::Frame* frame : batch.frames()) {
                EXPECT_LT(sum, SseBacklog::batch_bytes);
                sum += frame->size();
            }
            backlog.written(batch.frames().size());
        }
    }
}

TEST(SseBacklog, MakesOneGapOfThoseThatFollowEachOther) {
    SseBacklog backlog = backlog_of(3);
    EXPECT_FALSE(backlog.gap());
    backlog.add_gap({"lobby", 4, 9, {*protocol::Epoch::parse("e"), 9}});
    backlog.add_gap({"lobby", 10, 12, {*protocol::Epoch::parse("e"), 12}});
    const protocol::Gap whole{"lobby", 4, 12, {*protocol::Epoch::parse("e"), 12}};
    EXPECT_EQ(backlog.gap(), whole);
}

}  // namespace
}  // namespace parley::transports
