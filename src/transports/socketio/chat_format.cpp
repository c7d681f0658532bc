#include "transports/socketio/chat_format.hpp"

#include <string>
#include <utility>
#include <vector>

#include "protocol/socketio.hpp"
#include "protocol/websocket_frame.hpp"

namespace parley::transports {
namespace {

using protocol::Opcode;

void append_event_frames(std::string& out, std::string_view name_space,
                         const protocol::ChatEvent& event) {
    thread_local std::string text;
    text.assign(1, '4');  // an Engine.IO message
    protocol::SocketPacket packet;
    packet.name_space = name_space;
    packet.json = event.args;
    if (!event.attachments.empty()) {
        packet.type = protocol::SocketType::binary_event;
        packet.attachments = static_cast<std::uint32_t>(event.attachments.size());
    }
    protocol::append_socket_packet(text, packet);
    protocol::append_frame(out, Opcode::text, text);
    for (const auto& bytes : event.attachments) {
        protocol::append_frame(out, Opcode::binary, bytes);
    }
}

void encode(const core::WireFormat& format, const core::Publication& publication,
            std::string& out) {
    const auto& chat = static_cast<const ChatFormat&>(format);
    thread_local std::vector<protocol::ChatEvent> events;
    events.clear();
    protocol::append_push_events(events, chat.voice, publication.json());
    for (const auto& event : events) append_event_frames(out, chat.name_space->name, event);
}

}  // namespace

ChatSpace::ChatSpace(protocol::ChatNamespace names, std::uint8_t slot,
                     const protocol::SocketIoChatConfig& config, std::uint32_t attachments_max)
    : names_(std::move(names)),
      formats_{
          ChatFormat{{slot, &encode}, &names_, {&config, names_.prefix, false, attachments_max}},
          ChatFormat{{static_cast<std::uint8_t>(slot + 1), &encode},
                     &names_,
                     {&config, names_.prefix, true, attachments_max}}},
      traits_{core::TransportTraits{"socketio", &formats_[0]},
              core::TransportTraits{"socketio", &formats_[1]}} {}

std::deque<ChatSpace> make_chat_spaces(const protocol::SocketIoChatConfig& config,
                                       std::uint32_t attachments_max) {
    std::deque<ChatSpace> spaces;
    spaces.emplace_back(protocol::ChatNamespace{"/", {}}, chat_format_slot, config,
                        attachments_max);
    for (const auto& text : config.namespaces) {
        auto names = protocol::parse_chat_namespace(text);
        if (!names || spaces.size() == core::limits::socketio_namespaces_max) continue;
        const auto slot = chat_format_slot + 2 * spaces.size();
        spaces.emplace_back(std::move(*names), static_cast<std::uint8_t>(slot), config,
                            attachments_max);
    }
    return spaces;
}

}  // namespace parley::transports
