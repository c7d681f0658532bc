// How publications look to the chat's sockets: WebSocket frames of Socket.IO events, two formats a
// namespace: with offsets, for clients that may be recovered, and without.
//
// Path:     Publication → [chat_format] → Frame
// Runs on:  any thread; constants once made.
// Owned by: ChatContext, one set a shard: all of them encode alike.
// Bounds:   limits::socketio_namespaces_max namespaces.
#pragma once

#include <array>
#include <deque>
#include <string_view>

#include "core/limits.hpp"
#include "core/transport.hpp"
#include "protocol/socketio_chat.hpp"

namespace parley::transports {

// The first slot of core::limits::wire_formats_max that is Socket.IO's; the last ones are.
inline constexpr std::uint8_t chat_format_slot = 6;
static_assert(chat_format_slot + 2 * core::limits::socketio_namespaces_max ==
              core::limits::wire_formats_max);

struct ChatFormat : core::WireFormat {
    const protocol::ChatNamespace* name_space;
    protocol::ChatVoice voice;
};

// A namespace and its two formats.
class ChatSpace {
public:
    ChatSpace(protocol::ChatNamespace names, std::uint8_t slot,
              const protocol::SocketIoChatConfig& config, std::uint32_t attachments_max);
    ChatSpace(const ChatSpace&) = delete;
    ChatSpace& operator=(const ChatSpace&) = delete;

    [[nodiscard]] const std::string& name() const noexcept { return names_.name; }
    [[nodiscard]] const std::string& prefix() const noexcept { return names_.prefix; }
    [[nodiscard]] const core::TransportTraits& traits(bool offsets) const noexcept {
        return traits_[offsets ? 1 : 0];
    }
    [[nodiscard]] const protocol::ChatVoice& voice(bool offsets) const noexcept {
        return formats_[offsets ? 1 : 0].voice;
    }

private:
    protocol::ChatNamespace names_;
    std::array<ChatFormat, 2> formats_;
    std::array<core::TransportTraits, 2> traits_;
};

// The namespaces of a configuration, "/" first; they stay where they are.
[[nodiscard]] std::deque<ChatSpace> make_chat_spaces(const protocol::SocketIoChatConfig& config,
                                                     std::uint32_t attachments_max);

}  // namespace parley::transports
