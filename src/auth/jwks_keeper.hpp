// JwksKeeper: reads a key set from a file or a URL, again and again, on a thread of its own.
//
// Path:     a file or another system → [JwksKeeper] → JwtVerifier::set_keys()
// Runs on:  its own thread; the rest on any.
// Owned by: LocalAccounts.
// Bounds:   one read at a time, at most one every refresh_min; what can't be read leaves the keys of
//           before.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "auth/auth_config.hpp"
#include "auth/jwt_keys.hpp"

namespace parley::auth {

// Reads a key set, once. Throws std::runtime_error.
[[nodiscard]] JwtKeys load_jwks(const JwtConfig& config, const std::atomic<bool>& stopping);

class JwksKeeper {
public:
    // Between two reads that tokens of unknown keys bring about.
    static constexpr std::chrono::seconds refresh_min{30};

    using Load = std::function<JwtKeys(const std::atomic<bool>& stopping)>;
    using Take = std::function<void(JwtKeys&&)>;
    using Complain = std::function<void(const std::string&)>;

    // Reads at once, and every `every`; after a read that failed no later than in `again`. `take` gets
    // what was read, `complain` why it was not.
    JwksKeeper(std::chrono::milliseconds every, Load load, Take take, Complain complain,
               std::chrono::milliseconds again = refresh_min);
    ~JwksKeeper() { stop(); }
    JwksKeeper(const JwksKeeper&) = delete;
    JwksKeeper& operator=(const JwksKeeper&) = delete;

    // Somebody has seen a key that is not known: reads soon. False where it did so not long ago.
    bool want() noexcept;
    void stop() noexcept;

    [[nodiscard]] std::uint64_t loads() const noexcept {
        return loads_.load(std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t failures() const noexcept {
        return failures_.load(std::memory_order_relaxed);
    }

private:
    void run() noexcept;
    // False where it failed.
    bool read_once() noexcept;

    const std::chrono::milliseconds every_;
    const std::chrono::milliseconds again_;
    const Load load_;
    const Take take_;
    const Complain complain_;
    std::mutex mutex_;
    std::condition_variable news_;
    std::atomic<bool> stopping_{false};  // set under the lock; a read under way looks without
    bool wanted_ = false;
    std::chrono::steady_clock::time_point last_{};
    std::atomic<std::uint64_t> loads_{0};  // counts alone
    std::atomic<std::uint64_t> failures_{0};
    std::thread thread_;
};

}  // namespace parley::auth
