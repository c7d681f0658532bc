#include "transports/socketio/engine_sessions.hpp"

#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <stdexcept>

#include "core/limits.hpp"
#include "transports/gate.hpp"
#include "transports/openssl_handles.hpp"

namespace parley::transports {
namespace {

constexpr std::string_view digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";  // RFC 4648, 5

static_assert(core::limits::shards_max <= 64, "a shard is one digit of a session's id");

// The first digit is the shard. The others are 114 bits of OpenSSL's luck and not of the shard's,
// whose course can be worked out from a few hundred ids: who knows one of them speaks for its owner.
EngineSid make_sid(std::size_t shard) {
    std::array<unsigned char, std::tuple_size_v<EngineSid> - 1> luck{};
    if (RAND_bytes(luck.data(), static_cast<int>(luck.size())) != 1) {
        throw std::runtime_error("no random numbers: " + take_openssl_error());
    }
    EngineSid sid;
    sid[0] = digits[shard];
    std::transform(luck.begin(), luck.end(), sid.begin() + 1,
                   [](unsigned char byte) { return digits[byte % digits.size()]; });
    return sid;
}

}  // namespace

std::size_t EngineSessions::BySid::operator()(std::string_view sid) const noexcept {
    std::uint64_t hash = 0;
    std::memcpy(&hash, sid.data() + sid.size() - sizeof hash, sizeof hash);
    return hash;
}

EngineSession::Pointer EngineSessions::make(const EngineOpening& opening) {
    return EngineSession::Pointer(
        new EngineSession(*this, make_sid(gate_->shard().index()), application_->open(opening)));
}

std::optional<std::size_t> EngineSessions::shard_of(std::string_view sid) noexcept {
    if (sid.size() != std::tuple_size_v<EngineSid>) return std::nullopt;
    const std::size_t shard = digits.find(sid[0]);
    return shard == std::string_view::npos ? std::nullopt : std::optional(shard);
}

EngineSession* EngineSessions::find(std::string_view sid) noexcept {
    if (sid.size() != std::tuple_size_v<EngineSid>) return nullptr;
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
