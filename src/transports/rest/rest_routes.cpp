#include "transports/rest/rest_routes.hpp"

namespace parley::transports {

std::optional<std::string_view> match_route(std::string_view pattern,
                                            std::string_view path) noexcept {
    constexpr std::string_view hole = "{room}";
    const auto at = pattern.find(hole);
    if (at == std::string_view::npos) {
        if (pattern != path) return std::nullopt;
        return std::string_view();
    }
    const std::string_view behind = pattern.substr(at + hole.size());
    if (path.size() < at + behind.size() || !path.starts_with(pattern.substr(0, at)) ||
        !path.ends_with(behind)) {
        return std::nullopt;
    }
    const std::string_view room = path.substr(at, path.size() - at - behind.size());
    if (room.find('/') != std::string_view::npos) return std::nullopt;
    return room;
}

}  // namespace parley::transports
