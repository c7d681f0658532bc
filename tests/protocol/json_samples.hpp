// Every alternative of Command and ServerMessage with every optional field both ways, and the
// exact text of each.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/json_codec.hpp"

namespace parley::protocol::samples {

inline Cursor cursor(std::string_view text) {
    return Cursor::parse(text).value();
}

inline const User ann{"u1", "Ann"};

inline Message message(std::uint64_t offset, Body body, std::string event = {}) {
    return {"lobby",          {cursor("e1:0").epoch, offset}, ann, std::move(body),
            std::move(event), "2026-01-02T03:04:05.678Z"};
}

inline Send send(Body::Kind kind, std::string content, std::string key = {},
                 std::string event = {}) {
    Send made;
    made.room = "lobby";
    made.body.kind = kind;
    made.body.content = std::move(content);
    made.key = std::move(key);
    made.event = std::move(event);
    return made;
}

inline const Message hi = message(7, {Body::Kind::text, "hi"});
inline const Message move =
    message(8, {Body::Kind::data, R"({"x":[1,2.50,1e3],"y":null})"}, "game.move");

inline constexpr std::string_view hi_json =
    R"({"type":"message","room":"lobby","offset":7,"cursor":"e1:7","from":{"id":"u1","name":"Ann"},)"
    R"("text":"hi","at":"2026-01-02T03:04:05.678Z"})";
inline constexpr std::string_view move_json =
    R"({"type":"message","room":"lobby","offset":8,"cursor":"e1:8","from":{"id":"u1","name":"Ann"},)"
    R"("data":{"x":[1,2.50,1e3],"y":null},"event":"game.move","at":"2026-01-02T03:04:05.678Z"})";

inline Message edited(Message message) {
    message.edited = "2026-01-02T03:05:00.000Z";
    message.edit = 9;
    return message;
}
inline Message deleted(Message message) {
    message.body = {};
    message.deleted = "2026-01-02T03:06:00.000Z";
    return message;
}
inline constexpr std::string_view edited_json =
    R"({"type":"message","room":"lobby","offset":7,"cursor":"e1:7","from":{"id":"u1","name":"Ann"},)"
    R"("text":"hi","edited":"2026-01-02T03:05:00.000Z","edit":9,"at":"2026-01-02T03:04:05.678Z"})";
inline constexpr std::string_view deleted_json =
    R"({"type":"message","room":"lobby","offset":8,"cursor":"e1:8","from":{"id":"u1","name":"Ann"},)"
    R"("event":"game.move","deleted":"2026-01-02T03:06:00.000Z","at":"2026-01-02T03:04:05.678Z"})";

template <typename Value>
struct Sample {
    Value value;
    std::string rest;  // the text after the type and the id
    std::string type;

    [[nodiscard]] std::string text(std::string_view id) const {
        return R"({"type":")" + type + '"' + std::string(id) + rest + '}';
    }
};

template <typename Value>
class Samples {
public:
    template <typename Alternative>
    Samples& add(const Alternative& value, std::string rest, std::string type) {
        all_.push_back({value, std::move(rest), std::move(type)});
        return *this;
    }
    [[nodiscard]] auto begin() const { return all_.begin(); }
    [[nodiscard]] auto end() const { return all_.end(); }

private:
    std::vector<Sample<Value>> all_;
};

struct SampleId {
    CommandId id;
    std::string_view text;
};

inline const std::vector<SampleId>& ids() {
    static const std::vector<SampleId> all = {
        {{}, ""},
        {std::int64_t{0}, R"(,"id":0)"},
        {std::int64_t{-7}, R"(,"id":-7)"},
        {std::int64_t{9007199254740993}, R"(,"id":9007199254740993)"},
        {std::numeric_limits<std::int64_t>::max(), R"(,"id":9223372036854775807)"},
        {std::numeric_limits<std::int64_t>::min(), R"(,"id":-9223372036854775808)"},
        {std::string{}, R"(,"id":"")"},
        {std::string{"a\"b"}, R"(,"id":"a\"b")"},
        {std::string(command_id_bytes_max, 'i'),
         R"(,"id":"iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii)"
         R"(iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii")"},
    };
    return all;
}

inline const Samples<Command>& commands() {
    static const auto all =
        Samples<Command>{}
            .add(Hello{}, "", "hello")
            .add(Hello{"Ann", "t0k3n"}, R"(,"name":"Ann","token":"t0k3n")", "hello")
            .add(Hello{"", std::nullopt}, R"(,"name":"")", "hello")
            .add(Join{"lobby", {}, 50, false}, R"(,"room":"lobby")", "join")
            .add(Join{"lobby", cursor("e1:42"), 0, true},
                 R"(,"room":"lobby","since":"e1:42","history":0,"presence":true)", "join")
            .add(Join{"lobby", {}, 200, false}, R"(,"room":"lobby","history":200)", "join")
            .add(Leave{"lobby"}, R"(,"room":"lobby")", "leave")
            .add(send(Body::Kind::text, "hi"), R"(,"room":"lobby","text":"hi")", "send")
            .add(send(Body::Kind::text, "", "k", "game.move"),
                 R"(,"room":"lobby","text":"","key":"k","event":"game.move")", "send")
            .add(send(Body::Kind::data, "null"), R"(,"room":"lobby","data":null)", "send")
            .add(send(Body::Kind::data, R"([{"a":1.0},"]",[]])", std::string(128, 'k'), "A_z:9-"),
                 R"(,"room":"lobby","data":[{"a":1.0},"]",[]],"key":")" + std::string(128, 'k') +
                     R"(","event":"A_z:9-")",
                 "send")
            .add(Typing{"lobby", true}, R"(,"room":"lobby")", "typing")
            .add(Typing{"lobby", false}, R"(,"room":"lobby","active":false)", "typing")
            .add(Read{"lobby", 0}, R"(,"room":"lobby","offset":0)", "read")
            .add(Read{"lobby", 9007199254740993}, R"(,"room":"lobby","offset":9007199254740993)",
                 "read")
            .add(Read{"lobby", std::numeric_limits<std::uint64_t>::max()},
                 R"(,"room":"lobby","offset":18446744073709551615)", "read")
            .add(History{"lobby", {}, {}, 50}, R"(,"room":"lobby")", "history")
            .add(History{"lobby", cursor("e1:9"), cursor("e1:3"), 1},
                 R"(,"room":"lobby","before":"e1:9","since":"e1:3","limit":1)", "history")
            .add(Members{"lobby"}, R"(,"room":"lobby")", "members")
            .add(Edit{"lobby", 7, {Body::Kind::text, "ho"}, ""},
                 R"(,"room":"lobby","offset":7,"text":"ho")", "edit")
            .add(Edit{"lobby", 7, {Body::Kind::data, "[1]"}, "k"},
                 R"(,"room":"lobby","offset":7,"data":[1],"key":"k")", "edit")
            .add(Delete{"lobby", 7, "", ""}, R"(,"room":"lobby","offset":7)", "delete")
            .add(Delete{"lobby", 7, "spam", "k"},
                 R"(,"room":"lobby","offset":7,"reason":"spam","key":"k")", "delete")
            .add(Direct{"bob", {Body::Kind::text, "psst"}, ""}, R"(,"to":"bob","text":"psst")",
                 "direct")
            .add(Direct{"bob", {Body::Kind::data, "1"}, "k"}, R"(,"to":"bob","data":1,"key":"k")",
                 "direct")
            .add(ListMyRooms{}, "", "rooms")
            .add(SetRole{"lobby", "bob", Role::owner, {}, {}},
                 R"(,"room":"lobby","user":"bob","role":"owner")", "role")
            .add(SetRole{"lobby", "u2", Role::muted, 600'000, "too \"loud\""},
                 R"(,"room":"lobby","user":"u2","role":"muted","for":"600000ms",)"
                 R"("reason":"too \"loud\"")",
                 "role")
            .add(Kick{"lobby", "bob", {}}, R"(,"room":"lobby","user":"bob")", "kick")
            .add(Kick{"lobby", "bob", "r"}, R"(,"room":"lobby","user":"bob","reason":"r")", "kick")
            .add(SetTopic{"lobby", ""}, R"(,"room":"lobby","topic":"")", "topic")
            .add(SetTopic{"lobby", "all"}, R"(,"room":"lobby","topic":"all")", "topic")
            .add(AskRoom{"lobby"}, R"(,"room":"lobby")", "room")
            .add(Ping{}, "", "ping");
    return all;
}

inline const Samples<ServerMessage>& server_messages() {
    const auto rest_of = [](std::string_view json) {
        return std::string(json.substr(17, json.size() - 18));  // after {"type":"message"
    };
    static const auto all =
        Samples<ServerMessage>{}
            .add(Welcome{"s1", ann, 25000, {4096, 65536, 64, 200}, "parley/0.1.0"},
                 R"(,"session":"s1","user":{"id":"u1","name":"Ann"},"heartbeat_ms":25000,"limits":)"
                 R"({"text_bytes":4096,"message_bytes":65536,"rooms":64,"history":200},)"
                 R"("server":"parley/0.1.0")",
                 "welcome")
            .add(Welcome{"s1", ann, 25000, {4096, 65536, 64, 200, 1 << 20}, "p", {"files"}, true},
                 R"(,"session":"s1","user":{"id":"u1","name":"Ann"},"heartbeat_ms":25000,"limits":)"
                 R"({"text_bytes":4096,"message_bytes":65536,"rooms":64,"history":200,)"
                 R"("file_bytes":1048576},"server":"p","features":["files"],"signed_in":true)",
                 "welcome")
            .add(
                Joined{"lobby",
                       cursor("e1:8"),
                       true,
                       {hi, move},
                       std::vector<User>{ann, {"u2", "B\"b"}},
                       2},
                R"(,"room":"lobby","cursor":"e1:8","recovered":true,"history":[)" +
                    std::string(hi_json) + "," + std::string(move_json) +
                    R"(],"members":[{"id":"u1","name":"Ann"},{"id":"u2","name":"B\"b"}],"count":2)",
                "joined")
            .add(Joined{"lobby", cursor("e1:0"), false, {}, std::nullopt, 0},
                 R"(,"room":"lobby","cursor":"e1:0","recovered":false,"history":[],"count":0)",
                 "joined")
            .add(
                Joined{"lobby", cursor("e1:0"), false, {}, std::vector<User>{}, 0},
                R"(,"room":"lobby","cursor":"e1:0","recovered":false,"history":[],"members":[],"count":0)",
                "joined")
            .add(Joined{"dm:u1:u2", cursor("e1:0"), false, {}, {}, 2, "", User{"u2", "Bob"}},
                 R"(,"room":"dm:u1:u2","cursor":"e1:0","recovered":false,"history":[],"count":2,)"
                 R"("direct":{"id":"u2","name":"Bob"})",
                 "joined")
            .add(Joined{"lobby", cursor("e1:9"), false, {}, {}, 2, "", {}, 7},
                 R"(,"room":"lobby","cursor":"e1:9","recovered":false,"history":[],"count":2,)"
                 R"("read":7)",
                 "joined")
            .add(
                MyRooms{
                    {MyRoom{"lobby", "public", {}, "all of it", 7, cursor("e1:7"), 5, 2, hi},
                     MyRoom{
                         "dm:u1:u2", "direct", User{"u2", "Bob"}, "", 0, cursor("e1:0"), 0, 0, {}},
                     MyRoom{"away", "members", {}, "", 0, {}, 0, 0, {}, true}}},
                R"(,"rooms":[{"room":"lobby","kind":"public","topic":"all of it","last_offset":7,)"
                R"("cursor":"e1:7","read":5,"unread":2,"last":)" +
                    std::string(hi_json) +
                    R"(},{"room":"dm:u1:u2","kind":"direct","direct":{"id":"u2","name":"Bob"},)"
                    R"("last_offset":0,"cursor":"e1:0","read":0,"unread":0},)"
                    R"({"room":"away","kind":"members","unavailable":true}])",
                "rooms")
            .add(MyRooms{}, R"(,"rooms":[])", "rooms")
            .add(Left{"lobby"}, R"(,"room":"lobby")", "left")
            .add(Ack{"lobby", cursor("e1:7"), "2026-01-02T03:04:05.678Z"},
                 R"(,"room":"lobby","offset":7,"cursor":"e1:7","at":"2026-01-02T03:04:05.678Z")",
                 "ack")
            .add(Ack{"lobby", {}, ""}, R"(,"room":"lobby")", "ack")
            .add(HistoryPage{"lobby", cursor("e1:8"), {hi}, true},
                 R"(,"room":"lobby","cursor":"e1:8","messages":[)" + std::string(hi_json) +
                     R"(],"more":true)",
                 "history")
            .add(HistoryPage{"lobby", cursor("e1:0"), {}, false},
                 R"(,"room":"lobby","cursor":"e1:0","messages":[],"more":false)", "history")
            .add(MemberList{"lobby", {ann}, 1},
                 R"(,"room":"lobby","members":[{"id":"u1","name":"Ann"}],"count":1)", "members")
            .add(Pong{}, "", "pong")
            .add(
                Error{"not_joined", "join the room before speaking in it", false, {}},
                R"(,"code":"not_joined","message":"join the room before speaking in it","temporary":false)",
                "error")
            .add(
                Error{"rate_limited", "slow down", true, 1500},
                R"(,"code":"rate_limited","message":"slow down","temporary":true,"retry_after_ms":1500)",
                "error")
            .add(hi, rest_of(hi_json), "message")
            .add(move, rest_of(move_json), "message")
            .add(edited(hi), rest_of(edited_json), "message")
            .add(deleted(move), rest_of(deleted_json), "message")
            .add(PresencePush{"lobby", PresencePush::Action::join, ann, 3},
                 R"(,"room":"lobby","action":"join","user":{"id":"u1","name":"Ann"},"count":3)",
                 "presence")
            .add(PresencePush{"lobby", PresencePush::Action::leave, ann, 2},
                 R"(,"room":"lobby","action":"leave","user":{"id":"u1","name":"Ann"},"count":2)",
                 "presence")
            .add(PresencePush{"lobby", PresencePush::Action::count, {}, 15000},
                 R"(,"room":"lobby","action":"count","count":15000)", "presence")
            .add(TypingPush{"lobby", ann, false},
                 R"(,"room":"lobby","user":{"id":"u1","name":"Ann"},"active":false)", "typing")
            .add(ReadPush{"lobby", ann, 7},
                 R"(,"room":"lobby","user":{"id":"u1","name":"Ann"},"offset":7)", "read")
            .add(Gap{"lobby", 3, 9, cursor("e1:9")},
                 R"(,"room":"lobby","from":3,"to":9,"cursor":"e1:9")", "gap")
            .add(Joined{"lobby", cursor("e1:0"), false, {}, std::nullopt, 1, "all of it"},
                 R"(,"room":"lobby","cursor":"e1:0","recovered":false,"history":[],"count":1,)"
                 R"("topic":"all of it")",
                 "joined")
            .add(RolePush{"lobby", ann, Role::banned, "2026-01-02T03:04:05.678Z", User{"u2", "Bob"},
                          "spam"},
                 R"(,"room":"lobby","user":{"id":"u1","name":"Ann"},"role":"banned",)"
                 R"("until":"2026-01-02T03:04:05.678Z","by":{"id":"u2","name":"Bob"},)"
                 R"("reason":"spam")",
                 "role")
            .add(RolePush{"lobby", ann, Role::none, {}, {}, {}},
                 R"(,"room":"lobby","user":{"id":"u1","name":"Ann"},"role":"none")", "role")
            .add(Removed{"lobby", Removed::Action::ban, User{"u2", "Bob"}, "spam"},
                 R"(,"room":"lobby","action":"ban","by":{"id":"u2","name":"Bob"},"reason":"spam")",
                 "removed")
            .add(Removed{"lobby", Removed::Action::kick, {}, {}},
                 R"(,"room":"lobby","action":"kick")", "removed")
            .add(RoomInfo{"lobby",
                          RoomKind::read_only,
                          "all of it",
                          3,
                          Role::moderator,
                          {"read", "send"},
                          std::vector{RoomInfo::Assigned{ann, Role::muted, "2026"}}},
                 R"(,"room":"lobby","kind":"read-only","topic":"all of it","count":3,)"
                 R"("role":"moderator","may":["read","send"],)"
                 R"("roles":[{"user":{"id":"u1","name":"Ann"},"role":"muted","until":"2026"}])",
                 "room")
            .add(RoomInfo{"lobby", RoomKind::open, {}, 0, Role::none, {}, std::nullopt},
                 R"(,"room":"lobby","kind":"public","count":0,"role":"none","may":[])", "room")
            .add(Drain{1234}, R"(,"retry_after_ms":1234)", "drain");
    return all;
}

}  // namespace parley::protocol::samples
