// Socket.IO v5 at `/socket.io/`, as its conformance suite asks for it: exact strings, over each way
// of Engine.IO.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <set>

#include "conformance/echo_process.hpp"
#include "conformance/engine_wires.hpp"

namespace parley::conformance {
namespace {

using testing::EndsWith;
using testing::StartsWith;

constexpr const char* path = "/socket.io/";

// Its own sid of `packet`, which must be `start{"sid":"..."}` and hold nothing else.
std::string sid_of(const std::string& packet, const std::string& start) {
    const std::string before = start + R"({"sid":")";
    EXPECT_THAT(packet, StartsWith(before));
    EXPECT_THAT(packet, EndsWith("\"}"));
    if (packet.size() < before.size() + 2) return {};
    const std::string sid = packet.substr(before.size(), packet.size() - before.size() - 2);
    EXPECT_GE(sid.size(), 20U);
    EXPECT_EQ(sid.find_first_of("\",{}"), std::string::npos) << sid;
    return sid;
}

template <typename Wire>
class SocketIo : public testing::Test {
protected:
    static void SetUpTestSuite() { server_ = new EchoProcess(); }
    static void TearDownTestSuite() {
        delete server_;
        server_ = nullptr;
    }

    [[nodiscard]] static Wire open() { return Wire(server_->port(), path); }
    // Connected to the namespace of that prefix (`/custom,`, or nothing), with `auth` received.
    static void connect(Wire& wire, const std::string& prefix = {}, const std::string& auth = {}) {
        wire.send("40" + prefix + auth);
        EXPECT_NE(sid_of(wire.receive(), "40" + prefix), wire.sid());
        EXPECT_EQ(wire.receive(),
                  "42" + prefix + R"(["auth",)" + (auth.empty() ? "{}" : auth) + "]");
    }
    static void expect_refused(const std::string& packet, bool connect_first) {
        SCOPED_TRACE(packet);
        Wire wire = open();
        if (connect_first) connect(wire);
        wire.send(packet);
        EXPECT_EQ(wire.receive(), wire_end);
    }

private:
    static inline EchoProcess* server_ = nullptr;
};

using Wires = testing::Types<WebSocketWire, PollingWire, UpgradedWire>;
TYPED_TEST_SUITE(SocketIo, Wires);

TYPED_TEST(SocketIo, ConnectsToTheMainNamespace) {
    auto wire = this->open();
    this->connect(wire);
}

TYPED_TEST(SocketIo, ConnectsWithAPayload) {
    auto wire = this->open();
    this->connect(wire, "", R"({"token":"123"})");
}

TYPED_TEST(SocketIo, KeepsTheOrderOfKeysInAPayload) {
    auto wire = this->open();
    this->connect(wire, "", R"({"z":1,"a":{"y":[],"b":null},"1":"\u00e9 ,"})");
}

TYPED_TEST(SocketIo, ConnectsToACustomNamespace) {
    auto wire = this->open();
    this->connect(wire, "/custom,");
}

TYPED_TEST(SocketIo, ConnectsToACustomNamespaceWithAPayload) {
    auto wire = this->open();
    this->connect(wire, "/custom,", R"({"token":"abc"})");
}

TYPED_TEST(SocketIo, ConnectsWithoutTheCommaToo) {
    auto wire = this->open();
    wire.send("40/custom");
    sid_of(wire.receive(), "40/custom,");
    EXPECT_EQ(wire.receive(), R"(42/custom,["auth",{}])");
}

TYPED_TEST(SocketIo, GivesEverySocketAnIdOfItsOwn) {
    auto wire = this->open();
    std::set<std::string> sids{wire.sid()};
    for (const std::string prefix : {"", "/custom,"}) {
        wire.send("40" + prefix);
        EXPECT_TRUE(sids.insert(sid_of(wire.receive(), "40" + prefix)).second);
        wire.receive();
    }
}

TYPED_TEST(SocketIo, RefusesANamespaceThatThereIsNot) {
    auto wire = this->open();
    wire.send("40/random");
    EXPECT_EQ(wire.receive(), R"(44/random,{"message":"Invalid namespace"})");
    this->connect(wire);
}

TYPED_TEST(SocketIo, EchoesAMessage) {
    auto wire = this->open();
    this->connect(wire);
    wire.send(R"(42["message",1,"2",{"3":[true]}])");
    EXPECT_EQ(wire.receive(), R"(42["message-back",1,"2",{"3":[true]}])");
    wire.send(R"(42["message"])");
    EXPECT_EQ(wire.receive(), R"(42["message-back"])");
}

TYPED_TEST(SocketIo, EchoesInItsNamespace) {
    auto wire = this->open();
    this->connect(wire);
    this->connect(wire, "/custom,");
    wire.send(R"(42/custom,["message","x"])");
    EXPECT_EQ(wire.receive(), R"(42/custom,["message-back","x"])");
    wire.send(R"(42/,["message","y"])");
    EXPECT_EQ(wire.receive(), R"(42["message-back","y"])");
}

TYPED_TEST(SocketIo, EchoesBinary) {
    auto wire = this->open();
    this->connect(wire);
    wire.send(R"(452-["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}])");
    wire.send_binary(std::string_view("\x01\x02\x03", 3));
    wire.send_binary(std::string_view("\x04\x00\x06", 3));
    EXPECT_EQ(
        wire.receive(),
        R"(452-["message-back",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}])");
    EXPECT_EQ(wire.receive(), std::string("b:\x01\x02\x03"));
    EXPECT_EQ(wire.receive(), std::string("b:\x04\x00\x06", 5));
}

TYPED_TEST(SocketIo, EchoesAsManyAttachmentsAsThereMayBe) {
    auto wire = this->open();
    this->connect(wire);
    wire.send(R"(4510-["message",{"_placeholder":true,"num":9}])");
    for (char c = 'a'; c < 'k'; ++c) wire.send_binary(std::string(1'000, c));
    EXPECT_EQ(wire.receive(), R"(4510-["message-back",{"_placeholder":true,"num":9}])");
    for (char c = 'a'; c < 'k'; ++c) {
        EXPECT_EQ(wire.receive(), std::string("b:").append(1'000, c));
    }
}

TYPED_TEST(SocketIo, Acknowledges) {
    auto wire = this->open();
    this->connect(wire);
    wire.send(R"(42456["message-with-ack",1,"2",{"3":[false]}])");
    EXPECT_EQ(wire.receive(), R"(43456[1,"2",{"3":[false]}])");
    wire.send(R"(420["message-with-ack"])");
    EXPECT_EQ(wire.receive(), "430[]");
}

TYPED_TEST(SocketIo, AcknowledgesBinary) {
    auto wire = this->open();
    this->connect(wire);
    wire.send(
        R"(452-789["message-with-ack",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}])");
    wire.send_binary("one");
    wire.send_binary("two");
    EXPECT_EQ(wire.receive(),
              R"(462-789[{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}])");
    EXPECT_EQ(wire.receive(), "b:one");
    EXPECT_EQ(wire.receive(), "b:two");
}

TYPED_TEST(SocketIo, AsksForAnAcknowledgement) {
    auto wire = this->open();
    this->connect(wire);
    wire.send(R"(42["emit-with-ack",1,"2"])");
    EXPECT_EQ(wire.receive(), R"(420["message",1,"2"])");
    wire.send(R"(430[3,{"four":4}])");
    EXPECT_EQ(wire.receive(), R"(42["emit-with-ack-back",3,{"four":4}])");
    wire.send(R"(451-["emit-with-ack",{"_placeholder":true,"num":0}])");
    wire.send_binary("x");
    EXPECT_EQ(wire.receive(), R"(451-1["message",{"_placeholder":true,"num":0}])");
    EXPECT_EQ(wire.receive(), "b:x");
    wire.send(R"(461-1[{"_placeholder":true,"num":0}])");
    wire.send_binary("y");
    EXPECT_EQ(wire.receive(), R"(451-["emit-with-ack-back",{"_placeholder":true,"num":0}])");
    EXPECT_EQ(wire.receive(), "b:y");
}

TYPED_TEST(SocketIo, KeepsTheOrderOfWhatIsSaid) {
    auto wire = this->open();
    this->connect(wire);
    for (int i = 0; i < 50; ++i) wire.send(R"(42["message",)" + std::to_string(i) + "]");
    for (int i = 0; i < 50; ++i) {
        ASSERT_EQ(wire.receive(), R"(42["message-back",)" + std::to_string(i) + "]");
    }
}

TYPED_TEST(SocketIo, LeavesOneNamespaceAlone) {
    auto wire = this->open();
    this->connect(wire);
    this->connect(wire, "/custom,");
    wire.send("41/custom,");
    wire.send(R"(42["message","still here"])");
    EXPECT_EQ(wire.receive(), R"(42["message-back","still here"])");
    this->connect(wire, "/custom,");
}

TYPED_TEST(SocketIo, IsEndedByWhatIsNoPacket) {
    this->expect_refused("4abc", false);
    this->expect_refused("4abc", true);
    this->expect_refused("42{}", true);
    this->expect_refused("42", true);
    this->expect_refused("42[]", true);
    this->expect_refused(R"(42abc["message-with-ack",1])", true);
    this->expect_refused(R"(42["connect"])", true);
    this->expect_refused("43", true);
    this->expect_refused("40[]", false);
}

TYPED_TEST(SocketIo, IsEndedByWhatIsOutOfPlace) {
    this->expect_refused(R"(42["message"])", false);
    this->expect_refused("41", false);
    this->expect_refused(R"(42/custom,["message"])", true);
    this->expect_refused("40", true);
    this->expect_refused(R"(44{"message":"x"})", true);
    this->expect_refused(R"(4511-["message"])", true);
    this->expect_refused(R"(451-["message",{"_placeholder":true,"num":1}])", true);
    auto wire = this->open();
    this->connect(wire);
    wire.send_binary("x");
    EXPECT_EQ(wire.receive(), wire_end);
}

// ---- time ------------------------------------------------------------------------------------

// Whoever connects is done in time on a busy machine as well, and the first ping is behind that.
const std::vector<std::string> quick{"--ping-interval",   "2800", "--ping-timeout", "20000",
                                     "--connect-timeout", "2000"};

// A DISCONNECT gets no answer: what comes next is the ping, and the connect time-out is over.
TYPED_TEST(SocketIo, StaysOpenWithoutANamespace) {
    const EchoProcess server(quick);
    TypeParam wire(server.port(), path);
    this->connect(wire);
    wire.send("41");
    EXPECT_EQ(wire.receive(), "2");
    wire.send("3");
    this->connect(wire, "/custom,");
}

TYPED_TEST(SocketIo, IsEndedWithoutAConnectInTime) {
    const EchoProcess server(quick);
    const auto begin = std::chrono::steady_clock::now();
    TypeParam wire(server.port(), path);
    EXPECT_EQ(wire.receive(), wire_end);
    EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(2'000));
}

TYPED_TEST(SocketIo, IsEndedWhereEveryConnectIsRefused) {
    const EchoProcess server(quick);
    TypeParam wire(server.port(), path);
    wire.send("40/random");
    EXPECT_EQ(wire.receive(), R"(44/random,{"message":"Invalid namespace"})");
    EXPECT_EQ(wire.receive(), wire_end);
}

}  // namespace
}  // namespace parley::conformance
