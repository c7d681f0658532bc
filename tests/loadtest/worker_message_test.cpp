#include "loadtest/worker_message.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <boost/json.hpp>

namespace parley::load {
namespace {

namespace json = boost::json;

std::vector<json::object> messages() {
    return {{{"type", "hello"}, {"protocol", crew_protocol}, {"pid", 4711}},
            {{"type", "ready"}},
            {{"type", "books"}, {"accepted", {0, 7, 3, 1}}, {"drained", false}},
            {{"type", "welcome"}, {"arguments", {"--url", "ws://h/\u00e4\"\\"}}},
            {{"type", "failed"}, {"problem", std::string(100'000, 'x')}}};
}

std::string lengthened(std::string_view text) {
    std::string out;
    for (int shift = 24; shift >= 0; shift -= 8) {
        out.push_back(static_cast<char>(text.size() >> shift & 0xff));
    }
    return out.append(text);
}

TEST(WorkerMessage, MessagesComeWholeWhereverTheBytesAreCut) {
    std::string bytes;
    const auto sent = messages();
    for (std::size_t i = 0; i + 1 < sent.size(); ++i) append_message(bytes, sent[i]);
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
        MessageReader reader;
        std::size_t taken = 0;
        for (const std::string_view part :
             {std::string_view(bytes).substr(0, cut), std::string_view(bytes).substr(cut)}) {
            reader.feed(part);
            while (const auto message = reader.next()) EXPECT_EQ(*message, sent[taken++]);
        }
        EXPECT_EQ(taken, sent.size() - 1);
        EXPECT_EQ(reader.error(), "");
    }
}

TEST(WorkerMessage, WhatIsNoMessageIsRefusedAndNothingBehindItIsRead) {
    const std::string cases[] = {"\xff\xff\xff\xff",
                                 lengthened("[]"),
                                 lengthened("{}"),
                                 lengthened(R"({"type":7})"),
                                 lengthened(R"({"type":"x")"),
                                 lengthened("no JSON"),
                                 lengthened("")};
    for (const std::string& bytes : cases) {
        MessageReader reader;
        reader.feed(bytes);
        EXPECT_FALSE(reader.next());
        EXPECT_NE(reader.error(), "");
        std::string good;
        append_message(good, messages().front());
        reader.feed(good);
        EXPECT_FALSE(reader.next());
    }
}

TEST(WorkerMessage, AMessageMayBeAsLargeAsTheBoundAndNoLarger) {
    const auto header = [](std::size_t size) {
        std::string out;
        for (int shift = 24; shift >= 0; shift -= 8) {
            out.push_back(static_cast<char>(size >> shift & 0xff));
        }
        return out;
    };
    MessageReader reader;
    reader.feed(header(message_bytes_max));
    EXPECT_FALSE(reader.next());
    EXPECT_EQ(reader.error(), "");
    MessageReader other;
    other.feed(header(message_bytes_max + 1));
    EXPECT_FALSE(other.next());
    EXPECT_NE(other.error().find("67108865 bytes: expected 67108864 at most"), std::string::npos);
}

TEST(WorkerMessage, AWireCarriesBothWaysAndTellsWhyItBroke) {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    MessageWire one{FileDescriptor(ends[0])};
    std::optional<MessageWire> other{FileDescriptor(ends[1])};
    for (const auto& message : messages()) one.send(message);
    for (const auto& message : messages()) {
        std::optional<json::object> got;
        while (!(got = other->take())) {
            ASSERT_TRUE(one.pump());
            ASSERT_TRUE(other->pump());
        }
        EXPECT_EQ(*got, message);
    }
    other->send({{"type", "go"}});
    ASSERT_TRUE(other->pump());
    other.reset();
    EXPECT_FALSE(one.pump());
    // What was said before the end is not lost.
    EXPECT_EQ(type_of(one.take().value()), "go");
    EXPECT_TRUE(one.broken());
    EXPECT_EQ(one.why(), "the connection was closed");
}

TEST(WorkerMessage, BooksOfRoomsComeBackAsTheyWereOrNotAtAll) {
    const std::vector<std::uint64_t> rooms{0, 3, 0, 1'000'000'000'000, 0};
    json::object message{{"type", "books"}, {"accepted", rooms_to_json(rooms)}};
    EXPECT_EQ(message["accepted"].as_array().size(), 4u);
    EXPECT_EQ(rooms_from_json(message, 5), rooms);
    EXPECT_EQ(rooms_from_json(message, 3), std::nullopt);
    const json::value bad[] = {nullptr, {1}, {1, "x"}, {-1, 2}, {1, 2.5}, {1, 2, 3}, "1"};
    for (const json::value& value : bad) {
        EXPECT_EQ(rooms_from_json({{"accepted", value}}, 5), std::nullopt) << value;
    }
    EXPECT_EQ(rooms_from_json({}, 5), std::nullopt);
    EXPECT_EQ(number_in({{"n", 7}}, "n"), 7u);
    for (const json::value& value : {json::value(-1), json::value(1.5), json::value("1")}) {
        EXPECT_EQ(number_in({{"n", value}}, "n"), std::nullopt) << value;
    }
}

TEST(CrewAddress, OnlyLoopbackIsTaken) {
    for (const char* const good : {"127.0.0.1:7000", "127.3.2.1:0", "[::1]:65535"}) {
        const auto address = parse_crew_address(good);
        ASSERT_TRUE(address) << good;
        EXPECT_EQ(address->text(), good);
    }
    for (const char* const far :
         {"0.0.0.0:1", "10.0.0.1:1", "[::]:1", "example.org:1", "localhost:1"}) {
        const auto address = parse_crew_address(far);
        ASSERT_FALSE(address) << far;
        EXPECT_NE(address.error().text.find("no loopback address"), std::string::npos);
    }
    for (const char* const bad :
         {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "127.0.0.1:1x"}) {
        const auto address = parse_crew_address(bad);
        ASSERT_FALSE(address) << bad;
        EXPECT_NE(address.error().text.find("expected ADDRESS:PORT"), std::string::npos) << bad;
    }
}

}  // namespace
}  // namespace parley::load
