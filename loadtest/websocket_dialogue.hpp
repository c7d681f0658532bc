// WebSocketDialogue: the upgrade, the target's steps to subscribe, then frames.
//
// Path:     VirtualUser → [WebSocketDialogue] → VirtualUser's events; back: frames to send
// Runs on:  one load thread.
// Owned by: VirtualUser.
// Bounds:   WebSocketLine's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "loadtest/target_dialogue.hpp"
#include "loadtest/websocket_line.hpp"
#include "protocol/cursor.hpp"

namespace parley::load {

class WebSocketDialogue final : public TargetDialogue {
public:
    void open(const VirtualUser& user, bool resumes, std::string& out,
              UserContext& context) override;
    void receive(VirtualUser& user, std::span<char> bytes, std::int64_t now_ns, std::string& out,
                 UserContext& context) override;
    bool leave(std::string& out, UserContext& context) override;
    [[nodiscard]] bool may_come_back(const VirtualUser& user) const override;
    void prefetch() const noexcept override { line_.prefetch(); }

private:
    void say(std::string_view text, std::string& out, UserContext& context) override;
    void on_text(VirtualUser& user, std::string_view text, std::int64_t now_ns, std::string& out,
                 UserContext& context);
    void rejoin(const VirtualUser& user, std::string& out, UserContext& context);
    void on_joined_again(VirtualUser& user, std::string_view text, const protocol::Cursor& cursor,
                         std::int64_t now_ns, UserContext& context) const;
    void on_joining(VirtualUser& user, std::string_view text, std::int64_t now_ns, std::string& out,
                    UserContext& context);

    WebSocketLine line_;
    protocol::Epoch epoch_;  // of the room, once joined
};

}  // namespace parley::load
