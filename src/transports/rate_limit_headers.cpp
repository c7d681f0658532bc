#include "transports/rate_limit_headers.hpp"

#include <array>
#include <chrono>
#include <cmath>
#include <string>
#include <utility>

namespace parley::transports {
namespace {

std::string quoted(std::string_view name) {
    return std::string("\"").append(name).append("\"");
}

std::string number(double value) {
    return std::to_string(static_cast<std::uint64_t>(value));
}

}  // namespace

void add_rate_limit(HttpResponse& response, std::span<const BucketState> buckets) {
    if (buckets.empty()) return;
    std::string policy;
    std::string left;
    for (const BucketState& bucket : buckets) {
        if (!policy.empty()) {
            policy += ", ";
            left += ", ";
        }
        const core::RateConfig& rate = bucket.rate;
        policy.append(quoted(bucket.name)).append(";q=").append(number(rate.burst));
        policy.append(";w=").append(number(std::ceil(rate.burst / rate.per_second)));
        left.append(quoted(bucket.name)).append(";r=");
        left.append(std::to_string(core::tokens_left(rate, bucket.until_full)));
        left.append(";t=").append(
            std::to_string(std::chrono::ceil<std::chrono::seconds>(bucket.until_full).count()));
    }
    response.headers.emplace_back("RateLimit-Policy", std::move(policy));
    response.headers.emplace_back("RateLimit", std::move(left));
}

void add_rate_limit(HttpResponse& response, const core::CallerBuckets* buckets,
                    const core::LimitsConfig& limits, core::TimePoint now) {
    if (buckets == nullptr) return;
    std::array<BucketState, 2> states;
    std::size_t count = 0;
    if (const auto refill = buckets->user_refill(now)) {
        states[count++] = {"user", limits.user, *refill};
    }
    states[count++] = {"address", limits.address, buckets->address_refill(now)};
    add_rate_limit(response, std::span(states).first(count));
}

}  // namespace parley::transports
