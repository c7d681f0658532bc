// What is under way at LocalAccounts: a question about an account, and a password that is judged.
//
// Path:     LocalAccounts::ask() → [account_question] → its desk, and back to whoever asked
// Runs on:  made on a shard; told at the desk, or on the shard where nothing has to be waited for.
// Owned by: LocalAccounts' desk and PasswordHasher, while they are at it.
// Bounds:   those of LocalAccounts.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <utility>

#include "auth/local_accounts.hpp"
#include "core/session.hpp"
#include "core/shard.hpp"

namespace parley::auth {

inline constexpr std::chrono::milliseconds retry_soon{1'000};

[[nodiscard]] inline core::AccountAnswer refuse(core::errc code, std::string why) {
    return {boost::system::in_place_error, core::make_error(code, std::move(why))};
}

[[nodiscard]] inline protocol::Error slow_down(core::Duration wait) {
    return core::make_error(core::errc::rate_limited, "too many attempts, wait before the next",
                            std::chrono::ceil<std::chrono::milliseconds>(wait));
}

// Who is told, and what was known when they asked.
struct LocalAccounts::Question {
    core::Shard* here;
    core::Instant now;
    std::string address;  // as guesses are counted by
    std::function<void(core::AccountAnswer&&)> done;

    void tell(core::AccountAnswer answer) const {
        here->post([done = done, answer = std::move(answer)](core::Shard&) mutable {
            done(std::move(answer));
        });
    }
    void refuse(protocol::Error error) const {
        tell(core::AccountAnswer(boost::system::in_place_error, std::move(error)));
    }
};

// A password that is being judged, and what it is counted by.
struct LocalAccounts::Attempt {
    LocalAccounts* self;
    QuestionPtr question;
    std::string name;  // name_key()
    bool known_place = false;

    // No name has a line end.
    [[nodiscard]] std::string place() const { return name + '\n' + question->address; }

    // It was not judged, and counts for nothing.
    void give_up(protocol::Error why) const {
        take_back();
        question->refuse(std::move(why));
    }
    // Whoever guesses from elsewhere is forgiven nothing by it where the place was known.
    void was_right() const {
        if (known_place) {
            self->by_place_.forget(place());
        } else {
            self->by_name_.forget(name);
            self->by_address_.take_back(question->address);
        }
        self->places_.note(place(), question->now.mono);
    }
    void was_wrong(core::errc code, const char* why) const {
        self->note(AuthCount::sign_in_refused);
        self->tell_(false, "password refused", question->address);
        question->refuse(core::make_error(code, why));
    }

private:
    void take_back() const {
        if (known_place) return self->by_place_.take_back(place());
        self->by_name_.take_back(name);
        self->by_address_.take_back(question->address);
    }
};

}  // namespace parley::auth
