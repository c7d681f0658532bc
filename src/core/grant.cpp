#include "core/grant.hpp"

#include <algorithm>

#include "core/config.hpp"

namespace parley::core {

bool Grant::covers(std::string_view room) const noexcept {
    return all_rooms || std::ranges::any_of(rooms, [room](const std::string& pattern) {
               return matches(pattern, room);
           });
}

std::string_view name_of(Grant::Kind kind) noexcept {
    switch (kind) {
        case Grant::Kind::stranger:
            return "stranger";
        case Grant::Kind::session:
            return "session";
        case Grant::Kind::api_key:
            return "api_key";
        case Grant::Kind::jwt:
            return "jwt";
    }
    return {};
}

}  // namespace parley::core
