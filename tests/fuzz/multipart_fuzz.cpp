// What a form holds is the same however it is cut, and no byte of it is told that was not sent.
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz_require.hpp"
#include "protocol/multipart.hpp"

namespace parley::protocol {
namespace {

using test::fuzz_require;

std::string told(std::string_view form, std::size_t piece) {
    MultipartDecoder decoder("AaB");
    std::string out;
    std::size_t content = 0;
    const std::size_t size = form.size();
    while (!form.empty()) {
        const auto step = decoder.feed(form.substr(0, piece));
        fuzz_require(step.consumed > 0 || step.status != MultipartDecoder::Status::need_more,
                     "a step goes on");
        fuzz_require(step.consumed <= form.size(), "no more is taken than there is");
        form.remove_prefix(step.consumed);
        content += step.data.size();
        out.append(step.data);
        // Data may come in other pieces; what stands between them may not.
        if (step.status == MultipartDecoder::Status::part_begins) {
            const auto& part = decoder.part();
            out += "[" + part.disposition.filename.value_or("-") + part.content_type + "|";
            fuzz_require(clean_file_name(part.disposition.filename.value_or("")).size() <=
                             kept_file_name_bytes_max,
                         "a name is short");
        }
        if (step.status == MultipartDecoder::Status::part_ends) out += "]";
        if (step.status == MultipartDecoder::Status::end) out += ".";
        if (step.status == MultipartDecoder::Status::refused) {
            out += "!";
            out += decoder.error();
            break;
        }
    }
    fuzz_require(content <= size, "no more is told than came");
    return out;
}

}  // namespace
}  // namespace parley::protocol

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace parley::protocol;
    if (size < 1) return 0;
    const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
    parley::test::fuzz_require(told(input, input.size() + 1) == told(input, 1U + data[0] % 16),
                               "a cut changes nothing");
    return 0;
}
