// The frontends of the server, in the order in which they are asked whose a request is.
//
// Path:     Gate → [frontends] → Frontend
// Runs on:  any thread; constants.
// Owned by: nobody.
// Bounds:   these.
#pragma once

#include <memory>
#include <span>

#include "transports/frontend.hpp"

namespace parley::transports {

// `/ws`: WebSocket, subprotocol parley.v1 (protocol.md, section 3).
[[nodiscard]] std::unique_ptr<Frontend> make_websocket_frontend(Gate& gate);
// `/socket.io/`: the chat over Socket.IO (protocol.md, section 5).
[[nodiscard]] std::unique_ptr<Frontend> make_socketio_frontend(Gate& gate);
// `/api/v1/rooms/{room}/messages?wait=`: long-poll (protocol.md, section 4.1).
[[nodiscard]] std::unique_ptr<Frontend> make_longpoll_frontend(Gate& gate);
// `/api/v1/rooms/{room}/events`: Server-Sent Events (protocol.md, section 4.1).
[[nodiscard]] std::unique_ptr<Frontend> make_sse_frontend(Gate& gate);
// `/api/v1/accounts`, `/api/v1/session`, `/api/v1/account/`: accounts.
[[nodiscard]] std::unique_ptr<Frontend> make_account_frontend(Gate& gate);
// `/api/v1/rooms/{room}/files`, `/api/v1/files/{id}`: files (docs/api.md).
[[nodiscard]] std::unique_ptr<Frontend> make_files_frontend(Gate& gate);
// `/api/`: REST (protocol.md, section 4). Behind those that own single paths below it.
[[nodiscard]] std::unique_ptr<Frontend> make_rest_frontend(Gate& gate);
// `/healthz`: whether to send sessions here.
[[nodiscard]] std::unique_ptr<Frontend> make_health_frontend(Gate& gate);
// `/`: the web chat.
[[nodiscard]] std::unique_ptr<Frontend> make_static_files_frontend(Gate& gate);

template <std::size_t n>
[[nodiscard]] constexpr bool names_are_unique(const FrontendEntry (&entries)[n]) {
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = i + 1; j < n; ++j) {
            if (entries[i].name == entries[j].name) return false;
        }
    }
    return true;
}

inline constexpr FrontendEntry frontends[] = {
    {"websocket", &make_websocket_frontend},
    {"socketio", &make_socketio_frontend},
    {"longpoll", &make_longpoll_frontend},
    {"sse", &make_sse_frontend},
    {"files", &make_files_frontend},
    {"accounts", &make_account_frontend},
    {"rest", &make_rest_frontend},
    {"health", &make_health_frontend},
    {"static_files", &make_static_files_frontend},
};
static_assert(names_are_unique(frontends));

}  // namespace parley::transports
