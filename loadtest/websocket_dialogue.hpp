// WebSocketDialogue: the upgrade, the target's steps to subscribe, then frames (RFC 6455).
//
// Path:     VirtualUser → [WebSocketDialogue] → VirtualUser's events; back: frames to send
// Runs on:  one load thread.
// Owned by: VirtualUser.
// Bounds:   an answer's head of 16 KiB; messages of 16 MiB (more fails the connection).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "loadtest/dialogue.hpp"
#include "protocol/websocket_frame.hpp"

namespace parley::load {

// A fresh Sec-WebSocket-Key.
[[nodiscard]] std::string make_websocket_key(Luck& luck);

inline constexpr std::size_t upgrade_head_bytes_max = 16384;

class WebSocketDialogue final : public Dialogue {
public:
    void open(const VirtualUser& user, bool resumes, std::string& out,
              UserContext& context) override;
    void receive(VirtualUser& user, std::span<char> bytes, std::int64_t now_ns, std::string& out,
                 UserContext& context) override;
    void publish(const Stamp& message, std::string& out, UserContext& context) override;
    bool leave(std::string& out, UserContext& context) override;

private:
    std::span<char> take_head(VirtualUser& user, std::span<char> bytes, std::int64_t now_ns,
                              std::string& out, UserContext& context);
    void take_steps(VirtualUser& user, std::int64_t now_ns, std::string& out, UserContext& context);
    void on_event(VirtualUser& user, const protocol::WebSocketDecoder::Step& step,
                  std::int64_t now_ns, std::string& out, UserContext& context);
    void on_text(VirtualUser& user, std::string_view text, std::int64_t now_ns, std::string& out,
                 UserContext& context);
    void on_joining(VirtualUser& user, std::string_view text, std::int64_t now_ns, std::string& out,
                    UserContext& context);

    std::optional<protocol::WebSocketDecoder> decoder_;  // once the upgrade is answered
    std::string head_;                                   // of its answer while it is incomplete
    std::string key_;                                    // of the upgrade until it is answered
    std::uint32_t step_ = 0;
};

}  // namespace parley::load
