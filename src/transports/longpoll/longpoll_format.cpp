#include "transports/longpoll/longpoll_format.hpp"

#include "protocol/json_append.hpp"

namespace parley::transports {
namespace {

// A comma before each, so that frames that are joined make a list.
constexpr core::WireFormat format{5, [](const core::Publication& publication, std::string& out) {
                                      out.append(",").append(publication.json());
                                  }};

}  // namespace

constexpr core::TransportTraits longpoll_traits{"longpoll", &format};

std::string_view longpoll_text(const core::Frame& frame) noexcept {
    return frame.bytes().substr(1);
}

void append_longpoll_page(std::string& out, std::string_view room, const protocol::Cursor& cursor,
                          bool recovered, std::span<const std::string_view> messages, bool more) {
    protocol::append_string(out, "{\"room\":", room);
    protocol::append_cursor(out, ",\"cursor\":", cursor);
    protocol::append_boolean(out, ",\"recovered\":", recovered);
    out += ",\"messages\":[";
    std::string_view comma;
    for (const std::string_view message : messages) {
        out.append(comma).append(message);
        comma = ",";
    }
    out += "]";
    protocol::append_boolean(out, ",\"more\":", more);
    out += "}";
}

}  // namespace parley::transports
