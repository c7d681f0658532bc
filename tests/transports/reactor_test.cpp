#include "transports/reactor.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio/error.hpp>
#include <memory>
#include <optional>
#include <string>
#include <system_error>

namespace parley::transports {
namespace {

using std::chrono::nanoseconds;

// A reactor and the two ends of a connection, of which it watches one.
struct Rig {
    Rig() {
        std::array<int, 2> ends{};
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()), 0);
        near = watch(reactor, ends[0]);
        far = ends[1];
    }
    ~Rig() {
        if (far >= 0) ::close(far);
    }

    void round() {
        reactor.wait(nanoseconds::zero());
        reactor.dispatch();
        context.restart();
        context.poll();
    }
    void say(const std::string& text) const {
        ASSERT_EQ(::write(far, text.data(), text.size()), std::ssize(text));
    }
    std::string hear(std::size_t most) const {
        std::string text(most, '\0');
        const ssize_t count = ::read(near->descriptor(), text.data(), most);
        text.resize(count < 0 ? 0 : static_cast<std::size_t>(count));
        if (text.size() < most) near->drained();
        return text;
    }
    auto noting(std::optional<boost::system::error_code>& into) {
        return [&into](const boost::system::error_code& error) { into = error; };
    }

    boost::asio::io_context context;
    Reactor reactor{context.get_executor()};
    WatchPtr near;
    int far = -1;
};

TEST(Reactor, AWaitIsOverOnceThereIsSomethingToRead) {
    Rig rig;
    std::optional<boost::system::error_code> result;
    rig.near->wait_readable(rig.noting(result));
    rig.round();
    EXPECT_FALSE(result);
    rig.say("news");
    rig.round();
    ASSERT_TRUE(result);
    EXPECT_FALSE(*result);
}

TEST(Reactor, WhatIsLeftOfAReadEndsTheNextWaitWithoutAnEvent) {
    Rig rig;
    rig.say("abcdef");
    rig.round();
    EXPECT_EQ(rig.hear(4), "abcd");
    std::optional<boost::system::error_code> result;
    rig.near->wait_readable(rig.noting(result));
    EXPECT_FALSE(result) << "from within the call";
    rig.round();
    EXPECT_TRUE(result);
    EXPECT_EQ(rig.hear(4), "ef");
    result.reset();
    rig.near->wait_readable(rig.noting(result));
    rig.round();
    EXPECT_FALSE(result) << "nothing is there";
}

TEST(Reactor, BytesBetweenAReadAndTheWaitAreNotMissed) {
    Rig rig;
    rig.say("a");
    rig.round();
    EXPECT_EQ(rig.hear(4), "a");
    rig.say("b");
    std::optional<boost::system::error_code> result;
    rig.near->wait_readable(rig.noting(result));
    rig.round();
    EXPECT_TRUE(result);
}

TEST(Reactor, TheEndIsReadThoughItCameWithTheLastBytes) {
    Rig rig;
    rig.say("bye");
    ::close(std::exchange(rig.far, -1));
    rig.round();
    EXPECT_EQ(rig.hear(16), "bye");
    std::optional<boost::system::error_code> result;
    rig.near->wait_readable(rig.noting(result));
    rig.round();
    ASSERT_TRUE(result) << "no further event says so";
    char byte = 0;
    EXPECT_EQ(::read(rig.near->descriptor(), &byte, 1), 0);
}

TEST(Reactor, AWriterWaitsUntilThePeerTakesMore) {
    Rig rig;
    rig.round();
    const std::string much(64 * 1024, 'x');
    while (::write(rig.near->descriptor(), much.data(), much.size()) > 0) {
    }
    rig.near->filled();
    std::optional<boost::system::error_code> result;
    rig.near->wait_writable(rig.noting(result));
    rig.round();
    EXPECT_FALSE(result);
    std::string sink(4 * 1024 * 1024, '\0');
    while (::read(rig.far, sink.data(), sink.size()) > 0) {
    }
    rig.round();
    EXPECT_TRUE(result);
}

TEST(Reactor, CancelEndsBothWaitsFromTheLoop) {
    Rig rig;
    rig.near->filled();
    std::optional<boost::system::error_code> read;
    std::optional<boost::system::error_code> written;
    rig.near->wait_readable(rig.noting(read));
    rig.near->wait_writable(rig.noting(written));
    rig.near->cancel();
    EXPECT_FALSE(read || written) << "from within the call";
    rig.round();
    EXPECT_EQ(read, boost::asio::error::operation_aborted);
    EXPECT_EQ(written, boost::asio::error::operation_aborted);
}

TEST(Reactor, ClosingEndsTheWaitAndTheDescriptor) {
    Rig rig;
    std::optional<boost::system::error_code> result;
    rig.near->wait_readable(rig.noting(result));
    rig.near.reset();
    rig.round();
    EXPECT_EQ(result, boost::asio::error::operation_aborted);
    char byte = 0;
    EXPECT_EQ(::read(rig.far, &byte, 1), 0);
}

// Two events of one look at the descriptors; whoever is called first closes the other's.
TEST(Reactor, AWatchClosedByAnEarlierEventIsNotCalled) {
    boost::asio::io_context context;
    Reactor reactor{context.get_executor()};
    std::array<WatchPtr, 2> watches;
    std::array<int, 2> far{};
    std::array<bool, 2> readable{};
    for (std::size_t i = 0; i < 2; ++i) {
        std::array<int, 2> ends{};
        ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()), 0);
        watches[i] = watch(reactor, ends[0]);
        far[i] = ends[1];
        watches[i]->wait_readable([&, i](const boost::system::error_code& error) {
            if (error) return;
            readable[i] = true;
            watches[1 - i].reset();
        });
        ASSERT_EQ(::write(far[i], "x", 1), 1);
    }
    reactor.wait(nanoseconds::zero());
    reactor.dispatch();
    context.poll();
    EXPECT_NE(readable[0], readable[1]);
    for (const int descriptor : far) ::close(descriptor);
}

// As an inherited listener is, which systemd holds too: closing one descriptor of it tells epoll
// nothing.
TEST(Reactor, WhatOthersHoldIsNotHeardOfOnceItsWatchIsGone) {
    Rig rig;
    const int other = ::dup(rig.near->descriptor());
    WatchPtr shared = watch(rig.reactor, ::dup(other), Interest::reading);
    std::optional<boost::system::error_code> result;
    shared->wait_readable(rig.noting(result));
    shared.reset();
    rig.round();
    EXPECT_EQ(result, boost::asio::error::operation_aborted);
    result.reset();
    rig.say("news");
    rig.round();  // an event for the one that is gone would name what was freed
    ::close(other);
    EXPECT_FALSE(result);
}

TEST(Reactor, AReaderMayWaitToWriteBesideTheWriter) {
    Rig rig;
    rig.round();
    const std::string much(64 * 1024, 'x');
    while (::write(rig.near->descriptor(), much.data(), much.size()) > 0) {
    }
    rig.near->filled();
    std::optional<boost::system::error_code> writer;
    std::optional<boost::system::error_code> reader;
    rig.near->wait_writable(rig.noting(writer));
    rig.near->wait_writable_to_read(rig.noting(reader));
    rig.round();
    EXPECT_FALSE(writer || reader);
    std::string sink(4 * 1024 * 1024, '\0');
    while (::read(rig.far, sink.data(), sink.size()) > 0) {
    }
    rig.round();
    EXPECT_TRUE(writer && reader);
}

TEST(Reactor, WhatCannotBeWatchedIsRefusedAndClosed) {
    Rig rig;
    const int file = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    ASSERT_GE(file, 0);
    EXPECT_THROW((void)watch(rig.reactor, file), std::system_error);
    EXPECT_EQ(::fcntl(file, F_GETFD), -1);
}

TEST(WaitHandler, KeepsWhatItHoldsUntilItWasCalledOrDropped) {
    const auto held = std::make_shared<int>(0);
    const auto handler = [held](const boost::system::error_code&) { ++*held; };
    const auto copy = [&handler] { return handler; };
    {
        WaitHandler first(copy());
        WaitHandler second = std::move(first);
        EXPECT_FALSE(first);
        EXPECT_EQ(held.use_count(), 3);
        second({});
        EXPECT_EQ(held.use_count(), 2) << "freed by the call";
        EXPECT_FALSE(second);
        second = WaitHandler(copy());
        second = WaitHandler(copy());
        EXPECT_EQ(held.use_count(), 3) << "the one before was dropped";
    }
    EXPECT_EQ(held.use_count(), 2);
    EXPECT_EQ(*held, 1);
}

}  // namespace
}  // namespace parley::transports
