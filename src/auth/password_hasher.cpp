#include "auth/password_hasher.hpp"

#include <argon2.h>
#include <openssl/rand.h>

#include <array>
#include <memory>
#include <stdexcept>
#include <utility>

#include "auth/secret.hpp"

namespace parley::auth {
namespace {

constexpr std::size_t salt_bytes = 16;
constexpr std::size_t hash_bytes = 32;

std::uint32_t memory_kib(const HashConfig& config) {
    return static_cast<std::uint32_t>(config.memory / 1024);
}

std::string made_by(const HashConfig& config) {
    return "$argon2id$v=19$m=" + std::to_string(memory_kib(config)) +
           ",t=" + std::to_string(config.passes) + ",p=" + std::to_string(config.lanes) + "$";
}

std::string hash_of_luck(const HashConfig& config) {
    auto hash = hash_password(make_token(""), config);
    if (!hash) throw std::runtime_error("accounts.hash_memory can't be had");
    return std::move(*hash);
}

}  // namespace

std::optional<std::string> hash_password(std::string_view password, const HashConfig& config) {
    std::array<unsigned char, salt_bytes> salt{};
    if (RAND_bytes(salt.data(), static_cast<int>(salt.size())) != 1) return std::nullopt;
    const auto room = argon2_encodedlen(config.passes, memory_kib(config), config.lanes, salt_bytes,
                                        hash_bytes, Argon2_id);
    std::string encoded(room, '\0');
    const int result = argon2id_hash_encoded(
        config.passes, memory_kib(config), config.lanes, password.data(), password.size(),
        salt.data(), salt.size(), hash_bytes, encoded.data(), encoded.size());
    if (result != ARGON2_OK) return std::nullopt;
    encoded.resize(encoded.find('\0'));
    return encoded;
}

std::optional<bool> is_password_of(const std::string& encoded, std::string_view password) {
    const int result = argon2id_verify(encoded.c_str(), password.data(), password.size());
    if (result == ARGON2_MEMORY_ALLOCATION_ERROR || result == ARGON2_THREAD_FAIL) {
        return std::nullopt;
    }
    return result == ARGON2_OK;
}

bool is_current(std::string_view encoded, const HashConfig& config) {
    return encoded.starts_with(made_by(config));
}

PasswordHasher::PasswordHasher(const HashConfig& config)
    : config_(config),
      nobodys_(hash_of_luck(config)),
      pool_("parley-hash", config.threads, config.queue, WorkPriority::leftover) {}

bool PasswordHasher::hash(std::string password,
                          std::function<void(std::optional<std::string>)> done) {
    // Shared since a function is copied; it is wiped with the last copy.
    auto secret = std::make_shared<const Wiped>(std::move(password));
    return pool_.submit([this, secret = std::move(secret), done = std::move(done)] {
        done(hash_password(secret->text(), config_));
    });
}

bool PasswordHasher::verify(std::string encoded, std::string password,
                            std::function<void(Verdict)> done) {
    auto secret = std::make_shared<const Wiped>(std::move(password));
    return pool_.submit(
        [this, encoded = std::move(encoded), secret = std::move(secret), done = std::move(done)] {
            Verdict verdict{is_password_of(encoded, secret->text()), {}};
            if (verdict.matches.value_or(false) && !is_current(encoded, config_)) {
                verdict.fresh = hash_password(secret->text(), config_).value_or(std::string());
            }
            done(std::move(verdict));
        });
}

bool PasswordHasher::verify_nothing(std::string password, std::function<void(Verdict)> done) {
    return verify(nobodys_, std::move(password), [done = std::move(done)](const Verdict& verdict) {
        done({verdict.matches ? std::optional(false) : std::nullopt, {}});
    });
}

}  // namespace parley::auth
