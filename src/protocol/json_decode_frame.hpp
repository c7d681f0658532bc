// JsonDecodeFrame: what every frame has in common, in either direction: `type`, `id`, and a table.
//
// Path:     text → [JsonDecodeFrame] → CommandFrame, ServerFrame
// Runs on:  any thread; pure functions.
// Owned by: nobody; no state.
// Bounds:   those of check_json() and JsonFields.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "protocol/json_codec.hpp"
#include "protocol/json_fields.hpp"

namespace parley::protocol {

// How the payload of one type of frame is read.
template <typename Payload>
struct FrameReader {
    std::string_view type;
    Payload (*read)(JsonFields& fields);
};

// Decodes a text as `Frame{id, payload}` by the reader of its type.
template <typename Frame, typename Payload>
[[nodiscard]] Decoded<Frame> decode_frame(std::string_view text,
                                          std::span<const FrameReader<Payload>> readers) {
    if (const auto problem = check_json(text)) {
        return DecodeError{"frame is not JSON: " + *problem, peek_command(text).id};
    }
    std::string problem;
    const auto object = trim_json_space(text);
    if (json_kind(object) != JsonKind::object) {
        problem = "a frame must be a JSON object, got ";
        return DecodeError{problem.append(json_kind_name(json_kind(object))), {}};
    }
    JsonFields fields(object, problem);
    auto id = fields.command_id();
    const auto type = fields.string(Field::type);
    if (fields.failed()) return DecodeError{std::move(problem), std::move(id)};
    for (const auto& reader : readers) {
        if (reader.type != type) continue;
        auto payload = reader.read(fields);
        if (fields.failed()) return DecodeError{std::move(problem), std::move(id)};
        return Frame{std::move(id), std::move(payload)};
    }
    problem = "unknown type " + quoted(type) + ": expected one of ";
    for (const auto& reader : readers) {
        if (&reader != readers.data()) problem += ", ";
        problem += reader.type;
    }
    return DecodeError{std::move(problem), std::move(id)};
}

}  // namespace parley::protocol
