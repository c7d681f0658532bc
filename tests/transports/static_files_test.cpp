#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "transports/loopback_client.hpp"
#include "transports/static_files/embedded_files.hpp"
#include "transports/test_server.hpp"

namespace parley::transports {
namespace {

using test::LoopbackClient;
using test::status_of;
using test::TestServer;

std::string get(LoopbackClient& client, std::string_view path, std::string_view headers = {}) {
    client.send("GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n" + std::string(headers) +
                "\r\n");
    return client.read_answer();
}

std::string body_of(const std::string& answer) {
    return answer.substr(answer.find("\r\n\r\n") + 4);
}

TEST(EmbeddedFiles, AreThoseOfTheWebFolder) {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(PARLEY_WEB_FOLDER)) {
        if (!entry.is_regular_file()) continue;
        ++count;
        std::string path = "/";
        path += std::filesystem::relative(entry.path(), PARLEY_WEB_FOLDER).generic_string();
        SCOPED_TRACE(path);
        const auto files = embedded_files();
        const auto file = std::find_if(files.begin(), files.end(),
                                       [&](const EmbeddedFile& f) { return f.path == path; });
        ASSERT_NE(file, files.end());
        std::stringstream content;
        content << std::ifstream(entry.path(), std::ios::binary).rdbuf();
        EXPECT_TRUE(file->bytes == content.str());
    }
    EXPECT_EQ(embedded_files().size(), count);
}

TEST(StaticFiles, AreServedWithTheirTypeAndTheirProtections) {
    TestServer server;
    LoopbackClient client(server.port());
    for (const EmbeddedFile& file : embedded_files()) {
        SCOPED_TRACE(file.path);
        const std::string answer = get(client, file.path);
        EXPECT_EQ(status_of(answer), 200);
        EXPECT_TRUE(body_of(answer) == file.bytes);
        EXPECT_EQ(answer.find("Content-Type: application/octet-stream"), std::string::npos);
        for (const std::string_view header :
             {"Content-Security-Policy: default-src 'self'; connect-src 'self' ws: wss:;",
              "X-Content-Type-Options: nosniff\r\n", "Referrer-Policy: no-referrer\r\n",
              "Cache-Control: no-cache\r\n"}) {
            EXPECT_NE(answer.find(header), std::string::npos) << header;
        }
    }
}

TEST(StaticFiles, AnswerTheRootWithTheChatPage) {
    TestServer server;
    LoopbackClient client(server.port());
    const std::string answer = get(client, "/");
    EXPECT_EQ(status_of(answer), 200);
    EXPECT_NE(answer.find("Content-Type: text/html; charset=utf-8\r\n"), std::string::npos);
    EXPECT_TRUE(body_of(answer) == body_of(get(client, "/index.html")));
}

TEST(StaticFiles, AreNotSentAgainWhereTheClientHasThem) {
    TestServer server;
    LoopbackClient client(server.port());
    for (const EmbeddedFile& file : embedded_files()) {
        const std::string tag(file.etag);
        for (const std::string& tags : {tag, "W/" + tag, "\"other\", " + tag, std::string("*")}) {
            const std::string answer = get(client, file.path, "If-None-Match: " + tags + "\r\n");
            EXPECT_EQ(status_of(answer), 304) << answer;
            EXPECT_TRUE(body_of(answer).empty());
        }
        EXPECT_EQ(status_of(get(client, file.path, "If-None-Match: \"other\"\r\n")), 200);
    }
}

}  // namespace
}  // namespace parley::transports
