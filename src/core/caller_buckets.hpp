// CallerBuckets: the tokens of a user and of their address, which all that they do takes from.
//
// Path:     Subscriber, Visitor → [CallerBuckets] → BucketTable
// Runs on:  the shard of who asks; the buckets are shared by all of them.
// Owned by: a session, once it has said something; a Visitor.
// Bounds:   limits.user and limits.address.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/token_bucket.hpp"
#include "protocol/message.hpp"

namespace parley::core {

class Shard;

class CallerBuckets {
public:
    // The address's bucket; the user's comes with set_user().
    CallerBuckets(Shard& shard, std::string_view address);
    void set_user(Shard& shard, const std::string& user_id);

    // How long until each of them has a token. Takes none.
    [[nodiscard]] Duration wait(const LimitsConfig& limits, TimePoint now) const noexcept;
    // Takes one of each; ask wait() first.
    void take(const LimitsConfig& limits, TimePoint now) noexcept;

    // How long until the bucket is full again; nothing before set_user().
    [[nodiscard]] std::optional<Duration> user_refill(TimePoint now) const noexcept;
    [[nodiscard]] Duration address_refill(TimePoint now) const noexcept;

private:
    std::shared_ptr<SharedTokenBucket> address_;
    std::shared_ptr<SharedTokenBucket> user_;
};

// Counts that somebody has to wait so long for a token: the error for it, or nothing where the
// limits only count (limits.dry_run).
[[nodiscard]] std::optional<protocol::Error> refuse_rate(Shard& shard, Duration wait);

}  // namespace parley::core
