// Files on their way out, over real sockets; lists and removal.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "files_server.hpp"
#include "transports/loopback_client.hpp"

namespace parley::transports {
namespace {

using core::FileRefusal;
using test::FilesServer;
using test::lobby_files;
using test::LoopbackClient;
using test::RestAnswer;
using test::RestClient;
using test::text_of;
using test::tiny_png;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST(Download, IsNeverTakenForAPartOfTheSite) {
    FilesServer of;
    RestClient client(of.server.port());
    struct Row {
        std::string bytes, type, disposition;
    };
    for (const Row& row : {
             Row{tiny_png, "image/png", "inline"},
             Row{"%PDF-1.7\n", "application/pdf", "attachment"},
             Row{"<script>alert(1)</script>", "text/plain; charset=utf-8", "attachment"},
             Row{"<svg onload=alert(1)>", "text/plain; charset=utf-8", "attachment"},
             Row{std::string("\x7F") + "ELF", "application/octet-stream", "attachment"},
         }) {
        const auto file = of.put(client, row.bytes);
        const RestAnswer answer = client.get(text_of(file, "url"), "Accept-Encoding: gzip\r\n");
        EXPECT_EQ(answer.status, 200);
        EXPECT_EQ(answer.body, row.bytes);
        EXPECT_EQ(answer.header("Content-Type"), row.type);
        EXPECT_EQ(answer.header("Content-Disposition"), row.disposition + "; filename=\"a.bin\"");
        EXPECT_EQ(answer.header("X-Content-Type-Options"), "nosniff");
        EXPECT_EQ(answer.header("Content-Security-Policy"), "sandbox; default-src 'none'");
        EXPECT_EQ(answer.header("Cross-Origin-Resource-Policy"), "same-origin");
        EXPECT_EQ(answer.header("Cache-Control"), "private, max-age=31536000, immutable");
        EXPECT_EQ(answer.header("Accept-Ranges"), "bytes");
        EXPECT_EQ(answer.header("ETag"), '"' + text_of(file, "sha256") + '"');
        EXPECT_EQ(answer.header("Content-Encoding"), "");
    }
}

// Every combination of what may be asked of it.
TEST(Download, AnswersRangesAndTagsAsTheyStand) {
    FilesServer of;
    RestClient client(of.server.port());
    const std::string bytes = "0123456789";
    const auto file = of.put(client, bytes);
    const std::string url = text_of(file, "url");
    const std::string tag = '"' + text_of(file, "sha256") + '"';
    struct Range {
        std::string header;
        int status;
        std::string body, content_range;
    };
    const Range ranges[] = {
        {"", 200, bytes, ""},
        {"bytes=0-3", 206, "0123", "bytes 0-3/10"},
        {"bytes=4-", 206, "456789", "bytes 4-9/10"},
        {"bytes=-2", 206, "89", "bytes 8-9/10"},
        {"bytes=0-99", 206, bytes, "bytes 0-9/10"},
        {"bytes=10-", 416, "", "bytes */10"},
        {"bytes=-0", 416, "", "bytes */10"},
        {"bytes=0-1,3-4", 200, bytes, ""},
        {"lines=0-1", 200, bytes, ""},
    };
    const std::pair<std::string, bool> none_matches[] = {
        {"", false}, {tag, true},     {"W/" + tag, true}, {"\"x\", " + tag, true},
        {"*", true}, {"\"x\"", false}};
    const std::pair<std::string, bool> if_ranges[] = {{"", true},
                                                      {tag, true},
                                                      {"\"x\"", false},
                                                      {"W/" + tag, false},
                                                      {"Sun, 22 Nov 2026 12:00:00 GMT", false}};
    for (const Range& range : ranges) {
        for (const auto& [none_match, has_it] : none_matches) {
            for (const auto& [if_range, holds] : if_ranges) {
                for (const auto method : {"GET", "HEAD"}) {
                    std::string headers;
                    if (!range.header.empty()) headers += "Range: " + range.header + "\r\n";
                    if (!none_match.empty()) headers += "If-None-Match: " + none_match + "\r\n";
                    if (!if_range.empty()) headers += "If-Range: " + if_range + "\r\n";
                    SCOPED_TRACE(method + (' ' + headers));
                    const bool head = std::string_view(method) == "HEAD";
                    const RestAnswer answer = client.ask(method, url, {}, headers);
                    if (has_it) {
                        EXPECT_EQ(answer.status, 304);
                        EXPECT_EQ(answer.header("ETag"), tag);
                        EXPECT_EQ(answer.body, "");
                        continue;
                    }
                    const bool applies = holds && !head;
                    EXPECT_EQ(answer.status, applies ? range.status : 200);
                    EXPECT_EQ(answer.header("Content-Range"), applies ? range.content_range : "");
                    if (answer.status == 416) continue;
                    const std::string& body = applies ? range.body : bytes;
                    EXPECT_EQ(answer.header("Content-Length"), std::to_string(body.size()));
                    EXPECT_EQ(answer.body, head ? "" : body);
                }
            }
        }
    }
    of.settle();
    EXPECT_EQ(of.counters().downloads, 0u);
}

std::string numbered(std::size_t size) {
    std::string bytes;
    while (bytes.size() < size) bytes += std::to_string(bytes.size()) + ' ';
    return bytes;
}

TEST(Download, WaitsForAReaderWhoTakesLittle) {
    FilesServer of;
    RestClient client(of.server.port());
    const std::string bytes = numbered(8'000'000);
    const auto file = of.put(client, bytes);
    LoopbackClient slow(of.server.port(), 4'096);
    slow.send("GET " + text_of(file, "url") + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    std::string got = slow.read_through("\r\n\r\n");
    EXPECT_EQ(test::status_of(got), 200);
    // While nothing is taken no more is read than fits in between.
    EXPECT_LT(of.counters().bytes_sent, bytes.size());
    got = {};
    LoopbackClient paced(of.server.port(), 4'096);
    paced.send("GET " + text_of(file, "url") + " HTTP/1.0\r\n\r\n");
    paced.read_through("\r\n\r\n");
    for (;;) {
        const std::string more = paced.read_some();
        if (more.empty()) break;
        got += more;
    }
    EXPECT_EQ(got, bytes);
    slow.close();
    while (of.counters().downloads != 0) std::this_thread::yield();
}

TEST(Download, IsEndedWhereNobodyReadsIt) {
    TransportConfig transports;
    transports.write_timeout = std::chrono::milliseconds(100);
    FilesServer of({}, transports);
    RestClient client(of.server.port());
    const auto file = of.put(client, numbered(20'000'000));
    LoopbackClient stuck(of.server.port(), 4'096);
    stuck.send("GET " + text_of(file, "url") + " HTTP/1.1\r\nHost: a\r\n\r\n");
    await_total(of.server, core::Metric::http_write_timeouts, 1);
    while (of.counters().downloads != 0) std::this_thread::yield();
    EXPECT_LT(of.counters().bytes_sent, 20'000'000u);
}

TEST(Download, IsHeldByHowManyThereAre) {
    core::FilesConfig files;
    files.downloads_max = 1;
    FilesServer of(files);
    RestClient client(of.server.port());
    const auto file = of.put(client, numbered(20'000'000));
    const std::string url = text_of(file, "url");
    LoopbackClient stuck(of.server.port(), 4'096);
    stuck.send("GET " + url + " HTTP/1.1\r\nHost: a\r\n\r\n");
    stuck.read_through("\r\n\r\n");
    const RestAnswer busy = client.get(url);
    EXPECT_EQ(busy.status, 503);
    EXPECT_EQ(busy.text("detail"), "too many downloads at a time");
    EXPECT_EQ(busy.header("Retry-After"), "2");
    stuck.reset();
    while (of.counters().downloads != 0) std::this_thread::yield();
    EXPECT_EQ(client.get(url).status, 200);
    EXPECT_EQ(of.refused(FileRefusal::downloads), 1u);
}

TEST(Download, IsOverBeforeItsClientIsHeardOut) {
    FilesServer of;
    RestClient client(of.server.port());
    const auto file = of.put(client, "0123456789");
    LoopbackClient reader(of.server.port());
    reader.send("GET " + text_of(file, "url") + " HTTP/1.0\r\n\r\n");
    EXPECT_TRUE(reader.read_to_end().ends_with("0123456789"));
    EXPECT_EQ(of.counters().downloads, 0u);
}

TEST(Download, GoesOnWhenTheFileIsRemovedMeanwhile) {
    FilesServer of;
    RestClient client(of.server.port());
    const std::string bytes = numbered(5'000'000);
    const auto file = of.put(client, bytes);
    LoopbackClient reader(of.server.port(), 4'096);
    reader.send("GET " + text_of(file, "url") + " HTTP/1.0\r\n\r\n");
    reader.read_through("\r\n\r\n");
    EXPECT_EQ(client.ask("DELETE", text_of(file, "url") + "?name=ann").status, 204);
    EXPECT_THAT(of.store.on_disk(), IsEmpty());
    EXPECT_EQ(reader.read_to_end(), bytes);
}

TEST(Download, IsCutOffWhereTheServerEnds) {
    std::optional<FilesServer> of(std::in_place);
    RestClient client(of->server.port());
    const auto file = of->put(client, numbered(20'000'000));
    LoopbackClient stuck(of->server.port(), 4'096);
    stuck.send("GET " + text_of(file, "url") + " HTTP/1.1\r\nHost: a\r\n\r\n");
    stuck.read_through("\r\n\r\n");
    of.reset();
}

TEST(Download, IsOfFilesThatThereAre) {
    FilesServer of;
    RestClient client(of.server.port());
    for (const std::string& id :
         std::vector<std::string>{"AAAAAAAAAAAAAAAAAAAAAA", "short", "", "..%2F..%2Fetc%2Fpasswd",
                                  "../../../../etc/passwd", "AAAAAAAAAAAAAAAAAAAAA/", "lock"}) {
        const RestAnswer answer = client.get("/api/v1/files/" + id);
        EXPECT_EQ(answer.status, 404) << id;
        EXPECT_EQ(answer.text("code"), "not_found");
    }
    EXPECT_EQ(client.ask("PUT", "/api/v1/files/AAAAAAAAAAAAAAAAAAAAAA").header("Allow"),
              "GET, HEAD, DELETE");
    EXPECT_EQ(client.ask("PUT", lobby_files).header("Allow"), "GET, HEAD, POST");
    EXPECT_EQ(of.server.total(core::Metric::errors), 9u);
    EXPECT_EQ(client.ask("OPTIONS", lobby_files).header("Allow"), "GET, HEAD, POST, OPTIONS");
}

TEST(Removal, IsForWhoHasUploaded) {
    FilesServer of;
    RestClient client(of.server.port());
    const auto file = of.put(client, tiny_png);
    const std::string url = text_of(file, "url");
    const RestAnswer other = client.ask("DELETE", url + "?name=bob");
    EXPECT_EQ(other.status, 403);
    EXPECT_EQ(other.text("detail"), "only whoever uploaded a file may remove it");
    EXPECT_EQ(client.ask("DELETE", url).status, 403);
    EXPECT_EQ(client.get(url).status, 200);
    EXPECT_EQ(client.ask("DELETE", url, {}, "X-Parley-Name: ann\r\n").status, 204);
    EXPECT_EQ(client.get(url).status, 404);
    EXPECT_EQ(client.ask("DELETE", url + "?name=ann").status, 404);
    EXPECT_THAT(of.store.on_disk(), IsEmpty());
}

TEST(FileList, IsPagedNewestFirst) {
    FilesServer of({}, {}, test::unlimited(2));
    RestClient client(of.server.port());
    for (const char* name : {"a", "b", "c"}) {
        of.put(client, std::string("text ") + name, "?filename=" + std::string(name));
    }
    const RestAnswer first = client.get(std::string(lobby_files) + "?limit=2");
    EXPECT_EQ(first.status, 200);
    EXPECT_EQ(first.header("Cache-Control"), "no-store");
    const auto page = first.json().as_object();
    EXPECT_EQ(page.at("room"), "lobby");
    ASSERT_THAT(page.at("files").as_array(), SizeIs(2));
    EXPECT_EQ(page.at("files").at(0).at("name"), "c");
    const RestAnswer rest = client.get(std::string(lobby_files) +
                                       "?before=" + std::to_string(page.at("next").as_int64()));
    ASSERT_THAT(rest.json().at("files").as_array(), SizeIs(1));
    EXPECT_EQ(rest.json().at("files").at(0).at("name"), "a");
    EXPECT_FALSE(rest.json().as_object().contains("next"));
    EXPECT_EQ(client.get("/api/v1/rooms/empty/files").body, R"({"room":"empty","files":[]})");
    for (const auto bad : {"?limit=0", "?limit=201", "?limit=x", "?before=x", "?before=-1"}) {
        EXPECT_EQ(client.get(std::string(lobby_files) + bad).status, 400) << bad;
    }
    EXPECT_EQ(client.get("/api/v1/rooms/a%20b/files").status, 400);
    EXPECT_EQ(client.ask("HEAD", lobby_files).status, 200);
}

}  // namespace
}  // namespace parley::transports
