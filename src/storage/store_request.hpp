// StoreRequest: what homes ask of a store, as it lies in the engine's queue.
//
// Path:     RoomHome → HistoryStore → [StoreRequest] → WriteQueue → an engine's thread
// Runs on:  made on a shard, used up on the engine's thread.
// Owned by: passed by value.
// Bounds:   messages by WriteQueue; questions by who asks, one a session or request.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <variant>

#include "core/history_store.hpp"

namespace parley::storage {

struct AppendRequest {
    core::Shard* home;
    std::string room;
    core::Unsaved unsaved;
    std::uint64_t ticket;
};
// In bytes, as the queue and batches of it count.
[[nodiscard]] inline std::uint64_t cost_of(const AppendRequest& append) noexcept {
    std::uint64_t cost = append.unsaved.message->cost();
    for (const core::RetainedPtr& amended : append.unsaved.amended) cost += amended->cost();
    return cost;
}
struct RememberRequest {
    std::string room;
    core::StoredKey key;
};
template <typename Answer>
using OnAnswer = std::function<void(core::Stored<Answer>&&)>;
struct OpenRequest {
    core::Shard* home;
    std::string room;
    protocol::Epoch fresh;
    OnAnswer<core::StoredRoom> done;
};
struct PageRequest {
    core::Shard* home;
    std::string room;
    core::StoredPage asked;
    OnAnswer<core::HistorySlice> done;
};
struct SearchRequest {
    core::Shard* home;
    std::string room;
    core::StoredSearch asked;
    OnAnswer<core::HistorySlice> done;
};

using StoreRequest =
    std::variant<AppendRequest, RememberRequest, OpenRequest, PageRequest, SearchRequest>;

}  // namespace parley::storage
