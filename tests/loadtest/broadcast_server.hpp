// BroadcastServer: a small echo-broadcast server on an ephemeral loopback port, in a thread of the
// test, that treats one chosen delivery badly when it is told to.
#pragma once

#include <arpa/inet.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "loadtest/file_descriptor.hpp"
#include "protocol/websocket_frame.hpp"
#include "protocol/websocket_handshake.hpp"

namespace parley::load {

enum class Mischief : std::uint8_t { none, drop, duplicate, reorder, hang_up };

class BroadcastServer {
public:
    explicit BroadcastServer(Mischief mischief)
        : mischief_(mischief),
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
        thread_ = std::thread([this] { serve(); });
    }
    ~BroadcastServer() {
        ::eventfd_write(stop_.get(), 1);
        thread_.join();
    }
    BroadcastServer(const BroadcastServer&) = delete;
    BroadcastServer& operator=(const BroadcastServer&) = delete;

    [[nodiscard]] std::uint16_t port() const { return port_; }
    // How many messages have come so far; from any thread.
    [[nodiscard]] int messages() const { return messages_.load(std::memory_order_relaxed); }

private:
    struct Member {
        FileDescriptor fd;
        std::string head;
        std::string room;  // the request's path; empty before the upgrade
        std::unique_ptr<protocol::WebSocketDecoder> decoder;
        std::string held_back;
        int deliveries = 0;
    };

    void serve() {
        for (;;) {
            std::vector<pollfd> waiting{{stop_.get(), POLLIN, 0}, {listener_.get(), POLLIN, 0}};
            for (const Member& member : members_) waiting.push_back({member.fd.get(), POLLIN, 0});
            ::poll(waiting.data(), waiting.size(), -1);
            if (waiting[0].revents != 0) return;
            for (std::size_t i = 2; i < waiting.size(); ++i) {
                if (waiting[i].revents != 0) read(i - 2);
            }
            std::erase_if(members_, [](const Member& m) { return !m.fd.open(); });
            if (waiting[1].revents != 0) {
                members_.push_back({});
                members_.back().fd =
                    FileDescriptor(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
            }
        }
    }

    void read(std::size_t index) {
        std::array<char, 65536> buffer;
        const ssize_t got =
            ::recv(members_[index].fd.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (got <= 0) return members_[index].fd.reset();
        std::span<char> bytes(buffer.data(), static_cast<std::size_t>(got));
        if (!members_[index].decoder) return upgrade(members_[index], bytes);
        while (!bytes.empty() && members_[index].fd.open()) {
            protocol::WebSocketDecoder& decoder = *members_[index].decoder;
            const auto step = decoder.feed(bytes);
            bytes = bytes.subspan(step.consumed);
            if (step.event == protocol::WebSocketDecoder::Event::message) {
                std::string frame;
                protocol::append_frame(frame, protocol::Opcode::text, decoder.payload());
                broadcast(members_[index].room, frame);
            } else if (step.event != protocol::WebSocketDecoder::Event::need_more) {
                std::string close;
                protocol::append_close_frame(close, 1000, {});
                send(members_[index], close);
                members_[index].fd.reset();
            }
        }
    }

    void upgrade(Member& member, std::span<char> bytes) {
        member.head.append(bytes.data(), bytes.size());
        if (!member.head.ends_with("\r\n\r\n")) return;
        const std::string name = "Sec-WebSocket-Key: ";
        const std::size_t key_at = member.head.find(name) + name.size();
        const std::string key =
            member.head.substr(key_at, member.head.find("\r\n", key_at) - key_at);
        member.room = member.head.substr(4, member.head.find(' ', 4) - 4);
        member.decoder = std::make_unique<protocol::WebSocketDecoder>(config_);
        send(member,
             "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Accept: " +
                 protocol::accept_for_key(key) + "\r\n\r\n");
        if (mischief_ != Mischief::none && victim_.empty()) victim_ = key;
        if (victim_ == key) member.head = "victim";
    }

    void broadcast(const std::string& room, const std::string& frame) {
        constexpr int spoiled_delivery = 3;
        messages_.fetch_add(1, std::memory_order_relaxed);
        for (Member& member : members_) {
            if (!member.fd.open() || member.room != room) continue;
            ++member.deliveries;
            const bool spoil = member.head == "victim" && member.deliveries == spoiled_delivery;
            if (spoil && mischief_ == Mischief::hang_up) {
                member.fd.reset();
            } else if (spoil && mischief_ == Mischief::reorder) {
                member.held_back = frame;
            } else if (!spoil || mischief_ != Mischief::drop) {
                send(member, frame);
                if (spoil && mischief_ == Mischief::duplicate) send(member, frame);
                if (!member.held_back.empty()) send(member, std::exchange(member.held_back, {}));
            }
        }
    }

    static void send(Member& member, const std::string& bytes) {
        (void)::send(member.fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    }

    Mischief mischief_;
    protocol::WebSocketDecoderConfig config_;
    FileDescriptor listener_;
    FileDescriptor stop_;
    std::uint16_t port_ = 0;
    std::atomic<int> messages_{0};
    std::vector<Member> members_;
    std::string victim_;  // its handshake key
    std::thread thread_;
};

}  // namespace parley::load
