// socketio_chat: what a chat's events are called over Socket.IO and how they look (protocol.md,
// section 5): pushes of parley.v1 out as events, clients' events in as commands.
//
// Path:     Publication → [socketio_chat] → Frame; SocketIoConnection → [socketio_chat] → Session
// Runs on:  any thread; pure functions, no state.
// Owned by: nobody.
// Bounds:   nesting by check_json(); an event has as many attachments as the caller allows; names
//           by event_length_max. Texts are bounded by the session's rules.
#pragma once

#include <boost/system/result.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/cursor.hpp"
#include "protocol/message.hpp"

namespace parley::protocol {

// [socketio]: what of it is the chat's.
struct SocketIoChatConfig {
    std::string default_room = "lobby";   // joined by who names none; empty: none is
    std::vector<std::string> namespaces;  // beside "/": "/support=support." (a prefix for rooms)

    // What clients may call what they do.
    std::vector<std::string> send_events{"message", "send_message", "chat message"};
    std::vector<std::string> join_events{"join"};
    std::vector<std::string> leave_events{"leave"};
    std::vector<std::string> typing_events{"typing"};
    std::vector<std::string> stop_typing_events{"stop_typing"};
    std::vector<std::string> read_events{"read"};
    std::vector<std::string> edit_events{"edit", "edit_message"};
    std::vector<std::string> delete_events{"delete", "delete_message"};
    std::vector<std::string> direct_events{"direct", "private_message"};
    std::vector<std::string> relay_events;  // others that are passed on; `*` for any characters

    // What it is called to them.
    std::vector<std::string> message_events{"message"};  // each message is said by all of them
    std::string history_event = "message_history";
    std::string joined_event = "user_joined";
    std::string left_event = "user_left";
    std::string users_event = "users";
    std::string typing_event = "typing";
    std::string stop_typing_event;  // empty: typing_event, with `active` false
    std::string read_event = "read";
    std::string edited_event = "message_edited";
    std::string deleted_event = "message_deleted";
    std::string direct_event = "private_message";  // a message in a room of two
    std::string direct_joined_event = "direct_joined";

    bool recovery = true;                                // connection state recovery
    std::chrono::milliseconds recovery_window{120'000};  // for a lost connection to come back
    std::size_t recovery_max = 10'000;                   // lost connections kept, of a shard
};

// ---- names -----------------------------------------------------------------------------------

// A namespace and what its rooms' names begin with elsewhere; "/" has no prefix.
struct ChatNamespace {
    std::string name;
    std::string prefix;
};
// Reads "/support=support."; nothing where either half is no name.
[[nodiscard]] std::optional<ChatNamespace> parse_chat_namespace(std::string_view text);

// What an event may be called: 1 to event_length_max bytes without control characters, and none of
// the names that Socket.IO keeps for itself.
[[nodiscard]] bool is_event_name(std::string_view name) noexcept;
// The same for one that a client may be said something by: what the chat says by words of its own
// (`error`, `left`, …) is said by nothing else.
[[nodiscard]] bool is_said_event_name(std::string_view name) noexcept;
// True for an event that may go by its own name: no client would take it for the chat's.
[[nodiscard]] bool is_custom_event(const SocketIoChatConfig& config, std::string_view name);

// True where clients may have that event passed on. A pattern has at most one `*`.
[[nodiscard]] bool is_relayed(const SocketIoChatConfig& config, std::string_view name);

// ---- offsets ---------------------------------------------------------------------------------

// The last argument of a recoverable event: what the client had got by it, and gives back to be
// recovered. `epoch:offset` for a message; behind it `/n` where that is the nth of its events and
// not the last, or `+n` where it is what was said on joining a room, the session's nth.
struct RecoveryOffset {
    Cursor cursor;
    std::uint32_t events = 0;
    std::uint32_t join = 0;
    friend bool operator==(const RecoveryOffset&, const RecoveryOffset&) = default;
};
void append_recovery_offset(std::string& out, const RecoveryOffset& offset);
[[nodiscard]] std::optional<RecoveryOffset> parse_recovery_offset(std::string_view text) noexcept;

// ---- out -------------------------------------------------------------------------------------

// An event: its array, with a placeholder for each attachment.
struct ChatEvent {
    std::string args;
    std::vector<std::string> attachments;
};

// How the sockets of a namespace are spoken to.
struct ChatVoice {
    const SocketIoChatConfig* config;
    std::string_view prefix;             // left out of rooms' names
    bool offsets = false;                // for clients that may be recovered
    std::uint32_t attachments_max = 10;  // what has more stays JSON
};

// Appends the events that a push of parley.v1 is: a message, typing, presence or read, as the core
// makes them. `said` of the events of a message are left out.
void append_push_events(std::vector<ChatEvent>& out, const ChatVoice& voice, std::string_view push,
                        std::uint32_t said = 0);
// The event that says what a room holds; `messages` are pushes. A `last` is its last argument.
[[nodiscard]] ChatEvent history_event(const ChatVoice& voice,
                                      std::span<const std::string_view> messages,
                                      const std::optional<RecoveryOffset>& last);
// The event that says who is in a room, not prefixed.
[[nodiscard]] ChatEvent users_event(const ChatVoice& voice, std::string_view room,
                                    std::uint64_t count, std::span<const User> users,
                                    const std::optional<RecoveryOffset>& last);
// The event that says that a room of two is joined now, with whom where that is known, and what it
// holds.
[[nodiscard]] ChatEvent direct_joined_event(const ChatVoice& voice, std::string_view room,
                                            const User* with,
                                            std::span<const std::string_view> messages,
                                            const std::optional<RecoveryOffset>& last);
// The events that say what somebody is in a room now, and that this socket is out of one.
[[nodiscard]] ChatEvent role_event(const ChatVoice& voice, const RolePush& role);
[[nodiscard]] ChatEvent removed_event(const ChatVoice& voice, const Removed& removed);
// `room` as a namespace's sockets know it.
[[nodiscard]] std::string_view room_heard(std::string_view prefix, std::string_view room) noexcept;

// Appends JSON with each `{"$binary":"<base64>"}` in it made a placeholder of an attachment; one
// whose base64 is malformed stays. Where there are more than `attachments_max`, or placeholders
// already, all stay.
void append_with_attachments(std::string& out, std::vector<std::string>& attachments,
                             std::string_view json, std::uint32_t attachments_max);
// The other way: JSON, compact, with each placeholder made `{"$binary":"<base64>"}`.
void append_with_binary(std::string& out, std::string_view json,
                        std::span<const std::string> attachments);

// ---- in --------------------------------------------------------------------------------------

// What a client says of itself when it connects, each where it is there.
struct ChatIdentity {
    std::optional<std::string> name;
    std::optional<std::string> room;
    std::optional<std::string> token;
    std::optional<bool> recovery;  // false: it wants no offsets
    std::optional<std::string> pid;
    std::optional<std::string> offset;
};
// Reads CONNECT's payload, a checked JSON object or nothing; or what is wrong with it.
[[nodiscard]] boost::system::result<ChatIdentity, std::string> decode_chat_auth(
    std::string_view auth);

// What an event asks for.
struct ChatRequest {
    std::optional<std::string> username;  // who its sender goes by from now on
    // Join, Leave, Send, Typing, Read, Edit, Delete or Direct; rooms not prefixed
    Command command;
};
struct ChatRefusal {
    enum class Why : std::uint8_t { bad_request, not_joined, unknown_event };
    Why why;
    std::string message;
};
// Reads an event, whose array has passed the codec. `joined` are its sender's rooms, not prefixed:
// an event that names no room is about the last of them.
[[nodiscard]] boost::system::result<ChatRequest, ChatRefusal> decode_chat_event(
    const SocketIoChatConfig& config, std::string_view args,
    std::span<const std::string> attachments, std::span<const std::string> joined);

}  // namespace parley::protocol
