// ChatOpening: what is known of a socket of the chat when it connects: who, where to, and whether it
// may be recovered.
//
// Path:     SocketIoConnection → [ChatOpening] → ChatSocket
// Runs on:  its shard; pure functions.
// Owned by: ChatSocket, until it is open.
// Bounds:   a CONNECT comes bounded by maxPayload, a query by http.target_bytes.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/errc.hpp"
#include "core/user.hpp"
#include "protocol/socketio_chat.hpp"
#include "transports/socketio/engine_handler.hpp"

namespace parley::transports {

class ChatSocket;

struct ChatOpening {
    std::string address;
    std::optional<std::string> name;
    std::optional<std::string> room;
    bool offsets = true;  // it can take them
    std::optional<std::string> pid;
    std::optional<std::string> offset;
    std::string token;       // empty: it shows none
    bool by_cookie = false;  // which its browser sent along, and nobody said
    core::UserPtr user{};    // whoever that is of, once it is known
    // Held while that is asked for: whether the socket is still there.
    std::shared_ptr<ChatSocket*> alive{};

    struct Refusal {
        core::errc code;
        std::string message;
    };
    std::optional<Refusal> refusal;
};

// Reads CONNECT's payload first, and the query of the request that opened the connection for what
// is not in it: username or name, room, token, and recovery (0 or false: it wants no offsets).
[[nodiscard]] ChatOpening read_chat_opening(std::string_view auth, const EngineOpening& opening,
                                            std::size_t name_bytes_max);

}  // namespace parley::transports
