// ChatServer: rooms over WebSocket, SSE, long-poll, POST and Socket.IO on an ephemeral loopback port,
// plain or with TLS, in a thread of the test. It treats one chosen delivery, or every POST, badly when told.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
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
#include "loadtest/socketio_face.hpp"
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

class ChatServer final : private ChatHall {
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
                if (!m->fd.open()) socketio_.on_closed(*m);
                return !m->fd.open();
            });
            if (waiting[1].revents != 0) accept();
        }
    }

    void accept() {
        accepted_.fetch_add(1, std::memory_order_relaxed);
        auto member = std::make_unique<ChatMember>();
        member->fd = FileDescriptor(
            ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        const int at_once = 1;
        ::setsockopt(member->fd.get(), IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
        if (tls_) {
            member->ssl.reset(::SSL_new(tls_.get()));
            ::SSL_set_fd(member->ssl.get(), member->fd.get());
            ::SSL_set_accept_state(member->ssl.get());
        }
        members_.push_back(std::move(member));
    }

    void read(ChatMember& member) {
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

    void take_frames(ChatMember& member, std::span<char> bytes) {
        while (!bytes.empty() && member.fd.open()) {
            const auto step = member.decoder->feed(bytes);
            bytes = bytes.subspan(step.consumed);
            using Event = protocol::WebSocketDecoder::Event;
            if (step.event == Event::message && member.transport == Transport::socketio) {
                socketio_.on_packet(member, std::string(member.decoder->payload()));
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
    bool take_request(ChatMember& member) {
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

    void on_request(ChatMember& member, const std::string& head, const std::string& path,
                    const std::string& body) {
        if (path == "/healthz") return answer(member, 200, R"({"status":"ok"})");
        if (path.starts_with("/ws")) return upgrade(member, head, between(path, "room=", '&'));
        if (path.starts_with("/socket.io/")) return socketio_.on_request(member, head, path, body);
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

    void listen(ChatMember& member, Transport transport, const std::string& room) override {
        member.transport = transport;
        member.room = room;
        if (config_.mischief != Mischief::none && transport == config_.victim && !victim_found_) {
            victim_found_ = member.victim = true;
        }
    }

    void upgrade(ChatMember& member, const std::string& head, const std::string& room) {
        accept_upgrade(member, head, "Sec-WebSocket-Protocol: parley.v1\r\n");
        listen(member, Transport::websocket, room);
        protocol::Joined joined;
        joined.room = room;
        joined.cursor = {*protocol::Epoch::parse("e1"), last(room)};
        std::string json;
        protocol::append_server_frame(json, {{}, joined});
        write(member, text_frame(json));
    }

    std::uint64_t publish(const std::string& room, const std::string& text) override {
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
        for (ChatMember* const session : socketio_.sessions_in(room)) deliver(*session, json);
        return log.size();
    }

    void deliver(ChatMember& member, const std::string& json) {
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
        if (member.transport == Transport::socketio_polling) socketio_.answer_poll(member);
    }

    void send(ChatMember& member, const std::string& json) {
        switch (member.transport) {
            case Transport::websocket:
                return write(member, text_frame(json));
            case Transport::sse: {
                std::string event;
                protocol::append_sse(event, between(json, R"("cursor":")", '"'), "message", json);
                return write(member, chunk(event));
            }
            case Transport::longpoll:
                member.waiting.push_back(json);
                return;
            case Transport::socketio:
            case Transport::socketio_polling:
                return SocketIoFace::push(member, json);
            case Transport::rest:
                return;
        }
    }

    void answer_poll(ChatMember& member) {
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

    void answer(ChatMember& member, unsigned status, const std::string& body) override {
        const bool last_one = config_.answers_max != 0 && ++member.answers >= config_.answers_max;
        write(member, "HTTP/1.1 " + std::to_string(status) +
                          " x\r\nContent-Length: " + std::to_string(body.size()) +
                          (last_one ? "\r\nConnection: close\r\n\r\n" : "\r\n\r\n") + body);
        if (last_one) member.fd.reset();
    }

    static std::string chunk(const std::string& bytes) {
        std::array<char, 16> size{};
        std::snprintf(size.data(), size.size(), "%zx\r\n", bytes.size());
        return size.data() + bytes + "\r\n";
    }
    [[nodiscard]] const std::vector<std::string>& said_in(const std::string& room) override {
        return rooms_[room];
    }
    [[nodiscard]] bool refuses() const override { return config_.post_status != 201; }
    [[nodiscard]] std::uint64_t last(const std::string& room) { return rooms_[room].size(); }

    ChatServerConfig config_;
    std::unique_ptr<SSL_CTX, FreeSsl> tls_;
    const unsigned char session_context_ = 1;
    FileDescriptor listener_;
    FileDescriptor stop_;
    std::uint16_t port_ = 0;
    std::atomic<int> accepted_{0};
    bool victim_found_ = false;
    std::vector<std::unique_ptr<ChatMember>> members_;
    std::map<std::string, std::vector<std::string>> rooms_;
    SocketIoFace socketio_{*this};
    std::thread thread_;
};

}  // namespace parley::load
