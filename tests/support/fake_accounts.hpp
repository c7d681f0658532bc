// FakeAccounts: core::Accounts that knows what a test tells it, and hashes nothing.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/accounts.hpp"
#include "core/session.hpp"
#include "core/shard.hpp"

namespace parley::test {

// A user who has shown a token; its id in tests is the token's text.
inline core::UserPtr granted(const std::string& id, const std::string& name,
                             core::Grant grant = {}) {
    return core::UserPtr(new core::GrantedUser({id, name}, std::move(grant)));
}

inline core::TokenId token_id(std::string_view text) {
    core::TokenId id{};
    for (std::size_t i = 0; i < text.size(); ++i)
        id[i % id.size()] ^= static_cast<unsigned char>(text[i]);
    return id;
}

class FakeAccounts final : public core::Accounts {
public:
    // A token that is good, and whose.
    void add(const std::string& token, const std::string& name, core::Grant grant = {}) {
        grant.token = token_id(token);
        const std::scoped_lock lock(mutex_);
        users_[token] = granted("id-" + name, name, std::move(grant));
    }
    void register_name(const std::string& name) {
        const std::scoped_lock lock(mutex_);
        names_.insert(name);
        ++edition_;
    }
    // What ask() answers next, in order; without one it is Done.
    void answer_with(core::AccountAnswer answer) {
        const std::scoped_lock lock(mutex_);
        answers_.push_back(std::move(answer));
    }
    // From now on tokens are known at once, or found out later.
    void remember(bool at_once) { remembers_ = at_once; }
    void be_overloaded(bool overloaded) { overloaded_ = overloaded; }
    [[nodiscard]] std::vector<core::AccountRequest> take_requests() {
        const std::scoped_lock lock(mutex_);
        return std::exchange(requests_, {});
    }

    bool has_store() const noexcept override { return true; }
    bool is_registered(std::string_view name) const noexcept override {
        const std::scoped_lock lock(mutex_);
        return names_.contains(std::string(name));
    }
    std::uint32_t names_edition() const noexcept override { return edition_; }
    std::optional<core::Identified> recall(std::string_view token, core::WallTime) override {
        if (!remembers_) return std::nullopt;
        return look_up(std::string(token));
    }
    // How often somebody was found out.
    [[nodiscard]] std::size_t identified() const { return identified_; }
    void identify(core::Shard& here, std::string token,
                  std::function<void(core::Identified&&)> done) override {
        ++identified_;
        here.post([answer = look_up(token), done = std::move(done)](core::Shard&) mutable {
            done(std::move(answer));
        });
    }
    void ask(core::Shard& here, core::AccountRequest request, const std::string&,
             std::function<void(core::AccountAnswer&&)> done) override {
        core::AccountAnswer answer = core::Done{};
        if (const auto* const wanted = std::get_if<core::FindAccount>(&request)) {
            here.post([answer = find(wanted->who), done = std::move(done)](core::Shard&) mutable {
                done(std::move(answer));
            });
            return;
        }
        {
            const std::scoped_lock lock(mutex_);
            requests_.push_back(std::move(request));
            if (!answers_.empty()) {
                answer = std::move(answers_.front());
                answers_.erase(answers_.begin());
            }
        }
        here.post([answer = std::move(answer), done = std::move(done)](core::Shard&) mutable {
            done(std::move(answer));
        });
    }

private:
    // The account of that name or id, among those whose tokens are known.
    core::AccountAnswer find(const std::string& who) {
        const std::scoped_lock lock(mutex_);
        if (overloaded_) {
            return {boost::system::in_place_error, core::make_error(core::errc::unavailable)};
        }
        for (const auto& [token, user] : users_) {
            if (user->who.id == who || user->who.name == who) return user->who;
        }
        return {boost::system::in_place_error, core::make_error(core::errc::not_found)};
    }
    core::Identified look_up(const std::string& token) {
        const std::scoped_lock lock(mutex_);
        const auto refuse = [](core::errc code) {
            return core::Identified(boost::system::in_place_error, core::make_error(code));
        };
        if (overloaded_) return refuse(core::errc::unavailable);
        const auto found = users_.find(token);
        return found == users_.end() ? refuse(core::errc::unauthorized)
                                     : core::Identified(found->second);
    }

    mutable std::mutex mutex_;  // shards ask while the test tells
    std::map<std::string, core::UserPtr> users_;
    std::set<std::string> names_;
    std::vector<core::AccountAnswer> answers_;
    std::vector<core::AccountRequest> requests_;
    std::atomic<std::uint32_t> edition_{0};
    std::atomic<std::size_t> identified_{0};
    std::atomic<bool> remembers_{true};
    std::atomic<bool> overloaded_{false};
};

}  // namespace parley::test
