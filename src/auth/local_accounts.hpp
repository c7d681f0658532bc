// LocalAccounts: accounts in a database of this server, and tokens of others: what stands behind
// core::Accounts.
//
// Path:     core::Accounts → [LocalAccounts] → PasswordHasher, AccountStore, JwtVerifier, and back by
//           mail
// Runs on:  asked on shards. Its desk, one thread, has the database to itself and verifies
//           signatures; passwords are hashed on others.
// Owned by: the server (composition root), a test. stop() comes before the hub goes.
// Bounds:   desk_queue_max questions at the desk, HashConfig::queue passwords; the rest is
//           `unavailable` with a time to come back.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/account_store.hpp"
#include "auth/auth_config.hpp"
#include "auth/guess_guard.hpp"
#include "auth/jwks_keeper.hpp"
#include "auth/jwt_verifier.hpp"
#include "auth/name_book.hpp"
#include "auth/password_hasher.hpp"
#include "auth/token_cache.hpp"
#include "auth/work_pool.hpp"
#include "core/accounts.hpp"
#include "core/hub.hpp"

namespace parley::auth {

// What happened, counted by whichever thread it happened on; each count stands for itself.
enum class AuthCount : std::uint8_t {
    registered,
    signed_in,
    sign_in_refused,  // a wrong name or password
    guess_slowed,     // refused unjudged: too many wrong ones before
    token_accepted,   // found out at the desk
    token_refused,
    token_recalled,  // known from a moment ago
    token_revoked,
    unavailable,  // too much waits, or the database failed
    end_,
};
// Its label in metrics.
[[nodiscard]] std::string_view name_of(AuthCount count) noexcept;

// The keys of jwt.secret_file, the first where there is one, and of jwt.public_keys. Throws
// std::runtime_error that names the setting and the file.
[[nodiscard]] JwtKeys read_fixed_keys(const JwtConfig& config);

// Something for the log: whether it is a fault, what happened, and to whom or why. Any thread.
using Tell = std::function<void(bool fault, std::string_view what, std::string_view about)>;

class LocalAccounts final : public core::Accounts {
public:
    static constexpr std::size_t desk_queue_max = 4096;

    // Opens the store and reads the keys. Throws std::runtime_error that names the setting.
    LocalAccounts(const AccountsConfig& accounts, const JwtConfig& jwt, Tell tell);
    ~LocalAccounts() override { stop(); }

    // Whose sessions are to end when a token is revoked. Before the first question.
    void attach(core::Hub& hub) noexcept { hub_ = &hub; }
    // Ends its threads; nobody is answered any more. Before the hub goes.
    void stop() noexcept;

    // core::Accounts
    bool has_store() const noexcept override { return store_ != nullptr; }
    bool is_registered(std::string_view name) const noexcept override { return book_.has(name); }
    std::uint32_t names_edition() const noexcept override { return book_.edition(); }
    std::optional<core::Identified> recall(std::string_view token, core::WallTime now) override;
    void identify(core::Shard& here, std::string token,
                  std::function<void(core::Identified&&)> done) override;
    void ask(core::Shard& here, core::AccountRequest request, const std::string& address,
             std::function<void(core::AccountAnswer&&)> done) override;

    [[nodiscard]] std::uint64_t count(AuthCount which) const noexcept {
        return counts_[static_cast<std::size_t>(which)].load(std::memory_order_relaxed);
    }
    [[nodiscard]] const WorkPool& desk() const noexcept { return desk_; }
    // Null without a store.
    [[nodiscard]] const PasswordHasher* hasher() const noexcept { return hasher_.get(); }
    // Null without a key set.
    [[nodiscard]] const JwksKeeper* key_set() const noexcept { return key_set_.get(); }
    [[nodiscard]] std::size_t guessers() const {
        return by_name_.size() + by_address_.size() + by_place_.size();
    }
    [[nodiscard]] std::size_t cached_tokens() const { return cache_.size(); }
    [[nodiscard]] std::uint64_t guessers_forgotten() const {
        return by_name_.forgotten_early() + by_address_.forgotten_early() +
               by_place_.forgotten_early();
    }

private:
    // A question under way: who is told, and what was known when it was asked.
    struct Question;
    using QuestionPtr = std::shared_ptr<const Question>;
    struct Asked;
    struct Attempt;

    void note(AuthCount which) noexcept {
        counts_[static_cast<std::size_t>(which)].fetch_add(1, std::memory_order_relaxed);
    }
    [[nodiscard]] core::Identified find_out(const std::string& token, core::WallTime now);
    [[nodiscard]] core::Identified find_stored(const std::string& token, core::WallTime now);
    [[nodiscard]] core::Identified find_signed(const std::string& token, core::WallTime now);
    void note_use(const core::TokenId& token, core::WallTime now);
    [[nodiscard]] core::Identified refuse_token(std::string why);
    [[nodiscard]] protocol::Error too_much() noexcept;
    [[nodiscard]] protocol::Error store_failed(const std::exception& failure) noexcept;

    // Has `work` done at the desk and its answer told.
    void at_desk(const QuestionPtr& question, std::function<core::AccountAnswer()> work);
    // The same for what a hash is there for: it was let in before, and the threads that hash do
    // nothing else.
    void hand_in(const QuestionPtr& question, std::function<core::AccountAnswer()> work);
    // The same where `work` tells the answer itself.
    void hand_over(const Attempt& attempt, std::function<void()> work);
    void enrol(const QuestionPtr& question, core::Register&& wanted);
    [[nodiscard]] core::AccountAnswer add_account(const std::string& name,
                                                  const std::optional<std::string>& hash,
                                                  core::WallTime now);
    void sign_in(const QuestionPtr& question, core::PasswordSignIn&& wanted);
    void judge(const Attempt& attempt, const std::optional<Account>& account,
               std::string&& password);
    void judged(const Attempt& attempt, const std::optional<Account>& account,
                const PasswordHasher::Verdict& verdict);
    [[nodiscard]] core::AccountAnswer open_session(const Account& account,
                                                   const std::string& fresh_hash,
                                                   const core::Instant& now);
    void change_password(const QuestionPtr& question, core::ChangePassword&& wanted);
    void check_password(const Attempt& attempt, core::ChangePassword&& wanted);
    void replace_password(const Attempt& attempt, const Account& account, const core::UserPtr& user,
                          std::string&& password);
    // Why somebody who was signed in when they asked is not any more. At the desk.
    [[nodiscard]] std::optional<protocol::Error> refuse_ended(const core::User& user,
                                                              core::WallTime now);
    [[nodiscard]] core::AccountAnswer make_key(const core::MakeKey& wanted,
                                               const core::Instant& now);
    [[nodiscard]] std::optional<protocol::Error> refuse_password(std::string_view password,
                                                                 std::string_view name) const;
    [[nodiscard]] std::optional<protocol::Error> admit_guess(Attempt& attempt);
    void revoke(const core::TokenId& token);
    void sweep(core::WallTime now);

    const AccountsConfig config_;
    const JwtConfig jwt_config_;
    const Tell tell_;
    core::Hub* hub_ = nullptr;
    std::array<std::atomic<std::uint64_t>, static_cast<std::size_t>(AuthCount::end_)> counts_{};
    NameBook book_;
    TokenCache cache_;
    GuessGuard by_name_;
    GuessGuard by_address_;
    GuessGuard by_place_;  // name and address, where that name was signed in to from there before
    KnownPlaces places_;
    GuessGuard registrations_;
    std::unique_ptr<AccountStore> store_;  // the desk's alone, once that runs
    core::WallTime swept_{};               // so are these
    bool use_noted_ = true;                // the last time that there was a use to note
    std::unique_ptr<JwtVerifier> verifier_;
    std::unique_ptr<PasswordHasher> hasher_;
    WorkPool desk_;
    std::unique_ptr<JwksKeeper> key_set_;
};

}  // namespace parley::auth
