// ChatServer: rooms over WebSocket, SSE, long-poll, POST and Socket.IO on an ephemeral loopback port,
// plain or with TLS, in a thread of the test. It treats one chosen delivery, or every POST, badly when told.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "loadtest/broadcast_server.hpp"
#include "loadtest/socketio_packets.hpp"
#include "loadtest/test_certificate.hpp"
#include "loadtest/tls_context.hpp"
#include "loadtest/transport.hpp"
#include "protocol/json_codec.hpp"
#include "protocol/sse.hpp"

namespace parley::load {

struct ChatServerConfig {
    Mischief mischief = Mischief::none;
    Transport victim = Transport::websocket;  // the first connection of it is treated badly
    unsigned post_status = 201;
    int answers_max = 0;  // of a connection, which is then closed; 0: no bound
    const TestCertificate* tls = nullptr;
};

class ChatServer {
public:
    explicit ChatServer(const ChatServerConfig& config)
        : config_(config),
          listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
          stop_(::eventfd(0, EFD_CLOEXEC)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* const generic = reinterpret_cast<sockaddr*>(&address);
        if (::bind(listener_.get(), generic, size) == 0 && ::listen(listener_.get(), 128) == 0 &&
            ::getsockname(listener_.get(), generic, &size) == 0) {
            port_ = ntohs(address.sin_port);
        }
        if (config.tls != nullptr) {
            tls_.reset(::SSL_CTX_new(::TLS_server_method()));
            config.tls->use_in(tls_.get());
            ::SSL_CTX_set_session_id_context(tls_.get(), &session_context_, 1);
        }
        thread_ = std::thread([this] { serve(); });
    }
    ~ChatServer() {
        ::eventfd_write(stop_.get(), 1);
        thread_.join();
    }
    ChatServer(const ChatServer&) = delete;
    ChatServer& operator=(const ChatServer&) = delete;

    [[nodiscard]] std::uint16_t port() const { return port_; }
    // Connections so far; from any thread.
    [[nodiscard]] int accepted() const { return accepted_.load(std::memory_order_relaxed); }

private:
    struct Member {
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
        Member* poll = nullptr;            // of a session that polls: who waits
        bool gone = false;
        std::uint64_t cursor = 0;
    };

    void serve() {
        for (;;) {
            std::vector<pollfd> waiting{{stop_.get(), POLLIN, 0}, {listener_.get(), POLLIN, 0}};
            for (const auto& member : members_) waiting.push_back({member->fd.get(), POLLIN, 0});
            ::poll(waiting.data(), waiting.size(), -1);
            if (waiting[0].revents != 0) return;
            for (std::size_t i = 2; i < waiting.size(); ++i) {
                if (waiting[i].revents != 0) read(*members_[i - 2]);
            }
            std::erase_if(members_, [this](const auto& m) {
                if (!m->fd.open()) abort_poll(*m);
                return !m->fd.open();
            });
            if (waiting[1].revents != 0) accept();
        }
    }

    void accept() {
        accepted_.fetch_add(1, std::memory_order_relaxed);
        auto member = std::make_unique<Member>();
        member->fd = FileDescriptor(
            ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (tls_) {
            member->ssl.reset(::SSL_new(tls_.get()));
            ::SSL_set_fd(member->ssl.get(), member->fd.get());
            ::SSL_set_accept_state(member->ssl.get());
        }
        members_.push_back(std::move(member));
    }

    void read(Member& member) {
        std::array<char, 65536> buffer;
        while (member.fd.open()) {
            ssize_t got = 0;
            bool again = false;
            if (member.ssl) {
                got = ::SSL_read(member.ssl.get(), buffer.data(), buffer.size());
                const int why = ::SSL_get_error(member.ssl.get(), static_cast<int>(got));
                again = why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE;
            } else {
                got = ::recv(member.fd.get(), buffer.data(), buffer.size(), 0);
                again = got < 0 && errno == EAGAIN;
            }
            if (got <= 0) {
                if (!again) member.fd.reset();
                return;
            }
            const std::span<char> bytes(buffer.data(), static_cast<std::size_t>(got));
            if (member.decoder) {
                take_frames(member, bytes);
            } else {
                member.in.append(bytes.data(), bytes.size());
                while (member.fd.open() && take_request(member)) {
                }
            }
        }
    }

    void take_frames(Member& member, std::span<char> bytes) {
        while (!bytes.empty() && member.fd.open()) {
            const auto step = member.decoder->feed(bytes);
            bytes = bytes.subspan(step.consumed);
            using Event = protocol::WebSocketDecoder::Event;
            if (step.event == Event::message && member.transport == Transport::socketio) {
                on_packet(member, std::string(member.decoder->payload()));
            } else if (step.event == Event::message) {
                const auto command = protocol::decode_command(member.decoder->payload());
                const auto& send = std::get<protocol::Send>(command->command);
                publish(send.room, send.body.content);
            } else if (step.event != Event::need_more) {
                std::string close;
                protocol::append_close_frame(close, 1000, {});
                write(member, close);
                member.fd.reset();
            }
        }
    }

    // True where there may be another one.
    bool take_request(Member& member) {
        const std::size_t end = member.in.find("\r\n\r\n");
        if (end == std::string::npos) return false;
        const std::string head = member.in.substr(0, end + 4);
        std::size_t length = 0;
        if (const std::string value = protocol::head_field(head, "Content-Length");
            !value.empty()) {
            length = std::stoul(value);
        }
        if (member.in.size() < head.size() + length) return false;
        const std::string body = member.in.substr(head.size(), length);
        member.in.erase(0, head.size() + length);
        const std::string path =
            head.substr(head.find(' ') + 1, head.find(' ', 5) - head.find(' ') - 1);
        on_request(member, head, path, body);
        return !member.in.empty();
    }

    static std::string between(const std::string& text, const std::string& from, char to) {
        const std::size_t at = text.find(from);
        if (at == std::string::npos) return {};
        const std::string rest = text.substr(at + from.size());
        return rest.substr(0, rest.find(to));
    }

    void on_request(Member& member, const std::string& head, const std::string& path,
                    const std::string& body) {
        if (path == "/healthz") return answer(member, 200, R"({"status":"ok"})");
        if (path.starts_with("/ws")) return upgrade(member, head, between(path, "room=", '&'));
        if (path.starts_with("/socket.io/")) return on_engine(member, head, path, body);
        const std::string room = between(path, "/rooms/", '/');
        if (head.starts_with("POST ")) {
            if (config_.post_status != 201) {
                return answer(member, config_.post_status, R"({"code":"rate_limited"})");
            }
            const std::uint64_t offset = publish(room, between(body, R"("text":")", '"'));
            return answer(member, 201, "{\"offset\":" + std::to_string(offset) + "}");
        }
        if (path.find("/events") != std::string::npos) {
            listen(member, Transport::sse, room);
            std::string events;
            protocol::append_sse_position(events, "e1:" + std::to_string(last(room)), 1000);
            write(member,
                  "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                  "Transfer-Encoding: chunked\r\n\r\n" +
                      chunk(events));
            return;
        }
        if (path.find("since=") == std::string::npos) {
            return answer(member, 200, page(room, last(room), {}));
        }
        if (member.transport != Transport::longpoll) {
            listen(member, Transport::longpoll, room);
            // What came between this connection's cursor and now.
            const std::uint64_t since = std::stoull(between(path, "since=e1:", '&'));
            for (std::uint64_t n = since; n < rooms_[room].size(); ++n) {
                member.waiting.push_back(rooms_[room][n]);
            }
        }
        member.polling = true;
        answer_poll(member);
    }

    void listen(Member& member, Transport transport, const std::string& room) {
        member.transport = transport;
        member.room = room;
        if (config_.mischief != Mischief::none && transport == config_.victim && !victim_found_) {
            victim_found_ = member.victim = true;
        }
    }

    // ---- Socket.IO -------------------------------------------------------------------------------

    void on_engine(Member& member, const std::string& head, const std::string& path,
                   const std::string& body) {
        if (path.find("transport=websocket") != std::string::npos) {
            accept_upgrade(member, head, {});
            member.transport = Transport::socketio;
            return say(member, engine_open("w"));
        }
        const std::string sid = between(path, "sid=", '&');
        if (sid.empty()) {
            const std::string fresh = "s" + std::to_string(sessions_.size());
            sessions_[fresh] = std::make_unique<Member>();
            sessions_[fresh]->transport = Transport::socketio_polling;
            return answer(member, 200, engine_open(fresh));
        }
        const auto found = sessions_.find(sid);
        if (found == sessions_.end() || found->second->gone) {
            return answer(member, 400, R"({"code":1,"message":"Session ID unknown"})");
        }
        Member& session = *found->second;
        if (head.starts_with("POST ")) {
            for (std::size_t at = 0; at < body.size();) {
                const std::size_t end = std::min(body.find('\x1e', at), body.size());
                on_packet(session, body.substr(at, end - at));
                at = end + 1;
            }
            return answer(member, 200, "ok");
        }
        member.sid = sid;
        session.poll = &member;
        answer_packets(session);
    }

    void on_packet(Member& member, const std::string& packet) {
        if (packet.starts_with("40{")) {
            const std::string room = between(packet, R"("room":")", '"');
            say(member, R"(40{"sid":"y"})");
            std::string history;
            for (const std::string& json : rooms_[room]) {
                history += (history.empty() ? "" : ",") + message_of(json);
            }
            say(member, R"(42["message_history",[)" + history + "]]");
            listen(member, member.transport, room);
        } else if (packet.starts_with("42")) {
            const std::string id = between(packet, "42", '[');
            if (config_.post_status != 201) {
                return say(member, "43" + id + R"([{"error":{"code":"rate_limited"}}])");
            }
            const std::uint64_t offset =
                publish(between(packet, R"("room":")", '"'), between(packet, R"("text":")", '"'));
            say(member, "43" + id + R"([{"room":"r","offset":)" + std::to_string(offset) + "}]");
        }
    }

    void say(Member& member, const std::string& packet) {
        if (member.transport == Transport::socketio) return write(member, frame(packet));
        member.waiting.push_back(packet);
        answer_packets(member);
    }

    void answer_packets(Member& session) {
        if (session.poll == nullptr || session.waiting.empty()) return;
        std::string body;
        for (const std::string& packet : std::exchange(session.waiting, {})) {
            body += (body.empty() ? "" : "\x1e") + packet;
        }
        answer(*std::exchange(session.poll, nullptr), 200, body);
    }

    // Whose poll ends without an answer is gone.
    void abort_poll(const Member& member) {
        const auto found = sessions_.find(member.sid);
        if (found == sessions_.end() || found->second->poll != &member) return;
        found->second->poll = nullptr;
        found->second->gone = true;
    }

    static std::string message_of(const std::string& json) {
        return socketio_message(between(json, R"("room":")", '"'), offset_of(json),
                                between(json, R"("text":")", '"'));
    }
    static std::uint64_t offset_of(const std::string& json) {
        return std::stoull(between(json, R"("offset":)", ','));
    }

    // ---- WebSocket -------------------------------------------------------------------------------

    void accept_upgrade(Member& member, const std::string& head, const std::string& more) {
        member.decoder = std::make_unique<protocol::WebSocketDecoder>(decoder_);
        write(member,
              "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
                  more + "Sec-WebSocket-Accept: " +
                  protocol::accept_for_key(protocol::head_field(head, "Sec-WebSocket-Key")) +
                  "\r\n\r\n");
    }

    void upgrade(Member& member, const std::string& head, const std::string& room) {
        accept_upgrade(member, head, "Sec-WebSocket-Protocol: parley.v1\r\n");
        listen(member, Transport::websocket, room);
        protocol::Joined joined;
        joined.room = room;
        joined.cursor = {*protocol::Epoch::parse("e1"), last(room)};
        std::string json;
        protocol::append_server_frame(json, {{}, joined});
        write(member, frame(json));
    }

    std::uint64_t publish(const std::string& room, const std::string& text) {
        std::vector<std::string>& log = rooms_[room];
        protocol::Message message;
        message.room = room;
        message.cursor = {*protocol::Epoch::parse("e1"), log.size() + 1};
        message.from = {"1", "u"};
        message.body.content = text;
        message.at = "2026-01-01T00:00:00.000Z";
        std::string json;
        protocol::append_message(json, message);
        log.push_back(json);
        for (const auto& member : members_) {
            if (member->fd.open() && member->room == room) deliver(*member, json);
        }
        for (const auto& [sid, session] : sessions_) {
            if (!session->gone && session->room == room) deliver(*session, json);
        }
        return log.size();
    }

    void deliver(Member& member, const std::string& json) {
        constexpr int spoiled_delivery = 3;
        const bool spoil = ++member.deliveries == spoiled_delivery && member.victim;
        if (spoil && config_.mischief == Mischief::hang_up) {
            member.fd.reset();
            member.gone = true;
            if (member.poll != nullptr) member.poll->fd.reset();
        } else if (spoil && config_.mischief == Mischief::reorder) {
            member.held_back = json;
        } else if (!spoil || config_.mischief != Mischief::drop) {
            send(member, json);
            if (spoil && config_.mischief == Mischief::duplicate) send(member, json);
            if (!member.held_back.empty()) send(member, std::exchange(member.held_back, {}));
        }
        if (member.transport == Transport::longpoll) answer_poll(member);
        if (!member.gone) answer_packets(member);
    }

    void send(Member& member, const std::string& json) {
        switch (member.transport) {
            case Transport::websocket:
                return write(member, frame(json));
            case Transport::sse: {
                std::string event;
                protocol::append_sse(event, between(json, R"("cursor":")", '"'), "message", json);
                return write(member, chunk(event));
            }
            case Transport::longpoll:
                member.waiting.push_back(json);
                return;
            case Transport::socketio:
                return write(member, frame(socketio_event(message_of(json), offset_of(json))));
            case Transport::socketio_polling:
                member.waiting.push_back(socketio_event(message_of(json), offset_of(json)));
                return;
            case Transport::rest:
                return;
        }
    }

    void answer_poll(Member& member) {
        if (!member.polling || member.waiting.empty()) return;
        member.polling = false;
        answer(member, 200,
               page(member.room, last(member.room), std::exchange(member.waiting, {})));
    }

    static std::string page(const std::string& room, std::uint64_t cursor,
                            const std::vector<std::string>& messages) {
        std::string json = R"({"room":")" + room + R"(","cursor":"e1:)" + std::to_string(cursor) +
                           R"(","recovered":true,"messages":[)";
        for (const std::string& message : messages) {
            if (json.back() != '[') json += ',';
            json += message;
        }
        return json + R"(],"more":false})";
    }

    void answer(Member& member, unsigned status, const std::string& body) {
        const bool last_one = config_.answers_max != 0 && ++member.answers >= config_.answers_max;
        write(member, "HTTP/1.1 " + std::to_string(status) +
                          " x\r\nContent-Length: " + std::to_string(body.size()) +
                          (last_one ? "\r\nConnection: close\r\n\r\n" : "\r\n\r\n") + body);
        if (last_one) member.fd.reset();
    }

    static std::string frame(const std::string& json) {
        std::string bytes;
        protocol::append_frame(bytes, protocol::Opcode::text, json);
        return bytes;
    }
    static std::string chunk(const std::string& bytes) {
        std::array<char, 16> size{};
        std::snprintf(size.data(), size.size(), "%zx\r\n", bytes.size());
        return size.data() + bytes + "\r\n";
    }
    [[nodiscard]] std::uint64_t last(const std::string& room) { return rooms_[room].size(); }

    static void write(Member& member, const std::string& bytes) {
        if (member.ssl) {
            (void)::SSL_write(member.ssl.get(), bytes.data(), static_cast<int>(bytes.size()));
        } else {
            (void)::send(member.fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        }
    }

    ChatServerConfig config_;
    protocol::WebSocketDecoderConfig decoder_;
    std::unique_ptr<SSL_CTX, FreeSsl> tls_;
    const unsigned char session_context_ = 1;
    FileDescriptor listener_;
    FileDescriptor stop_;
    std::uint16_t port_ = 0;
    std::atomic<int> accepted_{0};
    bool victim_found_ = false;
    std::vector<std::unique_ptr<Member>> members_;
    std::map<std::string, std::unique_ptr<Member>> sessions_;  // of Socket.IO that poll
    std::map<std::string, std::vector<std::string>> rooms_;
    std::thread thread_;
};

}  // namespace parley::load
