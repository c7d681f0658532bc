#include "transports/write_frames.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "transports/tls_pair.hpp"

namespace parley::transports::test {
namespace {

using core::Frame;
using core::FramePtr;

// Frames that differ in every byte from their neighbours, and all of them in one.
struct Told {
    std::vector<FramePtr> frames;
    std::string text;

    void add(std::size_t bytes) {
        std::string frame(bytes, static_cast<char>('a' + frames.size() % 26));
        frames.push_back(Frame::copy_of(frame));
        text += frame;
    }
};

// A word of the connection's own.
constexpr char word = '!';

// Hands over all frames as a connection does, waiting where it is told to and saying a word each
// time; what the peer reads.
template <typename Take>
std::string tell(TlsPair& pair, const Told& told, Take take) {
    Outbox outbox;
    std::vector<const Frame*> frames;
    for (const FramePtr& frame : told.frames) frames.push_back(frame.get());
    std::string heard;
    for (std::size_t written = 0; written < frames.size();) {
        const auto result = write_frames(pair.stream(), outbox,
                                         std::span<const Frame* const>(frames).subspan(written));
        EXPECT_FALSE(result.failed);
        written += result.taken;
        if (result.blocked) {
            outbox.words().push_back(word);
            heard += take();
        }
        if (result.failed || (!result.blocked && result.taken == 0)) break;
    }
    // The frame that was begun last.
    for (int i = 0; i < 100 && !outbox.empty(); ++i) {
        std::array<iovec, Outbox::buffers_max> buffers;
        const std::size_t count = outbox.buffers(buffers);
        static_cast<void>(
            outbox.sent(pair.stream().try_write(std::span(buffers).first(count)).bytes));
        heard += take();
    }
    EXPECT_TRUE(outbox.empty());
    return heard + take();
}

// A record that the kernel doesn't take whole ends at every place of a frame, one byte into it and
// one before its end above all: that byte counts as unwritten until the record has left.
TEST(WriteFrames, LoseNoByteWhereverARecordEndsInAFrame) {
    constexpr std::size_t frame_bytes = 40;
    for (std::size_t shift = 0; shift <= frame_bytes; ++shift) {
        TlsPair pair(plain_contexts(), {}, 4096);
        ASSERT_EQ(pair.shake_hands(), TlsStream::Handshake::done);
        Told told;
        told.add(1 + shift);
        while (told.text.size() < 3 * tls_record_bytes) told.add(frame_bytes);
        bool blocked = false;
        const std::string heard = tell(pair, told, [&] {
            blocked = true;
            pair.give_to_client(pair.take_from_server());
            return pair.client_reads();
        });
        EXPECT_TRUE(blocked);
        std::string frames_alone;
        for (const char c : heard) {
            if (c != word) {
                frames_alone.push_back(c);
            } else if (frames_alone.size() > shift) {
                EXPECT_EQ((frames_alone.size() - 1 - shift) % frame_bytes, 0U) << "within a frame";
            }
        }
        ASSERT_TRUE(frames_alone == told.text) << shift;
    }
}

TEST(WriteFrames, KeepTheFrameOfWhichARecordHasTheFirstByteAlone) {
    TlsPair pair(plain_contexts(), {}, 4096);
    ASSERT_EQ(pair.shake_hands(), TlsStream::Handshake::done);
    // The record ends one byte into the second frame, and that byte is the one that is owed.
    const FramePtr first = Frame::copy_of(std::string(tls_record_bytes - 1, 'a'));
    const FramePtr second = Frame::copy_of(std::string(100, 'b'));
    const std::array frames{first.get(), second.get()};
    Outbox outbox;
    const FramesWritten written =
        write_frames(pair.stream(), outbox, std::span<const Frame* const>(frames));
    EXPECT_TRUE(written.blocked);
    EXPECT_EQ(written.bytes, first->size());
    EXPECT_EQ(written.taken, 2U) << "begun, and so the outbox's";
    std::array<iovec, Outbox::buffers_max> buffers;
    ASSERT_EQ(outbox.buffers(buffers), 1U);
    EXPECT_EQ(buffers[0].iov_len, second->size()) << "with the byte that is owed";
}

TEST(WriteFrames, TakeNothingOfAPeerThatTakesNothing) {
    TlsPair pair(plain_contexts(), {}, 4096);
    ASSERT_EQ(pair.shake_hands(), TlsStream::Handshake::done);
    const FramePtr frame = Frame::copy_of(std::string(100, 'a'));
    const std::array frames{frame.get()};
    while (pair.write({std::string(10'000, 'x')}).status == IoResult::Status::done) {
    }
    Outbox outbox;
    const FramesWritten written =
        write_frames(pair.stream(), outbox, std::span<const Frame* const>(frames));
    EXPECT_TRUE(written.blocked);
    EXPECT_EQ(written.taken, 0U);
    EXPECT_TRUE(outbox.empty());
}

}  // namespace
}  // namespace parley::transports::test
