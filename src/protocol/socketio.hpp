// socketio: Socket.IO v5 packets as Engine.IO messages, and binary ones put together from their
// attachments (Socket.IO protocol, revision 5).
//
// Path:     EngineSession → [socketio] → SocketIoConnection, and back
// Runs on:  any thread; sans-I/O.
// Owned by: SocketIoConnection.
// Bounds:   attachments_max a packet; attachment_bytes_max of them together; ids below 2^53;
//           namespace_bytes_max; nesting by check_json().
#pragma once

#include <boost/system/result.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace parley::protocol {

// By the digit on the wire.
enum class SocketType : std::uint8_t {
    connect,
    disconnect,
    event,
    ack,
    connect_error,
    binary_event,
    binary_ack,
};

inline constexpr std::size_t namespace_bytes_max = 128;
// The largest number that every client can hold exactly (2^53 - 1).
inline constexpr std::uint64_t socket_id_max = 9'007'199'254'740'991;

struct SocketPacket {
    SocketType type = SocketType::event;
    std::uint32_t attachments = 0;         // to come behind a binary packet
    std::string_view name_space = "/";     // without a query
    std::optional<std::uint64_t> id = {};  // of an event that wants an ack, and of that ack
    std::string_view json = {};            // as it is written; empty: none
};

// Reads the text of one packet by the grammar `<type>[<n>-][<namespace>,][<id>][<json>]`, or says
// what is wrong with it. Checked: the digits and ranges of all numbers (no leading zeros), that the
// JSON is what its type calls for (CONNECT: an object or nothing; events: an array that begins with
// a name that is not reserved; acks: an array, and an id; CONNECT_ERROR: an object or a string;
// DISCONNECT: nothing), and that placeholders of a binary packet each name one of its attachments
// by a whole number. In other packets what looks like a placeholder is plain data. Takes time
// linear in the text; serves clients and servers alike.
[[nodiscard]] boost::system::result<SocketPacket, std::string> decode_socket_packet(
    std::string_view text, std::uint32_t attachments_max);

// Appends the text of a packet. `json` is compact already.
void append_socket_packet(std::string& out, const SocketPacket& packet);

// True for events that clients raise themselves: from a peer they would feign what has not happened,
// and end its connection.
[[nodiscard]] bool is_raised_by_clients(std::string_view event) noexcept;

// The name of an event: the first element of its array, unescaped where it is a string, as it is
// written where it is a number.
[[nodiscard]] std::string event_name(std::string_view args);

// Which attachment an object of a binary packet's JSON stands for: `{"_placeholder":true,"num":n}`
// as a client may write it. Nothing where it is no placeholder. `value` has passed
// decode_socket_packet().
[[nodiscard]] std::optional<std::uint32_t> placeholder_num(std::string_view value);
// Appends the placeholder of an attachment.
void append_placeholder(std::string& out, std::uint32_t num);

// Packets from Engine.IO messages, binary ones with their attachments behind them. A packet whose
// attachments are still to come is kept; text meanwhile is an error, and so is binary at any other
// time. After an error it is of no further use.
class SocketDecoder {
public:
    struct Limits {
        std::uint32_t attachments_max = 10;
        std::size_t attachment_bytes_max = 1'000'000;
    };
    enum class Step : std::uint8_t { packet, need_more, failed };

    explicit SocketDecoder(const Limits& limits) noexcept : limits_(&limits) {}

    // `limits` must outlive it.
    [[nodiscard]] Step feed_text(std::string_view text);
    [[nodiscard]] Step feed_binary(std::string_view bytes);

    // After `packet`, until the next feed and as long as the text of feed_text().
    [[nodiscard]] const SocketPacket& packet() const noexcept { return packet_; }
    [[nodiscard]] std::span<const std::string> attachments() const noexcept;
    // After `failed`: what was wrong.
    [[nodiscard]] const std::string& error() const noexcept { return error_; }
    // A binary packet has begun, and some of its attachments are still to come.
    [[nodiscard]] bool assembling() const noexcept { return missing_ > 0; }

private:
    // What a binary packet needs until it is whole; most connections never see one.
    struct Assembly {
        std::string head;  // which packet_ points into
        std::vector<std::string> attachments;
        std::size_t attachment_bytes = 0;
    };

    Step fail(std::string what);

    const Limits* limits_;
    SocketPacket packet_;
    std::unique_ptr<Assembly> assembly_;
    std::uint32_t missing_ = 0;
    std::string error_;
};

}  // namespace parley::protocol
