// WebSocketLine: the upgrade and the frames of one WebSocket connection, client role (RFC 6455), for
// the dialogues that speak over it.
//
// Path:     WebSocketDialogue, SocketIoWebSocketDialogue → [WebSocketLine] → texts, frames to send
// Runs on:  one load thread.
// Owned by: a dialogue.
// Bounds:   an answer's head of 16 KiB; messages of 16 MiB (more fails the connection).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "loadtest/user_context.hpp"
#include "protocol/websocket_frame.hpp"

namespace parley::load {

class VirtualUser;

// A fresh Sec-WebSocket-Key.
[[nodiscard]] std::string make_websocket_key(Luck& luck);

inline constexpr std::size_t upgrade_head_bytes_max = 16384;

class WebSocketLine {
public:
    enum class Event : std::uint8_t {
        need_more,  // nothing for the dialogue; feed what was not consumed
        upgraded,   // frames may be sent
        text,       // text() is a whole message, be it binary()
    };
    struct Step {
        Event event;
        std::size_t consumed;
    };

    // Appends the upgrade's request.
    void open(std::string_view path, std::string_view subprotocol, std::string& out,
              UserContext& context);
    // Takes bytes up to the next event (they may be changed). Pings and the close are answered here,
    // and the user is told what ends the connection.
    [[nodiscard]] Step feed(VirtualUser& user, std::span<char> bytes, std::string& out,
                            UserContext& context);
    // Of the last event `text`; until the next feed().
    [[nodiscard]] std::string_view text() const noexcept { return text_; }
    [[nodiscard]] bool binary() const noexcept { return binary_; }
    // What the next feed() will look at, for whoever knows beforehand that it comes.
    void prefetch() const noexcept;

    static void append_text(std::string& out, std::string_view text, UserContext& context);
    static void append_binary(std::string& out, std::string_view bytes, UserContext& context);
    static void append_goodbye(std::string& out, UserContext& context);

private:
    [[nodiscard]] std::size_t take_plain_frame(std::span<const char> bytes);
    [[nodiscard]] Step take_head(VirtualUser& user, std::span<char> bytes, UserContext& context);

    std::optional<protocol::WebSocketDecoder> decoder_;  // once the upgrade is answered
    std::string_view text_;
    bool binary_ = false;
    std::string head_;  // of its answer while it is incomplete
    std::string key_;   // of the upgrade until it is answered
};

}  // namespace parley::load
