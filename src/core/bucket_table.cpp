#include "core/bucket_table.hpp"

namespace parley::core {
namespace {

// Buckets of the table that are looked at for each new entry: more go than come once they may.
constexpr std::size_t swept_an_entry = 2;

}  // namespace

std::shared_ptr<SharedTokenBucket> BucketTable::bucket_of(const std::string& key, TimePoint now) {
    const std::scoped_lock lock(mutex_);
    if (const Entry* entry = buckets_.find(key)) return entry->bucket;
    buckets_.sweep(swept_an_entry, [now](const Entry& entry) {
        return entry.bucket.use_count() == 1 && entry.bucket->full(now);
    });
    return buckets_.add({key, std::make_shared<SharedTokenBucket>()}).bucket;
}

std::size_t BucketTable::size() const {
    const std::scoped_lock lock(mutex_);
    return buckets_.size();
}

}  // namespace parley::core
