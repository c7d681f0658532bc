#include "sim/order_check.hpp"

#include <algorithm>
#include <cstdlib>

#include "core/limits.hpp"
#include "protocol/json_codec.hpp"

namespace parley::sim {
namespace {

std::string place_of(const std::string& room, const protocol::Cursor& cursor) {
    return room + " " + cursor.to_string();
}

}  // namespace

void OrderCheck::expect(bool holds, const std::string& who, const std::string& what) {
    if (!holds) fail(who + ": " + what);
}

void OrderCheck::see(const std::string& who, const protocol::Message& message) {
    std::string json;
    protocol::append_message(json, message);
    const auto place = place_of(message.room, message.cursor);
    const auto [known, fresh] =
        ledger_.try_emplace(place, Known{json, message.body.content, message.from.name});
    expect(fresh || known->second.json == json, who,
           "heard " + json + " where another heard " + known->second.json);
}

void OrderCheck::joined(const std::string& who, Place& place, const JoinAsked& asked,
                        const protocol::Joined& joined) {
    const auto last = joined.cursor.offset;
    const auto size = joined.history.size();
    auto offset = last - size;
    for (const auto& message : joined.history) {
        see(who, message);
        expect(message.cursor.offset == ++offset && message.cursor.epoch == joined.cursor.epoch,
               who, "the history of " + joined.room + " has a hole or ends elsewhere");
    }
    const bool may_recover = asked.since && asked.since->epoch == joined.cursor.epoch &&
                             asked.since->offset <= last && asked.since->offset + retained_ >= last;
    expect(joined.recovered == may_recover, who, "recovered is wrong in " + joined.room);
    if (joined.recovered) {
        expect(size == last - asked.since->offset, who,
               "what followed " + asked.since->to_string() + " is not complete");
    } else {
        const auto most = std::min<std::uint64_t>(last, retained_);
        expect(size == std::min<std::uint64_t>(most, asked.history), who,
               "the history of " + joined.room + " is not what was asked for");
    }
    expect(joined.count > 0, who, "joined an empty room");
    expect(!joined.members || (asked.presence && joined.members->size() == joined.count), who,
           "the members of " + joined.room + " are not as many as counted");
    place = {joined.cursor.epoch, last + 1, asked.presence};
}

void OrderCheck::pushed(const std::string& who, Place& place, const protocol::Message& message) {
    see(who, message);
    expect(place.next != 0, who, "heard of " + message.room + " without having joined");
    expect(message.cursor.epoch == place.epoch && message.cursor.offset == place.next, who,
           "heard " + place_of(message.room, message.cursor) + " instead of offset " +
               std::to_string(place.next));
    place.next = message.cursor.offset + 1;
}

void OrderCheck::gap(const std::string& who, Place& place, const protocol::Gap& gap) {
    expect(gap.from == place.next && gap.to >= gap.from && gap.cursor.offset == gap.to &&
               gap.cursor.epoch == place.epoch,
           who,
           "a gap from " + std::to_string(gap.from) + " to " + gap.cursor.to_string() + " in " +
               gap.room + " where " + std::to_string(place.next) + " was next");
    place.next = gap.to + 1;
}

void OrderCheck::presence(const std::string& who, const Place& place,
                          const protocol::PresencePush& push) {
    expect(place.next != 0 && place.presence, who, "was told of presence without having asked");
    expect(push.user.has_value() == (push.action != protocol::PresencePush::Action::count), who,
           "a presence push names the wrong one");
}

void OrderCheck::page(const std::string& who, const protocol::HistoryPage& page) {
    std::uint64_t offset = page.messages.empty() ? 0 : page.messages.front().cursor.offset - 1;
    for (const auto& message : page.messages) {
        see(who, message);
        expect(message.cursor.offset == ++offset, who, "a page of history has a hole");
    }
    expect(offset <= page.cursor.offset, who, "a page of history goes beyond the room");
}

void OrderCheck::acked(const std::string& user, const std::string& text, const std::string& key,
                       const protocol::Ack& ack, std::int64_t published_ms) {
    acks_.push_back({place_of(ack.room, ack.cursor), text, user});
    if (key.empty()) return;
    const auto room = ack.room + " " + std::string(ack.cursor.epoch.view());
    const auto [known, fresh] =
        keys_.try_emplace({user, room, key}, KeyedSend{ack.cursor.offset, published_ms});
    if (fresh || known->second.offset == ack.cursor.offset) return;
    constexpr auto remembered_ms =
        static_cast<std::int64_t>(core::limits::idempotency_seconds) * 1000;
    // Acks of several sessions come in any order.
    expect(std::abs(published_ms - known->second.published_ms) >= remembered_ms, user,
           "the key " + key + " was published twice in " + room);
    known->second = {ack.cursor.offset, published_ms};
}

void OrderCheck::finish() {
    for (const auto& ack : acks_) {
        const auto known = ledger_.find(ack.place);
        if (known == ledger_.end()) continue;  // nobody was there to hear it
        expect(known->second.text == ack.text && known->second.user == ack.user, ack.user,
               "was told that \"" + ack.text + "\" is " + ack.place + ", which is " +
                   known->second.json);
        ++acks_confirmed_;
    }
    acks_.clear();
}

}  // namespace parley::sim
