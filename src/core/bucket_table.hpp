// BucketTable: the token buckets that sessions of several shards share, by user or by address.
//
// Path:     Subscriber → [BucketTable] → SharedTokenBucket
// Runs on:  any thread; locked, and asked once a session or an HTTP request, not once a command.
// Owned by: Hub.
// Bounds:   one entry per user or address seen while its bucket is not full: full ones without a
//           session are swept whenever the table has doubled.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "core/token_bucket.hpp"

namespace parley::core {

class BucketTable {
public:
    [[nodiscard]] std::shared_ptr<SharedTokenBucket> bucket_of(const std::string& key,
                                                               TimePoint now);
    [[nodiscard]] std::size_t size() const;

private:
    void sweep(TimePoint now);

    mutable std::mutex mutex_;
    std::unordered_map<std::string, std::shared_ptr<SharedTokenBucket>> buckets_;
    std::size_t sweep_at_ = 1024;
};

}  // namespace parley::core
