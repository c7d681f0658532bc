// Any bytes where a PROXY header should be: the verdict does not depend on how they were cut, and
// nothing beyond a header is taken.
#include <cstdint>
#include <string_view>

#include "fuzz/fuzz_require.hpp"
#include "protocol/proxy_protocol.hpp"

namespace parley::protocol {
namespace {

using parley::test::fuzz_require;
using Status = ProxyHeaderDecoder::Status;

struct Verdict {
    Status status = Status::need_more;
    std::size_t consumed = 0;
    ProxiedPeer peer;
};

Verdict judge(std::string_view bytes, std::size_t cut) {
    ProxyHeaderDecoder decoder;
    Verdict verdict;
    for (const std::string_view part : {bytes.substr(0, cut), bytes.substr(cut)}) {
        if (verdict.status != Status::need_more) break;
        const auto step = decoder.feed(part);
        verdict.status = step.status;
        verdict.consumed += step.consumed;
    }
    verdict.peer = decoder.peer();
    fuzz_require((verdict.status == Status::malformed) == !decoder.error().empty(),
                 "a refusal says why");
    return verdict;
}

}  // namespace
}  // namespace parley::protocol

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace parley::protocol;
    if (size < 1) return 0;
    const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
    const Verdict whole = judge(input, 0);
    const Verdict cut = judge(input, data[0] % (input.size() + 1));
    parley::test::fuzz_require(whole.status == cut.status && whole.consumed == cut.consumed,
                               "a cut changes nothing");
    parley::test::fuzz_require(whole.peer.family == cut.peer.family &&
                                   whole.peer.port == cut.peer.port &&
                                   whole.peer.address == cut.peer.address,
                               "a cut changes nobody");
    parley::test::fuzz_require(whole.consumed <= proxy_header_bytes_max, "a header has its bound");
    if (whole.status == Status::need_more) {
        parley::test::fuzz_require(whole.consumed == input.size(), "all of a beginning is kept");
    }
    return 0;
}
