// Files on their way in, over real sockets.
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
using test::form_of;
using test::form_type;
using test::lobby_files;
using test::LoopbackClient;
using test::RestAnswer;
using test::RestClient;
using test::text_of;
using test::tiny_png;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::string head(std::string_view headers, std::string_view method = "POST",
                 std::string_view target = lobby_files) {
    return std::string(method)
               .append(" ")
               .append(target)
               .append(" HTTP/1.1\r\nHost: a\r\n")
               .append(headers) +
           "\r\n";
}

std::string chunk(std::string_view bytes) {
    char size[20];
    std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
    return std::string(size).append(bytes).append("\r\n");
}

TEST(Upload, IsTheBodyOfAPost) {
    FilesServer of;
    RestClient client(of.server.port());
    const RestAnswer answer =
        client.ask("POST", std::string(lobby_files) + "?name=ann", tiny_png,
                   "Content-Type: image/png\r\n"
                   "Content-Disposition: attachment; filename*=UTF-8''gr%C3%BC%C3%9F.png\r\n");
    EXPECT_EQ(answer.status, 201) << answer.body;
    const auto file = answer.json().at("file").as_object();
    EXPECT_EQ(text_of(file, "room"), "lobby");
    EXPECT_EQ(text_of(file, "name"), "grüß.png");
    EXPECT_EQ(text_of(file, "type"), "image/png");
    EXPECT_EQ(file.at("size"), tiny_png.size());
    EXPECT_EQ(text_of(file, "url"), "/api/v1/files/" + text_of(file, "id"));
    EXPECT_EQ(answer.header("Location"), text_of(file, "url"));
    EXPECT_EQ(text_of(file, "sha256").size(), 64u);
    EXPECT_EQ(text_of(file, "at"), "1970-01-01T00:16:40.000Z");
    EXPECT_EQ(client.get(text_of(file, "url")).body, tiny_png) << "over the same connection";
    EXPECT_EQ(of.server.total(core::Metric::http_requests), 2u);
}

TEST(Upload, IsTheOneFileOfAForm) {
    FilesServer of;
    RestClient client(of.server.port());
    const RestAnswer answer = client.ask("POST", lobby_files, form_of(tiny_png), form_type);
    ASSERT_EQ(answer.status, 201) << answer.body;
    const auto file = answer.json().at("file").as_object();
    EXPECT_EQ(text_of(file, "name"), "a.png");
    EXPECT_EQ(text_of(file, "type"), "image/png");
    EXPECT_EQ(client.get(text_of(file, "url")).body, tiny_png);
}

TEST(Upload, IsTheSameHoweverAFormIsCut) {
    FilesServer of;
    const std::string form = form_of(tiny_png + "\r\n--AaCx\r\n");
    const std::string request =
        head(std::string(form_type) + "Content-Length: " + std::to_string(form.size()) + "\r\n") +
        form;
    LoopbackClient client(of.server.port());
    std::string sha;
    // Two writes each time; the second waits until the first has been taken in.
    for (std::size_t split = request.size() - form.size(); split < request.size(); ++split) {
        const auto received = of.counters().bytes_received.load();
        client.send(std::string_view(request).substr(0, split));
        client.send(std::string_view(request).substr(split));
        const std::string answer = client.read_answer();
        ASSERT_EQ(test::status_of(answer), 201) << answer;
        EXPECT_EQ(of.counters().bytes_received - received, tiny_png.size() + 10);
        const std::string hash = answer.substr(answer.find("sha256"), 80);
        if (sha.empty()) sha = hash;
        ASSERT_EQ(hash, sha) << split;
    }
    // And one byte at a time.
    client.send_in_pieces(request, 1);
    EXPECT_THAT(client.read_answer(), HasSubstr(sha));
    EXPECT_THAT(of.store.on_disk(), SizeIs(1));
}

TEST(Upload, ComesInChunksAndLargerThanAnyBuffer) {
    FilesServer of;
    std::string bytes = tiny_png;
    while (bytes.size() < 3'000'000) bytes += std::to_string(bytes.size()) + "\r\n--AaB";
    LoopbackClient client(of.server.port());
    client.send(head("Transfer-Encoding: chunked\r\n"));
    for (std::size_t at = 0; at < bytes.size(); at += 70'001) {
        client.send(chunk(std::string_view(bytes).substr(at, 70'001)));
    }
    client.send("0\r\n\r\n" + head("", "GET", "/healthz"));
    const std::string answer = client.read_answer();
    EXPECT_EQ(test::status_of(answer), 201) << answer;
    EXPECT_EQ(test::status_of(client.read_answer()), 200) << "what was pipelined behind it";
    EXPECT_EQ(of.counters().content_bytes, bytes.size());
    RestClient again(of.server.port());
    const auto url = answer.substr(answer.find("/api/v1/files/"), 36);
    EXPECT_EQ(again.get(url).body, bytes);
}

TEST(Upload, HasItsNameCleaned) {
    FilesServer of;
    RestClient client(of.server.port());
    struct Row {
        std::string_view sent, kept;
    };
    for (const Row& row :
         {Row{"?filename=..%2F..%2Fetc%2Fpasswd", "passwd"}, Row{"?filename=%2e%2e", "file"},
          Row{"?filename=a%0D%0ASet-Cookie%3A%20b.png", "aSet-Cookie: b.png"},
          Row{"?filename=%E2%80%AEgpj.exe", "gpj.exe"}, Row{"", "file"}}) {
        const auto file = of.put(client, tiny_png, row.sent);
        EXPECT_EQ(text_of(file, "name"), row.kept);
        const RestAnswer got = client.get(text_of(file, "url"));
        EXPECT_EQ(got.header("Content-Disposition"),
                  "inline; filename=\"" + std::string(row.kept) + "\"");
        EXPECT_EQ(got.header("Set-Cookie"), "");
    }
    for (const auto name : {"../../../a.png", R"(..\\..\\a.png)", "/etc/a.png"}) {
        const RestAnswer answer =
            client.ask("POST", lobby_files, form_of(tiny_png, name), form_type);
        EXPECT_EQ(text_of(answer.json().at("file").as_object(), "name"), "a.png");
    }
    EXPECT_THAT(of.store.on_disk(), SizeIs(1)) << "nothing anywhere else";
}

TEST(Upload, IsRefusedWhereItIsNotWhatItSays) {
    FilesServer of;
    RestClient client(of.server.port());
    const std::string html = "<!doctype html><script>alert(1)</script>";
    for (const auto type : {"image/png", "image/jpeg", "video/mp4", "application/pdf"}) {
        const RestAnswer answer =
            client.ask("POST", lobby_files, html, "Content-Type: " + std::string(type) + "\r\n");
        EXPECT_EQ(answer.status, 415);
        EXPECT_EQ(answer.text("detail"), "the file is said to be " + std::string(type) +
                                             " and its bytes are those of text/plain");
        EXPECT_EQ(answer.text("code"), "bad_request");
    }
    EXPECT_EQ(client.ask("POST", lobby_files, form_of(html), form_type).status, 415);
    EXPECT_EQ(client.ask("POST", lobby_files, html, "Content-Type: nonsense\r\n").status, 400);
    RestClient another(of.server.port());
    EXPECT_EQ(another.ask("POST", lobby_files, form_of(html, "a", "\xFF/x"), form_type).status,
              400);
    of.settle();
    EXPECT_THAT(of.store.on_disk(), IsEmpty());
    EXPECT_EQ(of.refused(FileRefusal::content), 5u);
    EXPECT_EQ(of.refused(FileRefusal::malformed), 2u);
}

TEST(Upload, IsRefusedBeforeItIsReadWhereItsLengthIsSaid) {
    core::FilesConfig files;
    files.size_max = 1'000;
    FilesServer of(files);
    LoopbackClient client(of.server.port());
    // Who waits for the go-ahead gets the refusal instead; the body never leaves.
    client.send(head("Content-Length: 1001\r\nExpect: 100-continue\r\n"));
    const std::string answer = client.read_to_end();
    EXPECT_EQ(test::status_of(answer), 413) << answer;
    EXPECT_THAT(answer, HasSubstr("Connection: close"));
    EXPECT_THAT(answer, HasSubstr("a file has at most 1000 bytes"));
    EXPECT_THAT(answer, HasSubstr(R"("code":"too_large")"));
    LoopbackClient huge(of.server.port());
    huge.send(head("Content-Length: 9223372036854775807\r\n"));
    EXPECT_EQ(test::status_of(huge.read_to_end()), 413);
    LoopbackClient form(of.server.port());
    form.send(head(std::string(form_type) + "Content-Length: 100000\r\n"));
    EXPECT_EQ(test::status_of(form.read_to_end()), 413);
    EXPECT_EQ(of.refused(FileRefusal::size), 3u);
    EXPECT_EQ(of.counters().bytes_received, 0u);
}

TEST(Upload, IsRefusedWhileItComesWhereItsLengthIsNot) {
    core::FilesConfig files;
    files.size_max = 100'000;
    FilesServer of(files);
    LoopbackClient client(of.server.port());
    client.send(head("Transfer-Encoding: chunked\r\n"));
    const std::string bytes(10'000, 'a');
    // Endless; the server ends it.
    while (client.send(chunk(bytes))) {
    }
    LoopbackClient counted(of.server.port());
    counted.send(head("Transfer-Encoding: chunked\r\n"));
    for (int i = 0; i < 11; ++i) counted.send(chunk(bytes));
    EXPECT_EQ(test::status_of(counted.read_to_end()), 413);
    LoopbackClient form(of.server.port());
    const std::string big = form_of(std::string(100'001, 'a'), "a", "text/plain");
    form.send(
        head(std::string(form_type) + "Content-Length: " + std::to_string(big.size()) + "\r\n") +
        big);
    EXPECT_EQ(test::status_of(form.read_answer()), 413);
    LoopbackClient just(of.server.port());
    just.send(head("Transfer-Encoding: chunked\r\n"));
    for (int i = 0; i < 10; ++i) just.send(chunk(bytes));
    just.send("0\r\n\r\n");
    EXPECT_EQ(test::status_of(just.read_answer()), 201) << "exactly as large as it may be";
    of.settle();
    EXPECT_THAT(of.store.on_disk(), SizeIs(1));
    EXPECT_EQ(of.refused(FileRefusal::size), 3u);
}

TEST(Upload, GetsItsGoAheadOnlyOnceItIsLetIn) {
    core::FilesConfig files;
    files.quota_per_user = 10;
    FilesServer of(files);
    LoopbackClient client(of.server.port());
    client.send(head("Content-Length: 5\r\nExpect: 100-continue\r\n"));
    EXPECT_EQ(client.read_through("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("hello");
    EXPECT_EQ(test::status_of(client.read_answer()), 201);
    client.send(head("Content-Length: 6\r\nExpect: 100-continue\r\n"));
    const std::string refusal = client.read_to_end();
    EXPECT_EQ(test::status_of(refusal), 403) << refusal;
    EXPECT_THAT(refusal, HasSubstr("more than the 10 bytes that a user has here: 5 are taken"));
    EXPECT_THAT(refusal, HasSubstr(R"("code":"forbidden")"));
}

TEST(Upload, LeavesNothingWhereItIsInterrupted) {
    FilesServer of;
    const std::string form = form_of(tiny_png);
    const std::string length = "Content-Length: " + std::to_string(form.size()) + "\r\n";
    const std::string requests[] = {
        head("Content-Length: 1000000\r\n") + tiny_png,
        head("Transfer-Encoding: chunked\r\n") + chunk(tiny_png),
        head("Transfer-Encoding: chunked\r\n") + "5\r\nab",
        head(std::string(form_type) + length) + form.substr(0, form.size() - 20),
    };
    for (const std::string& request : requests) {
        for (const bool rudely : {false, true}) {
            const auto interrupted = of.counters().interrupted.load();
            LoopbackClient client(of.server.port());
            client.send(request);
            while (of.counters().uploads == 0) std::this_thread::yield();
            rudely ? client.reset() : client.close();
            of.settle();
            EXPECT_THAT(of.store.on_disk(), IsEmpty());
            EXPECT_EQ(of.counters().interrupted, interrupted + 1);
        }
    }
    EXPECT_EQ(of.counters().stored, 0u);
}

TEST(Upload, IsRefusedWhereItIsMalformed) {
    FilesServer of;
    struct Row {
        std::string type, body;
        int status;
        std::string_view detail;
    };
    const std::string multipart(form_type);
    const std::string file =
        "--AaB\r\nContent-Disposition: form-data; name=f; filename=a\r\n\r\nx\r\n";
    const std::string field = "--AaB\r\nContent-Disposition: form-data; name=f\r\n\r\nx\r\n";
    for (const Row& row : {
             Row{"", "", 400, "the file is empty"},
             Row{"Content-Type: multipart/form-data\r\n", "x", 400,
                 "a form comes with its boundary in Content-Type"},
             Row{multipart, field + "--AaB--", 400, "the form holds no file"},
             Row{multipart, file, 400, "the form ends before its last boundary"},
             Row{multipart, file + file + "--AaB--", 400,
                 "the form holds more than one file: send one"},
             Row{multipart, "--AaB?\r\n", 400,
                 "the form is malformed: a boundary with something else in its line"},
             Row{"Content-Encoding: gzip\r\n", "x", 415,
                 "a file is taken as it is, not compressed"},
         }) {
        RestClient client(of.server.port());
        const RestAnswer answer = client.ask("POST", lobby_files, row.body,
                                             row.body.empty() ? "Content-Length: 0\r\n" : row.type);
        EXPECT_EQ(answer.status, row.status) << row.detail;
        EXPECT_EQ(answer.text("detail"), row.detail);
    }
    LoopbackClient client(of.server.port());
    client.send(head("Transfer-Encoding: chunked\r\n") + "nonsense\r\n");
    EXPECT_EQ(test::status_of(client.read_to_end()), 400);
    of.settle();
    EXPECT_THAT(of.store.on_disk(), IsEmpty());
    RestClient rooms(of.server.port());
    EXPECT_EQ(rooms.ask("POST", "/api/v1/rooms/a%20b/files", "x").status, 400);
}

TEST(Upload, EndsInItsTimeWhereItHardlyComes) {
    TransportConfig transports;
    transports.body_timeout = std::chrono::milliseconds(200);
    FilesServer of({}, transports);
    LoopbackClient client(of.server.port());
    client.send(head("Content-Length: 1000000\r\n"));
    // A byte now and then is no progress that counts.
    std::string answer;
    while (client.send("a")) {
        pollfd entry{client.descriptor(), POLLIN, 0};
        if (::poll(&entry, 1, 10) == 1) {
            answer = client.read_to_end();
            break;
        }
    }
    EXPECT_EQ(test::status_of(answer), 408) << answer;
    EXPECT_EQ(of.server.total(core::Metric::http_body_timeouts), 1u);
    of.settle();
    EXPECT_THAT(of.store.on_disk(), IsEmpty());
    EXPECT_EQ(of.counters().interrupted, 1u);
}

TEST(Upload, IsHeldByLimitsAndByHowManyThereAre) {
    core::Config config;
    config.limits.user = {0.01, 2};
    core::FilesConfig files;
    files.uploads_max = 1;
    FilesServer of(files, {}, config);
    LoopbackClient first(of.server.port());
    first.send(head("Content-Length: 5\r\nX-Parley-Name: bob\r\n"));
    while (of.counters().uploads == 0) std::this_thread::yield();
    RestClient client(of.server.port());
    const RestAnswer busy = client.ask("POST", lobby_files, "hello", "X-Parley-Name: ann\r\n");
    EXPECT_EQ(busy.status, 503);
    EXPECT_EQ(busy.text("detail"), "too many uploads at a time");
    EXPECT_EQ(busy.header("Retry-After"), "2");
    EXPECT_NE(busy.header("RateLimit"), "");
    first.send("hello");
    EXPECT_EQ(test::status_of(first.read_answer()), 201);
    RestClient again(of.server.port());
    EXPECT_EQ(again.ask("POST", lobby_files, "hello", "X-Parley-Name: ann\r\n").status, 201);
    EXPECT_EQ(again.ask("POST", lobby_files, "hello", "X-Parley-Name: ann\r\n").status, 429);
}

TEST(Upload, IsForPagesThatMayUseTheServer) {
    TransportConfig transports;
    transports.allowed_origins = {"https://chat.example"};
    FilesServer of({}, transports);
    RestClient foreign(of.server.port());
    EXPECT_EQ(foreign.ask("POST", lobby_files, "hello", "Origin: https://evil.example\r\n").status,
              403);
    RestClient allowed(of.server.port());
    const RestAnswer answer =
        allowed.ask("POST", lobby_files, "hello", "Origin: https://chat.example\r\n");
    EXPECT_EQ(answer.status, 201);
    EXPECT_EQ(answer.header("Access-Control-Allow-Origin"), "https://chat.example");
    EXPECT_THAT(of.store.on_disk(), SizeIs(1));
}

TEST(Upload, IsAnsweredToWhoIsKnownOnly) {
    FilesServer of;
    RestClient client(of.server.port());
    EXPECT_EQ(client.ask("POST", lobby_files, "hello", "Authorization: Bearer x\r\n").status, 401);
    RestClient named(of.server.port());
    EXPECT_EQ(named.ask("POST", std::string(lobby_files) + "?name=%01", "hello").status, 400);
}

TEST(Upload, IsNowhereWhereThereAreNoFiles) {
    test::TestServer server(test::unlimited());
    RestClient client(server.port());
    const RestAnswer answer = client.ask("POST", lobby_files, "hello");
    EXPECT_EQ(answer.status, 404);
    EXPECT_EQ(answer.text("code"), "not_found");
    EXPECT_EQ(answer.text("detail"), "files are off on this server: its [files] folder is not set");
    RestClient again(server.port());
    EXPECT_EQ(again.get(lobby_files).status, 404);
    EXPECT_EQ(again.get("/api/v1/files/AAAAAAAAAAAAAAAAAAAAAA").status, 404);
}

TEST(Upload, IsGivenUpWhenTheServerEnds) {
    std::optional<FilesServer> of(std::in_place);
    LoopbackClient client(of->server.port());
    client.send(head("Content-Length: 1000000\r\n") + tiny_png);
    while (of->counters().bytes_received == 0) std::this_thread::yield();
    of.reset();
    EXPECT_EQ(client.read_to_end(), "");
}

// Many at a time, over shards and lanes, half of them given up.
TEST(Upload, ComesFromManyAtATime) {
    core::FilesConfig files;
    files.uploads_per_user = 1'000;
    files.uploads_max = 1'000;
    FilesServer of(files, {}, test::unlimited(2));
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&of, t] {
            for (int i = 0; i < 25; ++i) {
                const std::string bytes(100'000 + static_cast<std::size_t>(t * 100 + i), 'a');
                LoopbackClient client(of.server.port());
                client.send(head("Content-Length: " + std::to_string(bytes.size()) + "\r\n"));
                client.send(std::string_view(bytes).substr(0, 50'000));
                if (i % 2 == 0) continue;
                client.send(std::string_view(bytes).substr(50'000));
                EXPECT_EQ(test::status_of(client.read_answer()), 201);
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    // Those that were cut off may not even have been begun by then.
    while (of.counters().stored + of.counters().interrupted < 100) std::this_thread::yield();
    of.settle();
    EXPECT_THAT(of.store.on_disk(), SizeIs(48));
    EXPECT_EQ(of.counters().stored, 48u);
}

}  // namespace
}  // namespace parley::transports
