// PostgresWriter: writes what homes append, in the order of appending: whatever has come while a
// batch was under way is the next batch, one transaction in one round trip (group commit).
//
// Path:     PostgresStore → [PostgresWriter] → PostgresConnection, and back by Engine::settle()
// Runs on:  the engine's thread.
// Owned by: PostgresStore.
// Bounds:   batch_messages_max, batch_bytes_max, batch_amendments_max a batch; one batch at a time.
//           What waits is WriteQueue's to bound. While the database is away it is refused with
//           durability sync, and stays with async.
//
// A batch whose answer was lost may have been committed or not. The lock that this connection holds
// of the database makes sure that once there is another one, the server has made up its mind:
//   async  The rooms of the batch are looked up again, and what is stored of it is not written again.
//   sync   Its senders were told that it is not stored, and the homes give its offsets to other
//          messages: what is stored beyond what they were told is removed, and what it amended is
//          put back as it was before. Both change nothing where it was not committed, and both are
//          one transaction: an edit is there with its publication, or neither is. To tell senders
//          instead what became of it, they and all behind them would have to be kept waiting
//          until the database is back.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "storage/postgres_amendments.hpp"
#include "storage/postgres_part.hpp"

namespace parley::storage {

class PostgresWriter final : public PostgresPart {
public:
    // `written` is told of each room that a batch held messages of, once it is committed, and how
    // many of its blocks wait for their words to be noted anew.
    using Written = std::function<void(const std::string& room, const PostgresRoom& row,
                                       std::uint64_t messages, std::uint64_t forgotten)>;
    PostgresWriter(boost::asio::io_context& io, PostgresContext& context, Written written)
        : PostgresPart(io, context), written_(std::move(written)) {}

    using WriteRequest = std::variant<AppendRequest, RememberRequest>;
    void take(WriteRequest&& request);
    // Refuses what came in by take() where it may not wait.
    void refuse_while_down();

private:
    // What a batch's rooms are to become.
    struct Touched {
        const std::string* name;
        PostgresRoom* room;
        std::uint64_t messages = 0;
        std::uint64_t forgotten = 0;  // blocks of it
    };

    awaitable<void> go_up() override;
    awaitable<void> step() override;
    [[nodiscard]] bool finished() const noexcept override;
    void went_down() override;

    awaitable<void> lock();
    awaitable<void> recover();
    awaitable<void> write();
    void fill_batch();
    awaitable<void> find_rooms();
    awaitable<void> make_rooms();
    void choose();
    void choose(AppendRequest&& append, PostgresRoom& room);
    awaitable<void> commit();
    void note_forgotten(const PostgresResult& marked);
    void conclude();

    Written written_;
    std::deque<WriteRequest> waiting_;
    std::vector<WriteRequest> batch_;
    // The parts of the batch: what it writes, what is stored already, what does not follow what is.
    std::vector<AppendRequest> chosen_;
    std::vector<AppendRequest> stored_;
    std::vector<AppendRequest> out_of_order_;
    std::vector<Touched> touched_;
    PostgresAmendments amendments_;
    std::vector<std::string> unsure_;  // rooms
    int process_ = 0;                  // of the server, that held the lock
    bool marked_clean_ = false;
};

}  // namespace parley::storage
