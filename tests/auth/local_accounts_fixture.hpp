// LocalAccounts in a file of their own, asked from one shard; and live sessions that act by tokens.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "auth/local_accounts.hpp"
#include "core/hub.hpp"
#include "core/subscriber.hpp"
#include "support/awaited_loop.hpp"
#include "support/folder.hpp"
#include "support/test_transport.hpp"

namespace parley::auth {

inline AccountsConfig cheap(const std::string& path) {
    AccountsConfig config;
    config.store = "sqlite:" + path;
    config.hash.memory = 8 * 1024;
    config.hash.passes = 1;
    return config;
}

class AccountsFixture {
public:
    explicit AccountsFixture(const JwtConfig& jwt = {},
                             const std::function<void(AccountsConfig&)>& change = {}) {
        AccountsConfig config = cheap(folder.file("accounts.db"));
        if (change) change(config);
        accounts_ = std::make_unique<LocalAccounts>(
            config, jwt, [this](bool, std::string_view what, std::string_view about) {
                const std::scoped_lock lock(mutex_);
                told_.append(what).append(" ").append(about).append("\n");
            });
        accounts_->attach(hub_);
        shard().set_now(now);
    }
    ~AccountsFixture() { accounts_->stop(); }
    AccountsFixture(const AccountsFixture&) = delete;
    AccountsFixture& operator=(const AccountsFixture&) = delete;

    LocalAccounts& accounts() { return *accounts_; }
    core::Shard& shard() { return hub_.shard(0); }
    void pass(std::chrono::milliseconds time) {
        now.mono += time;
        now.wall += time;
        shard().set_now(now);
        shard().timers().advance(now.mono);
    }
    std::string told() {
        const std::scoped_lock lock(mutex_);
        return told_;
    }

    core::AccountAnswer ask(core::AccountRequest request,
                            const std::string& address = "192.0.2.1") {
        std::optional<core::AccountAnswer> said;
        accounts_->ask(shard(), std::move(request), address,
                       [&](core::AccountAnswer&& answer) { said = std::move(answer); });
        while (!said) turn();
        return std::move(*said);
    }
    // What is refused, as its code.
    std::string code(core::AccountRequest request, const std::string& address = "192.0.2.1") {
        const auto answer = ask(std::move(request), address);
        return answer ? std::string() : answer.error().code;
    }
    core::Identified identify(const std::string& token) {
        std::optional<core::Identified> said = accounts_->recall(token, now.wall);
        if (said) return std::move(*said);
        accounts_->identify(shard(), token,
                            [&](core::Identified&& answer) { said = std::move(answer); });
        while (!said) turn();
        return std::move(*said);
    }
    void turn() {
        if (!loop_.wait_until(core::monotonic_now() + std::chrono::seconds(120))) {
            throw std::runtime_error("nobody wakes the shard");
        }
        shard().turn(now);
    }

    core::SignedInSession enter(const std::string& name, const std::string& password,
                                const std::string& address = "192.0.2.1") {
        auto answer = ask(core::PasswordSignIn{name, password}, address);
        EXPECT_TRUE(answer) << answer.error().message;
        return std::get<core::SignedInSession>(*answer);
    }
    core::SignedInSession newcomer(const std::string& name, const std::string& password) {
        EXPECT_EQ(code(core::Register{name, password}), "");
        return enter(name, password);
    }

    parley::test::Folder folder;
    core::Instant now{core::TimePoint{} + std::chrono::hours(1),
                      core::WallTime{} + std::chrono::seconds(1'800'000'000)};

private:
    std::mutex mutex_;
    std::string told_;
    parley::test::AwaitedLoop loop_;
    core::Hub hub_{core::Config{}, {&loop_}, now, 1};
    std::unique_ptr<LocalAccounts> accounts_;
};

inline const std::string password = "correct horse";

// A live session that acts by a token.
struct LiveSession {
    LiveSession(AccountsFixture& f, const std::string& token) {
        core::PeerIdentity peer;
        peer.address = "192.0.2.1";
        peer.user = *f.identify(token);
        subscriber = core::Subscriber::open(f.shard(), transport, peer);
    }
    ~LiveSession() { subscriber->closed(core::close_reasons::normal); }
    LiveSession(const LiveSession&) = delete;
    LiveSession& operator=(const LiveSession&) = delete;
    [[nodiscard]] int closed_with() const {
        return transport.closed_for ? transport.closed_for->code : 0;
    }
    parley::test::TestTransport transport;
    std::shared_ptr<core::Subscriber> subscriber;
};

}  // namespace parley::auth
