#include "transports/secret_id.hpp"

#include <openssl/rand.h>

#include <algorithm>
#include <stdexcept>

#include "core/limits.hpp"
#include "transports/openssl_handles.hpp"

namespace parley::transports {
namespace {

constexpr std::string_view digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";  // RFC 4648, 5

static_assert(core::limits::shards_max <= 64, "a shard is one digit of an id");

}  // namespace

// OpenSSL's luck and not the shard's, whose course can be worked out from a few hundred ids: who
// knows one of them speaks for its owner.
SecretId make_secret_id(std::size_t shard) {
    std::array<unsigned char, std::tuple_size_v<SecretId> - 1> luck{};
    if (RAND_bytes(luck.data(), static_cast<int>(luck.size())) != 1) {
        throw std::runtime_error("no random numbers: " + take_openssl_error());
    }
    SecretId id;
    id[0] = digits[shard];
    std::transform(luck.begin(), luck.end(), id.begin() + 1,
                   [](unsigned char byte) { return digits[byte % digits.size()]; });
    return id;
}

std::optional<std::size_t> shard_of_secret_id(std::string_view id) noexcept {
    if (id.size() != std::tuple_size_v<SecretId>) return std::nullopt;
    const std::size_t shard = digits.find(id[0]);
    return shard == std::string_view::npos ? std::nullopt : std::optional(shard);
}

}  // namespace parley::transports
