#include "core/run_cache.hpp"

#include <gtest/gtest.h>

#include "core/limits.hpp"
#include "support/publications.hpp"
#include "support/test_transport.hpp"

namespace parley::core {
namespace {

using test::line_format;
using test::message;
using test::transient;

struct RunCacheFixture {
    RoomWindow window;
    RunCache cache;
    std::vector<FramePtr> retired;

    const Run& from(std::uint64_t sequence, bool presence = false,
                    const WireFormat& format = line_format) {
        return cache.run_from(window, sequence, format, presence ? all_kinds : all_but_presence,
                              retired);
    }
};

TEST(RunCache, JoinsEverythingFromThereToTheEnd) {
    RunCacheFixture f;
    for (std::uint64_t i = 1; i <= 5; ++i) f.window.push(message(i, std::to_string(i)));
    for (std::uint64_t from = 0; from < 5; ++from) {
        const auto& run = f.from(from);
        std::string expected;
        for (auto i = from + 1; i <= 5; ++i) expected += std::to_string(i) + "\n";
        EXPECT_EQ(run.frame->bytes(), expected);
        EXPECT_EQ(run.to, 5u);
        EXPECT_EQ(run.offset, 5u);
        EXPECT_EQ(run.deliveries, 5 - from);
        EXPECT_EQ(run.filtered, 0u);
    }
}

TEST(RunCache, MakesEachRunOnce) {
    RunCacheFixture f;
    for (std::uint64_t i = 1; i <= 5; ++i) f.window.push(message(i));
    const Frame* made = f.from(1).frame.get();
    EXPECT_EQ(f.from(1).frame.get(), made);
    EXPECT_NE(f.from(2).frame.get(), made);
    EXPECT_EQ(f.from(1).frame.get(), made);
}

TEST(RunCache, LeavesPresenceOutForThoseWhoDidNotAsk) {
    RunCacheFixture f;
    f.window.push(message(1, "one"));
    f.window.push(transient(PublicationKind::presence, "came"));
    f.window.push(transient(PublicationKind::typing, "types"));
    f.window.push(message(2, "two"));
    f.window.push(transient(PublicationKind::presence, "went"));
    const auto without = f.from(0, false);
    EXPECT_EQ(without.frame->bytes(), "one\ntypes\ntwo\n");
    EXPECT_EQ(without.deliveries, 3u);
    EXPECT_EQ(without.filtered, 2u);
    EXPECT_EQ(without.to, 5u);
    const auto with = f.from(0, true);
    EXPECT_EQ(with.frame->bytes(), "one\ncame\ntypes\ntwo\nwent\n");
    EXPECT_EQ(with.deliveries, 5u);
    EXPECT_EQ(with.offset, 2u);
}

TEST(RunCache, HasNoFrameWhereEverythingIsLeftOut) {
    RunCacheFixture f;
    for (int i = 0; i < 4; ++i) f.window.push(transient(PublicationKind::presence));
    const auto& run = f.from(0);
    EXPECT_EQ(run.frame, nullptr);
    EXPECT_EQ(run.filtered, 4u);
    EXPECT_EQ(run.to, 4u);
    EXPECT_EQ(run.offset, 0u);
}

TEST(RunCache, CutsARunAtItsBytesButHoldsAtLeastOne) {
    RunCacheFixture f;
    const std::string large(limits::run_bytes_max / 3, 'x');
    for (std::uint64_t i = 1; i <= 4; ++i) f.window.push(message(i, large));
    f.window.push(message(5, std::string(2 * limits::run_bytes_max, 'y')));
    f.window.push(message(6));
    EXPECT_EQ(f.from(0).to, 2u);
    EXPECT_EQ(f.from(2).to, 4u);
    EXPECT_EQ(f.from(4).to, 5u);
    EXPECT_EQ(f.from(5).to, 6u);
    EXPECT_EQ(f.from(0).offset, 2u);
    EXPECT_EQ(f.from(4).offset, 5u);
}

TEST(RunCache, TellsFormatsApart) {
    RunCacheFixture f;
    const WireFormat other{0, [](const WireFormat&, const Publication& p, std::string& out) {
                               out += '#' + p.json();
                           }};
    f.window.push(message(1, "m"));
    EXPECT_EQ(f.from(0).frame->bytes(), "m\n");
    EXPECT_EQ(f.from(0, false, other).frame->bytes(), "#m");
}

TEST(RunCache, KeepsAFrameThatMadeWayAliveUntilItsWriteIsOver) {
    RunCacheFixture f;
    for (std::uint64_t i = 1; i <= 20; ++i) f.window.push(message(i, std::to_string(i)));
    const Frame* first = f.from(0).frame.get();
    const std::string bytes(first->bytes());
    for (std::uint64_t from = 1; from <= RunCache::runs_max; ++from) {
        static_cast<void>(f.from(from));
    }
    ASSERT_EQ(f.retired.size(), 1u);
    EXPECT_EQ(f.retired[0].get(), first);
    EXPECT_EQ(first->bytes(), bytes);
    // Made anew on asking again.
    EXPECT_EQ(f.from(0).frame->bytes(), bytes);
    EXPECT_NE(f.from(0).frame.get(), first);
}

TEST(RunCache, IsEmptyAfterClearing) {
    RunCacheFixture f;
    f.window.push(message(1, "a"));
    const FramePtr held = f.from(0).frame;
    f.cache.clear();
    f.window.push(message(2, "b"));
    EXPECT_EQ(f.from(0).frame->bytes(), "a\nb\n");
    EXPECT_TRUE(f.retired.empty());
}

TEST(Publication, IsEncodedOncePerFormat) {
    static int encoded = 0;
    encoded = 0;
    const WireFormat counting{1, [](const WireFormat&, const Publication& p, std::string& out) {
                                  ++encoded;
                                  out += p.json();
                              }};
    const auto publication = message(1, "hello");
    const Frame& frame = publication->frame(counting);
    EXPECT_EQ(&publication->frame(counting), &frame);
    EXPECT_EQ(frame.bytes(), "hello");
    EXPECT_NE(&publication->frame(line_format), &frame);
    EXPECT_EQ(encoded, 1);
}

TEST(Frame, MayBeEmpty) {
    EXPECT_EQ(Frame::copy_of("")->bytes(), "");
}

}  // namespace
}  // namespace parley::core
