// PendingSends: a room's messages that have their offsets and wait for the store before anybody
// hears them (durability sync).
//
// Path:     at_home → RoomHome → [PendingSends] → HistoryStore, and back → Room
// Runs on:  the room's home shard.
// Owned by: RoomHome.
// Bounds:   what HistoryConfig lets a store's queue hold; past it the store does not accept and a
//           send is `unavailable`. One a session: whoever sends waits for the ack.
#pragma once

#include <boost/system/result.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/amendment.hpp"
#include "core/clock.hpp"
#include "core/later.hpp"
#include "core/retained.hpp"
#include "core/timer_wheel.hpp"
#include "core/user.hpp"
#include "protocol/message.hpp"

namespace parley::core {

class Audience;
class HistoryStore;

using AckAnswer = boost::system::result<protocol::Ack, protocol::Error>;

class PendingSends {
public:
    // Of a room whose last message has that offset.
    PendingSends(Audience& audience, HistoryStore& store, std::uint64_t last_offset);

    // What a message changes of those before it, once it has its place and time.
    using Amends = std::function<Amended(const protocol::Cursor& at, std::string_view at_text)>;

    // Gives the message its offset and has it stored; `respond` is told when it is on its way.
    void send(const User& user, protocol::Send&& send, Respond<AckAnswer> respond,
              const Amends& amends = {});
    // Where that user's send with that key is under way, answers `respond` with it.
    [[nodiscard]] bool joins(const std::string& user, const std::string& key,
                             const Later<AckAnswer>& later);
    // The store's word on one message, which come in the order of their offsets.
    void stored(std::uint64_t ticket, bool written);
    [[nodiscard]] bool empty() const noexcept { return sends_.empty(); }

private:
    struct Pending {
        std::uint64_t ticket;
        std::uint64_t offset;
        std::string json;
        std::string user;  // with the key
        std::string key;
        WallTime at;
        std::string at_text;
        std::vector<Respond<AckAnswer>> waiting{};
        bool written = false;
    };
    struct RetryTimer : Timer {
        explicit RetryTimer(PendingSends& sends) noexcept : Timer(&fire), owner(&sends) {}
        static void fire(Timer& timer) noexcept;
        PendingSends* owner;
    };

    void publish_written();
    void refuse_unwritten();

    Audience* audience_;
    HistoryStore* store_;
    std::deque<Pending> sends_;  // the written ones first, by offset
    std::uint64_t last_offset_;  // that was given
    RetryTimer retry_;           // while the room's ring is full
};

}  // namespace parley::core
