// PasswordHasher: Argon2id on threads of its own (RFC 9106): slow by design, and never on a shard.
//
// Path:     LocalAccounts → [PasswordHasher] → a function on one of its threads
// Runs on:  asked on any thread; answers on its own, which are SCHED_IDLE: `done` takes no lock that
//           others wait for.
// Owned by: LocalAccounts.
// Bounds:   HashConfig::threads at once, each with HashConfig::memory; HashConfig::queue that wait.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "auth/auth_config.hpp"
#include "auth/work_pool.hpp"

namespace parley::auth {

// The encoded hash (`$argon2id$v=19$m=…,t=…,p=…$salt$hash`); nothing where there is no memory or no
// luck for it. Takes as long as the parameters say.
[[nodiscard]] std::optional<std::string> hash_password(std::string_view password,
                                                       const HashConfig& config);
// Whether it is that password's; compares in a time that says nothing. False for what is no hash;
// nothing where there is no memory to find out.
[[nodiscard]] std::optional<bool> is_password_of(const std::string& encoded,
                                                 std::string_view password);
// Whether a hash was made by these parameters.
[[nodiscard]] bool is_current(std::string_view encoded, const HashConfig& config);

class PasswordHasher {
public:
    struct Verdict {
        std::optional<bool> matches;  // nothing: it could not be found out
        // The hash by today's parameters, where it matches and they have changed.
        std::string fresh;
    };

    explicit PasswordHasher(const HashConfig& config);

    // All three answer false, and `done` is never called, where too many wait already.
    [[nodiscard]] bool hash(std::string password,
                            std::function<void(std::optional<std::string>)> done);
    [[nodiscard]] bool verify(std::string encoded, std::string password,
                              std::function<void(Verdict)> done);
    // The work of verify() for nothing: what is refused takes as long as what is judged.
    [[nodiscard]] bool verify_nothing(std::string password, std::function<void(Verdict)> done);

    void stop() noexcept { pool_.stop(); }
    [[nodiscard]] const WorkPool& pool() const noexcept { return pool_; }

private:
    const HashConfig config_;
    const std::string nobodys_;  // a hash of a password that nobody knows
    WorkPool pool_;
};

}  // namespace parley::auth
