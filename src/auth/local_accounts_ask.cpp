// The part of LocalAccounts that takes what is asked for, registers, signs out and looks after keys.
#include <algorithm>
#include <utility>

#include "auth/account_question.hpp"
#include "auth/local_accounts.hpp"
#include "auth/name_fold.hpp"
#include "auth/secret.hpp"
#include "core/address_key.hpp"
#include "core/session.hpp"
#include "core/shard.hpp"
#include "protocol/utf8.hpp"

namespace parley::auth {
namespace {

using core::AccountAnswer;
using core::errc;
using core::make_error;

constexpr std::string_view key_prefix = "pk_";
constexpr std::size_t key_id_length = 12;
constexpr std::size_t key_label_bytes_max = 64;
constexpr std::size_t key_rooms_max = 64;

// Of rooms' names, with `*` for any run of characters.
bool is_room_pattern(std::string_view text) {
    std::string name(text);
    std::ranges::replace(name, '*', 'x');
    return core::is_room_name(name);
}

bool is_session(const core::UserPtr& user) {
    return user->grant() != nullptr && user->grant()->kind == core::Grant::Kind::session;
}

}  // namespace

// Starts what each request asks for.
struct LocalAccounts::Asked {
    LocalAccounts& self;
    const QuestionPtr& question;

    void operator()(core::Register&& wanted) const { self.enrol(question, std::move(wanted)); }
    void operator()(core::PasswordSignIn&& wanted) const {
        self.sign_in(question, std::move(wanted));
    }
    void operator()(core::ChangePassword&& wanted) const {
        if (!may_manage(wanted.user)) return;
        self.change_password(question, std::move(wanted));
    }
    void operator()(core::SignOut&& wanted) const {
        if (!may_manage(wanted.user)) return;
        self.at_desk(question, [&accounts = self, user = std::move(wanted.user)] {
            if (accounts.store_->remove_token(user->grant()->token)) {
                accounts.revoke(user->grant()->token);
                accounts.tell_(false, "signed out", user->who.name);
            }
            return AccountAnswer(core::Done{});
        });
    }
    void operator()(core::MakeKey&& wanted) const {
        if (!may_manage(wanted.user)) return;
        const core::UserPtr user = wanted.user;
        at_desk_of_theirs(user, [&accounts = self, wanted = std::move(wanted),
                                 now = question->now] { return accounts.make_key(wanted, now); });
    }
    void operator()(core::ListKeys&& wanted) const {
        if (!may_manage(wanted.user)) return;
        at_desk_of_theirs(wanted.user, [&accounts = self, user = wanted.user]() -> AccountAnswer {
            const auto account = accounts.store_->account_of(user->who.id);
            if (!account) return refuse(errc::not_found, "there is no such account");
            return accounts.store_->keys_of(account->row);
        });
    }
    void operator()(core::RevokeKey&& wanted) const {
        if (!may_manage(wanted.user)) return;
        const core::UserPtr user = wanted.user;
        const auto work = [&accounts = self, wanted = std::move(wanted)]() -> AccountAnswer {
            const auto account = accounts.store_->account_of(wanted.user->who.id);
            const auto token =
                account ? accounts.store_->remove_key(account->row, wanted.id) : std::nullopt;
            if (!token) return refuse(errc::not_found, "there is no such key");
            accounts.revoke(*token);
            accounts.tell_(false, "key revoked", wanted.user->who.name);
            return core::Done{};
        };
        at_desk_of_theirs(user, work);
    }
    void operator()(core::FindAccount&& wanted) const {
        self.at_desk(question, [&accounts = self, who = std::move(wanted.who)]() -> AccountAnswer {
            auto account = accounts.store_->account_of(who);
            if (!account) account = accounts.store_->find_account(who);
            if (!account) return refuse(errc::not_found, "there is no such account");
            return protocol::User{account->id, account->name};
        });
    }

private:
    // At the desk, and only while they are signed in still: that may have ended since they asked.
    void at_desk_of_theirs(const core::UserPtr& user, std::function<AccountAnswer()> work) const {
        self.at_desk(question,
                     [&accounts = self, user, work = std::move(work),
                      now = question->now.wall]() -> AccountAnswer {
                         if (auto ended = accounts.refuse_ended(*user, now)) {
                             return {boost::system::in_place_error, std::move(*ended)};
                         }
                         return work();
                     });
    }
    // An account is looked after by who has signed in to it, not by its keys.
    [[nodiscard]] bool may_manage(const core::UserPtr& user) const {
        if (is_session(user)) return true;
        question->refuse(make_error(errc::forbidden, "this takes a session: sign in by password"));
        return false;
    }
};

void LocalAccounts::ask(core::Shard& here, core::AccountRequest request, const std::string& address,
                        std::function<void(AccountAnswer&&)> done) {
    const auto question = std::make_shared<const Question>(
        Question{&here, here.now(), core::address_key(address), std::move(done)});
    if (!store_) {
        return question->refuse(make_error(errc::not_found, "this server keeps no accounts"));
    }
    std::visit(
        [&](auto&& wanted) {
            Asked{*this, question}(std::forward<decltype(wanted)>(wanted));
        },
        std::move(request));
}

void LocalAccounts::at_desk(const QuestionPtr& question, std::function<AccountAnswer()> work) {
    const bool taken = desk_.submit([this, question, work = std::move(work)] {
        try {
            question->tell(work());
        } catch (const std::exception& failure) {
            question->refuse(store_failed(failure));
        }
    });
    if (!taken) question->refuse(too_much());
}

void LocalAccounts::hand_in(const QuestionPtr& question, std::function<AccountAnswer()> work) {
    // False once the server ends: then nobody is answered any more.
    static_cast<void>(desk_.hand_in([this, question, work = std::move(work)] {
        try {
            question->tell(work());
        } catch (const std::exception& failure) {
            question->refuse(store_failed(failure));
        }
    }));
}

void LocalAccounts::hand_over(const Attempt& attempt, std::function<void()> work) {
    static_cast<void>(desk_.hand_in([this, attempt, work = std::move(work)] {
        try {
            work();
        } catch (const std::exception& failure) {
            attempt.give_up(store_failed(failure));
        }
    }));
}

std::optional<protocol::Error> LocalAccounts::refuse_ended(const core::User& user,
                                                           core::WallTime now) {
    if (store_->find_token(user.grant()->token, now)) return std::nullopt;
    return make_error(errc::unauthorized, "you are not signed in any more");
}

// ---- registering -----------------------------------------------------------------------------

std::optional<protocol::Error> LocalAccounts::refuse_password(std::string_view password,
                                                              std::string_view name) const {
    if (password.size() < config_.password_bytes_min || password.size() > password_bytes_max) {
        return make_error(errc::bad_request,
                          "a password has " + std::to_string(config_.password_bytes_min) + " to " +
                              std::to_string(password_bytes_max) + " bytes");
    }
    if (name_key(password) == name_key(name)) {
        return make_error(errc::bad_request, "a password is not the name");
    }
    return std::nullopt;
}

void LocalAccounts::enrol(const QuestionPtr& question, core::Register&& wanted) {
    if (!config_.registration) {
        return question->refuse(
            make_error(errc::forbidden, "nobody may register here by themselves"));
    }
    if (auto why = core::refuse_name(wanted.name, config_.name_bytes_max)) {
        return question->refuse(make_error(errc::bad_request, std::move(*why)));
    }
    if (auto why = refuse_account_name(wanted.name)) {
        return question->refuse(make_error(errc::bad_request, std::move(*why)));
    }
    if (name_key(wanted.name).starts_with(guest_prefix)) {
        return question->refuse(make_error(errc::bad_request, "this is a name for guests"));
    }
    if (auto refused = refuse_password(wanted.password, wanted.name)) {
        return question->refuse(std::move(*refused));
    }
    if (const auto wait = registrations_.admit(question->address, question->now.mono);
        wait > core::Duration::zero()) {
        note(AuthCount::guess_slowed);
        return question->refuse(slow_down(wait));
    }
    if (book_.has(wanted.name)) {
        return question->refuse(make_error(errc::conflict, "this name is taken"));
    }
    const bool taken = hasher_->hash(
        std::move(wanted.password),
        [this, question, name = std::move(wanted.name)](std::optional<std::string> hash) {
            hand_in(question, [this, question, name, hash = std::move(hash)] {
                return add_account(name, hash, question->now.wall);
            });
        });
    if (!taken) question->refuse(too_much());
}

AccountAnswer LocalAccounts::add_account(const std::string& name,
                                         const std::optional<std::string>& hash,
                                         core::WallTime now) {
    if (!hash) return {boost::system::in_place_error, too_much()};
    // One that looks the same may have come while this was hashed.
    const auto account = book_.has(name) ? std::nullopt : store_->add_account(name, *hash, now);
    if (!account) return refuse(errc::conflict, "this name is taken");
    book_.add(name);
    note(AuthCount::registered);
    tell_(false, "registered", name);
    return protocol::User{account->id, account->name};
}

// ---- keys -----------------------------------------------------------------------------------

AccountAnswer LocalAccounts::make_key(const core::MakeKey& wanted, const core::Instant& now) {
    if (auto why = core::refuse_name(wanted.label, key_label_bytes_max)) {
        return refuse(errc::bad_request, "\"label\": " + *why);
    }
    if (!wanted.reads && !wanted.writes) {
        return refuse(errc::bad_request, "\"scopes\" must name read, send or both");
    }
    if (wanted.rooms.size() > key_rooms_max ||
        !std::ranges::all_of(wanted.rooms, is_room_pattern)) {
        return refuse(errc::bad_request, "\"rooms\" must be at most " +
                                             std::to_string(key_rooms_max) +
                                             " names of rooms, in which * stands for anything");
    }
    const auto account = store_->account_of(wanted.user->who.id);
    if (!account) return refuse(errc::not_found, "there is no such account");
    core::MadeKey made;
    made.token = make_token(key_prefix);
    made.key = {make_public_id(key_id_length),
                wanted.label,
                wanted.reads,
                wanted.writes,
                wanted.rooms,
                now.wall,
                std::nullopt,
                std::nullopt};
    if (wanted.ttl) made.key.expires = now.wall + *wanted.ttl;
    const bool added =
        store_->add_key(account->row,
                        {id_of_token(made.token), made.key.id, made.key.label, made.key.reads,
                         made.key.writes, made.key.rooms, made.key.expires},
                        now.wall);
    if (!added) {
        return refuse(errc::forbidden,
                      "an account has at most " + std::to_string(keys_per_account_max) + " keys");
    }
    tell_(false, "key made", account->name);
    return made;
}

}  // namespace parley::auth
