// ChatPeer: one client of the chat over Socket.IO, as its socket's link sees it: no connection, it
// keeps what it was told in order, and comes back as clients do.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/engineio.hpp"
#include "protocol/json_scan.hpp"
#include "protocol/socketio.hpp"
#include "protocol/websocket_frame.hpp"
#include "support/test_hub.hpp"
#include "transports/socketio/chat_socket.hpp"

namespace parley::test {

// A hub with the chat on each shard.
struct ChatHub {
    explicit ChatHub(core::Config config = unlimited_config(),
                     protocol::SocketIoChatConfig chat_config = {})
        : chat(std::move(chat_config)), hub(std::move(config)) {
        for (std::size_t i = 0; i < hub.shards(); ++i) {
            apps.push_back(std::make_unique<transports::ChatApplication>(hub.shard(i), chat, 10));
        }
    }
    protocol::SocketIoChatConfig chat;
    TestHub hub;
    std::vector<std::unique_ptr<transports::ChatApplication>> apps;
};

class ChatPeer final : public transports::SocketLink, public core::FrameWriter {
public:
    ChatPeer(ChatHub& hub, std::size_t shard, std::string_view auth = {},
             std::string_view query = {}, std::string_view name_space = "/")
        : hub_(&hub) {
        connect(shard, auth, query, name_space);
    }
    ~ChatPeer() {
        if (socket_) end(core::close_reasons::normal, transports::SocketEnd::disconnected);
    }
    ChatPeer(const ChatPeer&) = delete;
    ChatPeer& operator=(const ChatPeer&) = delete;

    void connect(std::size_t shard, std::string_view auth = {}, std::string_view query = {},
                 std::string_view name_space = "/") {
        sid.clear();
        pid.clear();
        refused_data.clear();
        closed_for.reset();
        told.clear();
        socket_ = hub_->apps[shard]->connect(
            name_space, auth, {"127.0.0.1", "EIO=4&transport=polling&" + std::string(query)});
        socket_->on_open(*this);
    }
    // As the reference client does: with its private id, and the last offset that it got.
    void come_back(std::size_t shard, const std::string& old_pid,
                   const std::optional<std::string>& offset, std::string_view more = {}) {
        std::string auth = R"({"pid":")" + old_pid + "\"";
        if (offset) auth += R"(,"offset":")" + *offset + "\"";
        connect(shard, auth + std::string(more) + "}");
    }
    void lose(const core::CloseReason& reason = core::close_reasons::vanished) {
        end(reason, transports::SocketEnd::lost);
    }
    void end(const core::CloseReason& reason, transports::SocketEnd how) {
        socket_->on_closed(reason, how);
        socket_.reset();
    }
    void say(std::string_view args, std::optional<std::uint64_t> id = {},
             std::span<const std::string> attachments = {}) {
        socket_->on_event({args, attachments, id});
    }
    [[nodiscard]] transports::ChatSocket& socket() {
        return static_cast<transports::ChatSocket&>(*socket_);
    }
    // The writer is another one from now on: what came by the old one is marked.
    void upgrade() {
        upgraded_ = true;
        socket_->on_writer_changed();
    }

    // What it was told, in order: events' arrays, "ack 3 [...]", "accept", and of a binary one its
    // attachments in < > behind it.
    std::vector<std::string> told;
    std::vector<std::string> take() { return std::exchange(told, {}); }
    [[nodiscard]] std::vector<std::string> events(std::string_view name) const {
        std::vector<std::string> found;
        const std::string begin = "[\"" + std::string(name) + "\"";
        for (const auto& each : told) {
            if (each.starts_with(begin)) found.push_back(each);
        }
        return found;
    }
    // The last argument of the last event among the first `count` that is a string.
    [[nodiscard]] std::optional<std::string> last_offset(std::size_t count) const {
        std::optional<std::string> last;
        for (std::size_t i = 0; i < count; ++i) {
            if (!told[i].starts_with("[")) continue;
            std::string_view value;
            bool name = true;
            for (protocol::JsonItems items(told[i]); items.next(); name = false) {
                value = name ? std::string_view() : items.value();
            }
            if (protocol::json_kind(value) == protocol::JsonKind::string) {
                last = protocol::unescape_json(value);
            }
        }
        return last;
    }
    [[nodiscard]] std::optional<std::string> last_offset() const {
        return last_offset(told.size());
    }

    std::string sid, pid;
    std::string refused_message, refused_data;
    std::optional<core::CloseReason> closed_for;
    std::size_t frames_left = static_cast<std::size_t>(-1);
    std::size_t resumes = 0;

    // SocketLink
    void accept(std::string_view given_sid, std::string_view given_pid) noexcept override {
        sid = given_sid;
        pid = given_pid;
        told.emplace_back("accept");
    }
    void refuse(std::string_view message, std::string_view data) noexcept override {
        refused_message = message;
        refused_data = data;
    }
    void emit(std::string_view args, std::span<const std::string_view> attachments,
              std::optional<std::uint64_t>) noexcept override {
        std::string said(args);
        for (const auto bytes : attachments) said.append("<").append(bytes).append(">");
        told.push_back(std::move(said));
    }
    void acknowledge(std::uint64_t id, std::string_view args,
                     std::span<const std::string_view>) noexcept override {
        told.push_back("ack " + std::to_string(id) + " " + std::string(args));
    }
    [[nodiscard]] core::FrameWriter& writer() noexcept override {
        return upgraded_ ? static_cast<core::FrameWriter&>(other_) : *this;
    }
    void disconnect() noexcept override {}
    void close(const core::CloseReason& reason) noexcept override {
        if (!closed_for) closed_for = reason;
    }
    void resume() noexcept override { ++resumes; }

    // FrameWriter
    core::WriteResult write_some(std::span<const core::Frame* const> frames) noexcept override {
        std::size_t taken = 0;
        for (; taken < frames.size() && frames_left > 0; ++taken, --frames_left) {
            read(*frames[taken]);
        }
        return {taken, frames_left == 0};
    }

private:
    struct OtherWriter final : core::FrameWriter {
        explicit OtherWriter(ChatPeer& peer) noexcept : peer_(&peer) {}
        core::WriteResult write_some(std::span<const core::Frame* const> frames) noexcept override {
            peer_->told.emplace_back("upgraded");
            return peer_->write_some(frames);
        }
        ChatPeer* peer_;
    };

    // WebSocket frames of Engine.IO messages of Socket.IO events.
    void read(const core::Frame& frame) {
        static const protocol::WebSocketDecoderConfig config{protocol::WebSocketRole::client,
                                                             1 << 20, 1 << 20};
        protocol::WebSocketDecoder decoder(config);
        std::string bytes(frame.bytes());
        std::span<char> rest(bytes);
        for (;;) {
            const auto step = decoder.feed(rest);
            rest = rest.subspan(step.consumed);
            if (step.event != protocol::WebSocketDecoder::Event::message) break;
            if (decoder.opcode() == protocol::Opcode::binary) {
                told.back().append("<").append(decoder.payload()).append(">");
                continue;
            }
            const auto packet = protocol::decode_engine_packet(decoder.payload());
            const auto socket = protocol::decode_socket_packet(packet->data, 10);
            told.push_back(socket ? std::string(socket->json) : "bad " + socket.error());
        }
    }

    ChatHub* hub_;
    std::unique_ptr<transports::SocketHandler> socket_;
    OtherWriter other_{*this};
    bool upgraded_ = false;
};

}  // namespace parley::test
