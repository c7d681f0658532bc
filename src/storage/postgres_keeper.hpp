// PostgresKeeper: does what can wait: removes what retention no longer keeps, and makes messages known
// to searches.
//
// Path:     PostgresStore → [PostgresKeeper] → PostgresConnection
// Runs on:  the engine's thread.
// Owned by: PostgresStore.
// Bounds:   rooms to look after once each; remove_step, index_step messages at a time, of the latter
//           no more than a block behind index_step_bytes. What fails is counted and comes up
//           again in the sweep, once a minute.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "storage/postgres_part.hpp"

namespace parley::storage {

class PostgresKeeper final : public PostgresPart {
public:
    using PostgresPart::PostgresPart;

    // Notes that room's words before all others': somebody searches in it.
    void hurry(const std::string& room);
    // That is not done yet, and under way.
    [[nodiscard]] bool hurries(const std::string& room) const {
        return up() && hurried_.contains(room);
    }
    // So many messages were written to that room, and so many blocks of it are to be noted anew.
    void note(const std::string& room, const PostgresRoom& row, std::uint64_t messages,
              std::uint64_t forgotten);

private:
    // How far the words of a room's messages are noted.
    struct Indexed {
        std::uint64_t left = 0;  // messages of full blocks, and of those to be noted anew
        std::uint64_t done = 0;  // now
    };

    awaitable<void> go_up() override;
    awaitable<void> step() override;
    void went_down() override;

    [[nodiscard]] bool may_index(core::TimePoint now) const noexcept;
    [[nodiscard]] core::TimePoint next_due() const noexcept;
    awaitable<void> hurry_one();
    void lock(const std::string& room);
    awaitable<Indexed> index(std::string room, std::uint64_t most);
    awaitable<void> index_one();
    awaitable<void> shorten_one();
    awaitable<void> sweep();

    std::set<std::string> hurried_;
    bool hurried_last_ = false;
    std::set<std::string> to_index_;
    std::set<std::string> to_shorten_;
    std::uint64_t unindexed_ = 0;  // about how many messages
    core::TimePoint last_append_{};
    core::TimePoint next_shortening_{};
    core::TimePoint next_sweep_{};
    std::uint64_t swept_ = 0;  // id of the room that was looked at last
};

}  // namespace parley::storage
