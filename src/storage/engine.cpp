#include "storage/engine.hpp"

#include <map>
#include <utility>

#include "core/shard.hpp"
#include "protocol/json_codec.hpp"

namespace parley::storage {
namespace {

std::int64_t in_ms(core::WallTime at) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(at.time_since_epoch()).count();
}

}  // namespace

core::RetainedPtr retained_of(std::uint64_t offset, std::string_view json,
                              const protocol::Epoch& epoch) {
    if (protocol::epoch_of_message(json) == epoch.view()) {
        return core::Retained::make(offset, json);
    }
    std::string now;
    protocol::append_message_in_epoch(now, json, epoch);
    return core::Retained::make(offset, now);
}

Engine::Engine(const core::Config& config, std::function<void(bool)> ring, OnTrouble tell)
    : config_(config), tell_(std::move(tell)), queue_(config.history, std::move(ring)) {}

void Engine::open(core::Shard& home, std::string room, protocol::Epoch fresh,
                  OnAnswer<core::StoredRoom> done) {
    queue_.push(OpenRequest{&home, std::move(room), fresh, std::move(done)});
}

void Engine::append(core::Shard& home, const std::string& room, core::Unsaved&& message,
                    std::uint64_t ticket) {
    if (queue_.messages() == 0) {
        counters_.unsaved_since.store(in_ms(message.at), std::memory_order_relaxed);
    }
    queue_.push(AppendRequest{&home, room, std::move(message), ticket});
}

void Engine::remember(const std::string& room, core::StoredKey&& key) {
    queue_.push(RememberRequest{room, std::move(key)});
}

void Engine::page(core::Shard& home, std::string room, const core::StoredPage& asked,
                  OnAnswer<core::HistorySlice> done) {
    queue_.push(PageRequest{&home, std::move(room), asked, std::move(done)});
}

void Engine::search(core::Shard& home, std::string room, core::StoredSearch&& asked,
                    OnAnswer<core::HistorySlice> done) {
    queue_.push(SearchRequest{&home, std::move(room), std::move(asked), std::move(done)});
}

std::string Engine::trouble() const {
    const std::lock_guard lock(trouble_mutex_);
    return trouble_;
}

void Engine::set_trouble(const std::string& error) {
    {
        const std::lock_guard lock(trouble_mutex_);
        if (trouble_ == error) return;
        trouble_ = error;
    }
    queue_.set_failing(!error.empty());
    tell_(error);
}

void Engine::settle(const std::vector<AppendRequest>& appends, bool stored) {
    if (appends.empty()) return;
    std::map<core::Shard*, std::vector<core::StoredOutcome>> by_home;
    for (const AppendRequest& append : appends) {
        queue_.settle(append);
        if (sync()) by_home[append.home].push_back({append.room, append.ticket, stored});
    }
    // What is still queued, or being queued now, is younger than the last of these.
    counters_.unsaved_since.store(in_ms(appends.back().unsaved.at), std::memory_order_relaxed);
    (stored ? counters_.messages : counters_.refused)
        .fetch_add(appends.size(), std::memory_order_relaxed);
    for (auto& [home, outcomes] : by_home) {
        home->post(
            [told = std::move(outcomes)](core::Shard& shard) { core::tell_stored(shard, told); });
    }
}

}  // namespace parley::storage
