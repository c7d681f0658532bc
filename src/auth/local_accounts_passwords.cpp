// The part of LocalAccounts that judges passwords: signing in, and changing one.
#include <memory>
#include <utility>

#include "auth/account_question.hpp"
#include "auth/local_accounts.hpp"
#include "auth/name_fold.hpp"
#include "auth/secret.hpp"

namespace parley::auth {
namespace {

using core::AccountAnswer;
using core::errc;
using core::make_error;

constexpr std::string_view session_prefix = "ps_";

}  // namespace

// ---- signing in ------------------------------------------------------------------------------

std::optional<protocol::Error> LocalAccounts::admit_guess(Attempt& attempt) {
    const std::string& address = attempt.question->address;
    const core::TimePoint now = attempt.question->now.mono;
    core::Duration wait{};
    attempt.known_place = places_.has(attempt.place(), now);
    if (attempt.known_place) {
        wait = by_place_.admit(attempt.place(), now);
    } else {
        wait = by_address_.admit(address, now);
        if (wait == core::Duration::zero()) {
            wait = by_name_.admit(attempt.name, now);
            if (wait > core::Duration::zero()) by_address_.take_back(address);
        }
    }
    if (wait == core::Duration::zero()) return std::nullopt;
    note(AuthCount::guess_slowed);
    return slow_down(wait);
}

void LocalAccounts::sign_in(const QuestionPtr& question, core::PasswordSignIn&& wanted) {
    constexpr const char* wrong = "the name or the password is wrong";
    if (wanted.password.size() > password_bytes_max ||
        wanted.name.size() > config_.name_bytes_max || wanted.name.empty()) {
        return question->refuse(make_error(errc::unauthorized, wrong));
    }
    Attempt attempt{this, question, name_key(wanted.name)};
    if (auto slowed = admit_guess(attempt)) return question->refuse(std::move(*slowed));
    const bool taken =
        desk_.submit([this, attempt, password = std::move(wanted.password)]() mutable {
            try {
                judge(attempt, store_->find_account(attempt.name), std::move(password));
            } catch (const std::exception& failure) {
                attempt.give_up(store_failed(failure));
            }
        });
    if (!taken) attempt.give_up(too_much());
}

// Somebody who is not there is judged as long as anybody else.
void LocalAccounts::judge(const Attempt& attempt, const std::optional<Account>& account,
                          std::string&& password) {
    auto done = [this, attempt, account](const PasswordHasher::Verdict& verdict) {
        hand_over(attempt,
                  [this, attempt, account, verdict] { judged(attempt, account, verdict); });
    };
    const bool taken = account
                           ? hasher_->verify(account->hash, std::move(password), std::move(done))
                           : hasher_->verify_nothing(std::move(password), std::move(done));
    if (!taken) attempt.give_up(too_much());
}

void LocalAccounts::judged(const Attempt& attempt, const std::optional<Account>& account,
                           const PasswordHasher::Verdict& verdict) {
    if (!verdict.matches) return attempt.give_up(too_much());
    if (!*verdict.matches) {
        return attempt.was_wrong(errc::unauthorized, "the name or the password is wrong");
    }
    auto answer = open_session(*account, verdict.fresh, attempt.question->now);
    if (!answer) return attempt.give_up(protocol::Error(answer.error()));
    attempt.was_right();
    attempt.question->tell(std::move(answer));
}

AccountAnswer LocalAccounts::open_session(const Account& account, const std::string& fresh_hash,
                                          const core::Instant& now) {
    sweep(now.wall);
    // The password may have been changed while this one was judged.
    const auto stands = store_->account_of(account.id);
    const bool changed = !stands || stands->hash != account.hash ||
                         (!fresh_hash.empty() && !store_->replace_hash(account, fresh_hash));
    // Or only hashed anew, for somebody who signed in at the same time: what is right says the next.
    if (changed) {
        return {boost::system::in_place_error,
                make_error(errc::unavailable, "the account has just been changed, try again",
                           retry_soon)};
    }
    core::SignedInSession session{
        {account.id, account.name}, make_token(session_prefix), now.wall + config_.session_ttl};
    for (const auto& ended :
         store_->add_session(account.row, id_of_token(session.token), now.wall, session.expires)) {
        revoke(ended);
    }
    note(AuthCount::signed_in);
    tell_(false, "signed in", account.name);
    return session;
}

// ---- changing a password ----------------------------------------------------------------------

void LocalAccounts::change_password(const QuestionPtr& question, core::ChangePassword&& wanted) {
    if (auto refused = refuse_password(wanted.new_password, wanted.user->who.name)) {
        return question->refuse(std::move(*refused));
    }
    if (wanted.password.size() > password_bytes_max) {
        return question->refuse(make_error(errc::forbidden, "the password is wrong"));
    }
    Attempt attempt{this, question, name_key(wanted.user->who.name)};
    if (auto slowed = admit_guess(attempt)) return question->refuse(std::move(*slowed));
    const bool taken = desk_.submit([this, attempt, wanted = std::move(wanted)]() mutable {
        try {
            check_password(attempt, std::move(wanted));
        } catch (const std::exception& failure) {
            attempt.give_up(store_failed(failure));
        }
    });
    if (!taken) attempt.give_up(too_much());
}

// At the desk: whoever is signed in has to say the old password too.
void LocalAccounts::check_password(const Attempt& attempt, core::ChangePassword&& wanted) {
    if (auto ended = refuse_ended(*wanted.user, attempt.question->now.wall)) {
        return attempt.give_up(std::move(*ended));
    }
    const auto account = store_->account_of(wanted.user->who.id);
    if (!account) return attempt.give_up(make_error(errc::not_found, "the account is gone"));
    const auto fresh = std::make_shared<const Wiped>(std::move(wanted.new_password));
    const bool taken = hasher_->verify(
        account->hash, std::move(wanted.password),
        [this, attempt, account = *account, user = wanted.user,
         fresh](const PasswordHasher::Verdict& verdict) {
            hand_over(attempt, [this, attempt, account, user, fresh, matches = verdict.matches] {
                if (!matches) return attempt.give_up(too_much());
                if (!*matches) return attempt.was_wrong(errc::forbidden, "the password is wrong");
                attempt.was_right();
                replace_password(attempt, account, user, std::string(fresh->text()));
            });
        });
    if (!taken) attempt.give_up(too_much());
}

void LocalAccounts::replace_password(const Attempt& attempt, const Account& account,
                                     const core::UserPtr& user, std::string&& password) {
    const auto& question = attempt.question;
    auto store = [this, question, account, user](const std::string& hash) -> AccountAnswer {
        // Somebody else who knew the old one may have been faster, and ended this session.
        if (auto ended = refuse_ended(*user, question->now.wall)) {
            return {boost::system::in_place_error, std::move(*ended)};
        }
        const auto ended = store_->change_password(account, hash, user->grant()->token);
        if (!ended) return refuse(errc::conflict, "the account has just been changed, try again");
        for (const auto& token : *ended) revoke(token);
        tell_(false, "password changed", account.name);
        return core::Done{};
    };
    const bool taken = hasher_->hash(
        std::move(password),
        [this, question, store = std::move(store)](std::optional<std::string> hash) {
            hand_in(question, [this, store, hash = std::move(hash)]() -> AccountAnswer {
                if (!hash) return {boost::system::in_place_error, too_much()};
                return store(*hash);
            });
        });
    if (!taken) question->refuse(too_much());
}

}  // namespace parley::auth
