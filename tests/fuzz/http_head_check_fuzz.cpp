// Any bytes where a request's head or a body in chunks should be: the verdict does not depend on
// how they were cut, and what is let through has none of what two readers could read in two ways.
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz/fuzz_require.hpp"
#include "protocol/http_chunk_decoder.hpp"
#include "protocol/http_head_check.hpp"

namespace parley::protocol {
namespace {

using parley::test::fuzz_require;

struct Verdict {
    HttpHeadCheck::Status status = HttpHeadCheck::Status::need_more;
    std::size_t consumed = 0;
    unsigned code = 0;
    bool operator==(const Verdict&) const = default;
};

constexpr HttpHeadLimits limits{.head_bytes = 256, .target_bytes = 64, .fields = 4};

Verdict judge(std::string_view bytes, std::size_t cut) {
    HttpHeadCheck check;
    Verdict verdict;
    for (const std::string_view part : {bytes.substr(0, cut), bytes.substr(cut)}) {
        if (verdict.status != HttpHeadCheck::Status::need_more) break;
        const auto step = check.feed(part, limits);
        verdict.status = step.status;
        verdict.consumed += step.consumed;
    }
    verdict.code = check.status();
    return verdict;
}

// In pieces of a byte nothing is passed over in larger steps.
Verdict judge_bytewise(std::string_view bytes) {
    HttpHeadCheck check;
    Verdict verdict;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (verdict.status != HttpHeadCheck::Status::need_more) break;
        const auto step = check.feed(bytes.substr(i, 1), limits);
        verdict.status = step.status;
        verdict.consumed += step.consumed;
    }
    verdict.code = check.status();
    return verdict;
}

void check_head(std::string_view bytes, std::size_t cut) {
    const Verdict whole = judge(bytes, 0);
    fuzz_require(judge(bytes, cut) == whole, "a cut changes nothing");
    fuzz_require(judge_bytewise(bytes) == whole, "nor do many");
    fuzz_require(whole.consumed <= bytes.size(), "no more is taken than there is");
    if (whole.status == HttpHeadCheck::Status::refused) {
        fuzz_require(
            whole.code == 400 || whole.code == 414 || whole.code == 431 || whole.code == 505,
            "a refusal has its status");
    }
    if (whole.status != HttpHeadCheck::Status::complete) return;
    const std::string_view head = bytes.substr(0, whole.consumed);
    fuzz_require(head.ends_with("\r\n\r\n"), "a head ends with an empty line");
    fuzz_require(head.find("\r\n\r\n") + 4 == head.size(), "… and has no other");
    for (std::size_t i = 0; i < head.size(); ++i) {
        const char c = head[i];
        if (c == '\r') fuzz_require(head[i + 1] == '\n', "no CR stands alone");
        if (c == '\n') {
            fuzz_require(i > 0 && head[i - 1] == '\r', "no LF stands alone");
            fuzz_require(i + 1 == head.size() || (head[i + 1] != ' ' && head[i + 1] != '\t'),
                         "no line is folded");
        }
        fuzz_require(c != '\0', "no zero");
    }
}

struct Chunks {
    HttpChunkDecoder::Status status = HttpChunkDecoder::Status::need_more;
    std::size_t consumed = 0;
    std::string body;
    bool operator==(const Chunks&) const = default;
};

Chunks decode(std::string_view bytes, std::size_t cut) {
    HttpChunkDecoder decoder;
    Chunks out;
    for (std::string_view part : {bytes.substr(0, cut), bytes.substr(cut)}) {
        while (!part.empty() && out.status == HttpChunkDecoder::Status::need_more) {
            const auto step = decoder.feed(part);
            fuzz_require(step.consumed > 0 && step.consumed <= part.size(), "it gets on");
            out.body.append(step.data);
            out.status = step.status;
            out.consumed += step.consumed;
            part.remove_prefix(step.consumed);
        }
    }
    return out;
}

}  // namespace
}  // namespace parley::protocol

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace parley::protocol;
    if (size < 1) return 0;
    const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
    const std::size_t cut = data[0] % (input.size() + 1);
    check_head(input, cut);
    const Chunks whole = decode(input, 0);
    parley::test::fuzz_require(decode(input, cut) == whole, "a cut changes no body");
    parley::test::fuzz_require(whole.body.size() <= input.size(), "no byte is made up");
    static_cast<void>(is_host_and_port(input));
    static_cast<void>(is_content_length(input));
    return 0;
}
