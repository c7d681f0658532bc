#include "transports/socketio/socketio_connection.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <optional>
#include <vector>

#include "support/test_hub.hpp"

namespace parley::transports {
namespace {

using core::Metric;
using parley::test::TestHub;
using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;

// An Engine.IO session that remembers what it is told.
class FakeLink final : public EngineLink, public core::FrameWriter {
public:
    void send(MessageKind kind, std::string_view payload) noexcept override {
        sent.push_back((kind == MessageKind::text ? "t:" : "b:") + std::string(payload));
    }
    core::FrameWriter& writer() noexcept override { return *this; }
    core::WriteResult write_some(std::span<const core::Frame* const> frames) noexcept override {
        return {frames.size(), false};
    }
    void close(const core::CloseReason& reason) noexcept override {
        if (!closed_for) closed_for = reason;
    }
    void resume() noexcept override { ++resumes; }

    std::vector<std::string> take_sent() { return std::exchange(sent, {}); }

    std::vector<std::string> sent;
    std::optional<core::CloseReason> closed_for;
    int resumes = 0;
};

// A socket whose answers the test gives, and which notes what it is told.
class NotingHandler final : public SocketHandler {
public:
    NotingHandler(std::vector<std::string>& notes, std::string name)
        : notes_(&notes), name_(std::move(name)) {}
    ~NotingHandler() override { note("gone"); }

    void on_open(SocketLink& opened) override {
        link = &opened;
        note("open");
    }
    void on_event(const SocketMessage& event) override { note_message("event", event); }
    void on_ack(const SocketMessage& ack) override { note_message("ack", ack); }
    bool ready() const noexcept override { return is_ready; }
    void on_writable() override { note("writable"); }
    void on_writer_changed() override { note("writer changed"); }
    void on_drain() override { note("drain"); }
    void on_closed(const core::CloseReason& reason, SocketEnd end) noexcept override {
        note((end == SocketEnd::lost ? "lost " : "disconnected ") + std::string(reason.name));
    }

    SocketLink* link = nullptr;
    bool is_ready = true;

private:
    void note(const std::string& what) const { notes_->push_back(name_ + " " + what); }
    void note_message(const std::string& kind, const SocketMessage& message) const {
        std::string what = kind + " " + (message.id ? std::to_string(*message.id) : "-") + " " +
                           std::string(message.args);
        for (const std::string& attachment : message.attachments) what += " +" + attachment;
        note(what);
    }

    std::vector<std::string>* notes_;
    std::string name_;
};

class NotingApplication final : public SocketApplication {
public:
    bool has(std::string_view name) const noexcept override {
        return name == "/" || name == "/a" || name == "/b";
    }
    std::unique_ptr<SocketHandler> connect(std::string_view name, std::string_view auth,
                                           const EngineOpening& opening) override {
        notes.push_back(std::string(name) + " connect " + std::string(auth) + " from " +
                        opening.address + " with " + opening.query);
        auto handler = std::make_unique<NotingHandler>(notes, std::string(name));
        latest = handler.get();
        return handler;
    }

    std::vector<std::string> notes;
    NotingHandler* latest = nullptr;
};

class SocketIoConnectionTest : public testing::Test {
protected:
    SocketIoConnectionTest() { connection->on_open(link); }

    [[nodiscard]] core::Shard& shard() { return hub.shard(); }
    void text(std::string_view packet) { connection->on_message(MessageKind::text, packet); }
    void binary(std::string_view bytes) { connection->on_message(MessageKind::binary, bytes); }
    std::vector<std::string> take_notes() { return std::exchange(application.notes, {}); }
    // A socket that is accepted, with nothing left to look at.
    NotingHandler& connected(const std::string& name = "/") {
        text("0" + (name == "/" ? "" : name + ","));
        application.latest->link->accept("socket-id", {});
        link.take_sent();
        application.notes.clear();
        return *application.latest;
    }
    void end(const core::CloseReason& reason = core::close_reasons::vanished) {
        connection->on_closed(reason);
        connection.reset();
    }

    TestHub hub;
    NotingApplication application;
    SocketIoConfig config;
    SocketIoApplication maker{hub.shard(), application, config, 10};
    FakeLink link;
    std::unique_ptr<EngineHandler> connection = maker.open({"192.0.2.1", "EIO=4&name=ann"});
};

TEST_F(SocketIoConnectionTest, ConnectsWithAuthAndTheOpening) {
    EXPECT_TRUE(connection->ready());
    text(R"(0{"token":"123"})");
    EXPECT_THAT(take_notes(), ElementsAre(R"(/ connect {"token":"123"} from 192.0.2.1 with )"
                                          "EIO=4&name=ann",
                                          "/ open"));
    EXPECT_THAT(link.sent, IsEmpty());
    application.latest->link->accept("abc", {});
    EXPECT_THAT(link.take_sent(), ElementsAre(R"(t:0{"sid":"abc"})"));
    // Only the first answer counts.
    application.latest->link->accept("abc", {});
    application.latest->link->refuse("no", {});
    EXPECT_THAT(link.take_sent(), IsEmpty());
}

TEST_F(SocketIoConnectionTest, NamesThePrivateIdWhereTheStateCanBeRecovered) {
    text("0");
    application.latest->link->accept("abc", "private");
    EXPECT_THAT(link.take_sent(), ElementsAre(R"(t:0{"sid":"abc","pid":"private"})"));
}

TEST_F(SocketIoConnectionTest, RefusesNamespacesThatThereAreNot) {
    text("0/random");
    EXPECT_THAT(link.take_sent(), ElementsAre(R"(t:4/random,{"message":"Invalid namespace"})"));
    EXPECT_THAT(take_notes(), IsEmpty());
    EXPECT_FALSE(link.closed_for);
    EXPECT_TRUE(connection->ready());
    EXPECT_EQ(hub.total(Metric::socketio_connects_refused), 1U);
    // And the client may try another.
    connected("/a");
}

TEST_F(SocketIoConnectionTest, RefusesInTheWordsOfTheHandlerAndDropsItFromTheLoop) {
    text("0/a,");
    application.latest->link->refuse("not \"you\"", R"({"code":7})");
    EXPECT_THAT(link.take_sent(),
                ElementsAre(R"(t:4/a,{"message":"not \"you\"","data":{"code":7}})"));
    take_notes();
    // Until it is gone nothing further is taken: a refusal costs the peer a turn of the loop.
    EXPECT_FALSE(connection->ready());
    hub.pass(milliseconds(1));
    EXPECT_THAT(take_notes(), ElementsAre("/a disconnected normal", "/a gone"));
    EXPECT_TRUE(connection->ready());
    EXPECT_EQ(link.resumes, 1);
    EXPECT_FALSE(link.closed_for);
    connected("/a");
}

TEST_F(SocketIoConnectionTest, TakesNothingFurtherUntilAConnectIsDecided) {
    text("0");
    EXPECT_FALSE(connection->ready());
    EXPECT_EQ(link.resumes, 0);
    application.latest->link->accept("abc", {});
    EXPECT_TRUE(connection->ready());
    EXPECT_EQ(link.resumes, 1);
}

TEST_F(SocketIoConnectionTest, IsReadyWhenAllItsSocketsAre) {
    NotingHandler& root = connected();
    NotingHandler& a = connected("/a");
    EXPECT_TRUE(connection->ready());
    root.is_ready = false;
    EXPECT_FALSE(connection->ready());
    root.is_ready = true;
    a.is_ready = false;
    EXPECT_FALSE(connection->ready());
    a.is_ready = true;
    const int before = link.resumes;
    a.link->resume();
    EXPECT_EQ(link.resumes, before + 1);
}

TEST_F(SocketIoConnectionTest, HandsEventsAndAcksToTheirNamespace) {
    connected();
    connected("/a");
    text(R"(2["x",1])");
    text(R"(2/a,7["y"])");
    text(R"(3/a,8[true])");
    EXPECT_THAT(take_notes(),
                ElementsAre(R"(/ event - ["x",1])", R"(/a event 7 ["y"])", R"(/a ack 8 [true])"));
}

TEST_F(SocketIoConnectionTest, PutsBinaryPacketsTogether) {
    connected();
    text(R"(52-5["x",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}])");
    EXPECT_TRUE(connection->ready());
    binary("one");
    EXPECT_THAT(take_notes(), IsEmpty());
    binary("two");
    EXPECT_THAT(
        take_notes(),
        ElementsAre(
            R"(/ event 5 ["x",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}] +one +two)"));
    text(R"(61-9[{"_placeholder":true,"num":0}])");
    binary("");
    EXPECT_THAT(take_notes(), ElementsAre(R"(/ ack 9 [{"_placeholder":true,"num":0}] +)"));
    text(R"(50-["x"])");
    EXPECT_THAT(take_notes(), ElementsAre(R"(/ event - ["x"])"));
    EXPECT_FALSE(link.closed_for);
}

TEST_F(SocketIoConnectionTest, SendsEventsAndAcks) {
    NotingHandler& root = connected();
    NotingHandler& a = connected("/a");
    root.link->emit(R"(["x",1])");
    a.link->emit(R"(["x",1])", {}, 12);
    root.link->acknowledge(456, R"([1,"2"])");
    const std::vector<std::string_view> attachments{"one", "two"};
    a.link->emit(R"(["x"])", attachments);
    root.link->acknowledge(789, "[]", attachments);
    EXPECT_THAT(link.take_sent(),
                ElementsAre(R"(t:2["x",1])", R"(t:2/a,12["x",1])", R"(t:3456[1,"2"])",
                            R"(t:52-/a,["x"])", "b:one", "b:two", "t:62-789[]", "b:one", "b:two"));
    EXPECT_EQ(&root.link->writer(), &link.writer());
}

TEST_F(SocketIoConnectionTest, SendsNothingOfASocketThatIsNotConnected) {
    text("0");
    SocketLink& undecided = *application.latest->link;
    undecided.emit(R"(["x"])");
    undecided.acknowledge(1, "[]");
    EXPECT_THAT(link.take_sent(), IsEmpty());
    undecided.accept("abc", {});
    undecided.disconnect();
    undecided.disconnect();
    undecided.emit(R"(["x"])");
    undecided.acknowledge(1, "[]");
    undecided.accept("abc", {});
    EXPECT_THAT(link.take_sent(), ElementsAre(R"(t:0{"sid":"abc"})", "t:1"));
}

TEST_F(SocketIoConnectionTest, EndsOneNamespaceOnDisconnectWithoutAnAnswer) {
    connected();
    connected("/a");
    text("1/a,");
    EXPECT_THAT(take_notes(), ElementsAre("/a disconnected normal", "/a gone"));
    EXPECT_THAT(link.sent, IsEmpty());
    EXPECT_FALSE(link.closed_for);
    text(R"(2["x"])");
    EXPECT_THAT(take_notes(), ElementsAre(R"(/ event - ["x"])"));
    // It may come back, and the last one may go: the engine stays up.
    connected("/a");
    text("1/a");
    text("1");
    hub.pass(milliseconds(100'000));
    EXPECT_FALSE(link.closed_for);
    EXPECT_THAT(link.sent, IsEmpty());
}

TEST_F(SocketIoConnectionTest, EndsOneNamespaceForItsHandlerFromTheLoop) {
    NotingHandler& root = connected();
    NotingHandler& a = connected("/a");
    a.link->disconnect();
    EXPECT_THAT(link.take_sent(), ElementsAre("t:1/a,"));
    EXPECT_THAT(take_notes(), IsEmpty());
    EXPECT_FALSE(connection->ready());
    connection->on_writable();
    EXPECT_THAT(take_notes(), ElementsAre("/ writable"));
    hub.pass(milliseconds(1));
    EXPECT_THAT(take_notes(), ElementsAre("/a disconnected normal", "/a gone"));
    EXPECT_TRUE(connection->ready());
    root.link->emit("[1]");
    EXPECT_THAT(link.take_sent(), ElementsAre("t:2[1]"));
}

TEST_F(SocketIoConnectionTest, PassesOnWhatTheSessionSays) {
    connected();
    connected("/a");
    connection->on_writable();
    connection->on_writer_changed();
    connection->on_drain();
    EXPECT_THAT(take_notes(), ElementsAre("/ writable", "/a writable", "/ writer changed",
                                          "/a writer changed", "/ drain", "/a drain"));
}

TEST_F(SocketIoConnectionTest, TellsEverySocketHowTheSessionEnded) {
    connected();
    connected("/a").link->disconnect();
    text("0");  // refused: it is connected
    end(core::close_reasons::heartbeat_missed);
    EXPECT_THAT(take_notes(), ElementsAre("/ lost heartbeat_missed", "/ gone",
                                          "/a disconnected normal", "/a gone"));
    hub.pass(milliseconds(100'000));
}

TEST_F(SocketIoConnectionTest, EndsTheConnectionForItsHandler) {
    NotingHandler& root = connected();
    root.link->close(core::close_reasons::draining);
    ASSERT_TRUE(link.closed_for);
    EXPECT_EQ(link.closed_for->code, 1012);
    EXPECT_THAT(take_notes(), IsEmpty());
}

// ---- what ends the whole connection ----------------------------------------------------------

TEST_F(SocketIoConnectionTest, IsEndedByWhateverBreaksTheProtocol) {
    const std::string_view before_connect[] = {"abc", "",     "2[\"x\"]", "3/a,1[]",
                                               "1",   "1/a,", "4{}",      "0[]"};
    const std::string_view after_connect[] = {"abc",
                                              "0",
                                              "0{}",
                                              "2{}",
                                              "2abc[\"x\"]",
                                              "2[\"connect\"]",
                                              "3[]",
                                              "3abc[]",
                                              "2/a,[\"x\"]",
                                              "1/a",
                                              R"(4{"message":"x"})",
                                              "511-[\"x\"]",
                                              R"(51-["x",{"_placeholder":true,"num":1}])"};
    std::uint64_t refused = 0;
    const auto expect_end = [&](std::string_view packet, bool connect_first) {
        SCOPED_TRACE(packet);
        FakeLink own;
        const auto other = maker.open({});
        other->on_open(own);
        if (connect_first) {
            other->on_message(MessageKind::text, "0");
            application.latest->link->accept("abc", {});
        }
        own.sent.clear();
        other->on_message(MessageKind::text, packet);
        ASSERT_TRUE(own.closed_for);
        EXPECT_EQ(own.closed_for->code, 1002);
        EXPECT_THAT(own.sent, IsEmpty());
        EXPECT_EQ(hub.total(Metric::socketio_packets_refused), ++refused);
        // No more is looked at.
        application.notes.clear();
        other->on_message(MessageKind::text, connect_first ? "2[\"x\"]" : "0");
        EXPECT_THAT(application.notes, IsEmpty());
        other->on_closed(*own.closed_for);
    };
    for (const auto packet : before_connect) expect_end(packet, false);
    for (const auto packet : after_connect) expect_end(packet, true);
}

TEST_F(SocketIoConnectionTest, IsEndedByBinaryOutOfPlace) {
    connected();
    binary("x");
    ASSERT_TRUE(link.closed_for);
    EXPECT_EQ(link.closed_for->code, 1002);
}

TEST_F(SocketIoConnectionTest, IsEndedByTextBetweenAttachments) {
    connected();
    text(R"(52-["x"])");
    binary("1");
    text(R"(2["x"])");
    EXPECT_TRUE(link.closed_for);
    EXPECT_THAT(take_notes(), IsEmpty());
}

TEST_F(SocketIoConnectionTest, IsEndedByAttachmentsBeyondTheirBytes) {
    connected();
    text(R"(52-["x"])");
    binary("12345");
    EXPECT_FALSE(link.closed_for);
    binary("678901");
    EXPECT_TRUE(link.closed_for);
}

// ---- the connect time-out --------------------------------------------------------------------

TEST_F(SocketIoConnectionTest, IsEndedToTheMillisecondWithoutAConnect) {
    hub.pass(config.connect_timeout - milliseconds(1));
    EXPECT_FALSE(link.closed_for);
    hub.pass(milliseconds(1));
    ASSERT_TRUE(link.closed_for);
    EXPECT_EQ(link.closed_for->code, 1008);
    EXPECT_EQ(hub.total(Metric::socketio_connect_timeouts), 1U);
    text("0");
    EXPECT_THAT(take_notes(), IsEmpty());
}

TEST_F(SocketIoConnectionTest, IsEndedWhereNoConnectIsAccepted) {
    text("0/random");
    text("0/a,");
    application.latest->link->refuse("no", {});
    hub.pass(milliseconds(10));
    text("0/b,");  // undecided for too long
    hub.pass(config.connect_timeout - milliseconds(11));
    EXPECT_FALSE(link.closed_for);
    hub.pass(milliseconds(1));
    EXPECT_TRUE(link.closed_for);
    take_notes();
    end();
    EXPECT_THAT(take_notes(), ElementsAre("/b lost vanished", "/b gone"));
}

TEST_F(SocketIoConnectionTest, LivesOnOnceAConnectWasAccepted) {
    hub.pass(config.connect_timeout - milliseconds(1));
    connected();
    hub.pass(config.connect_timeout * 3);
    EXPECT_FALSE(link.closed_for);
    EXPECT_EQ(hub.total(Metric::socketio_connect_timeouts), 0U);
}

// An idle connection is mostly what the kernel and the session keep; this is the rest.
TEST_F(SocketIoConnectionTest, IsSmall) {
    EXPECT_LE(sizeof(SocketIoConnection), 200U);
}

}  // namespace
}  // namespace parley::transports
