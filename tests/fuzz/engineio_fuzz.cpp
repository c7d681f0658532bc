// A polling body has one meaning or none: what is read of it is written the same way.
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz_require.hpp"
#include "protocol/engineio.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace parley::protocol;
    using parley::test::fuzz_require;
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    std::string body(input);
    std::string again;
    EnginePayload payload(body);
    auto step = EnginePayload::Step::end;
    std::size_t left = payload.rest().size() + 1;
    for (EnginePacket packet; (step = payload.next(packet)) == EnginePayload::Step::packet;) {
        if (packet.binary) {
            append_engine_binary_record(again, packet.data);
        } else {
            append_engine_record(again, packet.type, packet.data);
        }
        fuzz_require(payload.rest().size() < left, "a step goes on");
        left = payload.rest().size();
    }
    if (step == EnginePayload::Step::end)
        fuzz_require(again == input, "it is read and written alike");
    if (const auto open = decode_engine_open(input)) {
        fuzz_require(!open->sid.empty(), "a session has an id");
    }
    return 0;
}
