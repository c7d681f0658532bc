// SocketIoFace: the tests' ChatServer over Socket.IO, WebSocket and polling.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "loadtest/chat_member.hpp"
#include "loadtest/socketio_packets.hpp"

namespace parley::load {

class SocketIoFace {
public:
    explicit SocketIoFace(ChatHall& hall) : hall_(hall) {}

    void on_request(ChatMember& member, const std::string& head, const std::string& path,
                    const std::string& body) {
        if (path.find("transport=websocket") != std::string::npos) {
            accept_upgrade(member, head, {});
            member.transport = Transport::socketio;
            return say(member, engine_open("w"));
        }
        const std::string sid = between(path, "sid=", '&');
        if (sid.empty()) {
            const std::string fresh = "s" + std::to_string(sessions_.size());
            sessions_[fresh] = std::make_unique<ChatMember>();
            sessions_[fresh]->transport = Transport::socketio_polling;
            return hall_.answer(member, 200, engine_open(fresh));
        }
        const auto found = sessions_.find(sid);
        if (found == sessions_.end() || found->second->gone) {
            return hall_.answer(member, 400, R"({"code":1,"message":"Session ID unknown"})");
        }
        ChatMember& session = *found->second;
        if (head.starts_with("POST ")) return on_post(member, session, body);
        member.sid = sid;
        session.poll = &member;
        answer_poll(session);
    }

    void on_packet(ChatMember& member, const std::string& packet) {
        if (packet.starts_with("40{")) {
            const std::string room = between(packet, R"("room":")", '"');
            say(member, R"(40{"sid":"y"})");
            std::string history;
            for (const std::string& json : hall_.said_in(room)) {
                history += (history.empty() ? "" : ",") + message_of(json);
            }
            say(member, R"(42["message_history",[)" + history + "]]");
            hall_.listen(member, member.transport, room);
        } else if (packet.starts_with("42")) {
            const std::string id = between(packet, "42", '[');
            if (hall_.refuses()) {
                return say(member, "43" + id + R"([{"error":{"code":"rate_limited"}}])");
            }
            const std::uint64_t offset = hall_.publish(between(packet, R"("room":")", '"'),
                                                       between(packet, R"("text":")", '"'));
            say(member, "43" + id + R"([{"room":"r","offset":)" + std::to_string(offset) + "}]");
        }
    }

    // A message, as JSON of parley.v1; a poll is not answered yet.
    static void push(ChatMember& member, const std::string& json) {
        const std::string packet = socketio_event(message_of(json), offset_of(json));
        if (member.transport == Transport::socketio) return write(member, text_frame(packet));
        member.waiting.push_back(packet);
    }

    void answer_poll(ChatMember& session) {
        if (session.gone || session.poll == nullptr || session.waiting.empty()) return;
        std::string body;
        for (const std::string& packet : std::exchange(session.waiting, {})) {
            body += (body.empty() ? "" : "\x1e") + packet;
        }
        hall_.answer(*std::exchange(session.poll, nullptr), 200, body);
    }

    [[nodiscard]] std::vector<ChatMember*> sessions_in(const std::string& room) const {
        std::vector<ChatMember*> found;
        for (const auto& [sid, session] : sessions_) {
            if (!session->gone && session->room == room) found.push_back(session.get());
        }
        return found;
    }

    // Whose poll ends without an answer is gone.
    void on_closed(const ChatMember& member) {
        const auto found = sessions_.find(member.sid);
        if (found == sessions_.end() || found->second->poll != &member) return;
        found->second->poll = nullptr;
        found->second->gone = true;
    }

private:
    void on_post(ChatMember& member, ChatMember& session, const std::string& body) {
        for (std::size_t at = 0; at < body.size();) {
            const std::size_t end = std::min(body.find('\x1e', at), body.size());
            on_packet(session, body.substr(at, end - at));
            at = end + 1;
        }
        hall_.answer(member, 200, "ok");
    }

    void say(ChatMember& member, const std::string& packet) {
        if (member.transport == Transport::socketio) return write(member, text_frame(packet));
        member.waiting.push_back(packet);
        answer_poll(member);
    }

    static std::string message_of(const std::string& json) {
        return socketio_message(between(json, R"("room":")", '"'), offset_of(json),
                                between(json, R"("text":")", '"'));
    }
    static std::uint64_t offset_of(const std::string& json) {
        return std::stoull(between(json, R"("offset":)", ','));
    }

    ChatHall& hall_;
    std::map<std::string, std::unique_ptr<ChatMember>> sessions_;  // that poll, by id
};

}  // namespace parley::load
