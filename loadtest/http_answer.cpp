#include "loadtest/http_answer.hpp"

#include <charconv>

#include "loadtest/json_search.hpp"

namespace parley::load {
namespace {

std::string room_path(std::string_view room, std::string_view what) {
    // Room names hold nothing that a path would escape.
    return std::string("/api/v1/rooms/").append(room).append(what);
}

}  // namespace

std::string messages_path(std::string_view room) {
    return room_path(room, "/messages");
}

std::string events_path(std::string_view room) {
    return room_path(room, "/events");
}

std::string describe_answer(const HttpReader& reader) {
    std::string text = std::to_string(reader.status());
    std::string_view code = find_json_string(reader.body(), R"("code":")");
    // Engine.IO's codes are numbers.
    if (code.empty()) code = find_json_string(reader.body(), R"("message":")");
    if (!code.empty()) text.append(1, ' ').append(code.substr(0, 80));
    return text;
}

std::uint16_t status_of(std::string_view head) {
    const std::size_t space = head.find(' ');
    if (!head.starts_with("HTTP/") || space == std::string_view::npos) return 0;
    std::uint16_t status = 0;
    std::from_chars(head.data() + space + 1, head.data() + head.size(), status);
    return status;
}

}  // namespace parley::load
