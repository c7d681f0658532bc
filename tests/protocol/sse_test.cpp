#include "protocol/sse.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace parley::protocol {
namespace {

using Status = SseDecoder::Status;

// Every event of a text that is offered in pieces cut at those places.
std::vector<SseEvent> events_of(std::string_view text, std::vector<std::size_t> cuts = {}) {
    SseDecoder decoder;
    std::vector<SseEvent> events;
    cuts.push_back(text.size());
    std::size_t at = 0;
    for (const std::size_t cut : cuts) {
        std::string_view piece = text.substr(at, cut - at);
        at = cut;
        for (;;) {
            const auto step = decoder.feed(piece);
            piece.remove_prefix(step.consumed);
            if (step.status != Status::event_ready) {
                EXPECT_EQ(step.status, Status::need_more);
                EXPECT_TRUE(piece.empty());
                break;
            }
            events.push_back(decoder.event());
        }
    }
    return events;
}

struct Sample {
    std::string_view what;
    std::string_view text;
    std::vector<SseEvent> events;
};

const std::vector<Sample>& samples() {
    static const std::vector<Sample> all{
        {"nothing", "", {}},
        {"comments alone", ": a\n\n:\n\n:b\r\n\r\n", {}},
        {"one line of data", "data: YHOO\n\n", {{"", "message", "YHOO"}}},
        {"several lines of data", "data: a\ndata: b\ndata:c\n\n", {{"", "message", "a\nb\nc"}}},
        {"an id that lasts",
         "id: 1\ndata: a\n\ndata: b\n\n",
         {{"1", "message", "a"}, {"1", "message", "b"}}},
        {"an id that is taken back",
         "id: 1\ndata: a\n\nid\ndata: b\n\n",
         {{"1", "message", "a"}, {"", "message", "b"}}},
        {"an id without data", "id: 7\n\ndata: x\n\n", {{"7", "message", "x"}}},
        {"an id with a zero", std::string_view("id: 1\0\ndata: x\n\n", 16), {{"", "message", "x"}}},
        {"a name, for one event",
         "event: gap\ndata: a\n\ndata: b\n\n",
         {{"", "gap", "a"}, {"", "message", "b"}}},
        {"a name without data is forgotten", "event: gap\n\ndata: b\n\n", {{"", "message", "b"}}},
        {"one blank goes, the second stays",
         "data:a\n\ndata: a\n\ndata:  a\n\n",
         {{"", "message", "a"}, {"", "message", "a"}, {"", "message", " a"}}},
        {"data without a colon",
         "data\n\ndata\ndata\n\n",
         {{"", "message", ""}, {"", "message", "\n"}}},
        {"every line break",
         "data: a\r\rdata: b\r\n\r\ndata: c\n\rdata: d\n\r\n",
         {{"", "message", "a"}, {"", "message", "b"}, {"", "message", "c"}, {"", "message", "d"}}},
        {"a byte order mark, once",
         "\xEF\xBB\xBF"
         "data: a\n\n\xEF\xBB\xBF"
         "data: b\n\n",
         {{"", "message", "a"}}},
        {"unknown fields", "datum: a\nData: b\ndata : c\n\n", {}},
        {"an event that never ends", "data: a\n\ndata: b\n", {{"", "message", "a"}}},
    };
    return all;
}

TEST(SseDecoder, ReadsWhatTheStandardDescribes) {
    for (const Sample& sample : samples()) {
        SCOPED_TRACE(sample.what);
        EXPECT_EQ(events_of(sample.text), sample.events);
    }
}

TEST(SseDecoder, ReadsTheSameWhereverTheBytesAreCut) {
    for (const Sample& sample : samples()) {
        SCOPED_TRACE(sample.what);
        for (std::size_t first = 0; first <= sample.text.size(); ++first) {
            for (std::size_t second = first; second <= sample.text.size(); ++second) {
                EXPECT_EQ(events_of(sample.text, {first, second}), sample.events)
                    << first << ' ' << second;
            }
        }
    }
}

TEST(SseDecoder, ReadsBackWhatWasAppended) {
    const std::vector<std::string_view> ids{"", "a", "k3J9x:18446744073709551615", " b"};
    const std::vector<std::string_view> names{"", "message", "gap", "my:event"};
    const std::vector<std::string_view> datas{"",     "{}",   " x", "a\nb",
                                              "\n\n", ":x\n", "ä",  R"({"text":"a\nb"})"};
    for (const auto id : ids) {
        for (const auto name : names) {
            for (const auto data : datas) {
                std::string text;
                append_sse(text, id, name, data);
                const std::string expected(name.empty() ? "message" : name);
                EXPECT_EQ(events_of(text),
                          (std::vector{SseEvent{std::string(id), expected, std::string(data)}}))
                    << text;
            }
        }
    }
}

TEST(SseDecoder, ReadsEveryLineBreakWithinDataAsOne) {
    std::string text;
    append_sse(text, {}, {}, "a\rb\r\nc\nd\r");
    EXPECT_EQ(events_of(text), (std::vector{SseEvent{"", "message", "a\nb\nc\nd\n"}}));
}

TEST(SseDecoder, TellsWhereItStandsWithoutAnEvent) {
    SseDecoder decoder;
    std::string text;
    append_sse_position(text, "k3J9x:7", 2500);
    text += sse_heartbeat;
    const auto step = decoder.feed(text);
    EXPECT_EQ(step.status, Status::need_more);
    EXPECT_EQ(step.consumed, text.size());
    EXPECT_EQ(decoder.last_id(), "k3J9x:7");
    EXPECT_EQ(decoder.retry_ms(), 2500U);
}

TEST(SseDecoder, TakesARetryOfDigitsOnly) {
    SseDecoder decoder;
    for (const std::string_view bad : {"retry: x\n", "retry: 1x\n", "retry: -1\n", "retry:\n",
                                       "retry: 99999999999999999999\n"}) {
        EXPECT_EQ(decoder.feed(bad).status, Status::need_more);
        EXPECT_FALSE(decoder.retry_ms()) << bad;
    }
    EXPECT_EQ(decoder.feed("retry: 12\n").status, Status::need_more);
    EXPECT_EQ(decoder.retry_ms(), 12U);
}

TEST(SseDecoder, RefusesWhatOutgrowsItsBoundAndStaysRefusing) {
    for (const std::string_view text : {"data: 0123456789abcdef0\n\n", "data: 0123456789\ndata: 0",
                                        ": a comment longer than that"}) {
        SseDecoder decoder(16);
        Status status = Status::need_more;
        for (const char c : text) {
            status = decoder.feed({&c, 1}).status;
            if (status != Status::need_more) break;
        }
        EXPECT_EQ(status, Status::malformed) << text;
        EXPECT_EQ(decoder.feed("data: x\n\n").status, Status::malformed);
    }
}

}  // namespace
}  // namespace parley::protocol
