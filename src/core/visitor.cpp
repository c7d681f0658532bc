#include "core/visitor.hpp"

#include <algorithm>
#include <utility>

#include "core/address_key.hpp"
#include "core/hub.hpp"
#include "core/session.hpp"

namespace parley::core {

Visitor::Visitor(Shard& shard, std::string address) : shard_(&shard), address_(std::move(address)) {
    if (!shard.config().limits.enabled) return;
    of_address_ = shard.hub().address_buckets().bucket_of(address_key(address_), shard.now().mono);
}

std::optional<protocol::Error> Visitor::refuse(Duration wait) {
    if (wait == Duration::zero()) return std::nullopt;
    shard_->metrics().add(Metric::rate_limited);
    if (shard_->config().limits.dry_run) return std::nullopt;
    return make_error(errc::rate_limited, {}, std::chrono::ceil<milliseconds>(wait));
}

std::optional<protocol::Error> Visitor::admit_address() {
    shard_->metrics().add(Metric::commands);
    // A dry run counts once, in admit_user().
    if (!of_address_ || shard_->config().limits.dry_run) return std::nullopt;
    return refuse(of_address_->wait(shard_->config().limits.address, shard_->now().mono));
}

void Visitor::name_user(const std::optional<std::string>& name) {
    const Hub& hub = shard_->hub();
    user_ = name ? hub.user_named(address_, *name) : hub.guest_at(address_);
}

std::optional<protocol::Error> Visitor::admit_user() {
    if (!of_address_) return std::nullopt;
    const LimitsConfig& limits = shard_->config().limits;
    const auto now = shard_->now().mono;
    of_user_ = shard_->hub().user_buckets().bucket_of(user_->who.id, now);
    const auto wait =
        std::max(of_user_->wait(limits.user, now), of_address_->wait(limits.address, now));
    if (wait > Duration::zero()) return refuse(wait);
    of_user_->take(limits.user, now);
    of_address_->take(limits.address, now);
    return std::nullopt;
}

std::optional<Duration> Visitor::user_refill() const noexcept {
    if (!of_user_) return std::nullopt;
    return of_user_->until_full(shard_->now().mono);
}

std::optional<Duration> Visitor::address_refill() const noexcept {
    if (!of_address_) return std::nullopt;
    return of_address_->until_full(shard_->now().mono);
}

}  // namespace parley::core
