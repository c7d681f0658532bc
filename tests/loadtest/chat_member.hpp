// ChatMember: a connection to the tests' ChatServer, or a session that polls over several, and how
// it is written to.
#pragma once

#include <openssl/ssl.h>
#include <sys/socket.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "loadtest/file_descriptor.hpp"
#include "loadtest/tls_context.hpp"
#include "loadtest/transport.hpp"
#include "protocol/websocket_frame.hpp"
#include "protocol/websocket_handshake.hpp"

namespace parley::load {

struct ChatMember {
    FileDescriptor fd;
    SslPointer ssl;
    std::string in;
    std::string room;  // of those who listen
    Transport transport = Transport::rest;
    std::unique_ptr<protocol::WebSocketDecoder> decoder;
    bool polling = false;
    bool victim = false;
    int deliveries = 0;
    int answers = 0;
    std::string held_back;
    std::vector<std::string> waiting;  // for the next poll
    std::string sid;                   // of the session that it polls for
    ChatMember* poll = nullptr;        // of a session: the connection whose poll waits
    bool gone = false;                 // of a session
    std::uint64_t cursor = 0;
};

// What of the server its faces use.
class ChatHall {
public:
    // Returns the offset.
    virtual std::uint64_t publish(const std::string& room, const std::string& text) = 0;
    // The room's messages, as JSON of parley.v1.
    [[nodiscard]] virtual const std::vector<std::string>& said_in(const std::string& room) = 0;
    // From now on the member is sent what is said in the room.
    virtual void listen(ChatMember& member, Transport transport, const std::string& room) = 0;
    virtual void answer(ChatMember& member, unsigned status, const std::string& body) = 0;
    // Messages are to be refused.
    [[nodiscard]] virtual bool refuses() const = 0;

protected:
    ~ChatHall() = default;
};

inline void write(ChatMember& member, const std::string& bytes) {
    if (member.ssl) {
        (void)::SSL_write(member.ssl.get(), bytes.data(), static_cast<int>(bytes.size()));
    } else {
        (void)::send(member.fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    }
}

inline std::string text_frame(const std::string& text) {
    std::string bytes;
    protocol::append_frame(bytes, protocol::Opcode::text, text);
    return bytes;
}

// `more`: header lines of the answer.
inline void accept_upgrade(ChatMember& member, const std::string& head, const std::string& more) {
    static const protocol::WebSocketDecoderConfig decoder;
    member.decoder = std::make_unique<protocol::WebSocketDecoder>(decoder);
    write(member,
          "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
              more + "Sec-WebSocket-Accept: " +
              protocol::accept_for_key(protocol::head_field(head, "Sec-WebSocket-Key")) +
              "\r\n\r\n");
}

// What stands between the first `from` and the next `to`; empty where there is no `from`.
inline std::string between(const std::string& text, const std::string& from, char to) {
    const std::size_t at = text.find(from);
    if (at == std::string::npos) return {};
    const std::string rest = text.substr(at + from.size());
    return rest.substr(0, rest.find(to));
}

}  // namespace parley::load
