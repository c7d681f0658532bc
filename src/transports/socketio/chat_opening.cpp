#include "transports/socketio/chat_opening.hpp"

#include <utility>

#include "core/session.hpp"
#include "transports/query_string.hpp"
#include "transports/socketio/python_client.hpp"

namespace parley::transports {
namespace {

struct Query {
    std::optional<std::string> name;
    std::optional<std::string> room;
    std::optional<std::string> token;
    bool recovery = true;
    bool malformed = false;

    void take(const QueryParameter& parameter) {
        std::optional<std::string>* wanted = nullptr;
        if (parameter.name == "username" || parameter.name == "name") wanted = &name;
        if (parameter.name == "room") wanted = &room;
        if (parameter.name == "token") wanted = &token;
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
    // Its handlers are functions that are called with every argument of an event: one more, and they
    // fail. JavaScript's pass over it.
    query.recovery = !is_python_client(opening.query);
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
    // What the page says of itself comes before what its browser sends along.
    read.token = said->token   ? std::move(*said->token)
                 : query.token ? std::move(*query.token)
                               : opening.token;
    read.by_cookie = opening.by_cookie && !said->token && !query.token;
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
