// ChatRestoring: what a chat's socket needs while it is taken up again where it was lost.
//
// Path:     ChatSocket alone
// Runs on:  its shard.
// Owned by: ChatSocket, until its rooms are joined.
// Bounds:   the rooms of one session, and what they retain.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/reply.hpp"
#include "transports/socketio/chat_socket.hpp"

namespace parley::transports {

struct ChatSocket::Restoring {
    std::string pid;
    // Held by who asks another shard for the state: whether the socket is still there.
    std::shared_ptr<ChatSocket*> alive;
    bool asking = false;
    core::LostSession state;
    std::optional<core::StreamPlace> last;  // that the client got
    std::vector<core::RoomStand> stands;
    std::vector<core::JoinedReply> joined;  // of those, in their order
    bool failed = false;

    [[nodiscard]] std::size_t missed_bytes() const noexcept {
        std::size_t sum = 0;
        for (const auto& room : joined) {
            for (const auto& message : room.history) sum += message->json().size();
        }
        return sum;
    }
};

// A name for a socket of that shard, or the private one by which it is taken up again.
[[nodiscard]] std::string new_id(std::uint32_t shard);

// The pushes that messages are kept as.
[[nodiscard]] std::vector<std::string_view> texts_of(
    const std::vector<core::RetainedPtr>& messages);

}  // namespace parley::transports
