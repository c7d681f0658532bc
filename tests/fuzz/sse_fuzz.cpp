// What an SSE client reads is the same however it is cut, and what the server appends is read back.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz_require.hpp"
#include "protocol/sse.hpp"

namespace parley::protocol {
namespace {

using test::fuzz_require;

std::vector<SseEvent> events_of(std::string_view text, std::size_t piece) {
    SseDecoder decoder(64 * 1024);
    std::vector<SseEvent> events;
    while (!text.empty()) {
        const auto step = decoder.feed(text.substr(0, piece));
        if (step.status == SseDecoder::Status::malformed) break;
        fuzz_require(step.consumed > 0, "a step goes on");
        if (step.status == SseDecoder::Status::event_ready) events.push_back(decoder.event());
        text.remove_prefix(step.consumed);
    }
    return events;
}

}  // namespace
}  // namespace parley::protocol

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace parley::protocol;
    using parley::test::fuzz_require;
    if (size < 1) return 0;
    const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
    const auto events = events_of(input, input.size() + 1);
    fuzz_require(events == events_of(input, 1U + data[0] % 16), "a cut changes nothing");
    for (const SseEvent& event : events) {
        std::string text;
        append_sse(text, event.id, event.name, event.data);
        const auto again = events_of(text, text.size());
        // Beyond the decoder's bound only a comment's bytes may have been lost.
        fuzz_require(again.size() == 1 && again.front() == event, "what is appended is read back");
    }
    return 0;
}
