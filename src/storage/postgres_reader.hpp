// PostgresReader: opens rooms and reads pages, on a connection of its own, so that nobody who reads
// waits for those who write, unless it is for what he asks for.
//
// Path:     PostgresStore → [PostgresReader] → PostgresConnection, and back by Shard::post()
// Runs on:  the engine's thread.
// Owned by: PostgresStore.
// Bounds:   questions by who asks, one a session or request; asked_at_once of them in one round
//           trip. While the database is away they are answered `unavailable`.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <variant>
#include <vector>

#include "storage/postgres_part.hpp"

namespace parley::storage {

class PostgresReader final : public PostgresPart {
public:
    using PostgresPart::PostgresPart;

    using ReadRequest = std::variant<OpenRequest, PageRequest>;
    // A question that comes behind all that was taken until now.
    void take(ReadRequest&& request) { waiting_.push_back({std::move(request), context().taken}); }
    // Answers all that waits, but for what the database is being asked, with why it can't be.
    void refuse();

private:
    struct Question {
        ReadRequest request;
        std::uint64_t behind;    // so many appends
        std::uint64_t lost = 0;  // as the context had it when the database was asked
    };
    // A room that is being opened, by everybody who asks for it at once.
    struct Opening {
        std::string name;
        std::vector<OpenRequest*> asked;
        std::uint64_t id = 0;  // that was known of it when the database was asked
        core::StoredRoom room{};
        bool found = false;
        bool renewed = false;  // its epoch, just now
    };

    awaitable<void> go_up() override;
    awaitable<void> step() override;
    void went_down() override;

    void choose();
    [[nodiscard]] bool is_ready(const Question& question);
    awaitable<void> answer();
    awaitable<void> give_pages();
    awaitable<void> open_rooms();
    [[nodiscard]] std::vector<Opening> chosen_rooms();
    awaitable<void> find(std::vector<Opening>& rooms);
    awaitable<void> read(std::vector<Opening>& rooms);
    void give(const Opening& opening);
    static void refuse(Question&& question);

    std::deque<Question> waiting_;
    std::vector<Question> chosen_;  // that the database is being asked
};

}  // namespace parley::storage
