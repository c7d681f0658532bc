// RateLimit, RateLimit-Policy: what is left of a caller's buckets, told with each answer of a route
// that takes from them (draft-ietf-httpapi-ratelimit-headers; structured fields, RFC 9651).
//
// Path:     frontend → [rate_limit_headers] → HttpResponse
// Runs on:  any thread; plain functions.
// Owned by: nobody.
// Bounds:   one list item a bucket.
#pragma once

#include <span>
#include <string_view>

#include "core/caller_buckets.hpp"
#include "core/config.hpp"
#include "transports/http_response.hpp"

namespace parley::transports {

// One bucket as its caller is told about it.
struct BucketState {
    std::string_view name;  // a constant: "user", "address", "room"
    core::RateConfig rate;
    core::Duration until_full;  // TokenBucket::until_full()
};

// Adds both headers: `"user";q=80;w=2` (80 in any 2 s, the bucket's burst and the time that refills
// it) and `"user";r=79;t=1` (79 left, all of them again in 1 s). Nothing where there is no bucket,
// as with limits.enabled = false.
void add_rate_limit(HttpResponse& response, std::span<const BucketState> buckets);
// The same for a caller's buckets as they stand: the user's, once there is one, and the address's.
// Null: no rate is held.
void add_rate_limit(HttpResponse& response, const core::CallerBuckets* buckets,
                    const core::LimitsConfig& limits, core::TimePoint now);

}  // namespace parley::transports
