// BucketTable: the token buckets that sessions of several shards share, by user or by address.
//
// Path:     Subscriber → [BucketTable] → SharedTokenBucket
// Runs on:  any thread; locked, and asked once a session or an HTTP request, not once a command.
// Owned by: Hub.
// Bounds:   one entry per user or address seen while its bucket is not full: each new entry
//           looks at two others, whether they are full and without a session, and may go.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "core/stepwise_set.hpp"
#include "core/token_bucket.hpp"

namespace parley::core {

class BucketTable {
public:
    [[nodiscard]] std::shared_ptr<SharedTokenBucket> bucket_of(const std::string& key,
                                                               TimePoint now);
    [[nodiscard]] std::size_t size() const;

private:
    struct Entry {
        std::string key;
        std::shared_ptr<SharedTokenBucket> bucket;
    };
    [[nodiscard]] static std::string_view key_of(const Entry& entry) noexcept { return entry.key; }

    mutable std::mutex mutex_;
    StepwiseSet<Entry, &key_of> buckets_;
};

}  // namespace parley::core
