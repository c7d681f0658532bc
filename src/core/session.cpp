#include "core/session.hpp"

#include <algorithm>

#include "core/limits.hpp"
#include "core/room_access.hpp"
#include "protocol/utf8.hpp"

namespace parley::core {
namespace {

constexpr bool is_alphanumeric(char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

Refuse refuse(errc code, std::string text = {}) {
    return {make_error(code, std::move(text))};
}

struct Rules {
    const LimitsConfig& limits;
    const User& user;
    JoinedRooms rooms;

    Action operator()(protocol::Hello&& hello) const {
        if (hello.token) return SignIn{std::move(*hello.token)};
        if (!hello.name) return Rename{};
        if (is_signed_in(user)) {
            if (*hello.name == user.who.name) return Rename{};
            return refuse(errc::forbidden,
                          "you are signed in as " + user.who.name + ": leave out \"name\"");
        }
        if (auto reason = refuse_name(*hello.name, limits.name_bytes)) {
            return refuse(errc::bad_request, std::move(*reason));
        }
        if (rooms.count > 0) {
            return refuse(errc::conflict, "a name is chosen before the first room is joined");
        }
        return Rename{std::move(*hello.name)};
    }
    Action operator()(protocol::Join&& join) const {
        if (rooms.this_one) return refuse(errc::conflict, "this room is joined already");
        if (rooms.count >= limits.rooms_per_session) {
            return refuse(errc::forbidden, "a session may join " +
                                               std::to_string(limits.rooms_per_session) +
                                               " rooms at once");
        }
        return JoinRoom{std::move(join)};
    }
    Action operator()(protocol::Leave&& leave) const {
        if (!rooms.this_one) return refuse(errc::not_joined, "this room was not joined");
        return LeaveRoom{std::move(leave.room)};
    }
    // Why nobody may say that.
    [[nodiscard]] std::optional<Refuse> refuse_body(const protocol::Body& body) const {
        if (body.content.size() > limits.text_bytes) {
            return refuse(errc::too_large, "a message has " + std::to_string(body.content.size()) +
                                               " bytes, at most " +
                                               std::to_string(limits.text_bytes) + " are accepted");
        }
        if (body.kind == protocol::Body::Kind::text && body.content.empty()) {
            return refuse(errc::bad_request, "\"text\" must not be empty");
        }
        return std::nullopt;
    }
    Action operator()(protocol::Send&& send) const {
        if (!rooms.this_one) return refuse(errc::not_joined);
        if (auto refused = refuse_body(send.body)) return std::move(*refused);
        return PublishMessage{std::move(send)};
    }
    Action operator()(protocol::ListMyRooms&&) const {
        if (auto refused = refuse_stranger(user)) return Refuse{std::move(*refused)};
        return AskMyRooms{};
    }
    Action operator()(protocol::Direct&& direct) const {
        if (auto refused = refuse_stranger(user)) return Refuse{std::move(*refused)};
        if (auto refused = refuse_body(direct.body)) return std::move(*refused);
        return SendDirect{std::move(direct)};
    }
    Action operator()(protocol::Edit&& edit) const {
        if (!rooms.this_one) return refuse(errc::not_joined);
        if (auto refused = refuse_body(edit.body)) return std::move(*refused);
        return AmendMessage{
            {std::move(edit.room), edit.offset, std::move(edit.body), {}, std::move(edit.key)}};
    }
    Action operator()(protocol::Delete&& removal) const {
        if (!rooms.this_one) return refuse(errc::not_joined);
        return AmendMessage{{std::move(removal.room), removal.offset, std::nullopt,
                             std::move(removal.reason), std::move(removal.key)}};
    }
    Action operator()(protocol::Typing&& typing) const {
        if (!rooms.this_one) return refuse(errc::not_joined);
        return PublishTyping{std::move(typing)};
    }
    Action operator()(protocol::Read&& read) const {
        if (!rooms.this_one) return refuse(errc::not_joined);
        return PublishRead{std::move(read)};
    }
    Action operator()(protocol::History&& history) const {
        if (history.before && history.since) {
            return refuse(errc::bad_request, "give \"before\" or \"since\", not both");
        }
        return AskHistory{std::move(history)};
    }
    Action operator()(protocol::Members&& members) const {
        return AskMembers{std::move(members.room)};
    }
    // Who acts upon others need not be there.
    Action operator()(protocol::SetRole&& set) const { return ActInRoom{std::move(set)}; }
    Action operator()(protocol::Kick&& kick) const { return ActInRoom{std::move(kick)}; }
    Action operator()(protocol::SetTopic&& set) const { return ActInRoom{std::move(set)}; }
    Action operator()(protocol::AskRoom&& ask) const { return AskRoomInfo{std::move(ask.room)}; }
    Action operator()(protocol::Ping&&) const { return SendReply{protocol::Pong{}}; }
};

}  // namespace

Action Session::on(protocol::Command&& command, JoinedRooms rooms) {
    const bool names_room = std::visit(
        [](const auto& c) {
            return requires {
                c.room;
            };
        },
        command);
    if (names_room && !is_room_name(room_of(command))) {
        return refuse(errc::bad_request,
                      "\"room\" must be 1 to 128 of letters, digits and ._:@- and begin with a "
                      "letter or digit");
    }
    if (auto refused = refuse_by_grant(*user_, command)) return Refuse{std::move(*refused)};
    return std::visit(Rules{*limits_, *user_, rooms}, std::move(command));
}

std::optional<CloseReason> Session::count_refusal(errc code) noexcept {
    ++refusals_;
    if (code != errc::rate_limited) only_rate_limited_ = 0;
    if (!limits_->enabled || refusals_ < limits_->errors_in_a_row) return std::nullopt;
    return only_rate_limited_ != 0 ? close_reasons::rate_limited : close_reasons::too_many_errors;
}

protocol::Error make_error(errc code, std::string text, std::optional<milliseconds> retry_after) {
    const ErrcRow& row = row_of(code);
    protocol::Error error;
    error.code = row.name;
    error.message = text.empty() ? std::string(row.text) : std::move(text);
    error.temporary = row.temporary;
    if (retry_after) error.retry_after_ms = static_cast<std::uint64_t>(retry_after->count());
    return error;
}

bool is_room_name(std::string_view name) noexcept {
    if (name.empty() || name.size() > limits::room_name_bytes_max) return false;
    if (!is_alphanumeric(name.front())) return false;
    return std::ranges::all_of(name, [](char c) {
        return is_alphanumeric(c) || c == '.' || c == '_' || c == ':' || c == '@' || c == '-';
    });
}

std::optional<std::string> refuse_name(std::string_view name, std::size_t bytes_max) {
    if (name.empty() || name.size() > bytes_max) {
        return "a name has 1 to " + std::to_string(bytes_max) + " bytes";
    }
    if (std::ranges::any_of(
            name, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; })) {
        return "a name has no control characters";
    }
    if (!protocol::is_valid_utf8(name)) return "a name is UTF-8";
    if (name.front() == ' ' || name.back() == ' ') return "a name has no blanks at its ends";
    return std::nullopt;
}

std::optional<protocol::Error> refuse_by_grant(const User& user, const protocol::Command& command) {
    const std::string_view room = room_of(command);
    if (room.empty()) return std::nullopt;
    // Who may leave could enter; and a room that a new token does not name is to be left.
    if (std::holds_alternative<protocol::Leave>(command)) return refuse_stranger(user);
    const bool says = std::holds_alternative<protocol::Send>(command) ||
                      std::holds_alternative<protocol::Typing>(command) ||
                      std::holds_alternative<protocol::Edit>(command) ||
                      std::holds_alternative<protocol::Delete>(command) ||
                      std::holds_alternative<protocol::SetRole>(command) ||
                      std::holds_alternative<protocol::Kick>(command) ||
                      std::holds_alternative<protocol::SetTopic>(command);
    return says ? refuse_write(user, room) : refuse_read(user, room);
}

std::optional<protocol::Error> refuse_overview(const User& user) {
    if (auto refused = refuse_stranger(user)) return refused;
    const Grant* const grant = user.grant();
    if (grant == nullptr || (grant->reads && grant->all_rooms)) return std::nullopt;
    return make_error(errc::forbidden, "your token is good for some rooms only");
}

std::string_view room_of(const protocol::Command& command) noexcept {
    return std::visit(
        [](const auto& c) -> std::string_view {
            if constexpr (requires { c.room; }) {
                return c.room;
            } else {
                return {};
            }
        },
        command);
}

}  // namespace parley::core
