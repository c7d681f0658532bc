// engineio: Engine.IO v4 packets as text frames and as records of a polling body (Engine.IO
// protocol, revision 4).
//
// Path:     Stream → [engineio] → EngineSession; EngineSession → [engineio] → Stream
// Runs on:  any thread; pure functions and views into the caller's bytes.
// Owned by: nobody.
// Bounds:   none of its own: a body and a frame come bounded by maxPayload.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace parley::protocol {

// By the digit on the wire.
enum class EngineType : std::uint8_t { open, close, ping, pong, message, upgrade, noop };

struct EnginePacket {
    EngineType type = EngineType::message;
    bool binary = false;    // only a message is
    std::string_view data;  // behind the type
};

// One packet as a text frame of a WebSocket has it; nothing where its first character is no type.
// (A binary frame is a binary message as it stands.)
[[nodiscard]] std::optional<EnginePacket> decode_engine_packet(std::string_view text) noexcept;

// Steps through a polling body, packet by packet: records separated by 0x1E, of which those that
// begin with `b` are binary messages in base64, which is decoded in place.
class EnginePayload {
public:
    enum class Step : std::uint8_t { packet, end, broken };

    explicit EnginePayload(std::span<char> body) noexcept : rest_(body) {}

    // `packet` is valid until the body goes. Broken: an empty body or record, an unknown type, text
    // that is no UTF-8, and base64 that is not exactly what an encoder writes (RFC 4648, 4). After
    // `broken` or `end` it is of no further use.
    [[nodiscard]] Step next(EnginePacket& packet) noexcept;
    // What has not been stepped over yet.
    [[nodiscard]] std::span<char> rest() const noexcept { return rest_; }

private:
    std::span<char> rest_;
    bool done_ = false;
};

// Where the first `count` records of a polling body end; npos where they are fewer.
[[nodiscard]] std::size_t engine_records_end(std::string_view body, std::size_t count) noexcept;

// Appends one packet to a polling body, behind a separator where it is not the first. Text that
// holds a 0x1E itself can't be told from two records: JSON never does.
void append_engine_record(std::string& body, EngineType type, std::string_view data = {});
// Appends a binary message to a polling body: `b` and base64.
void append_engine_binary_record(std::string& body, std::string_view data);

// What `open` tells the client.
struct EngineOpen {
    std::string_view sid;
    bool upgrades = false;  // to WebSocket
    std::uint64_t ping_interval_ms = 0;
    std::uint64_t ping_timeout_ms = 0;
    std::uint64_t max_payload = 0;
};
// Appends the JSON of `open`, without its type: exactly the five keys that clients check.
void append_engine_open(std::string& out, const EngineOpen& open);
// The client's side of it: nothing where a key is missing or of another kind. The sid points into
// `json`; keys that are not known are passed over.
[[nodiscard]] std::optional<EngineOpen> decode_engine_open(std::string_view json);

}  // namespace parley::protocol
