#include "transports/socketio/engine_sessions.hpp"

#include <cstdint>
#include <cstring>

#include "transports/gate.hpp"
#include "transports/secret_id.hpp"
#include "transports/socketio/python_client.hpp"

namespace parley::transports {
std::size_t EngineSessions::BySid::operator()(std::string_view sid) const noexcept {
    std::uint64_t hash = 0;
    std::memcpy(&hash, sid.data() + sid.size() - sizeof hash, sizeof hash);
    return hash;
}

EngineSession::Pointer EngineSessions::make(const EngineOpening& opening) {
    const std::size_t packets_max =
        is_python_client(opening.query) ? python_poll_packets_max : std::size_t(-1);
    return EngineSession::Pointer(new EngineSession(*this, make_secret_id(gate_->shard().index()),
                                                    application_->open(opening), packets_max));
}

EngineSession* EngineSessions::find(std::string_view sid) noexcept {
    if (sid.size() != std::tuple_size_v<SecretId>) return nullptr;
    const auto found = sessions_.find(sid);
    if (found == sessions_.end()) return nullptr;
    const EngineSession::Pointer session = *found;
    session->expire();
    return session->is_listed() ? session.get() : nullptr;
}

void EngineSessions::remove(EngineSession& session) noexcept {
    const auto found = sessions_.find(session.sid());
    if (found != sessions_.end()) sessions_.erase(found);
}

}  // namespace parley::transports
