#include "core/bucket_table.hpp"

namespace parley::core {

std::shared_ptr<SharedTokenBucket> BucketTable::bucket_of(const std::string& key, TimePoint now) {
    const std::scoped_lock lock(mutex_);
    if (buckets_.size() >= sweep_at_) sweep(now);
    auto& bucket = buckets_[key];
    if (!bucket) bucket = std::make_shared<SharedTokenBucket>();
    return bucket;
}

std::size_t BucketTable::size() const {
    const std::scoped_lock lock(mutex_);
    return buckets_.size();
}

void BucketTable::sweep(TimePoint now) {
    std::erase_if(buckets_, [now](const auto& entry) {
        return entry.second.use_count() == 1 && entry.second->full(now);
    });
    sweep_at_ = std::max<std::size_t>(1024, 2 * buckets_.size());
}

}  // namespace parley::core
