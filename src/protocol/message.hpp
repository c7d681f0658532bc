// The values of `parley.v1`: what a client may ask and what a server may say, before and after any
// wire format.
//
// Path:     Codec → [values] → Session
// Runs on:  any thread; plain values.
// Owned by: whoever holds them.
// Bounds:   none of its own; the codec and core/limits.hpp bound what may be in them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "protocol/cursor.hpp"
#include "protocol/room_roles.hpp"

namespace parley::protocol {

struct User {
    std::string id;
    std::string name;
    friend bool operator==(const User&, const User&) = default;
};

// The `id` that a client gave a frame: absent, an integer or a string. It comes back in the reply.
using CommandId = std::variant<std::monostate, std::int64_t, std::string>;

// What a message carries: `text`, or `data` as compact JSON text exactly as it will be sent on.
struct Body {
    enum class Kind : std::uint8_t { text, data };
    Kind kind = Kind::text;
    std::string content;
    friend bool operator==(const Body&, const Body&) = default;
};

// ---- commands: client to server --------------------------------------------------------------

struct Hello {
    std::optional<std::string> name;
    std::optional<std::string> token;
    friend bool operator==(const Hello&, const Hello&) = default;
};
struct Join {
    std::string room;
    std::optional<Cursor> since;
    std::uint32_t history = 50;
    bool presence = false;
    friend bool operator==(const Join&, const Join&) = default;
};
struct Leave {
    std::string room;
    friend bool operator==(const Leave&, const Leave&) = default;
};
struct Send {
    std::string room;
    Body body;
    std::string key;    // empty: not idempotent
    std::string event;  // empty: an ordinary "message"
    friend bool operator==(const Send&, const Send&) = default;
};
struct Typing {
    std::string room;
    bool active = true;
    friend bool operator==(const Typing&, const Typing&) = default;
};
struct Read {
    std::string room;
    std::uint64_t offset = 0;
    friend bool operator==(const Read&, const Read&) = default;
};
struct History {
    std::string room;
    std::optional<Cursor> before;
    std::optional<Cursor> since;
    std::uint32_t limit = 50;
    friend bool operator==(const History&, const History&) = default;
};
struct Members {
    std::string room;
    friend bool operator==(const Members&, const Members&) = default;
};
struct Ping {
    friend bool operator==(const Ping&, const Ping&) = default;
};
// Makes somebody, by name or id, what they are to be in a room; Role::none: nothing any more.
struct SetRole {
    std::string room;
    std::string user;
    Role role = Role::none;
    std::optional<std::uint64_t> for_ms;  // nothing: for good
    std::string reason;
    friend bool operator==(const SetRole&, const SetRole&) = default;
};
// Puts somebody out of a room, who may come back.
struct Kick {
    std::string room;
    std::string user;
    std::string reason;
    friend bool operator==(const Kick&, const Kick&) = default;
};
// Says what a room is about; an empty topic: nothing any more.
struct SetTopic {
    std::string room;
    std::string topic;
    friend bool operator==(const SetTopic&, const SetTopic&) = default;
};
// Asks what a room is, and what one may do in it.
struct AskRoom {
    std::string room;
    friend bool operator==(const AskRoom&, const AskRoom&) = default;
};

// Changes what a message says.
struct Edit {
    std::string room;
    std::uint64_t offset = 0;  // the message's
    Body body;
    std::string key;  // as Send's
    friend bool operator==(const Edit&, const Edit&) = default;
};
// Takes away what a message says.
struct Delete {
    std::string room;
    std::uint64_t offset = 0;  // the message's
    std::string reason;        // for who receives it; empty: none
    std::string key;           // as Send's
    friend bool operator==(const Delete&, const Delete&) = default;
};

// A message to one user, in the room of the two.
struct Direct {
    std::string to;  // id or name
    Body body;
    std::string key;  // as Send's
    friend bool operator==(const Direct&, const Direct&) = default;
};

// Asks for the rooms of whoever asks.
struct ListMyRooms {
    friend bool operator==(const ListMyRooms&, const ListMyRooms&) = default;
};

using Command = std::variant<Hello, Join, Leave, Send, Typing, Read, History, Members, Ping, Edit,
                             Delete, Direct, ListMyRooms, SetRole, Kick, SetTopic, AskRoom>;

struct CommandFrame {
    CommandId id;
    Command command;
    friend bool operator==(const CommandFrame&, const CommandFrame&) = default;
};

// ---- replies and pushes: server to client ----------------------------------------------------

// `limits` of `welcome`: what this server accepts, so that a client can cut its cloth.
struct WelcomeLimits {
    std::uint64_t text_bytes = 0;     // longest `text`, or `data` as JSON, in bytes
    std::uint64_t message_bytes = 0;  // longest frame in bytes
    std::uint64_t rooms = 0;          // rooms joined at once by one session
    std::uint64_t history = 0;        // most messages in one answer
    std::uint64_t file_bytes = 0;     // largest file; 0, and not said: none are taken
    friend bool operator==(const WelcomeLimits&, const WelcomeLimits&) = default;
};
struct Welcome {
    std::string session;
    User user;
    std::uint64_t heartbeat_ms = 0;
    WelcomeLimits limits;
    std::string server;
    std::vector<std::string> features{};  // what not every server has; not said where there is none
    bool signed_in = false;               // said where the user is one of an account or a token
    friend bool operator==(const Welcome&, const Welcome&) = default;
};
// One publication of kind message, as pushed, and as listed by `joined` and `history`.
struct Message {
    std::string room;
    Cursor cursor;  // its offset is the message's offset
    User from;
    Body body;
    std::string event;  // empty: an ordinary "message"
    std::string at;     // RFC 3339, UTC, milliseconds
    // Of a message as a history has it, once it was changed.
    std::string edited{};    // when its body came to be this one; empty: it never was another
    std::uint64_t edit = 0;  // the offset of the publication that said so
    std::string deleted{};   // when its body went: it has none; empty: it has one
    friend bool operator==(const Message&, const Message&) = default;
};
struct Joined {
    std::string room;
    Cursor cursor;
    bool recovered = false;
    std::vector<Message> history;
    std::optional<std::vector<User>> members;
    std::uint64_t count = 0;
    std::string topic{};           // empty: none
    std::optional<User> direct{};  // of a room of two: the other; the session was made to join it
    std::optional<std::uint64_t> read{};  // how far its user has read
    friend bool operator==(const Joined&, const Joined&) = default;
};
struct Left {
    std::string room;
    friend bool operator==(const Left&, const Left&) = default;
};
// The reply to `send`. The acks of `typing` and `read` carry the room alone: offset 0.
struct Ack {
    std::string room;
    Cursor cursor;  // offset 0: not written
    std::string at;
    friend bool operator==(const Ack&, const Ack&) = default;
};
struct HistoryPage {
    std::string room;
    Cursor cursor;  // of the newest publication of the room when the page was made
    std::vector<Message> messages;
    bool more = false;
    friend bool operator==(const HistoryPage&, const HistoryPage&) = default;
};
struct MemberList {
    std::string room;
    std::vector<User> members;
    std::uint64_t count = 0;
    friend bool operator==(const MemberList&, const MemberList&) = default;
};
struct Pong {
    friend bool operator==(const Pong&, const Pong&) = default;
};
struct Error {
    std::string code;
    std::string message;
    bool temporary = false;
    std::optional<std::uint64_t> retry_after_ms;
    friend bool operator==(const Error&, const Error&) = default;
};
struct PresencePush {
    enum class Action : std::uint8_t { join, leave, count };
    std::string room;
    Action action = Action::count;
    std::optional<User> user;
    std::uint64_t count = 0;
    friend bool operator==(const PresencePush&, const PresencePush&) = default;
};
struct TypingPush {
    std::string room;
    User user;
    bool active = true;
    friend bool operator==(const TypingPush&, const TypingPush&) = default;
};
struct ReadPush {
    std::string room;
    User user;
    std::uint64_t offset = 0;
    friend bool operator==(const ReadPush&, const ReadPush&) = default;
};
struct Gap {
    std::string room;
    std::uint64_t from = 0;  // inclusive
    std::uint64_t to = 0;    // inclusive
    Cursor cursor;           // where to resume
    friend bool operator==(const Gap&, const Gap&) = default;
};
// A room as a list of rooms has it.
struct ListedRoom {
    std::string room;
    std::uint64_t members = 0;
    std::uint64_t last_offset = 0;
    friend bool operator==(const ListedRoom&, const ListedRoom&) = default;
};
// What saying that one is there is answered: where the room stands, and how long that lasts.
struct Visit {
    std::string room;
    User user;
    Cursor cursor;
    std::uint64_t count = 0;
    std::uint64_t ttl_ms = 0;
    friend bool operator==(const Visit&, const Visit&) = default;
};
// Somebody is something else in a room now.
struct RolePush {
    std::string room;
    User user;
    Role role = Role::none;
    std::string until;       // RFC 3339; empty: for good
    std::optional<User> by;  // nobody where a role has ended, or who came first owns the room
    std::string reason;
    friend bool operator==(const RolePush&, const RolePush&) = default;
};
// To whoever is put out of a room: they are not in it any more.
struct Removed {
    enum class Action : std::uint8_t { kick, ban };
    std::string room;
    Action action = Action::kick;
    std::optional<User> by;
    std::string reason;
    friend bool operator==(const Removed&, const Removed&) = default;
};
// The reply to `room`.
struct RoomInfo {
    // What somebody was made there.
    struct Assigned {
        User user;
        Role role = Role::none;
        std::string until;  // as above
        friend bool operator==(const Assigned&, const Assigned&) = default;
    };
    std::string room;
    RoomKind kind = RoomKind::open;
    std::string topic;  // empty: none
    std::uint64_t count = 0;
    Role role = Role::none;        // of whoever asks
    std::vector<std::string> may;  // what they may do
    std::optional<std::vector<Assigned>> roles;
    friend bool operator==(const RoomInfo&, const RoomInfo&) = default;
};
// A room as it looks to one of its users.
struct MyRoom {
    std::string room;
    std::string kind;            // as RoomInfo's, or "direct"
    std::optional<User> direct;  // of a room of two: the other, where they have said something
    std::string topic;           // empty: none
    std::uint64_t last_offset = 0;
    Cursor cursor;
    std::uint64_t read = 0;
    std::uint64_t unread = 0;     // messages behind that
    std::optional<Message> last;  // the newest
    bool unavailable =
        false;  // it can't be told at the moment: all but the name and kind is not there
    friend bool operator==(const MyRoom&, const MyRoom&) = default;
};
inline constexpr std::string_view direct_kind = "direct";
// The reply to `rooms`.
struct MyRooms {
    std::vector<MyRoom> rooms;
    friend bool operator==(const MyRooms&, const MyRooms&) = default;
};
// Who has read how far in a room.
struct ReadList {
    struct Reader {
        User user;
        std::uint64_t offset = 0;
        friend bool operator==(const Reader&, const Reader&) = default;
    };
    std::string room;
    std::vector<Reader> read;
    friend bool operator==(const ReadList&, const ReadList&) = default;
};
struct Drain {
    std::uint64_t retry_after_ms = 0;
    friend bool operator==(const Drain&, const Drain&) = default;
};

using ServerMessage = std::variant<Welcome, Joined, Left, Ack, HistoryPage, MemberList, Pong, Error,
                                   Message, PresencePush, TypingPush, ReadPush, Gap, Drain,
                                   RolePush, Removed, RoomInfo, MyRooms>;

struct ServerFrame {
    CommandId id;
    ServerMessage message;
    friend bool operator==(const ServerFrame&, const ServerFrame&) = default;
};

}  // namespace parley::protocol
