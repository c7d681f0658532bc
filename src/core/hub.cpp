#include "core/hub.hpp"

#include <functional>
#include <random>

#include "core/audience.hpp"
#include "core/ids.hpp"

namespace parley::core {

Hub::Hub(Config config, const std::vector<ShardLoop*>& loops, const Instant& now,
         std::uint64_t seed)
    : config_(std::move(config)) {
    std::mt19937_64 random(seed);
    secret_ = random();
    shards_.reserve(loops.size());
    for (ShardLoop* loop : loops) {
        const auto index = static_cast<std::uint32_t>(shards_.size());
        shards_.push_back(std::make_unique<Shard>(*this, *loop, index, now, random()));
    }
}

Hub::~Hub() = default;

Shard& Hub::home_of(std::string_view room) const noexcept {
    return *shards_[std::hash<std::string_view>{}(room) % shards_.size()];
}

UserPtr Hub::user_named(std::string_view address, const std::string& name) const {
    return UserPtr(new User({anonymous_user_id(secret_, address, name), name}));
}

UserPtr Hub::guest_at(std::string_view address) const {
    return user_named(address, "guest-" + anonymous_user_id(secret_, address, {}).substr(0, 4));
}

std::uint64_t Hub::total(Metric metric) const noexcept {
    std::uint64_t sum = 0;
    for (const auto& shard : shards_) sum += shard->metrics().read(metric);
    return sum;
}

}  // namespace parley::core
