#include "core/session.hpp"

#include <algorithm>

#include "core/limits.hpp"
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
    JoinedRooms rooms;

    Action operator()(protocol::Hello&& hello) const {
        if (hello.token) {
            return refuse(errc::unauthorized, "this server has no accounts: leave out \"token\"");
        }
        if (!hello.name) return Rename{};
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
    Action operator()(protocol::Send&& send) const {
        if (!rooms.this_one) return refuse(errc::not_joined);
        if (send.body.content.size() > limits.text_bytes) {
            return refuse(errc::too_large, "a message has " +
                                               std::to_string(send.body.content.size()) +
                                               " bytes, at most " +
                                               std::to_string(limits.text_bytes) + " are accepted");
        }
        if (send.body.kind == protocol::Body::Kind::text && send.body.content.empty()) {
            return refuse(errc::bad_request, "\"text\" must not be empty");
        }
        return PublishMessage{std::move(send)};
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
    Action operator()(protocol::Ping&&) const { return SendReply{protocol::Pong{}}; }
};

}  // namespace

Action Session::on(protocol::Command&& command, JoinedRooms rooms) {
    const bool names_room = !std::holds_alternative<protocol::Hello>(command) &&
                            !std::holds_alternative<protocol::Ping>(command);
    if (names_room && !is_room_name(room_of(command))) {
        return refuse(errc::bad_request,
                      "\"room\" must be 1 to 128 of letters, digits and ._:@- and begin with a "
                      "letter or digit");
    }
    return std::visit(Rules{*limits_, rooms}, std::move(command));
}

std::optional<CloseReason> Session::count_refusal(errc code) noexcept {
    ++refusals_;
    if (code != errc::rate_limited) only_rate_limited_ = false;
    if (!limits_->enabled || refusals_ < limits_->errors_in_a_row) return std::nullopt;
    return only_rate_limited_ ? close_reasons::rate_limited : close_reasons::too_many_errors;
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
