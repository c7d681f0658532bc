// Target: how to speak to a server under test: where to connect, what to say to subscribe, what to
// say to publish, and how a delivery is recognised. `parley.v1` is built in; others come from a
// file.
//
// Path:     target file → [Target] → VirtualUser
// Runs on:  read at start; constant afterwards.
// Owned by: run().
// Bounds:   target_file_bytes_max.
#pragma once

#include <boost/system/result.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace parley::load {

// A value, or one line that says what was wrong and what was expected.
struct Problem {
    std::string text;
    bool incomplete = false;  // the run had begun, and a part of it was lost
};
template <typename T>
using Checked = boost::system::result<T, Problem>;

inline constexpr std::size_t target_file_bytes_max = 65536;

struct Target {
    struct Step {
        enum class Kind : std::uint8_t { send, expect };
        Kind kind;
        std::string text;
    };
    struct Reply {
        std::string match;  // a whole text frame
        std::string answer;
    };

    std::string name;
    std::string path;         // of the upgrade request, with its query; empty: the URL's
    std::string subprotocol;  // empty: none asked for
    std::vector<Step> steps;  // what to say and await, in order, before a user counts as ready
    std::string publish = "{payload}";
    // Where publishers POST what `publish` says over the senders' connections; empty: they send it
    // over their own WebSocket.
    std::string publish_http;
    bool binary = false;         // what is sent goes in binary frames
    std::string delivery;        // a substring that marks a delivery; empty: any frame with a stamp
    std::vector<Reply> replies;  // heartbeats
    bool echo = true;            // a publisher is sent its own messages too
    // A publisher POSTs, and has no word of its own.
    [[nodiscard]] bool posts() const noexcept { return !publish_http.empty(); }
    // Parley's own: deliveries are numbered by the server, with gaps announced.
    bool numbered = false;
    bool acknowledged = false;  // `publish` has an {ack}, which is answered (Socket.IO)
};

// `parley.v1` at the URL's path: name and room are given on the URL.
[[nodiscard]] Target parley_target(std::string_view url_path);

// Parley's Socket.IO chat: name and room are given on connecting.
[[nodiscard]] Target parley_socketio_target(std::string_view url_path = "/socket.io/");

// Reads `key=value` lines: path, subprotocol, frames, send, expect, publish, publish_http, delivery,
// reply, echo, name. Empty lines and lines that begin with '#' are skipped. Escapes are \n \r \t \\ and
// \xHH. An error names `file`, the line and what was expected.
[[nodiscard]] Checked<Target> parse_target(std::string_view text, std::string_view file);
[[nodiscard]] Checked<Target> load_target(const std::string& file);

struct Placeholders {
    std::string_view room;
    std::uint32_t id = 0;
    std::string_view payload;
    std::uint32_t ack = 0;  // the message's number
};
// Appends the text with {room}, {id}, {payload}, {payload_bytes} and {ack} filled in. {u16:TEXT} and
// {varint:TEXT} become the length of what TEXT is filled to, as 16 bits (big endian; TEXT holds no
// payload) or in groups of 7 bits (MQTT 3.1.1, 2.2.3), and what it is filled to behind it; they nest.
// Every other brace stays as it is. Constant work for each placeholder.
void append_filled(std::string& out, std::string_view text, const Placeholders& values);
// What is wrong with the groups of a text; empty: nothing.
[[nodiscard]] std::string groups_problem(std::string_view text);

}  // namespace parley::load
