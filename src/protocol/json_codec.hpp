// The JSON of `parley.v1`, both roles: text ⇄ commands, text ⇄ server frames.
//
// Path:     Transport → [json_codec] → Session, and back
// Runs on:  any thread; pure functions.
// Owned by: nobody; no state.
// Bounds:   nesting at most json_depth_max; the length of the input is the caller's to bound.
#pragma once

#include <boost/system/result.hpp>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "protocol/message.hpp"

namespace parley::protocol {

inline constexpr std::size_t json_depth_max = 32;

// What a field of a command may hold at most; more is a DecodeError.
inline constexpr std::size_t command_id_bytes_max = 128;  // an `id` that is a string
inline constexpr std::size_t send_key_bytes_max = 128;
inline constexpr std::size_t event_length_max = 64;  // of [A-Za-z0-9_.:-]
inline constexpr std::uint32_t history_messages_max = 200;
inline constexpr std::size_t direct_to_bytes_max = 256;  // who a `direct` is to

// The events of the publications by which other messages are changed. Their `data` names the
// message: `{"offset":7,"text":"…"}`, `{"offset":7,"reason":"…"}`.
inline constexpr std::string_view edit_event = "edit";
inline constexpr std::string_view delete_event = "delete";

// Why a text is no command. Always answered as `bad_request`; `id` is what could still be read of
// the frame's own id, so that the sender can tell which frame was refused.
struct DecodeError {
    std::string message;  // says what was wrong and what was expected
    CommandId id;
};

template <typename T>
using Decoded = boost::system::result<T, DecodeError>;

// ---- server role -----------------------------------------------------------------------------

// Decodes one client frame. Unknown fields are ignored; an unknown type, a missing field, a field
// of the wrong type or out of range is a DecodeError.
[[nodiscard]] Decoded<CommandFrame> decode_command(std::string_view text);

// The type and id of a client frame by a shallow scan of its top level, for a caller that will
// refuse it unread (rate limits). Either is empty when it can't be found, as is a type written with
// escapes; never fails, does not validate the rest. Where a field is repeated the last counts, as
// it does for decode_command(): a frame can't be weighed as one command and decoded as another.
struct CommandPeek {
    std::string_view type;  // points into the text
    CommandId id;
};
[[nodiscard]] CommandPeek peek_command(std::string_view text);

// Each appends one compact JSON object, keys in the order of the protocol. The id is written only
// where there is one.
void append_message(std::string& out, const Message& message);
// Who said an encoded message, as it stands there: `{"id":…,"name":…}`; empty where it is none.
[[nodiscard]] std::string_view sender_in(std::string_view message) noexcept;
// Whether whoever has that id said it.
[[nodiscard]] bool is_said_by(std::string_view message, std::string_view id);
// Of what append_message() made: the epoch in its cursor, and how to append it with another one.
[[nodiscard]] std::string_view epoch_of_message(std::string_view message) noexcept;
void append_message_in_epoch(std::string& out, std::string_view message, const Epoch& epoch);
void append_server_frame(std::string& out, const ServerFrame& frame);

// As append_server_frame() for `joined` and `history` whose messages exist already as JSON
// (what append_message() made): nothing is encoded twice.
void append_joined(std::string& out, const CommandId& id, const Joined& joined,
                   std::span<const std::string_view> history);
void append_history(std::string& out, const CommandId& id, const HistoryPage& page,
                    std::span<const std::string_view> messages);

// ---- client role -----------------------------------------------------------------------------

void append_command(std::string& out, const CommandFrame& frame);
[[nodiscard]] Decoded<ServerFrame> decode_server_frame(std::string_view text);

// Whether a message, as append_message() made it, is one of those.
[[nodiscard]] bool is_amendment(std::string_view message) noexcept;
// Whether it says what the room is about from then on: nothing for anybody to read later.
[[nodiscard]] bool is_topic(std::string_view message) noexcept;
// What the publication of an edit has for `data`, and that of a deletion. Without a body: of an edit
// whose text was changed again, or is gone.
[[nodiscard]] std::string edit_data(std::uint64_t offset, const Body* body);
[[nodiscard]] std::string delete_data(std::uint64_t offset, std::string_view reason);

// True for the names that no custom event may have: they are types of the server's own frames, or
// events of its own.
[[nodiscard]] bool is_reserved_event(std::string_view name) noexcept;

// Appends a JSON string literal with its quotes; the input is UTF-8 and is escaped only where
// RFC 8259 requires it.
void append_json_string(std::string& out, std::string_view utf8);

}  // namespace parley::protocol
