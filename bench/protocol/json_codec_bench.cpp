#include <benchmark/benchmark.h>

#include <string>
#include <utility>

#include "protocol/json_codec.hpp"

namespace parley::protocol {
namespace {

std::string text_of(benchmark::State& state) {
    return std::string(static_cast<std::size_t>(state.range(0)), 'x');
}

std::string send_of(std::string text) {
    Send send;
    send.room = "lobby";
    send.body.content = std::move(text);
    send.key = "0123456789abcdef";
    std::string frame;
    append_command(frame, {std::int64_t{42}, std::move(send)});
    return frame;
}

Message message_of(std::string text) {
    return {"lobby",
            Cursor::parse("k3Jx:123456").value(),
            {"u-0123456789", "Ann"},
            {Body::Kind::text, std::move(text)},
            "",
            "2026-01-02T03:04:05.678Z"};
}

void count_bytes(benchmark::State& state, std::size_t bytes) {
    state.SetBytesProcessed(static_cast<std::int64_t>(bytes) * state.iterations());
}

void DecodeSend(benchmark::State& state) {
    const auto frame = send_of(text_of(state));
    for (auto _ : state) benchmark::DoNotOptimize(decode_command(frame));
    count_bytes(state, frame.size());
}
BENCHMARK(DecodeSend)->Arg(16)->Arg(128)->Arg(4096);

void PeekSend(benchmark::State& state) {
    const auto frame = send_of(text_of(state));
    for (auto _ : state) benchmark::DoNotOptimize(peek_command(frame));
    count_bytes(state, frame.size());
}
BENCHMARK(PeekSend)->Arg(16)->Arg(128)->Arg(4096);

void EncodeMessage(benchmark::State& state) {
    const auto message = message_of(text_of(state));
    std::string out;
    for (auto _ : state) {
        out.clear();
        append_message(out, message);
        benchmark::DoNotOptimize(out.data());
    }
    count_bytes(state, out.size());
}
BENCHMARK(EncodeMessage)->Arg(16)->Arg(128)->Arg(4096);

void DecodeMessage(benchmark::State& state) {
    std::string frame;
    append_message(frame, message_of(text_of(state)));
    for (auto _ : state) benchmark::DoNotOptimize(decode_server_frame(frame));
    count_bytes(state, frame.size());
}
BENCHMARK(DecodeMessage)->Arg(16)->Arg(128)->Arg(4096);

// The argument is the distance between characters that need an escape.
void EscapeString(benchmark::State& state) {
    std::string text(4096, 'x');
    for (auto at = static_cast<std::size_t>(state.range(0)); at < text.size();
         at += static_cast<std::size_t>(state.range(0))) {
        text[at] = '\n';
    }
    std::string out;
    for (auto _ : state) {
        out.clear();
        append_json_string(out, text);
        benchmark::DoNotOptimize(out.data());
    }
    count_bytes(state, text.size());
}
BENCHMARK(EscapeString)->Arg(4)->Arg(32)->Arg(4096);

}  // namespace
}  // namespace parley::protocol
