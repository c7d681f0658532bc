// PostgresSearcher: finds messages by their words, on a connection of its own, so that a search that
// takes long keeps nobody but other searches waiting, and those not for long.
//
// Path:     PostgresStore → [PostgresSearcher] → PostgresConnection, and back by Shard::post()
// Runs on:  the engine's thread.
// Owned by: PostgresStore.
// Bounds:   searches by who asks, one a session or request, one after the other. Each takes
//           search_time_max, and waits search_wait_max for the others and for what is to be found;
//           past either, and while the database is away, it is answered `unavailable`.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "storage/postgres_keeper.hpp"
#include "storage/postgres_part.hpp"

namespace parley::storage {

class PostgresSearcher final : public PostgresPart {
public:
    PostgresSearcher(boost::asio::io_context& io, PostgresContext& context, PostgresKeeper& keeper)
        : PostgresPart(io, context), keeper_(keeper) {}

    // A search that comes behind all that was taken until now.
    void take(SearchRequest&& request);
    // Answers the searches that wait with why they can't be made.
    void refuse();

private:
    struct Question {
        SearchRequest request;
        std::uint64_t behind;          // so many appends
        core::TimePoint look_through;  // from then on it is searched with the words that are noted
        core::TimePoint give_up;
        bool prepared = false;  // as far as the keeper was asked to
    };

    awaitable<void> go_up() override;
    awaitable<void> step() override;
    void went_down() override;

    void refuse_late();
    [[nodiscard]] std::optional<SearchRequest> next();
    [[nodiscard]] bool is_ready(Question& question);
    [[nodiscard]] core::TimePoint next_due() const noexcept;
    awaitable<void> search(SearchRequest request);
    awaitable<core::Stored<core::HistorySlice>> find(const std::string& room,
                                                     const core::StoredSearch& asked);
    // In so many of the newest blocks alone, or (all_blocks) by the index.
    awaitable<core::Stored<core::HistorySlice>> find(const std::string& room,
                                                     const core::StoredSearch& asked,
                                                     std::uint64_t blocks);
    static void refuse(SearchRequest&& request);

    PostgresKeeper& keeper_;
    std::deque<Question> questions_;
};

// What a search's words are as a tsquery: each must occur, those in quotes side by side, a word with
// `*` at its end is the beginning of one. Empty where there is no word, or no text.
[[nodiscard]] std::string tsquery_of(std::string_view query);
// The words alone.
[[nodiscard]] std::string words_of(std::string_view query);

}  // namespace parley::storage
