#include "transports/sse/sse_format.hpp"

#include <gtest/gtest.h>

#include "protocol/json_codec.hpp"
#include "protocol/sse.hpp"
#include "transports/longpoll/longpoll_format.hpp"

namespace parley::transports {
namespace {

using core::PublicationKind;

// Everything in it that could be taken for the message's own cursor.
protocol::Message confusing() {
    return {"r:\x2d@a",
            {*protocol::Epoch::parse("k3J9x"), 7},
            {"id", R"("cursor":"no:1")"},
            {protocol::Body::Kind::data, R"({"cursor":"no:2"})"},
            {},
            "2026-01-01T00:00:00.000Z"};
}

TEST(SseFormat, GivesAMessageItsOwnCursorAsId) {
    std::string json;
    protocol::append_message(json, confusing());
    std::string text;
    append_event(text, PublicationKind::message, json);
    EXPECT_EQ(text, "id: k3J9x:7\nevent: message\ndata: " + json + "\n\n");
}

TEST(SseFormat, NamesEveryKindAndGivesTransientOnesNoId) {
    for (const auto& [kind, name] : {std::pair{PublicationKind::typing, "typing"},
                                     std::pair{PublicationKind::presence, "presence"},
                                     std::pair{PublicationKind::read, "read"}}) {
        std::string text;
        append_event(text, kind, R"({"cursor":"x:1"})");
        EXPECT_EQ(text, "event: " + std::string(name) + "\ndata: {\"cursor\":\"x:1\"}\n\n");
    }
}

TEST(SseFormat, PutsEachEventInAChunkOfItsOwn) {
    for (const std::size_t length : {std::size_t{1}, std::size_t{15}, std::size_t{16},
                                     std::size_t{255}, std::size_t{4096}, std::size_t{70'000}}) {
        std::string out;
        append_chunk(out, std::string(length, 'x'));
        const auto line = out.find("\r\n");
        EXPECT_EQ(std::stoul(out.substr(0, line), nullptr, 16), length);
        EXPECT_EQ(out.substr(line + 2), std::string(length, 'x') + "\r\n");
    }
    std::string json;
    protocol::append_message(json, confusing());
    const core::PublicationPtr publication(
        new core::Publication(PublicationKind::message, 7, json));
    std::string event;
    append_event(event, PublicationKind::message, json);
    std::string chunk;
    append_chunk(chunk, event);
    EXPECT_EQ(publication->frame(*sse_chunked.format).bytes(), chunk);
    EXPECT_EQ(publication->frame(*sse_bare.format).bytes(), event);
    EXPECT_EQ(longpoll_text(publication->frame(*longpoll_traits.format)), json);
}

}  // namespace
}  // namespace parley::transports
