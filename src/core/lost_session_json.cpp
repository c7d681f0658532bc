// How a lost session is kept beyond its process.
#include <boost/json.hpp>
#include <utility>

#include "core/lost_sessions.hpp"

namespace parley::core {

namespace json = boost::json;

namespace {

// Somebody who was signed in is nobody without their token, which is not kept: what it was good for is
// found out when it is shown again, and until then they may do nothing.
UserPtr kept_user(protocol::User who, bool signed_in) {
    if (!signed_in) return UserPtr(new User(std::move(who)));
    Grant grant;
    grant.reads = grant.writes = false;
    return UserPtr(new GrantedUser(std::move(who), std::move(grant)));
}

}  // namespace

std::string to_json(const LostSession& session) {
    json::array rooms;
    for (const std::string& room : session.rooms) rooms.push_back(json::value(room));
    return json::serialize(json::object{{"scope", session.scope},
                                        {"session", session.session},
                                        {"user", {session.user->who.id, session.user->who.name}},
                                        {"signed_in", is_signed_in(*session.user)},
                                        {"trail", session.trail.to_json()},
                                        {"rooms", std::move(rooms)}});
}

std::optional<LostSession> lost_session_from_json(std::string_view text) try {
    const json::value parsed = json::parse(text);
    const json::object& in = parsed.as_object();
    const json::array& user = in.at("user").as_array();
    auto trail = Trail::from_json(in.at("trail").as_string());
    if (!trail) return std::nullopt;
    LostSession session{
        std::string(in.at("scope").as_string()),
        std::string(in.at("session").as_string()),
        kept_user({std::string(user.at(0).as_string()), std::string(user.at(1).as_string())},
                  in.at("signed_in").as_bool()),
        std::move(*trail),
        {}};
    for (const json::value& room : in.at("rooms").as_array()) {
        session.rooms.emplace_back(room.as_string());
    }
    return session;
} catch (const std::exception&) {
    return std::nullopt;
}

}  // namespace parley::core
