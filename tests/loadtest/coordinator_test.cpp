// A coordinator, and workers that do not do their part.
#include "loadtest/coordinator.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <functional>
#include <future>
#include <thread>

namespace parley::load {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

CommandLine line_of(std::uint32_t workers) {
    auto line = parse_command_line({"--url", "ws://127.0.0.1:9/ws", "--coordinator", "127.0.0.1:0",
                                    "--expect", std::to_string(workers), "--threads", "1", "--ramp",
                                    "0s", "--settle", "0s", "--warmup", "0s", "--duration", "10ms",
                                    "--drain", "0s"});
    return *line;
}

// A worker that says what it is told to say.
class FakeWorker {
public:
    explicit FakeWorker(const CrewAddress& address) : wire_(std::move(*connect_to(address))) {}

    void say(const json::object& message) {
        wire_.send(message);
        while (wire_.pump() && wire_.unsent()) wire_.wait(100);
    }
    void hello() { say({{"type", "hello"}, {"protocol", crew_protocol}, {"pid", 4711}}); }
    // The type of what the coordinator says next; empty: it is gone.
    std::string hear() {
        for (;;) {
            const bool whole = wire_.pump();
            if (const auto message = wire_.take()) return std::string(type_of(*message));
            if (!whole) return {};
            wire_.wait(100);
        }
    }

private:
    MessageWire wire_;
};

struct Outcome {
    std::string text;
    bool incomplete;
};

// What comes of a run with one worker that behaves like this.
Outcome outcome_of(const std::function<void(FakeWorker&)>& behave,
                   std::chrono::nanoseconds silence_max = 10s) {
    const CommandLine line = line_of(1);
    const std::atomic<bool> interrupted{false};
    CoordinatorConfig config;
    config.silence_max = silence_max;
    Coordinator coordinator(line, config, interrupted);
    EXPECT_EQ(coordinator.error(), "");
    std::thread other([&] {
        FakeWorker worker(coordinator.address());
        behave(worker);
    });
    const auto report = coordinator.lead();
    other.join();
    if (report) return {"a report", false};
    return {report.error().text, report.error().incomplete};
}

void join(FakeWorker& worker) {
    worker.hello();
    EXPECT_EQ(worker.hear(), "welcome");
    worker.say({{"type", "ready"}});
    EXPECT_EQ(worker.hear(), "go");
}

// Until the coordinator has had enough.
void stay(FakeWorker& worker) {
    while (!worker.hear().empty()) continue;
}

TEST(Coordinator, AWorkerThatDiesEndsTheRunAndIsNamed) {
    const Outcome early = outcome_of([](FakeWorker& worker) { worker.hello(); });
    EXPECT_EQ(early.text.find("worker 1 of 1 (pid 4711) is lost"), 0u) << early.text;
    EXPECT_FALSE(early.incomplete);
    const Outcome late = outcome_of(join);
    EXPECT_EQ(late.text.find("worker 1 of 1 (pid 4711) is lost"), 0u) << late.text;
    EXPECT_TRUE(late.incomplete);
}

TEST(Coordinator, AWorkerThatFallsSilentIsTakenForHung) {
    const Outcome outcome = outcome_of(
        [](FakeWorker& worker) {
            join(worker);
            // It goes on hearing, and says nothing.
            std::string heard;
            while (!(heard = worker.hear()).empty()) EXPECT_EQ(heard, "publish");
        },
        2s);
    EXPECT_EQ(outcome.text, "worker 1 of 1 (pid 4711) has said nothing for 2000 ms");
    EXPECT_TRUE(outcome.incomplete);
}

TEST(Coordinator, AWorkerThatFailsTellsWhy) {
    const Outcome outcome = outcome_of([](FakeWorker& worker) {
        worker.hello();
        worker.say({{"type", "failed"}, {"problem", "no such thing"}});
        stay(worker);
    });
    EXPECT_EQ(outcome.text, "worker 1 of 1 (pid 4711): no such thing");
    EXPECT_FALSE(outcome.incomplete);
}

TEST(Coordinator, WhoeverSpeaksAnotherProtocolIsRefused) {
    struct Case {
        json::object says;
        const char* words;
    };
    const Case cases[] = {
        {{{"type", "hello"}, {"protocol", crew_protocol + 1}}, "speaks another protocol"},
        {{{"type", "hello"}}, "speaks another protocol"},
        {{{"type", "ready"}}, "did not present itself"},
    };
    for (const Case& c : cases) {
        const Outcome outcome = outcome_of([&c](FakeWorker& worker) {
            worker.say(c.says);
            stay(worker);
        });
        EXPECT_NE(outcome.text.find(c.words), std::string::npos) << outcome.text;
    }
}

TEST(Coordinator, WhatNoWorkerSaysEndsTheRun) {
    struct Case {
        json::object says;
        const char* words;
    };
    const Case cases[] = {
        {{{"type", "song"}}, "said 'song', which no worker says"},
        {{{"type", "books"}, {"accepted", {99, 1}}}, "keeps books that can't be read"},
        {{{"type", "result"}, {"tallies", json::array()}, {"cost", json::object()}},
         "has a result that can't be read"},
        {{{"type", "result"}}, "has a result that can't be read"},
        {{{"type", "hello"}, {"protocol", crew_protocol}}, "speaks another protocol"},
    };
    for (const Case& c : cases) {
        const Outcome outcome = outcome_of([&c](FakeWorker& worker) {
            join(worker);
            worker.say(c.says);
            stay(worker);
        });
        EXPECT_NE(outcome.text.find(c.words), std::string::npos) << outcome.text;
        EXPECT_TRUE(outcome.incomplete);
    }
}

TEST(Coordinator, AFurtherWorkerIsTurnedAwayAndTheOthersGoOn) {
    std::string heard;
    const CommandLine line = line_of(1);
    const std::atomic<bool> interrupted{false};
    Coordinator coordinator(line, {}, interrupted);
    std::thread others([&] {
        FakeWorker worker(coordinator.address());
        join(worker);
        FakeWorker further(coordinator.address());
        heard = further.hear();
        worker.say({{"type", "failed"}, {"problem", "enough"}});
        stay(worker);
    });
    const auto report = coordinator.lead();
    others.join();
    EXPECT_EQ(heard, "full");
    ASSERT_FALSE(report);
    EXPECT_NE(report.error().text.find("enough"), std::string::npos);
}

TEST(Coordinator, AnInterruptBeforeAllAreThereEndsTheRun) {
    const CommandLine line = line_of(2);
    const std::atomic<bool> interrupted{true};
    Coordinator coordinator(line, {}, interrupted);
    const auto report = coordinator.lead();
    ASSERT_FALSE(report);
    EXPECT_NE(report.error().text.find("interrupted before"), std::string::npos);
    EXPECT_FALSE(report.error().incomplete);
}

TEST(Coordinator, AnAddressThatIsTakenIsToldAtOnce) {
    const CommandLine line = line_of(1);
    const std::atomic<bool> interrupted{false};
    const Coordinator first(line, {}, interrupted);
    CoordinatorConfig config;
    config.address = first.address();
    const Coordinator second(line, config, interrupted);
    EXPECT_NE(second.error().find("cannot listen at 127.0.0.1"), std::string::npos);
}

}  // namespace
}  // namespace parley::load
