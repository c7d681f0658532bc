#include "transports/room_request.hpp"

#include <boost/beast/http/field.hpp>
#include <charconv>

#include "core/limits.hpp"
#include "core/session.hpp"
#include "protocol/header_list.hpp"
#include "transports/credential.hpp"
#include "transports/query_string.hpp"

namespace parley::transports {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view rooms_path = "/api/v1/rooms/";
constexpr std::string_view name_header = "X-Parley-Name";
constexpr std::string_view last_event_id_header = "Last-Event-ID";

// Why a request is refused, or nothing.
using Refusal = std::optional<std::string>;

std::optional<std::uint64_t> parse_number(std::string_view text) noexcept {
    std::uint64_t value = 0;
    const char* const end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc{} || stopped != end) return std::nullopt;
    return value;
}

Refusal read_since(RoomRequest& request, std::string_view what, std::string_view text) {
    request.since.reset();
    if (text.empty()) return std::nullopt;
    request.since = protocol::Cursor::parse(text);
    if (request.since) return std::nullopt;
    return std::string(what) + " must be a cursor as an answer or an event gave it, like k3J9x:42";
}

Refusal read_parameter(RoomRequest& request, std::string_view name, std::string&& value,
                       const RoomRequestRules& rules) {
    if (name == "since" || (rules.event_stream && name == "last_event_id")) {
        return read_since(request, name, value);
    }
    if (name == "name") {
        request.name = std::move(value);
    } else if (name == rules.count_name) {
        const auto count = parse_number(value);
        if (!count || *count < rules.count_min || *count > core::limits::history_answer_max) {
            return std::string(name) + " must be a number from " + std::to_string(rules.count_min) +
                   " to " + std::to_string(core::limits::history_answer_max);
        }
        request.count = static_cast<std::uint32_t>(*count);
    } else if (name == "wait" && rules.wait_max > milliseconds::zero()) {
        request.wait = parse_wait(value);
        if (!request.wait || *request.wait > rules.wait_max) {
            return "wait must be a time like 25s, at most " +
                   std::to_string(rules.wait_max.count()) + "ms";
        }
    } else if (name == "transient" && rules.event_stream) {
        if (value != "0" && value != "1") return "transient must be 0 or 1";
        request.transient = value == "1";
    } else if (name == "before" && rules.wait_max > milliseconds::zero()) {
        return "before is for a page of history: leave out wait, or before";
    }
    return std::nullopt;
}

Refusal read_query(RoomRequest& request, std::string_view query, const RoomRequestRules& rules) {
    QueryParameter parameter;
    while (next_parameter(query, parameter)) {
        auto value = decode_query_text(parameter.value);
        if (!value) return "the query is not percent-encoded UTF-8";
        if (auto refusal = read_parameter(request, parameter.name, std::move(*value), rules)) {
            return refusal;
        }
    }
    return std::nullopt;
}

Refusal read_headers(RoomRequest& request, const HttpRequest& headers,
                     const RoomRequestRules& rules) {
    if (const auto name = headers.find(name_header); name != headers.end() && !request.name) {
        request.name = std::string(protocol::trim(name->value()));
    }
    if (!rules.event_stream) return std::nullopt;
    // An EventSource repeats its URL, with the `since` of its first time, when it reconnects.
    const auto id = headers.find(last_event_id_header);
    if (id == headers.end() || protocol::trim(id->value()).empty()) return std::nullopt;
    return read_since(request, last_event_id_header, protocol::trim(id->value()));
}

Refusal read_all(RoomRequest& request, const Exchange& exchange, std::string_view room,
                 const RoomRequestRules& rules) {
    auto decoded = decode_query_text(room);
    if (!decoded || !core::is_room_name(*decoded)) {
        return "a room's name is 1 to 128 of letters, digits and ._:@- and begins with a letter or "
               "digit";
    }
    request.room = std::move(*decoded);
    if (auto refusal = read_query(request, exchange.query, rules)) return refusal;
    if (auto refusal = read_headers(request, exchange.request, rules)) return refusal;
    if (!request.name) return std::nullopt;
    return core::refuse_name(*request.name, rules.name_bytes_max);
}

}  // namespace

std::optional<std::string_view> room_in_path(std::string_view path,
                                             std::string_view leaf) noexcept {
    if (!path.starts_with(rooms_path)) return std::nullopt;
    path.remove_prefix(rooms_path.size());
    const auto slash = path.find('/');
    if (slash == std::string_view::npos || path.substr(slash + 1) != leaf) return std::nullopt;
    return path.substr(0, slash);
}

std::variant<RoomRequest, HttpResponse> read_room_request(const Exchange& exchange,
                                                          std::string_view room,
                                                          const RoomRequestRules& rules) {
    if (auto refusal = refuse_identity(exchange)) return std::move(*refusal);
    RoomRequest request;
    if (const Refusal refusal = read_all(request, exchange, room, rules)) {
        return problem(400, *refusal);
    }
    return request;
}

std::optional<milliseconds> parse_wait(std::string_view text) noexcept {
    // No longer than a day: what follows can't overflow, and no server waits that long.
    constexpr std::uint64_t ms_max = 86'400'000;
    const auto digits = text.substr(0, text.find_first_not_of("0123456789"));
    const auto unit = text.substr(digits.size());
    const std::uint64_t ms_per_unit = unit == "ms"                  ? 1
                                      : unit.empty() || unit == "s" ? 1'000
                                      : unit == "m"                 ? 60'000
                                                                    : 0;
    const auto number = parse_number(digits);
    if (!number || ms_per_unit == 0 || *number > ms_max / ms_per_unit) return std::nullopt;
    return milliseconds(*number * ms_per_unit);
}

}  // namespace parley::transports
