#include "protocol/http_head_check.hpp"

#include <gtest/gtest.h>

#include <string>

#include "protocol/http_chunk_decoder.hpp"

namespace parley::protocol {
namespace {

using HeadStatus = HttpHeadCheck::Status;

struct Verdict {
    HeadStatus status;
    std::size_t consumed;
    unsigned code;

    bool operator==(const Verdict&) const = default;
};

Verdict check(std::string_view head, std::size_t cut, const HttpHeadLimits& limits = {}) {
    HttpHeadCheck check;
    auto step = check.feed(head.substr(0, cut), limits);
    std::size_t consumed = step.consumed;
    if (step.status == HeadStatus::need_more) {
        step = check.feed(head.substr(cut), limits);
        consumed += step.consumed;
    }
    return {step.status, consumed, check.status()};
}

TEST(HttpHeadCheck, TakesAHeadAndNothingBehindItAtEverySplit) {
    for (const std::string head :
         {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.0\r\n\r\n",
          "POST /a/b?c=d&e=%20 HTTP/1.1\r\nHost: a\r\nX-Empty:\r\nX:y\r\nZ:\t z \r\n\r\n",
          "M-SEARCH * HTTP/1.1\r\nHost: a\r\n\r\n", "GET /\xC3\xA4 HTTP/1.1\r\nX: \xE4\r\n\r\n"}) {
        SCOPED_TRACE(head);
        const std::string all = head + "behind";
        for (std::size_t cut = 0; cut <= all.size(); ++cut) {
            ASSERT_EQ(check(all, cut), (Verdict{HeadStatus::complete, head.size(), 0})) << cut;
        }
    }
}

struct Place {
    std::string_view before, after;
};

// A head with one byte put into each of its parts.
constexpr Place in_method{"GE", "T / HTTP/1.1\r\nHost: a\r\n\r\n"};
constexpr Place in_target{"GET /", " HTTP/1.1\r\nHost: a\r\n\r\n"};
constexpr Place in_name{"GET / HTTP/1.1\r\nHo", "st: a\r\n\r\n"};
constexpr Place in_value{"GET / HTTP/1.1\r\nHost: a",
                         "b.is.more.than.two.times.sixteen.bytes.long\r\n\r\n"};

bool is_taken(const Place& place, unsigned byte) {
    std::string head(place.before);
    head.push_back(static_cast<char>(byte));
    head.append(place.after);
    HttpHeadCheck check;
    const HttpHeadLimits limits;
    return check.feed(head, limits).status == HeadStatus::complete;
}

TEST(HttpHeadCheck, JudgesEveryByteInEveryPart) {
    for (unsigned byte = 0; byte < 256; ++byte) {
        SCOPED_TRACE(byte);
        const char c = static_cast<char>(byte);
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        const bool token =
            letter || (c >= '0' && c <= '9') ||
            (byte != 0 && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos);
        const bool visible = byte > 0x20 && byte != 0x7F;
        EXPECT_EQ(is_taken(in_method, byte), token);
        EXPECT_EQ(is_taken(in_target, byte), visible && c != '#');
        // A colon ends the name early, and "st: a" is a value.
        EXPECT_EQ(is_taken(in_name, byte), token || c == ':');
        EXPECT_EQ(is_taken(in_value, byte), visible || c == ' ' || c == '\t');
    }
}

TEST(HttpHeadCheck, RefusesWhatTwoReadersCouldReadInTwoWays) {
    struct Row {
        std::string_view what;
        std::string head;
        unsigned code;
    };
    const std::string line = "GET / HTTP/1.1\r\n";
    for (const Row& row : {
             Row{"a bare LF behind the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", 400},
             Row{"a bare LF behind a field", line + "Host: a\nX: y\r\n\r\n", 400},
             Row{"a bare LF for the end", line + "Host: a\r\n\n", 400},
             Row{"a bare CR behind the request line", "GET / HTTP/1.1\rHost: a\r\n\r\n", 400},
             Row{"a bare CR in a value", line + "Host: a\rX: y\r\n\r\n", 400},
             Row{"a bare CR for the end", line + "Host: a\r\n\rX: y\r\n\r\n", 400},
             Row{"CR CR LF", line + "Host: a\r\r\n\r\n", 400},
             Row{"obs-fold with a blank", line + "Host: a\r\n b\r\n\r\n", 400},
             Row{"obs-fold with a tab", line + "Host: a\r\n\tb\r\n\r\n", 400},
             Row{"a fold before any field", line + " Host: a\r\n\r\n", 400},
             Row{"a blank before the colon", line + "Host : a\r\n\r\n", 400},
             Row{"a tab before the colon", line + "Host\t: a\r\n\r\n", 400},
             Row{"no name", line + ": a\r\n\r\n", 400},
             Row{"no colon", line + "Host\r\n\r\n", 400},
             Row{"a zero in a value", line + std::string("X: a\0b\r\n\r\n", 10), 400},
             Row{"a zero in a name", line + std::string("X\0: a\r\n\r\n", 9), 400},
             Row{"a zero in the target", std::string("GET /\0 HTTP/1.1\r\n\r\n", 19), 400},
             Row{"two blanks before the target", "GET  / HTTP/1.1\r\n\r\n", 400},
             Row{"two blanks behind the target", "GET /  HTTP/1.1\r\n\r\n", 400},
             Row{"a tab for a blank", "GET\t/ HTTP/1.1\r\n\r\n", 400},
             Row{"a blank in the target", "GET /a b HTTP/1.1\r\n\r\n", 400},
             Row{"a fragment", "GET /a#b HTTP/1.1\r\n\r\n", 400},
             Row{"a blank behind the version", "GET / HTTP/1.1 \r\n\r\n", 400},
             Row{"no method", " / HTTP/1.1\r\n\r\n", 400},
             Row{"no target", "GET HTTP/1.1\r\n\r\n", 400},
             Row{"no version", "GET /\r\n\r\n", 400},
             Row{"a version in lower case", "GET / http/1.1\r\n\r\n", 400},
             Row{"a version of one number", "GET / HTTP/1\r\n\r\n", 400},
             Row{"a version of two digits", "GET / HTTP/1.11\r\n\r\n", 400},
             Row{"version 0.9", "GET / HTTP/0.9\r\n\r\n", 505},
             Row{"version 1.2", "GET / HTTP/1.2\r\n\r\n", 505},
             Row{"version 2.0", "PRI * HTTP/2.0\r\n\r\n", 505},
             Row{"TLS", std::string("\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n", 12), 400},
         }) {
        SCOPED_TRACE(row.what);
        for (std::size_t cut = 0; cut <= row.head.size(); ++cut) {
            const Verdict verdict = check(row.head, cut);
            ASSERT_EQ(verdict.status, HeadStatus::refused) << cut;
            ASSERT_EQ(verdict.code, row.code) << cut;
        }
    }
}

// A byte at a time nothing is passed over in larger steps.
Verdict check_bytewise(std::string_view head, const HttpHeadLimits& limits) {
    HttpHeadCheck check;
    Verdict verdict{HeadStatus::need_more, 0, 0};
    for (std::size_t i = 0; i < head.size() && verdict.status == HeadStatus::need_more; ++i) {
        const auto step = check.feed(head.substr(i, 1), limits);
        verdict = {step.status, verdict.consumed + step.consumed, check.status()};
    }
    return verdict;
}

TEST(HttpHeadCheck, EndsAtTheSameByteForEveryLimitAndSplit) {
    for (const std::string head :
         {"POST /a/b?c=d HTTP/1.1\r\nHost: a\r\nX-Long-Name: and a value\r\n\r\n",
          "GET / HTTP/1.0\r\nA:\r\n\r\n", "G /1234567890123456789 HTTP/1.1\r\n\r\n",
          "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", "GET / HTTP/1.2\r\n\r\n"}) {
        SCOPED_TRACE(head);
        for (std::size_t limit = 1; limit <= head.size() + 1; ++limit) {
            for (const HttpHeadLimits& limits :
                 {HttpHeadLimits{.head_bytes = limit}, HttpHeadLimits{.target_bytes = limit}}) {
                const Verdict expected = check_bytewise(head, limits);
                for (std::size_t cut = 0; cut <= head.size(); ++cut) {
                    ASSERT_EQ(check(head, cut, limits), expected) << limit << ", " << cut;
                }
            }
        }
    }
}

TEST(HttpHeadCheck, HoldsEachLimitToTheByte) {
    HttpHeadLimits limits;
    limits.target_bytes = 10;
    limits.head_bytes = 60;
    limits.fields = 2;
    const auto with_target = [](std::size_t size) {
        return "GET " + std::string(size, '/') + " HTTP/1.1\r\n\r\n";
    };
    EXPECT_EQ(check(with_target(10), 0, limits).status, HeadStatus::complete);
    EXPECT_EQ(check(with_target(11), 0, limits).code, 414U);
    const auto of_size = [](std::size_t size) {
        const std::string begin = "GET / HTTP/1.1\r\nX: ";
        return begin + std::string(size - begin.size() - 4, 'x') + "\r\n\r\n";
    };
    EXPECT_EQ(check(of_size(60), 0, limits).status, HeadStatus::complete);
    EXPECT_EQ(check(of_size(61), 0, limits).code, 431U);
    EXPECT_EQ(check("GET / HTTP/1.1\r\na:\r\nb:\r\n\r\n", 0, limits).status, HeadStatus::complete);
    EXPECT_EQ(check("GET / HTTP/1.1\r\na:\r\nb:\r\nc:\r\n\r\n", 0, limits).code, 431U);
}

TEST(HttpHeadCheck, TakesTheFieldsBehindABody) {
    for (const std::string_view trailer : {"\r\n", "X: y\r\n\r\n", "X: y\r\nZ:\r\n\r\n"}) {
        HttpHeadCheck check;
        check.expect_trailer();
        const auto step = check.feed(std::string(trailer) + "GET", {});
        EXPECT_EQ(step.status, HeadStatus::complete);
        EXPECT_EQ(step.consumed, trailer.size());
    }
    for (const std::string_view bad : {"\n", " x\r\n\r\n", "X y\r\n\r\n", "X: y\n\r\n"}) {
        HttpHeadCheck check;
        check.expect_trailer();
        EXPECT_EQ(check.feed(bad, {}).status, HeadStatus::refused) << bad;
    }
}

struct Chunks {
    HttpChunkDecoder::Status status = HttpChunkDecoder::Status::need_more;
    std::size_t consumed = 0;
    std::string body;
};

Chunks decode(std::string_view bytes, std::size_t cut) {
    HttpChunkDecoder decoder;
    Chunks out;
    for (std::string_view part : {bytes.substr(0, cut), bytes.substr(cut)}) {
        while (!part.empty() && out.status == HttpChunkDecoder::Status::need_more) {
            const auto step = decoder.feed(part);
            out.body.append(step.data);
            out.status = step.status;
            out.consumed += step.consumed;
            part.remove_prefix(step.consumed);
        }
    }
    return out;
}

TEST(HttpChunkDecoder, TakesChunksAtEverySplit) {
    struct Row {
        std::string bytes, body;
    };
    for (const Row& row : {
             Row{"0\r\n", ""},
             Row{"5\r\nhello\r\n0\r\n", "hello"},
             Row{"5;a=b;c=\"d\"\r\nhello\r\n1\r\n!\r\n000\r\n", "hello!"},
             Row{"00000A\r\n0123456789\r\n0;x\r\n", "0123456789"},
             Row{"a\r\n\r\n0\r\n\r\n\r\nx\r\n0\r\n", "\r\n0\r\n\r\n\r\nx"},
         }) {
        SCOPED_TRACE(row.bytes);
        const std::string all = row.bytes + "\r\n";
        for (std::size_t cut = 0; cut <= all.size(); ++cut) {
            const Chunks chunks = decode(all, cut);
            ASSERT_EQ(chunks.status, HttpChunkDecoder::Status::complete) << cut;
            ASSERT_EQ(chunks.consumed, row.bytes.size()) << cut;
            ASSERT_EQ(chunks.body, row.body) << cut;
        }
    }
}

TEST(HttpChunkDecoder, RefusesSloppyFraming) {
    for (const std::string& bytes :
         {std::string("\r\n"), std::string("x\r\n"), std::string(" 1\r\na\r\n"),
          std::string("1 \r\na\r\n"), std::string("-1\r\n"), std::string("+1\r\n"),
          std::string("0x1\r\n"), std::string("1\na\r\n"), std::string("1\r\nab\r\n"),
          std::string("1\r\na\n"), std::string("1\r\na\rx"), std::string("1\rx"),
          std::string("1;a\nb\r\n"), std::string("1;a\0b\r\n", 7), std::string("1;\x7F\r\n"),
          std::string("123456789\r\n"), std::string(";a\r\n"), "1;" + std::string(257, 'e')}) {
        SCOPED_TRACE(bytes);
        for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
            ASSERT_EQ(decode(bytes, cut).status, HttpChunkDecoder::Status::refused) << cut;
        }
    }
}

TEST(HostAndPort, IsAHostAndPerhapsAPort) {
    for (const std::string_view good :
         {"", "a", "chat.example.org", "chat.example.org:443", "192.0.2.1:80", "[::1]",
          "[2001:db8::1]:8080", "a_b", "xn--a", "a:", "%41"}) {
        EXPECT_TRUE(is_host_and_port(good)) << good;
    }
    for (const std::string_view bad :
         {"a b", "a,b", "user@a", "a/b", "a:b", "a:1:2", "a:123456", "[::1", "[]", "[::1]x",
          "[::1]:x", "[g]", "a\tb", "a?b", "a#b", "a\\b", "\xC3\xA4"}) {
        EXPECT_FALSE(is_host_and_port(bad)) << bad;
    }
}

TEST(ContentLength, IsDigitsAlone) {
    for (const std::string_view good : {"0", "00", "65537", "9999999999999999999"}) {
        EXPECT_TRUE(is_content_length(good)) << good;
    }
    for (const std::string_view bad :
         {"", "-1", "+1", "1, 1", "0x1", "1 ", " 1", "1.0", "99999999999999999999"}) {
        EXPECT_FALSE(is_content_length(bad)) << bad;
    }
}

}  // namespace
}  // namespace parley::protocol
