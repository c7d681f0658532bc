// What the WebSocket codec costs by itself: decoding, masking, encoding, UTF-8, deflate,
// handshakes.
#include <benchmark/benchmark.h>

#include <array>
#include <string>

#include "protocol/deflate.hpp"
#include "protocol/utf8.hpp"
#include "protocol/websocket_frame.hpp"
#include "protocol/websocket_handshake.hpp"

namespace parley::protocol {
namespace {

constexpr MaskKey key{0x37, 0xFA, 0x21, 0x3D};

std::string chat_json(std::size_t bytes) {
    std::string json =
        R"({"type":"message","room":"lobby","from":{"id":"u1","name":"ann"},"text":")";
    constexpr std::string_view words = "the quick brown fox jumps over the lazy dog ";
    while (json.size() + 2 < bytes) json.push_back(words[json.size() % words.size()]);
    return json + "\"}";
}

void set_bytes(benchmark::State& state, std::size_t bytes) {
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes));
}

// Decoding unmasks in place, so each round begins with a copy of the stream; the copy is in the
// time.
void decode(benchmark::State& state, Opcode opcode, std::size_t payload_bytes, std::size_t frames) {
    std::string stream;
    for (std::size_t i = 0; i < frames; ++i) {
        append_frame(stream, opcode, chat_json(payload_bytes), false, &key);
    }
    const WebSocketDecoderConfig config;
    WebSocketDecoder decoder(config);
    std::string bytes;
    for (auto _ : state) {
        bytes = stream;
        std::span<char> rest(bytes);
        while (!rest.empty()) {
            const auto step = decoder.feed(rest);
            if (step.event == WebSocketDecoder::Event::failed) {
                state.SkipWithError("the stream did not decode");
                return;
            }
            benchmark::DoNotOptimize(decoder.payload().data());
            rest = rest.subspan(step.consumed);
        }
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(frames));
    set_bytes(state, stream.size());
}
void decode_text_128(benchmark::State& state) {
    decode(state, Opcode::text, 128, 64);
}
void decode_binary_64k(benchmark::State& state) {
    decode(state, Opcode::binary, 65536, 1);
}
BENCHMARK(decode_text_128);
BENCHMARK(decode_binary_64k);

void mask(benchmark::State& state) {
    std::string bytes(static_cast<std::size_t>(state.range(0)), 'a');
    for (auto _ : state) {
        benchmark::DoNotOptimize(apply_mask(bytes, key, 1));
        benchmark::ClobberMemory();
    }
    set_bytes(state, bytes.size());
}
BENCHMARK(mask)->Arg(16)->Arg(128)->Arg(1024)->Arg(65536);

void encode(benchmark::State& state, const MaskKey* mask_key) {
    const std::string payload = chat_json(static_cast<std::size_t>(state.range(0)));
    std::string out;
    for (auto _ : state) {
        out.clear();
        append_frame(out, Opcode::text, payload, false, mask_key);
        benchmark::DoNotOptimize(out.data());
    }
    set_bytes(state, payload.size());
}
void encode_bare(benchmark::State& state) {
    encode(state, nullptr);
}
void encode_masked(benchmark::State& state) {
    encode(state, &key);
}
BENCHMARK(encode_bare)->Arg(128)->Arg(65536);
BENCHMARK(encode_masked)->Arg(128)->Arg(65536);

void validate(benchmark::State& state, std::string_view character) {
    std::string text;
    while (text.size() < static_cast<std::size_t>(state.range(0))) text += character;
    for (auto _ : state) benchmark::DoNotOptimize(is_valid_utf8(text));
    set_bytes(state, text.size());
}
void utf8_ascii(benchmark::State& state) {
    validate(state, "a");
}
void utf8_latin(benchmark::State& state) {
    validate(state, "gr\xC3\xBC\xC3\x9F ");
}
void utf8_han(benchmark::State& state) {
    validate(state, "\xE6\xBC\xA2");
}
BENCHMARK(utf8_ascii)->Arg(128)->Arg(65536);
BENCHMARK(utf8_latin)->Arg(128)->Arg(65536);
BENCHMARK(utf8_han)->Arg(128)->Arg(65536);

void deflate_json_300(benchmark::State& state) {
    const std::string message = chat_json(300);
    Deflater deflater(15, static_cast<int>(state.range(0)));
    std::string out;
    for (auto _ : state) {
        out.clear();
        deflater.compress(out, message);
        benchmark::DoNotOptimize(out.data());
    }
    state.counters["compressed_bytes"] = static_cast<double>(out.size());
    set_bytes(state, message.size());
}
BENCHMARK(deflate_json_300)->Arg(1)->Arg(6);

void decode_deflated_json_300(benchmark::State& state) {
    std::string compressed;
    Deflater(15).compress(compressed, chat_json(300));
    std::string stream;
    append_frame(stream, Opcode::text, compressed, true, &key);
    const WebSocketDecoderConfig config{.deflate = true};
    WebSocketDecoder decoder(config);
    std::string bytes;
    for (auto _ : state) {
        bytes = stream;
        benchmark::DoNotOptimize(decoder.feed(bytes));
    }
    set_bytes(state, 300);
}
BENCHMARK(decode_deflated_json_300);

void answer_an_upgrade(benchmark::State& state) {
    constexpr std::array<std::string_view, 1> subprotocols{"parley.v1"};
    const UpgradeRequest request{.method = "GET",
                                 .http_1_1 = true,
                                 .upgrade = "websocket",
                                 .connection = "keep-alive, Upgrade",
                                 .key = "dGhlIHNhbXBsZSBub25jZQ==",
                                 .version = "13",
                                 .protocols = "parley.v1",
                                 .extensions = "permessage-deflate; client_max_window_bits"};
    for (auto _ : state) {
        benchmark::DoNotOptimize(answer_upgrade(request, subprotocols, DeflateConfig{}));
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(answer_an_upgrade);

}  // namespace
}  // namespace parley::protocol
