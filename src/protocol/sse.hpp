// Server-Sent Events framing, both roles (WHATWG HTML, 9.2).
//
// Path:     Publication → [sse] → stream; stream → [sse] → client
// Runs on:  any thread; no I/O.
// Owned by: a wire format (encoding), a client or a test (decoding).
// Bounds:   a decoder holds one event of at most SseDecoder::event_bytes_max.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace parley::protocol {

inline constexpr std::string_view sse_media_type = "text/event-stream";

// ---- server role -----------------------------------------------------------------------------

// Appends one event. `id` and `name` must hold no line break; empty ones are left out, which leaves
// the client's last id as it is, and makes it a "message". Data of several lines becomes as many
// `data:` lines.
void append_sse(std::string& out, std::string_view id, std::string_view name,
                std::string_view data);
// Appends what only tells the client where it stands and how long to wait before it reconnects: no
// event comes of it. An empty id is left out.
void append_sse_position(std::string& out, std::string_view id, std::uint64_t retry_ms);
// Appends a `retry:` line, which belongs to the event that is appended next.
void append_sse_retry(std::string& out, std::uint64_t retry_ms);
// What keeps a silent stream alive: a comment, which clients pass over.
inline constexpr std::string_view sse_heartbeat = ":\n\n";

// ---- client role -----------------------------------------------------------------------------

struct SseEvent {
    std::string id;    // the last one told, by this event or an earlier one
    std::string name;  // "message" where none was told
    std::string data;
    friend bool operator==(const SseEvent&, const SseEvent&) = default;
};

class SseDecoder {
public:
    static constexpr std::size_t event_bytes_max = std::size_t{16} << 20;

    enum class Status : std::uint8_t {
        need_more,    // everything was taken
        event_ready,  // event() is whole; the rest of the bytes is to be offered again
        malformed,    // an event or a line beyond the bound; so is everything that follows
    };
    struct Step {
        Status status;
        std::size_t consumed;
    };

    explicit SseDecoder(std::size_t bytes_max = event_bytes_max) noexcept : bytes_max_(bytes_max) {}

    // Takes bytes up to the end of the next event, wherever they are cut.
    [[nodiscard]] Step feed(std::string_view bytes);
    // Valid after event_ready until the next feed().
    [[nodiscard]] const SseEvent& event() const noexcept { return event_; }
    // What to resume from after a disconnect: `Last-Event-ID`. Empty: nothing was told.
    [[nodiscard]] const std::string& last_id() const noexcept { return event_.id; }
    // The last `retry:` in milliseconds.
    [[nodiscard]] std::optional<std::uint64_t> retry_ms() const noexcept { return retry_ms_; }

private:
    // True where the line ends an event.
    [[nodiscard]] bool take_line(std::string_view line);
    void take_field(std::string_view name, std::string_view value);
    [[nodiscard]] bool too_large(std::size_t more) const noexcept;

    std::size_t bytes_max_;
    std::string line_;  // begun and not ended
    SseEvent event_;
    std::string id_;  // told since the last empty line: it counts from the next one on
    std::optional<std::uint64_t> retry_ms_;
    bool has_data_ = false;
    bool ready_ = false;
    bool after_cr_ = false;  // a line feed that comes next belongs to the line break before it
    bool first_line_ = true;
    bool malformed_ = false;
};

}  // namespace parley::protocol
