#include "loadtest/target.hpp"

#include <gtest/gtest.h>

#include <string>

namespace parley::load {
namespace {

std::string problem_of(std::string_view text) {
    const auto target = parse_target(text, "some.txt");
    return target ? std::string() : target.error().text;
}

TEST(Target, ReadsEveryKey) {
    const auto target = parse_target(
        "# a comment\n\nname=Some server\r\npath=/x/{room}\nsubprotocol=v2\nexpect=hello\n"
        "send=join {room} {id}\\r\\n\nexpect=ok\npublish=say \\x22{payload}\\x22\n"
        "delivery=said\nreply=ping=>pong\necho=no",
        "some.txt");
    ASSERT_TRUE(target);
    EXPECT_EQ(target->name, "Some server");
    EXPECT_EQ(target->path, "/x/{room}");
    EXPECT_EQ(target->subprotocol, "v2");
    ASSERT_EQ(target->steps.size(), 3u);
    EXPECT_EQ(target->steps[0].kind, Target::Step::Kind::expect);
    EXPECT_EQ(target->steps[1].kind, Target::Step::Kind::send);
    EXPECT_EQ(target->steps[1].text, "join {room} {id}\r\n");
    EXPECT_EQ(target->steps[2].text, "ok");
    EXPECT_EQ(target->publish, "say \"{payload}\"");
    EXPECT_EQ(target->delivery, "said");
    ASSERT_EQ(target->replies.size(), 1u);
    EXPECT_EQ(target->replies[0].match, "ping");
    EXPECT_EQ(target->replies[0].answer, "pong");
    EXPECT_FALSE(target->echo);
    EXPECT_FALSE(target->numbered);
}

TEST(Target, ErrorsNameFileAndLineAndWhatWasExpected) {
    struct Case {
        const char* text;
        const char* start;
        const char* word;
    };
    const Case cases[] = {
        {"nonsense", "some.txt:1: ", "key=value"},
        {"# x\n\npaht=/", "some.txt:3: ", "known are name, path"},
        {"path=r", "some.txt:1: ", "'/'"},
        {"publish=hello", "some.txt:1: ", "{payload}"},
        {"send=", "some.txt:1: ", "needs a text"},
        {"expect=", "some.txt:1: ", "needs a text"},
        {"echo=maybe", "some.txt:1: ", "yes or no"},
        {"reply=x", "some.txt:1: ", "X=>Y"},
        {"reply==>y", "some.txt:1: ", "X=>Y"},
        {"path=/\nsend=\\q", "some.txt:2: ", "escape"},
        {"send=\\", "some.txt:1: ", "escape"},
        {"send=\\x1", "some.txt:1: ", "escape"},
        {"send=\\xg0", "some.txt:1: ", "escape"},
    };
    for (const Case& c : cases) {
        const std::string problem = problem_of(c.text);
        EXPECT_TRUE(problem.starts_with(c.start)) << c.text << " gave " << problem;
        EXPECT_NE(problem.find(c.word), std::string::npos) << c.text << " gave " << problem;
        EXPECT_EQ(problem.find('\n'), std::string::npos);
    }
}

TEST(Target, EveryHexEscapeIsItsByte) {
    for (unsigned value = 0; value < 256; ++value) {
        char line[16];
        std::snprintf(line, sizeof line, value % 2 == 0 ? "send=\\x%02x" : "send=\\x%02X", value);
        const auto target = parse_target(line, "f");
        ASSERT_TRUE(target) << line;
        EXPECT_EQ(target->steps[0].text, std::string(1, static_cast<char>(value)));
    }
}

TEST(Target, ThoseThatAreShippedAreWhole) {
    const std::string folder = PARLEY_LOAD_TARGETS;
    const auto echo = load_target(folder + "/echo_broadcast.txt");
    ASSERT_TRUE(echo) << echo.error().text;
    EXPECT_EQ(echo->path, "/r/{room}");
    EXPECT_TRUE(echo->steps.empty());
    EXPECT_EQ(echo->publish, "{payload}");
    const auto socketio = load_target(folder + "/socketio.txt");
    ASSERT_TRUE(socketio) << socketio.error().text;
    ASSERT_EQ(socketio->steps.size(), 5u);
    EXPECT_EQ(socketio->steps[3].text, R"(42["join","{room}"])");
    ASSERT_EQ(socketio->replies.size(), 1u);
    EXPECT_EQ(socketio->replies[0].match, "2");
}

TEST(Target, AFileThatIsNotThereIsNamed) {
    const auto target = load_target("no/such/file.txt");
    ASSERT_FALSE(target);
    EXPECT_EQ(target.error().text, "no/such/file.txt: cannot be read");
}

TEST(Target, ParleyJoinsOnTheUrlWhateverQueryItHas) {
    EXPECT_EQ(parley_target("/ws").path, "/ws?name=u{id}&room={room}");
    EXPECT_EQ(parley_target("/ws?token=x").path, "/ws?token=x&name=u{id}&room={room}");
    EXPECT_TRUE(parley_target("/ws").numbered);
}

TEST(Target, OnlyPlaceholdersAreFilled) {
    std::string out;
    append_filled(out, "{\"r\":\"{room}\",{{id}},{x}{payload", {"lobby", 42, "P"});
    EXPECT_EQ(out, "{\"r\":\"lobby\",{42},{x}{payload");
    out.clear();
    append_filled(out, "{payload}{payload}", {"r", 1, "{room}"});
    EXPECT_EQ(out, "{room}{room}");
}

}  // namespace
}  // namespace parley::load
