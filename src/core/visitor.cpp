#include "core/visitor.hpp"

#include <utility>

#include "core/hub.hpp"

namespace parley::core {

Visitor::Visitor(Shard& shard, std::string address) : shard_(&shard), address_(std::move(address)) {
    if (shard.config().limits.enabled) buckets_.emplace(shard, address_);
}

std::optional<protocol::Error> Visitor::admit_address() {
    shard_->metrics().add(Metric::commands);
    const LimitsConfig& limits = shard_->config().limits;
    // A dry run counts once, in admit_user().
    if (!buckets_ || limits.dry_run) return std::nullopt;
    const Duration wait = buckets_->wait(limits, shard_->now().mono);
    if (wait > Duration::zero()) return refuse_rate(*shard_, wait);
    return std::nullopt;
}

std::optional<protocol::Error> Visitor::admit_unknown() {
    if (!buckets_) return std::nullopt;
    const LimitsConfig& limits = shard_->config().limits;
    const auto now = shard_->now().mono;
    const Duration wait = buckets_->wait(limits, now);
    if (wait > Duration::zero()) return refuse_rate(*shard_, wait);
    buckets_->take(limits, now);
    return std::nullopt;
}

void Visitor::name_user(const std::optional<std::string>& name) {
    const Hub& hub = shard_->hub();
    user_ = name ? hub.user_named(address_, *name) : hub.guest_at(address_);
}

std::optional<protocol::Error> Visitor::admit_user() {
    if (!buckets_) return std::nullopt;
    buckets_->set_user(*shard_, user_->who.id);
    const LimitsConfig& limits = shard_->config().limits;
    const auto now = shard_->now().mono;
    const Duration wait = buckets_->wait(limits, now);
    if (wait > Duration::zero()) return refuse_rate(*shard_, wait);
    buckets_->take(limits, now);
    return std::nullopt;
}

}  // namespace parley::core
