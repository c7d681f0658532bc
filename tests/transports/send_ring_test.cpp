#include "transports/send_ring.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace parley::transports {
namespace {

using core::Frame;
using core::Metric;
using testing::HasSubstr;

// One end of a connection that is written to, whoever is told of it, and the peer's end.
struct Line final : Connection {
    Line() {
        std::array<int, 2> ends{};
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()), 0);
        near = ends[0];
        far = ends[1];
        constexpr int buffer_bytes = 4096;
        ::setsockopt(near, SOL_SOCKET, SO_SNDBUF, &buffer_bytes, sizeof buffer_bytes);
    }
    ~Line() override {
        if (near >= 0) ::close(near);
        hang_up();
    }
    bool announce_drain() noexcept override { return false; }
    void close(const core::CloseReason&) noexcept override {}
    void abort() noexcept override { ++aborts; }
    void send_fell_short(const Frame& frame, std::size_t sent) noexcept override {
        left.emplace_back(frame.bytes().substr(sent));
    }

    void hang_up() {
        if (far >= 0) ::close(std::exchange(far, -1));
    }
    // What the peer has got.
    [[nodiscard]] std::string heard() const {
        std::string all;
        std::array<char, 64 * 1024> buffer{};
        for (;;) {
            const ssize_t count = ::read(far, buffer.data(), buffer.size());
            if (count <= 0) return all;
            all.append(buffer.data(), static_cast<std::size_t>(count));
        }
    }
    void fill() const {
        const std::string much(64 * 1024, '.');
        while (::write(near, much.data(), much.size()) > 0) {
        }
        while (::write(near, ".", 1) > 0) {
        }
    }

    int near = -1;
    int far = -1;
    int aborts = 0;
    std::vector<std::string> left;
};

// A batch is begun with the object and ended by end().
struct Batch {
    explicit Batch(SendRing& its_ring) : ring(its_ring) { ring.begin(metrics); }

    void give(Line& line, const std::string& text) {
        frames.push_back(Frame::copy_of(text));
        ring.gather(line.near, *frames.back(), line);
    }
    [[nodiscard]] std::uint64_t read(Metric metric) const { return metrics.read(metric); }

    SendRing& ring;
    core::ShardMetrics metrics;
    std::vector<core::FramePtr> frames;
};

class SendRings : public testing::Test {
protected:
    void SetUp() override {
        if (const auto refusal = send_ring_refusal()) GTEST_SKIP() << *refusal;
        ring.emplace();
    }
    std::optional<SendRing> ring;
};

TEST_F(SendRings, SendWhatWasGatheredWithOneCallAndTellNobody) {
    std::vector<std::unique_ptr<Line>> lines;
    Batch batch(*ring);
    for (int i = 0; i < 20; ++i) {
        lines.push_back(std::make_unique<Line>());
        batch.give(*lines.back(), "to " + std::to_string(i));
    }
    for (const auto& line : lines) EXPECT_EQ(line->heard(), "") << "before it was submitted";
    ring->end();
    for (std::size_t i = 0; i < lines.size(); ++i) {
        EXPECT_EQ(lines[i]->heard(), "to " + std::to_string(i));
        EXPECT_TRUE(lines[i]->left.empty());
        EXPECT_EQ(lines[i]->aborts, 0);
    }
    EXPECT_EQ(batch.read(Metric::send_batches), 1U);
    EXPECT_EQ(batch.read(Metric::sends_gathered), 20U);
    EXPECT_EQ(batch.read(Metric::bytes_written), 10 * 4 + 10 * 5U);
    EXPECT_EQ(batch.read(Metric::writes_blocked), 0U);
}

TEST_F(SendRings, GatherUntilTheEndAndNotBehindIt) {
    Batch batch(*ring);
    EXPECT_TRUE(ring->gathering());
    ring->end();
    EXPECT_FALSE(ring->gathering());
    EXPECT_EQ(batch.read(Metric::send_batches), 0U) << "nothing was gathered";
}

TEST_F(SendRings, TellWhatIsLeftOfASendThatIsTakenInPart) {
    Line line;
    Batch batch(*ring);
    std::string text;
    for (int i = 0; text.size() < 300'000; ++i) text += std::to_string(i) + ' ';
    batch.give(line, text);
    ring->end();
    ASSERT_EQ(line.left.size(), 1U);
    EXPECT_FALSE(line.left[0].empty());
    const std::string heard = line.heard();
    EXPECT_FALSE(heard.empty());
    EXPECT_TRUE(heard + line.left[0] == text);
    EXPECT_EQ(batch.read(Metric::bytes_written), heard.size());
    EXPECT_EQ(batch.read(Metric::writes_blocked), 1U);
}

TEST_F(SendRings, TellThatAllIsLeftWhereNothingIsTaken) {
    Line line;
    line.fill();
    Batch batch(*ring);
    batch.give(line, "late");
    ring->end();
    EXPECT_THAT(line.left, testing::ElementsAre("late"));
    EXPECT_EQ(line.aborts, 0);
    EXPECT_EQ(batch.read(Metric::bytes_written), 0U);
}

TEST_F(SendRings, AbortWhomThePeerLeftAndNobodyElse) {
    Line before;
    Line gone;
    Line full;
    Line behind;
    gone.hang_up();
    full.fill();
    Batch batch(*ring);
    for (Line* line : {&before, &gone, &full, &behind}) batch.give(*line, "news");
    ring->end();
    EXPECT_EQ(gone.aborts, 1);
    EXPECT_TRUE(gone.left.empty());
    EXPECT_THAT(full.left, testing::ElementsAre("news"));
    for (const Line* line : {&before, &behind}) {
        EXPECT_EQ(line->heard(), "news");
        EXPECT_EQ(line->aborts, 0);
    }
    EXPECT_EQ(batch.read(Metric::bytes_written), 8U);
}

// One beyond each multiple of a batch: what is gathered leaves by itself when there is no more room.
TEST_F(SendRings, SubmitByThemselvesWhenTheyAreFull) {
    Line line;
    std::vector<std::unique_ptr<Line>> others;
    Batch batch(*ring);
    const auto round = ring->round();
    batch.give(line, "first");
    for (unsigned i = 1; i < SendRing::sends_max; ++i) {
        others.push_back(std::make_unique<Line>());
        batch.give(*others.back(), "x");
    }
    EXPECT_EQ(line.heard(), "");
    EXPECT_EQ(ring->round(), round);
    Line last;
    batch.give(last, "last");
    EXPECT_EQ(line.heard(), "first");
    EXPECT_NE(ring->round(), round);
    EXPECT_EQ(last.heard(), "");
    ring->end();
    EXPECT_EQ(last.heard(), "last");
    EXPECT_EQ(batch.read(Metric::send_batches), 2U);
    EXPECT_EQ(batch.read(Metric::sends_gathered), SendRing::sends_max + 1U);
}

// More batches than the kernel's two queues are long.
TEST_F(SendRings, GoOnBatchAfterBatch) {
    Line well;
    Line full;
    full.fill();
    for (unsigned i = 1; i <= 5 * SendRing::sends_max; ++i) {
        Batch batch(*ring);
        batch.give(full, "x");
        batch.give(well, "y");
        ring->end();
        EXPECT_EQ(full.left.size(), i);
        EXPECT_EQ(well.heard(), "y");
    }
}

// The kernel knows a socket by its number: the next one to bear it is another.
TEST_F(SendRings, ReachTheNextSocketOfANumberOnceTheFormerIsForgotten) {
    for (int i = 0; i < 3; ++i) {
        Line line;
        for (const char* word : {"as a stranger", "as one that is known"}) {
            Batch batch(*ring);
            batch.give(line, word);
            ring->end();
            EXPECT_EQ(line.heard(), word);
        }
        ring->forget(line.near);
        ::close(std::exchange(line.near, -1));
        char byte = 0;
        EXPECT_EQ(::read(line.far, &byte, 1), 0) << "nobody else holds it";
    }
}

TEST_F(SendRings, HoldNoSocketOnceTheyAreGone) {
    Line line;
    Batch batch(*ring);
    batch.give(line, "news");
    ring->end();
    ring.reset();
    ::close(std::exchange(line.near, -1));
    EXPECT_EQ(line.heard(), "news");
    char byte = 0;
    EXPECT_EQ(::read(line.far, &byte, 1), 0);
}

// Of this process io_uring_setup() is refused from here on, as a container's filter refuses it.
void refuse_io_uring() {
    constexpr auto number = static_cast<unsigned>(offsetof(seccomp_data, nr));
    std::array<sock_filter, 4> filter{
        sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, number),
        sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
        sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    sock_fprog program{filter.size(), filter.data()};
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
        std::cerr << "no filter";
        std::exit(2);
    }
}

TEST(SendRingRefusal, SaysWhatTheKernelRefused) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    const auto try_out = [] {
        refuse_io_uring();
        std::cerr << send_ring_refusal().value_or("offered");
        std::exit(0);
    };
    EXPECT_EXIT(try_out(), testing::ExitedWithCode(0), "io_uring_setup: Operation not permitted");
}

}  // namespace
}  // namespace parley::transports
