#include "loadtest/http_reader.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace parley::load {
namespace {

using Event = HttpReader::Event;

struct Answer {
    unsigned status;
    std::string body;
    bool closes;
    friend bool operator==(const Answer&, const Answer&) = default;
};

// Everything that is complete in the pieces, in their order.
std::vector<Answer> read_all(HttpReader& reader, const std::vector<std::string>& pieces) {
    std::vector<Answer> answers;
    for (const std::string& piece : pieces) {
        std::string_view rest = piece;
        while (!rest.empty()) {
            const auto step = reader.feed(rest);
            rest.remove_prefix(step.consumed);
            if (step.event == Event::failed) return answers;
            if (step.event != Event::complete) break;
            answers.push_back({reader.status(), std::string(reader.body()), reader.closes()});
        }
    }
    return answers;
}

const std::string two_answers =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\nhello world"
    "HTTP/1.1 429 Too Many Requests\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    "5\r\n{\"a\":\r\n3;x=y\r\n12}\r\n0\r\nTrailer: t\r\n\r\n";
const std::vector<Answer> two_expected = {{200, "hello world", false}, {429, "{\"a\":12}", true}};

TEST(HttpReader, AnswersMayBeSplitAnywhere) {
    for (std::size_t at = 0; at <= two_answers.size(); ++at) {
        HttpReader reader;
        EXPECT_EQ(read_all(reader, {two_answers.substr(0, at), two_answers.substr(at)}),
                  two_expected)
            << "split at " << at;
        EXPECT_FALSE(reader.mid_answer());
    }
}

TEST(HttpReader, AnswersMayComeByteByByte) {
    std::vector<std::string> bytes;
    for (const char c : two_answers) bytes.emplace_back(1, c);
    HttpReader reader;
    EXPECT_EQ(read_all(reader, bytes), two_expected);
}

TEST(HttpReader, AnAnswerWithoutABodyIsComplete) {
    HttpReader reader;
    EXPECT_EQ(read_all(reader, {"HTTP/1.1 204 No Content\r\n\r\n"
                                "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"}),
              (std::vector<Answer>{{204, "", false}, {200, "", true}}));
}

TEST(HttpReader, TheBodyOfAStreamIsThereAsItComes) {
    const std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    const std::string chunks = "6\r\nabcdef\r\n3\r\nghi\r\n";
    for (std::size_t at = 0; at <= chunks.size(); ++at) {
        HttpReader reader;
        std::string got;
        for (const std::string& piece : {head, chunks.substr(0, at), chunks.substr(at)}) {
            const auto step = reader.feed(piece);
            EXPECT_EQ(step.event, Event::need_more);
            EXPECT_EQ(step.consumed, piece.size());
            got += reader.body();
            reader.drop_body();
        }
        EXPECT_EQ(got, "abcdefghi") << "split at " << at;
        EXPECT_EQ(reader.status(), 200u);
    }
}

TEST(HttpReader, WhatIsNoHttpFailsInWords) {
    for (const std::string& broken :
         {std::string("SSH-2.0-OpenSSH_9.2\r\n\r\n"),
          std::string("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"),
          "HTTP/1.1 200 OK\r\nX: " + std::string(20000, 'x'),
          std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")}) {
        HttpReader reader;
        EXPECT_EQ(reader.feed(broken).event, Event::failed) << broken.substr(0, 40);
        EXPECT_FALSE(reader.error().empty());
    }
}

TEST(HttpReader, AFreshConnectionForgetsHalfAnAnswer) {
    HttpReader reader;
    EXPECT_EQ(reader.feed("HTTP/1.1 200 OK\r\nContent-Len").event, Event::need_more);
    EXPECT_TRUE(reader.mid_answer());
    reader.reset();
    EXPECT_FALSE(reader.mid_answer());
    EXPECT_EQ(read_all(reader, {two_answers}), two_expected);
}

TEST(HttpRequests, SayWhatHttpAsks) {
    std::string out;
    append_get(out, "/a?b=c", {"h:80", {}, "text/event-stream"});
    EXPECT_EQ(out, "GET /a?b=c HTTP/1.1\r\nHost: h:80\r\nAccept: text/event-stream\r\n\r\n");
    out.clear();
    append_post(out, "/a", "{}", {"h:80", "ann"});
    EXPECT_EQ(out,
              "POST /a HTTP/1.1\r\nHost: h:80\r\nAccept: application/json\r\nX-Parley-Name: "
              "ann\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
}

}  // namespace
}  // namespace parley::load
