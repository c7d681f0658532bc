#include "transports/http_negotiate.hpp"

#include <gtest/gtest.h>

namespace parley::transports {
namespace {

TEST(Accept, TakesATypeByItsMostExactRange) {
    struct Row {
        std::string_view accept;
        bool json, events;
    };
    for (const Row& row : {
             Row{"", true, true},
             Row{" ", true, true},
             Row{"*/*", true, true},
             Row{"application/json", true, false},
             Row{"Application/JSON; charset=utf-8", true, false},
             Row{"application/*", true, false},
             Row{"text/event-stream", false, true},
             Row{"text/html, application/xhtml+xml, */*;q=0.1", true, true},
             Row{"*/*, application/json;q=0", false, true},
             Row{"application/json;q=0.0, */*", false, true},
             Row{"application/*;q=0, application/json", true, false},
             Row{"application/json;q=0.001", true, false},
             Row{"application/json;q=nonsense", true, false},
             Row{"image/png", false, false},
             Row{"app/json", false, false},
         }) {
        SCOPED_TRACE(row.accept);
        EXPECT_EQ(accepts_type(row.accept, "application/json"), row.json);
        EXPECT_EQ(accepts_type(row.accept, "text/event-stream"), row.events);
    }
}

TEST(AcceptEncoding, TakesGzipByItsWeight) {
    struct Row {
        std::string_view header;
        bool gzip;
    };
    for (const Row& row : {
             Row{"", false},
             Row{"identity", false},
             Row{"br", false},
             Row{"gzip", true},
             Row{"GZIP", true},
             Row{"x-gzip", true},
             Row{"gzip, deflate, br, zstd", true},
             Row{"br;q=1.0, gzip;q=0.8, *;q=0.1", true},
             Row{"gzip;q=0", false},
             Row{"gzip;q=0.000", false},
             Row{"gzip; q=0.001", true},
             Row{"*", true},
             Row{"*;q=0", false},
             Row{"*, gzip;q=0", false},
             Row{"gzip, *;q=0", true},
             Row{"identity;q=1, gzip;q=0.5", false},
             Row{"identity;q=0.5, gzip;q=1", true},
             Row{"gzip;q=2", true},
         }) {
        EXPECT_EQ(accepts_gzip(row.header), row.gzip) << row.header;
    }
}

TEST(ContentType, IsComparedWithoutItsParameters) {
    EXPECT_EQ(media_type("application/json"), "application/json");
    EXPECT_EQ(media_type(" text/plain ; charset=utf-8"), "text/plain");
    EXPECT_EQ(media_type(""), "");
}

}  // namespace
}  // namespace parley::transports
