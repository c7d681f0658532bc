#include "transports/outbox.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

namespace parley::transports {
namespace {

// Takes up to `most` bytes from it, as a socket would, and what of them was not of the outbox.
std::string take(Outbox& outbox, std::size_t most) {
    std::array<iovec, Outbox::buffers_max> buffers;
    std::string taken;
    const std::size_t count = outbox.buffers(buffers);
    for (std::size_t i = 0; i < count; ++i) {
        taken.append(static_cast<const char*>(buffers[i].iov_base), buffers[i].iov_len);
    }
    taken.resize(std::min(taken.size(), most));
    EXPECT_EQ(outbox.sent(taken.size()), 0U);
    return taken;
}

TEST(Outbox, FinishesTheFrameThenItsWordsHoweverLittleIsTaken) {
    const core::FramePtr frame = core::Frame::copy_of("0123456789");
    for (std::size_t begun = 1; begun < 10; ++begun) {
        for (std::size_t step = 1; step < 20; ++step) {
            Outbox outbox;
            outbox.keep(*frame, begun);
            outbox.words() += "words";
            std::string all;
            while (!outbox.empty()) all += take(outbox, step);
            EXPECT_EQ(all, std::string("0123456789words").substr(begun)) << begun << ' ' << step;
            EXPECT_FALSE(outbox.has_words());
        }
    }
}

TEST(Outbox, AnswersTheNewestPingAlone) {
    Outbox outbox;
    outbox.keep_pong("old");
    outbox.keep_pong("new");
    EXPECT_FALSE(outbox.empty());
    EXPECT_FALSE(outbox.has_words());
    outbox.speak_pong();
    outbox.speak_pong();
    EXPECT_EQ(take(outbox, 100),
              "\x8A\x03"
              "new");
    EXPECT_TRUE(outbox.empty());
}

TEST(Outbox, LeavesBytesThatAreNotItsOwn) {
    Outbox outbox;
    EXPECT_EQ(outbox.sent(7), 7U);
    outbox.words() += "abc";
    EXPECT_EQ(outbox.sent(7), 4U);
    EXPECT_TRUE(outbox.empty());
}

}  // namespace
}  // namespace parley::transports
