#include "transports/rest/rest_routes.hpp"

namespace parley::transports {
namespace {

// What stands there, where it fits the pattern's segment; false where it does not.
bool take(RouteNames& names, std::string_view wanted, std::string_view segment) noexcept {
    if (wanted == "{room}") {
        names.room = segment;
    } else if (wanted == "{user}") {
        names.user = segment;
    } else if (wanted == "{offset}") {
        names.offset = segment;
    } else {
        return wanted == segment;
    }
    return true;
}

}  // namespace

std::optional<RouteNames> match_route(std::string_view pattern, std::string_view path) noexcept {
    constexpr auto none = std::string_view::npos;
    // What stands before the first name tells most patterns from a path. It ends with a slash: a name
    // is a whole segment.
    const auto begin = pattern.substr(0, pattern.find('{'));
    if (!path.starts_with(begin)) return std::nullopt;
    pattern.remove_prefix(begin.size());
    path.remove_prefix(begin.size());
    RouteNames names;
    for (;;) {
        const auto end = pattern.find('/');
        const auto path_end = path.find('/');
        if (!take(names, pattern.substr(0, end), path.substr(0, path_end))) return std::nullopt;
        if (end == none && path_end == none) return names;
        if (end == none || path_end == none) return std::nullopt;
        pattern.remove_prefix(end + 1);
        path.remove_prefix(path_end + 1);
    }
}

}  // namespace parley::transports
