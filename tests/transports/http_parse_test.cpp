#include "transports/http_parse.hpp"

#include <gtest/gtest.h>

namespace parley::transports {
namespace {

constexpr HttpLimits small{{.head_bytes = 1024, .target_bytes = 512, .fields = 16}, {1024}};

constexpr std::string_view post =
    "\r\nPOST /a/b?c=d HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello";

TEST(HttpParser, TakesARequestAtEverySplit) {
    for (std::size_t split = 0; split <= post.size(); ++split) {
        SCOPED_TRACE(split);
        HttpParser parser(small);
        std::string pending;
        auto status = HttpParser::Status::need_more;
        for (const std::string_view part : {post.substr(0, split), post.substr(split)}) {
            ASSERT_EQ(status, HttpParser::Status::need_more);
            pending += part;
            std::span<char> bytes(pending);
            status = parser.feed(bytes);
            pending.erase(0, pending.size() - bytes.size());
            if (status == HttpParser::Status::complete) break;
        }
        ASSERT_EQ(status, HttpParser::Status::complete);
        EXPECT_TRUE(pending.empty());
        EXPECT_EQ(parser.request().target(), "/a/b?c=d");
        EXPECT_EQ(parser.request().body(), "hello");
        EXPECT_TRUE(parser.keep_alive());
    }
}

TEST(HttpParser, TakesChunksAtEverySplitAndDropsTheFieldsBehindThem) {
    const std::string chunked =
        "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"
        "3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\nX-Forwarded-For: 1.2.3.4\r\nHost: b\r\n\r\n";
    const std::string both = chunked + std::string(post);
    for (std::size_t split = 0; split <= chunked.size(); ++split) {
        SCOPED_TRACE(split);
        HttpParser parser(small);
        std::string pending = both.substr(0, split);
        std::span<char> bytes(pending);
        auto status = parser.feed(bytes);
        if (status == HttpParser::Status::need_more) {
            pending = std::string(bytes.data(), bytes.size()) + both.substr(split);
            bytes = pending;
            status = parser.feed(bytes);
        }
        ASSERT_EQ(status, HttpParser::Status::complete);
        EXPECT_EQ(parser.request().body(), "hello");
        EXPECT_EQ(parser.request().count("X-Forwarded-For"), 0U);
        EXPECT_EQ(parser.request()["Host"], "a");
        EXPECT_EQ(bytes.size(), split == chunked.size() ? 0U : post.size());
    }
}

// Its fields are many more than the piece of memory that a request comes with holds.
TEST(HttpParser, KeepsManyFieldsAndACopyOfThemOutlivesIt) {
    HttpParser parser({{.head_bytes = 16'384, .target_bytes = 512, .fields = 128}, {1024}});
    const std::string authority = std::string(200, 'h') + ".org";
    std::string text = "GET http://" + authority + "/a HTTP/1.1\r\nHost: other\r\n";
    for (int i = 0; i < 100; ++i) {
        text += "X-" + std::to_string(i) + ": " + std::string(40, 'v') + "\r\n";
    }
    text += "\r\n";
    std::span<char> bytes(text);
    ASSERT_EQ(parser.feed(bytes), HttpParser::Status::complete);
    const HttpRequest copy = parser.request();
    parser.reset();
    EXPECT_EQ(copy["Host"], authority);
    EXPECT_EQ(split_target(copy.target()).path, "/a");
    EXPECT_EQ(copy["X-0"], std::string(40, 'v'));
    EXPECT_EQ(copy["X-99"], std::string(40, 'v'));
}

// A body that is handed on has no bound here and is never held: what was taken is gone.
TEST(HttpParser, HandsOnABodyAtEverySplit) {
    HttpLimits streaming = small;
    streaming.body_of = [](void*, const HttpRequest& request) {
        return HttpBodyRule{.bytes = 1, .streams = request.target().starts_with("/stream")};
    };
    const std::string head = "POST /stream HTTP/1.1\r\nHost: a\r\n";
    const std::string requests[] = {
        head + "Content-Length: 11\r\n\r\nhello world",
        head + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
    };
    for (const std::string& request : requests) {
        for (std::size_t split = 0; split <= request.size(); ++split) {
            SCOPED_TRACE(split);
            HttpParser parser(streaming);
            std::string all = request + std::string(post);
            std::string pending;
            std::string body;
            unsigned heads = 0;
            auto status = HttpParser::Status::need_more;
            for (const std::string& part : {all.substr(0, split), all.substr(split)}) {
                pending += part;
                do {
                    std::span<char> bytes(pending);
                    status = parser.feed(bytes);
                    pending.erase(0, pending.size() - bytes.size());
                    if (status == HttpParser::Status::streams) ++heads;
                    body += parser.take_body();
                    EXPECT_EQ(parser.request().body(), "");
                } while (status == HttpParser::Status::streams);
                if (status == HttpParser::Status::complete) break;
            }
            ASSERT_EQ(status, HttpParser::Status::complete);
            EXPECT_EQ(heads, 1U);
            EXPECT_EQ(body, "hello world");
            EXPECT_TRUE(std::string(post).starts_with(pending));
        }
    }
    HttpParser parser(streaming);
    std::string other = "POST /other HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n";
    std::span<char> bytes(other);
    EXPECT_EQ(parser.feed(bytes), HttpParser::Status::refused) << "held to its bound as ever";
    EXPECT_EQ(parser.refusal().status, 413U);
}

TEST(HttpParser, TakesTheHostOfAWholeUrl) {
    HttpParser parser(small);
    std::string text = "GET http://chat.example:80/x HTTP/1.1\r\nHost: other\r\n\r\n";
    std::span<char> bytes(text);
    ASSERT_EQ(parser.feed(bytes), HttpParser::Status::complete);
    EXPECT_EQ(parser.request()["Host"], "chat.example:80");
}

TEST(HttpParser, HoldsNothingBetweenRequests) {
    HttpParser parser(small);
    EXPECT_TRUE(parser.request().target().empty());
    std::string text(post);
    std::span<char> bytes(text);
    ASSERT_EQ(parser.feed(bytes), HttpParser::Status::complete);
    parser.reset();
    EXPECT_FALSE(parser.begun());
    EXPECT_TRUE(parser.request().target().empty());
    EXPECT_LE(sizeof(HttpParser), 256U);
}

TEST(HttpParser, LeavesTheNextRequestAlone) {
    HttpParser parser(small);
    std::string text = std::string(post) + std::string(post);
    std::span<char> bytes(text);
    ASSERT_EQ(parser.feed(bytes), HttpParser::Status::complete);
    EXPECT_EQ(bytes.size(), post.size());
    parser.reset();
    ASSERT_EQ(parser.feed(bytes), HttpParser::Status::complete);
    EXPECT_TRUE(bytes.empty());
}

TEST(HttpTarget, IsSplitInEveryForm) {
    struct Row {
        std::string_view target, path, query;
    };
    for (const Row& row : {
             Row{"/", "/", ""},
             Row{"/a?b", "/a", "b"},
             Row{"/a?b?c", "/a", "b?c"},
             Row{"/?", "/", ""},
             Row{"http://host/a?b", "/a", "b"},
             Row{"http://host:80", "/", ""},
             Row{"http://host?b", "/", "b"},
             Row{"/a?u=http://x/", "/a", "u=http://x/"},
             Row{"*", "", ""},
             Row{"host:443", "", ""},
             Row{"", "", ""},
         }) {
        SCOPED_TRACE(row.target);
        EXPECT_EQ(split_target(row.target).path, row.path);
        EXPECT_EQ(split_target(row.target).query, row.query);
    }
}

}  // namespace
}  // namespace parley::transports
