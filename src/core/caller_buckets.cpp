#include "core/caller_buckets.hpp"

#include <algorithm>

#include "core/address_key.hpp"
#include "core/errc.hpp"
#include "core/hub.hpp"
#include "core/session.hpp"
#include "core/shard.hpp"

namespace parley::core {

CallerBuckets::CallerBuckets(Shard& shard, std::string_view address)
    : address_(shard.hub().address_buckets().bucket_of(address_key(address), shard.now().mono)) {}

void CallerBuckets::set_user(Shard& shard, const std::string& user_id) {
    user_ = shard.hub().user_buckets().bucket_of(user_id, shard.now().mono);
}

Duration CallerBuckets::wait(const LimitsConfig& limits, TimePoint now) const noexcept {
    const Duration of_address = address_->wait(limits.address, now);
    return user_ ? std::max(of_address, user_->wait(limits.user, now)) : of_address;
}

void CallerBuckets::take(const LimitsConfig& limits, TimePoint now) noexcept {
    address_->take(limits.address, now);
    if (user_) user_->take(limits.user, now);
}

std::optional<Duration> CallerBuckets::user_refill(TimePoint now) const noexcept {
    if (!user_) return std::nullopt;
    return user_->until_full(now);
}

Duration CallerBuckets::address_refill(TimePoint now) const noexcept {
    return address_->until_full(now);
}

std::optional<protocol::Error> refuse_rate(Shard& shard, Duration wait) {
    shard.metrics().add(Metric::rate_limited);
    if (shard.config().limits.dry_run) return std::nullopt;
    return make_error(errc::rate_limited, {}, std::chrono::ceil<milliseconds>(wait));
}

}  // namespace parley::core
