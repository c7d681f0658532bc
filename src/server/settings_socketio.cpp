// [socketio]
#include <algorithm>
#include <array>

#include "core/limits.hpp"
#include "core/session.hpp"
#include "server/settings.hpp"

namespace parley::server {
namespace {

using namespace std::chrono_literals;

template <auto... Members>
auto& in_socketio(ServerConfig& config) {
    return (config.transports.socketio.*....*Members);
}
template <auto Member>
auto& in_engine(ServerConfig& config) {
    return in_socketio<&transports::SocketIoSettings::engine, Member>(config);
}
template <auto Member>
auto& in_chat(ServerConfig& config) {
    return in_socketio<&transports::SocketIoSettings::chat, Member>(config);
}

using Engine = transports::EngineConfig;
using Connection = transports::SocketIoConfig;
using Chat = protocol::SocketIoChatConfig;
using protocol::is_event_name;
using protocol::is_said_event_name;

constexpr std::size_t event_names_max = 16;
constexpr std::size_t event_name_bytes_max = 64;
constexpr TextRule event_name{&is_event_name, "the name of an event (expected e.g. \"message\")"};
constexpr TextRule said_event{
    &is_said_event_name,
    "the name of an event that nothing else is said by: not \"error\", \"gap\", \"drain\", "
    "\"role\", \"removed\", \"topic\" or \"left\" (expected e.g. \"message\")"};
constexpr TextRule said_event_or_none{
    [](std::string_view text) { return text.empty() || is_said_event_name(text); },
    "the name of an event that nothing else is said by: not \"error\", \"gap\", \"drain\", "
    "\"role\", \"removed\", \"topic\" or \"left\" (expected e.g. \"stop_typing\", or \"\")"};
constexpr TextRule event_pattern{
    [](std::string_view text) { return is_event_name(text) && std::ranges::count(text, '*') <= 1; },
    "a pattern of events (expected e.g. \"draw\", \"game:*\", \"*\")"};
constexpr TextRule room_or_none{
    [](std::string_view text) { return text.empty() || core::is_room_name(text); },
    "a room's name (expected e.g. \"lobby\", or \"\")"};
constexpr TextRule namespace_rule{
    [](std::string_view text) { return protocol::parse_chat_namespace(text).has_value(); },
    "a namespace and its rooms' prefix (expected e.g. \"/support=support.\")"};

const std::array settings{
    Setting{"socketio.enabled", FlagKind{in_socketio<&transports::SocketIoSettings::enabled>},
            "Whether /socket.io/ is served."},
    Setting{"socketio.ping_interval", DurationKind{in_engine<&Engine::ping_interval>, 10ms, 1h},
            "Between a pong and the next ping; clients are told."},
    Setting{"socketio.ping_timeout", DurationKind{in_engine<&Engine::ping_timeout>, 10ms, 1h},
            "For the pong; clients are told."},
    Setting{"socketio.upgrade_timeout",
            DurationKind{in_engine<&Engine::upgrade_timeout>, 10ms, 10min},
            "For an upgrade from polling to WebSocket."},
    Setting{
        "socketio.connect_timeout",
        DurationKind{
            in_socketio<&transports::SocketIoSettings::connection, &Connection::connect_timeout>,
            10ms, 1h},
        "For a connection to connect to a namespace."},
    Setting{"socketio.max_payload", SizeKind{in_engine<&Engine::max_payload>, kib, 16 * mib},
            "One message, or one body of polling; clients are told."},
    Setting{"socketio.waiting_bytes", SizeKind{in_engine<&Engine::waiting_bytes>, kib, gib},
            "Answers and notices that may wait for a poll; beyond them a session ends."},
    Setting{
        "socketio.attachments_max",
        CountKind<std::uint32_t>{
            in_socketio<&transports::SocketIoSettings::connection, &Connection::attachments_max>, 0,
            1'000},
        "Binary attachments of one event, either way; JavaScript clients take 10 unless told."},
    Setting{"socketio.recovery", FlagKind{in_chat<&Chat::recovery>},
            "Connection state recovery: who comes back in time misses nothing."},
    Setting{"socketio.recovery_window", DurationKind{in_chat<&Chat::recovery_window>, 1s, 24h},
            "For a lost connection to come back in."},
    Setting{"socketio.recovery_max",
            CountKind<std::size_t>{in_chat<&Chat::recovery_max>, 0, 10'000'000},
            "Lost connections that a shard remembers; the oldest make room."},
    Setting{"socketio.default_room",
            TextKind{in_chat<&Chat::default_room>, core::limits::room_name_bytes_max, room_or_none},
            "Joined by who names no room on connecting; \"\": none is."},
    Setting{"socketio.namespaces",
            TextListKind{in_chat<&Chat::namespaces>, core::limits::socketio_namespaces_max - 1,
                         namespace_rule},
            "Beside \"/\": \"/support=support.\", whose room \"desk\" is support.desk elsewhere."},
    Setting{"socketio.send_events",
            TextListKind{in_chat<&Chat::send_events>, event_names_max, event_name},
            "Events of clients by which they send a message ..."},
    Setting{"socketio.join_events",
            TextListKind{in_chat<&Chat::join_events>, event_names_max, event_name},
            "... join a room ..."},
    Setting{"socketio.leave_events",
            TextListKind{in_chat<&Chat::leave_events>, event_names_max, event_name},
            "... leave it ..."},
    Setting{"socketio.typing_events",
            TextListKind{in_chat<&Chat::typing_events>, event_names_max, event_name},
            "... say that they are typing ..."},
    Setting{"socketio.stop_typing_events",
            TextListKind{in_chat<&Chat::stop_typing_events>, event_names_max, event_name},
            "... or are not any more ..."},
    Setting{"socketio.read_events",
            TextListKind{in_chat<&Chat::read_events>, event_names_max, event_name},
            "... how far they have read ..."},
    Setting{"socketio.edit_events",
            TextListKind{in_chat<&Chat::edit_events>, event_names_max, event_name},
            "... that they edit a message ..."},
    Setting{"socketio.delete_events",
            TextListKind{in_chat<&Chat::delete_events>, event_names_max, event_name},
            "... that they delete one ..."},
    Setting{"socketio.direct_events",
            TextListKind{in_chat<&Chat::direct_events>, event_names_max, event_name},
            "... and by which they write to one user alone."},
    Setting{"socketio.relay_events",
            TextListKind{in_chat<&Chat::relay_events>, event_names_max, event_pattern},
            "Other events that are passed on to the room: names, or patterns with a *."},
    Setting{"socketio.message_events",
            TextListKind{in_chat<&Chat::message_events>, event_names_max, said_event},
            "Events that say a message to clients; each message is said by all of them."},
    Setting{"socketio.history_event",
            TextKind{in_chat<&Chat::history_event>, event_name_bytes_max, said_event},
            "What was said in a room, to who joins it."},
    Setting{"socketio.users_event",
            TextKind{in_chat<&Chat::users_event>, event_name_bytes_max, said_event},
            "Who is in a room, to who joins it; in large rooms just how many."},
    Setting{"socketio.joined_event",
            TextKind{in_chat<&Chat::joined_event>, event_name_bytes_max, said_event},
            "Somebody came."},
    Setting{"socketio.left_event",
            TextKind{in_chat<&Chat::left_event>, event_name_bytes_max, said_event},
            "Somebody went."},
    Setting{"socketio.typing_event",
            TextKind{in_chat<&Chat::typing_event>, event_name_bytes_max, said_event},
            "Somebody is typing."},
    Setting{"socketio.stop_typing_event",
            TextKind{in_chat<&Chat::stop_typing_event>, event_name_bytes_max, said_event_or_none},
            "Somebody stopped; \"\": typing_event with active false."},
    Setting{"socketio.read_event",
            TextKind{in_chat<&Chat::read_event>, event_name_bytes_max, said_event},
            "How far somebody has read."},
    Setting{"socketio.edited_event",
            TextKind{in_chat<&Chat::edited_event>, event_name_bytes_max, said_event},
            "A message was edited."},
    Setting{"socketio.deleted_event",
            TextKind{in_chat<&Chat::deleted_event>, event_name_bytes_max, said_event},
            "A message was deleted."},
    Setting{"socketio.direct_event",
            TextKind{in_chat<&Chat::direct_event>, event_name_bytes_max, said_event},
            "A message to one user alone, to both."},
    Setting{"socketio.direct_joined_event",
            TextKind{in_chat<&Chat::direct_joined_event>, event_name_bytes_max, said_event},
            "The room of two users was joined for one of them, with what was said there."},
};

}  // namespace

std::span<const Setting> socketio_settings() {
    return settings;
}

}  // namespace parley::server
