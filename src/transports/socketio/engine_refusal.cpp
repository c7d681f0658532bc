#include "transports/socketio/engine_refusal.hpp"

#include <array>

namespace parley::transports {
namespace {

constexpr std::array<std::string_view, 6> bodies{
    R"({"code":0,"message":"Transport unknown"})",
    R"({"code":1,"message":"Session ID unknown"})",
    R"({"code":2,"message":"Bad handshake method"})",
    R"({"code":3,"message":"Bad request"})",
    R"({"code":4,"message":"Forbidden"})",
    R"({"code":5,"message":"Unsupported protocol version"})",
};

}  // namespace

HttpResponse refuse(EngineRefusal refusal) {
    HttpResponse response;
    response.status = refusal == EngineRefusal::forbidden ? 403 : 400;
    response.content_type = "application/json";
    response.fixed_body = bodies[static_cast<std::size_t>(refusal)];
    return response;
}

}  // namespace parley::transports
