#include "transports/socketio/chat_opening.hpp"

#include <algorithm>
#include <utility>

#include "core/session.hpp"
#include "transports/query_string.hpp"

namespace parley::transports {
namespace {

// python-engineio numbers its requests by the time, in seconds: `t=1732261762.25`. Its handlers are
// functions that are called with every argument of an event: one more, and they fail. JavaScript's
// pass over it.
bool is_seconds(std::string_view t) {
    constexpr std::size_t digits_min = 9;
    const auto point = std::min(t.find('.'), t.size());
    if (point < digits_min || point + 1 >= t.size()) return false;
    t = t.substr(0, point);
    return std::ranges::all_of(t, [](char c) { return c >= '0' && c <= '9'; });
}

struct Query {
    std::optional<std::string> name;
    std::optional<std::string> room;
    bool token = false;
    bool recovery = true;
    bool malformed = false;

    void take(const QueryParameter& parameter) {
        if (parameter.name == "t" && is_seconds(parameter.value)) recovery = false;
        std::optional<std::string>* wanted = nullptr;
        if (parameter.name == "username" || parameter.name == "name") wanted = &name;
        if (parameter.name == "room") wanted = &room;
        if (parameter.name == "token") token = !parameter.value.empty();
        if (parameter.name == "recovery") {
            recovery = parameter.value != "0" && parameter.value != "false";
        }
        if (wanted == nullptr || parameter.value.empty()) return;
        *wanted = decode_query_text(parameter.value);
        malformed = malformed || !*wanted;
    }
};

}  // namespace

ChatOpening read_chat_opening(std::string_view auth, const EngineOpening& opening,
                              std::size_t name_bytes_max) {
    ChatOpening read;
    read.address = opening.address;
    Query query;
    QueryParameter parameter;
    for (std::string_view rest = opening.query; next_parameter(rest, parameter);) {
        query.take(parameter);
    }
    auto said = protocol::decode_chat_auth(auth);
    if (!said) {
        read.refusal = {core::errc::bad_request, said.error()};
        return read;
    }
    if (query.malformed) {
        read.refusal = {core::errc::bad_request, "the query is not percent-encoded UTF-8"};
        return read;
    }
    if (said->token || query.token) {
        read.refusal = {core::errc::unauthorized,
                        "this server has no accounts: leave out \"token\""};
        return read;
    }
    read.name = said->name ? std::move(said->name) : std::move(query.name);
    read.room = said->room ? std::move(said->room) : std::move(query.room);
    read.offsets = said->recovery.value_or(query.recovery);
    read.pid = std::move(said->pid);
    read.offset = std::move(said->offset);
    if (read.name) {
        if (auto refused = core::refuse_name(*read.name, name_bytes_max)) {
            read.refusal = {core::errc::bad_request, std::move(*refused)};
        }
    }
    return read;
}

}  // namespace parley::transports
