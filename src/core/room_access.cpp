#include "core/room_access.hpp"

#include "core/direct.hpp"
#include "core/session.hpp"

namespace parley::core {
namespace {

std::optional<protocol::Error> refuse(const User& user, std::string_view room, bool Grant::*has,
                                      const char* otherwise) {
    if (auto refused = refuse_stranger(user)) return refused;
    if (auto refused = refuse_outsider(user, room)) return refused;
    const Grant* const grant = user.grant();
    if (grant == nullptr) return std::nullopt;
    if (!grant->covers(room)) {
        return make_error(errc::forbidden, "your token is not good for this room");
    }
    if (!(grant->*has)) return make_error(errc::forbidden, otherwise);
    return std::nullopt;
}

}  // namespace

std::optional<protocol::Error> refuse_stranger(const User& user) {
    const Grant* const grant = user.grant();
    if (grant == nullptr || grant->kind != Grant::Kind::stranger) return std::nullopt;
    return make_error(errc::unauthorized, "sign in first: this server knows no guests");
}

std::optional<protocol::Error> refuse_read(const User& user, std::string_view room) {
    return refuse(user, room, &Grant::reads, "your token is good for sending only");
}

std::optional<protocol::Error> refuse_write(const User& user, std::string_view room) {
    return refuse(user, room, &Grant::writes, "your token is good for reading only");
}

}  // namespace parley::core
