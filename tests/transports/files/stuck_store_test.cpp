// A store that does not answer, or answers by halves: what the connections of a server come to then.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <string>
#include <utility>

#include "files_server.hpp"
#include "transports/loopback_client.hpp"

namespace parley::transports {
namespace {

using test::lobby_files;
using test::LoopbackClient;
using test::TestServer;
using testing::HasSubstr;

// Lets files come, as far as it is told, and gives one that can be read up to a point.
class StuckStore final : public core::FileStore {
public:
    enum class Stuck { begin, write, finish, open, read };
    explicit StuckStore(Stuck where) : where_(where) {}

    const core::FilesConfig& config() const noexcept override { return config_; }
    core::FileAnswer<std::unique_ptr<core::FileUpload>> begin(
        core::NewFile, core::FileUploadEvents events) override {
        if (where_ != Stuck::begin) events.taken(0);
        return std::unique_ptr<core::FileUpload>(
            std::make_unique<Upload>(where_ != Stuck::write, std::move(events)));
    }
    void open(std::string id, Done<core::OpenFile> done) override {
        if (where_ == Stuck::open) return;
        core::FileInfo info{std::move(id), "lobby", "ann", "a", "text/plain", 1'000'000, "aa", 0};
        done(core::OpenFile{std::move(info), std::make_shared<Reader>()});
    }
    void list(core::FileListAsk, Done<core::FileList>) override {}
    void remove(std::string, std::optional<std::string>, Done<core::FileInfo>) override {}
    void remove_with_message(std::string, std::string, std::string) override {}
    void note_refusal(core::FileRefusal) noexcept override {}

private:
    class Upload final : public core::FileUpload {
    public:
        Upload(bool writes, core::FileUploadEvents events)
            : writes_(writes), events_(std::move(events)) {}
        void write(std::string&& bytes) override {
            if (writes_) events_.taken(bytes.size());
        }
        void finish() override {}

    private:
        bool writes_;
        core::FileUploadEvents events_;
    };
    class Reader final : public core::FileReader {
    public:
        void read(std::uint64_t offset, std::size_t bytes,
                  std::function<void(std::string&&)> done) override {
            done(offset < 100'000 ? std::string(bytes, 'a') : std::string());
        }
    };

    Stuck where_;
    core::FilesConfig config_;
};

TransportConfig impatient() {
    TransportConfig config;
    // A body has to come within it, on a busy machine as well.
    config.body_timeout = std::chrono::milliseconds(1'000);
    config.answer_timeout = std::chrono::milliseconds(150);
    return config;
}

std::string upload_of(std::size_t size) {
    return "POST " + std::string(lobby_files) +
           " HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n";
}

TEST(StuckStore, IsNotWaitedForForEver) {
    using Stuck = StuckStore::Stuck;
    struct Case {
        explicit Case(Stuck at) : where(at), store(at) {
            server.set_file_store(store, [] {});
        }
        Stuck where;
        StuckStore store;
        TestServer server{test::unlimited(), impatient()};
        LoopbackClient client{server.port()};
    };
    std::deque<Case> cases;  // all of them wait at once
    for (const Stuck where : {Stuck::begin, Stuck::write, Stuck::finish, Stuck::open}) {
        LoopbackClient& client = cases.emplace_back(where).client;
        if (where == Stuck::open) {
            client.send("GET /api/v1/files/AAAAAAAAAAAAAAAAAAAAAA HTTP/1.1\r\nHost: a\r\n\r\n");
        } else {
            client.send(upload_of(400'000) + std::string(400'000, 'a'));
        }
    }
    for (Case& waiting : cases) {
        SCOPED_TRACE(static_cast<int>(waiting.where));
        const std::string answer = waiting.client.read_answer();
        EXPECT_EQ(test::status_of(answer), 503) << answer;
        EXPECT_THAT(answer, HasSubstr("Retry-After: "));
        EXPECT_EQ(waiting.server.total(core::Metric::answers_overdue), 1u);
    }
}

// Its length is said already: the reader must see that something is missing.
TEST(StuckStore, EndsTheConnectionWhereAFileCantBeReadToItsEnd) {
    StuckStore store(StuckStore::Stuck::read);
    TestServer server(test::unlimited());
    server.set_file_store(store, [] {});
    LoopbackClient client(server.port());
    client.send("GET /api/v1/files/AAAAAAAAAAAAAAAAAAAAAA HTTP/1.1\r\nHost: a\r\n\r\n");
    const std::string head = client.read_through("\r\n\r\n");
    EXPECT_THAT(head, HasSubstr("Content-Length: 1000000\r\n"));
    const std::string body = client.read_to_end();
    EXPECT_GE(body.size(), 100'000u);
    EXPECT_LT(body.size(), 1'000'000u);
}

TEST(StuckStore, IsNotReadForFurtherThanItsWindow) {
    StuckStore store(StuckStore::Stuck::write);
    TestServer server(test::unlimited());
    server.set_file_store(store, [] {});
    LoopbackClient client(server.port());
    constexpr std::size_t size = 100'000'000;
    client.send(upload_of(size));
    const std::string bytes(1'000'000, 'a');
    std::size_t sent = 0;
    // Until the kernel's buffers are full as well.
    while (sent < size && client.writable_within(std::chrono::milliseconds(200))) {
        sent += client.send_some(bytes);
    }
    EXPECT_LT(sent, size / 2);
}

TEST(StuckStore, IsNotAskedForNewcomersWhoAreNotLetIn) {
    StuckStore store(StuckStore::Stuck::begin);
    core::Config config = test::unlimited();
    config.limits.connections = 1;
    TestServer server(config);
    server.set_file_store(store, [] {});
    LoopbackClient first(server.port());
    first.send("GET /api/v1/openapi.json HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(test::status_of(first.read_answer()), 200);
    LoopbackClient second(server.port());
    second.send(upload_of(1'000'000));
    const std::string answer = second.read_to_end();
    EXPECT_EQ(test::status_of(answer), 503) << answer;
    EXPECT_EQ(server.total(core::Metric::refused_connections), 1u);
}

}  // namespace
}  // namespace parley::transports
