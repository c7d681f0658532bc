#include "transports/http_parse.hpp"

#include <gtest/gtest.h>

namespace parley::transports {
namespace {

constexpr std::string_view post =
    "\r\nPOST /a/b?c=d HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello";

TEST(HttpParser, TakesARequestAtEverySplit) {
    for (std::size_t split = 0; split <= post.size(); ++split) {
        SCOPED_TRACE(split);
        HttpParser parser(1024, 1024);
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

TEST(HttpParser, LeavesTheNextRequestAlone) {
    HttpParser parser(1024, 1024);
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
