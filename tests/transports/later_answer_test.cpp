#include "transports/later_answer.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "transports/frontend_table.hpp"
#include "transports/loopback_client.hpp"
#include "transports/test_server.hpp"

namespace parley::transports {
namespace {

using std::chrono::milliseconds;
using test::LoopbackClient;
using test::status_of;
using test::TestServer;

HttpResponse said(std::string text) {
    HttpResponse response;
    response.content_type = "text/plain";
    response.body = std::move(text);
    return response;
}

// What is asked here waits until the test answers it, from a thread that is not the shard's.
class Asked {
public:
    struct Question {
        core::Shard* shard;
        std::weak_ptr<LaterAnswer> later;
        // True once the connection that asked is gone.
        [[nodiscard]] bool abandoned() const {
            const auto end = std::chrono::steady_clock::now() + LoopbackClient::patience;
            while (std::chrono::steady_clock::now() < end) {
                std::promise<bool> gone;
                shard->post([&](core::Shard&) { gone.set_value(later.expired()); });
                if (gone.get_future().get()) return true;
            }
            return false;
        }
    };

    void add(core::Shard& shard, std::weak_ptr<LaterAnswer> answer) {
        const std::scoped_lock lock(mutex_);
        waiting_.push_back({&shard, std::move(answer)});
        came_.notify_all();
    }
    // Answers the oldest, on its shard. False where its connection was there no more.
    bool answer(std::string text) {
        auto [shard, later] = take();
        std::promise<bool> done;
        shard->post([&, later = std::move(later)](core::Shard&) {
            const auto open = later.lock();
            if (open) open->give(said(text));
            if (open) open->give(said("a second answer"));
            done.set_value(open != nullptr);
        });
        return done.get_future().get();
    }
    // The oldest, waited for.
    Question take() {
        std::unique_lock lock(mutex_);
        const bool any =
            came_.wait_for(lock, LoopbackClient::patience, [this] { return !waiting_.empty(); });
        if (!any) throw std::runtime_error("nothing was asked");
        const auto first = waiting_.front();
        waiting_.erase(waiting_.begin());
        return first;
    }

private:
    std::mutex mutex_;
    std::condition_variable came_;
    std::vector<Question> waiting_;
};

Asked* asked = nullptr;

class LaterFrontend final : public Frontend {
public:
    explicit LaterFrontend(Gate& gate) : gate_(&gate) {}
    bool owns(std::string_view) const noexcept override { return true; }
    std::optional<HttpResponse> handle(Exchange& exchange) override {
        if (exchange.path == "/now") return said("now");
        const auto later = exchange.answer_later(gate_->thread().executor());
        if (exchange.path == "/within") {
            later.lock()->give(said("within"));
        } else {
            asked->add(gate_->shard(), later);
        }
        return std::nullopt;
    }

private:
    Gate* gate_;
};

constexpr FrontendEntry table[] = {{"later", [](Gate& gate) -> std::unique_ptr<Frontend> {
                                        return std::make_unique<LaterFrontend>(gate);
                                    }}};

std::string get(std::string_view path) {
    return "GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n\r\n";
}

struct LaterAnswerTest : testing::Test {
    explicit LaterAnswerTest(TransportConfig config = {}) : server({}, std::move(config), table) {
        asked = &questions;
    }
    Asked questions;
    TestServer server;
};

TEST_F(LaterAnswerTest, IsWaitedForAndTheConnectionGoesOn) {
    LoopbackClient client(server.port());
    for (int i = 0; i < 3; ++i) {
        client.send(get("/later"));
        EXPECT_TRUE(questions.answer("answer " + std::to_string(i)));
        EXPECT_TRUE(client.read_answer().ends_with("\r\n\r\nanswer " + std::to_string(i)));
    }
    client.send(get("/within"));
    EXPECT_TRUE(client.read_answer().ends_with("within"));
}

TEST_F(LaterAnswerTest, KeepsPipelinedRequestsInOrder) {
    LoopbackClient client(server.port());
    client.send(get("/later") + get("/now") + get("/later"));
    EXPECT_TRUE(questions.answer("first"));
    EXPECT_TRUE(client.read_answer().ends_with("first"));
    EXPECT_TRUE(client.read_answer().ends_with("now"));
    EXPECT_TRUE(questions.answer("third"));
    EXPECT_TRUE(client.read_answer().ends_with("third"));
}

TEST_F(LaterAnswerTest, FindsNobodyWhereTheClientHasGoneAndHarmsNobody) {
    for (const bool reset : {false, true}) {
        LoopbackClient client(server.port());
        client.send(get("/later") + get("/later"));
        if (reset) {
            client.reset();
        } else {
            client.close();
        }
        questions.answer("to nobody");
        LoopbackClient next(server.port());
        next.send(get("/now"));
        EXPECT_EQ(status_of(next.read_answer()), 200);
    }
}

TEST_F(LaterAnswerTest, IsAbandonedWhereTheServerCutsTheConnectionOff) {
    LoopbackClient client(server.port());
    client.send(get("/later"));
    const auto question = questions.take();
    auto gone = server.drain(milliseconds(20));
    EXPECT_TRUE(question.abandoned());
    EXPECT_EQ(gone.wait_for(LoopbackClient::patience), std::future_status::ready);
    EXPECT_TRUE(client.at_end());
}

TEST_F(LaterAnswerTest, MayBeOutstandingWhenTheServerEnds) {
    TestServer short_lived({}, {}, table);
    LoopbackClient client(short_lived.port());
    client.send(get("/later"));
    static_cast<void>(questions.take());
}

struct OverdueAnswer : LaterAnswerTest {
    static TransportConfig impatient() {
        TransportConfig config;
        config.answer_timeout = milliseconds(30);
        return config;
    }
    OverdueAnswer() : LaterAnswerTest(impatient()) {}
};

TEST_F(OverdueAnswer, IsA503AndTheConnectionGoesOn) {
    LoopbackClient client(server.port());
    client.send(get("/later"));
    const std::string answer = client.read_answer();
    EXPECT_EQ(status_of(answer), 503) << answer;
    EXPECT_NE(answer.find(R"("code":"unavailable")"), std::string::npos) << answer;
    EXPECT_NE(answer.find("Retry-After: 1\r\n"), std::string::npos) << answer;
    EXPECT_EQ(server.total(core::Metric::answers_overdue), 1u);
    EXPECT_FALSE(questions.answer("too late"));
    client.send(get("/now"));
    EXPECT_TRUE(client.read_answer().ends_with("now"));
}

}  // namespace
}  // namespace parley::transports
