// ChatSocket: the chat in one namespace of a Socket.IO connection (protocol.md, section 5), and how
// one that was lost is taken up again (connection state recovery).
//
// Path:     SocketIoConnection → [ChatSocket] → Subscriber; Flush → [ChatSocket] → EngineSession
// Runs on:  its shard.
// Owned by: its SocketIoConnection.
// Bounds:   one command at a time; what was lost is kept for recovery_window, recovery_max of a
//           shard; the trail's, in sessions of several rooms.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/accounts.hpp"
#include "core/lost_sessions.hpp"
#include "core/subscriber.hpp"
#include "core/trail.hpp"
#include "core/transport.hpp"
#include "transports/socketio/chat_format.hpp"
#include "transports/socketio/chat_opening.hpp"
#include "transports/socketio/socket_handler.hpp"

namespace parley::transports {

// What the chat's sockets of one shard have in common. It outlives them.
struct ChatContext {
    core::Shard& shard;
    const protocol::SocketIoChatConfig& config;
    std::deque<ChatSpace> spaces;
    std::string scratch{};  // for encoding within one function
};

class ChatSocket final : public SocketHandler, public core::Transport, private core::HeldSession {
public:
    ChatSocket(ChatContext& context, const ChatSpace& space, ChatOpening opening);
    ~ChatSocket() override;

    // SocketHandler
    void on_open(SocketLink& link) override;
    void on_event(const SocketMessage& event) override;
    void on_ack(const SocketMessage&) override {}  // it asks for none
    bool ready() const noexcept override;
    void on_writable() override;
    void on_writer_changed() override;
    void on_drain() override;
    void on_closed(const core::CloseReason& reason, SocketEnd end) noexcept override;

    // core::Transport
    core::WriteResult write_some(std::span<const core::Frame* const> frames) noexcept override;
    void reply(const core::Reply& reply) noexcept override;
    void close(const core::CloseReason& reason) noexcept override { link_->close(reason); }
    void resume() noexcept override;

private:
    struct Restoring;
    struct Answer;

    // ---- opening
    void identified(core::Identified&& answer);
    void go_on_opening();
    void refuse_opening(core::errc code, std::string_view message);
    void begin();
    void accept();
    [[nodiscard]] bool recoverable() const noexcept;

    // ---- events and answers
    void join_again(const protocol::CommandId& id, const std::string& room);
    void refuse(const protocol::CommandId& id, const protocol::ChatRefusal& refusal);
    void joined(const protocol::CommandId& id, const core::JoinedReply& reply);
    void tell_joined(const protocol::CommandId& id, const core::JoinedReply& reply);
    void acknowledge_join(const protocol::CommandId& id, std::string_view room,
                          const protocol::Cursor& cursor, std::uint64_t count);
    void left(const std::string& room);
    void emit(const protocol::ChatEvent& event);
    void emit_json(std::string_view name, std::string_view object);
    void acknowledge(const protocol::CommandId& id, std::string_view object);
    [[nodiscard]] const protocol::ChatVoice& voice() const noexcept;
    [[nodiscard]] std::string room_known(std::string_view heard) const;
    [[nodiscard]] std::string_view room_heard(std::string_view known) const noexcept;

    // ---- recovery (chat_recovery.cpp)
    void recover();
    [[nodiscard]] bool is_theirs(const core::LostSession& state) const noexcept;
    void recover_from(std::optional<core::LostSession>&& state);
    void restore_rooms();
    void restored();
    void begin_afresh();
    void say_missed(const Restoring& back);
    void say_missed_message(const Restoring& back, const core::JoinedReply& room,
                            const core::Retained& message);
    // Brings the trail up to what the one room was handed, which nobody noted.
    void note_single_room();
    void follow_trail();
    [[nodiscard]] core::LostSession state();
    [[nodiscard]] core::LostSession surrender() override;
    void keep(core::LostSession&& state);

    ChatContext* context_;
    const ChatSpace* space_;
    SocketLink* link_ = nullptr;
    std::shared_ptr<core::Subscriber> subscriber_;
    std::vector<std::string> rooms_;  // as its peer knows them; the last one joined is the last
    std::string sid_;
    std::string pid_;  // empty: it can't be recovered
    core::Trail trail_;
    std::unique_ptr<ChatOpening> opening_;  // until it has begun
    std::unique_ptr<Restoring> restoring_;
    bool accepted_ = false;
    bool surrendered_ = false;
};

// The chat's sockets of one shard.
class ChatApplication final : public SocketApplication {
public:
    // `config` and the shard must outlive it, and it its sockets. An event has at most that many
    // attachments.
    ChatApplication(core::Shard& shard, const protocol::SocketIoChatConfig& config,
                    std::uint32_t attachments_max)
        : context_{shard, config, make_chat_spaces(config, attachments_max)} {}

    [[nodiscard]] bool has(std::string_view name) const noexcept override {
        return find(name) != nullptr;
    }
    [[nodiscard]] std::unique_ptr<SocketHandler> connect(std::string_view name,
                                                         std::string_view auth,
                                                         const EngineOpening& opening) override;

private:
    [[nodiscard]] const ChatSpace* find(std::string_view name) const noexcept;

    ChatContext context_;
};

}  // namespace parley::transports
