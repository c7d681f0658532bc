#include "core/hub.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <random>

#include "core/accounts.hpp"
#include "core/audience.hpp"
#include "core/history_store.hpp"
#include "core/ids.hpp"
#include "core/session.hpp"

namespace parley::core {

Hub::Hub(Config config, const std::vector<ShardLoop*>& loops, const Instant& now,
         std::uint64_t seed, HistoryStore* store)
    : config_(std::move(config)), store_(store) {
    std::mt19937_64 random(seed);
    secret_ = random();
    shards_.reserve(loops.size());
    for (ShardLoop* loop : loops) {
        const auto index = static_cast<std::uint32_t>(shards_.size());
        shards_.push_back(std::make_unique<Shard>(*this, *loop, index, now, random()));
    }
}

Hub::~Hub() = default;

Shard& Hub::home_of(std::string_view room) const noexcept {
    return *shards_[std::hash<std::string_view>{}(room) % shards_.size()];
}

std::uint32_t Hub::names_edition() const noexcept {
    return accounts_ == nullptr ? 0 : accounts_->names_edition();
}

std::optional<protocol::Error> Hub::refuse_anonymous(std::string_view name) const {
    if (accounts_ == nullptr || !accounts_->is_registered(name)) return std::nullopt;
    return make_error(errc::forbidden, "this name is registered: sign in to go by it");
}

UserPtr Hub::user_named(std::string_view address, const std::string& name) const {
    protocol::User who{anonymous_user_id(secret_, address, name), name};
    if (config_.access.anonymous) return UserPtr(new User(std::move(who)));
    Grant none;
    none.kind = Grant::Kind::stranger;
    none.reads = none.writes = false;
    return UserPtr(new GrantedUser(std::move(who), none));
}

UserPtr Hub::guest_at(std::string_view address) const {
    return user_named(address, "guest-" + anonymous_user_id(secret_, address, {}).substr(0, 4));
}

bool Hub::takes_messages() const noexcept {
    return store_ == nullptr || store_->accepting();
}

void Hub::take_up_sessions(const Instant& now) {
    if (store_ == nullptr) return;
    sessions_taken_ = true;
    std::size_t taken = 0;
    for (StoredSession& stored : store_->take_sessions()) {
        auto session = lost_session_from_json(stored.state);
        if (!session || stored.until <= now.wall) continue;
        // Whoever comes back asks all shards.
        shards_[taken++ % shards_.size()]->lost_sessions().keep(
            std::move(stored.key), std::move(*session),
            {now.mono + (stored.until - now.wall), std::numeric_limits<std::size_t>::max()});
    }
}

void Hub::settle(const Instant& now) {
    if (store_ == nullptr) return;
    std::vector<StoredSession> sessions;
    for (const auto& shard : shards_) {
        shard->each_home([](Audience& audience) { audience.drain(); });
        shard->lost_sessions().each(
            [&](const std::string& key, const LostSession& session, TimePoint until) {
                sessions.push_back({key, now.wall + (until - now.mono), to_json(session)});
            });
    }
    if (!sessions_taken_) return;  // it never served: they stay for the next
    std::ranges::sort(sessions, {}, &StoredSession::until);
    store_->keep_sessions(std::move(sessions));
}

std::uint64_t Hub::total(Metric metric) const noexcept {
    std::uint64_t sum = 0;
    for (const auto& shard : shards_) sum += shard->metrics().read(metric);
    return sum;
}

}  // namespace parley::core
