// The half of RoomHome that keeps what is said and gives it back.
#include <algorithm>

#include "core/audience.hpp"
#include "core/hub.hpp"
#include "core/room_home.hpp"
#include "core/session.hpp"
#include "core/shard.hpp"

namespace parley::core {
namespace {

protocol::Error earlier_life() {
    return make_error(errc::not_found, "that cursor is of an earlier life of this room");
}

protocol::Error not_retained() {
    return make_error(errc::not_found, "what followed that cursor is not retained");
}

}  // namespace

void RoomHome::remember(const std::string& user, const std::string& key,
                        const IdempotencyKeys::Published& published) {
    if (!keys_) keys_ = std::make_unique<IdempotencyKeys>();
    // A key of an earlier run is remembered no longer than its time.
    const auto age = std::max<Duration>(shard_->now().wall - published.at, Duration::zero());
    if (keys_->remember(user, key, published, shard_->now().mono - age)) {
        shard_->metrics().add(Metric::keys_forgotten);
    }
}

std::optional<AckAnswer> RoomHome::send(const UserPtr& user, protocol::Send&& send,
                                        const Later<AckAnswer>& later) {
    if (auto known = repeated(user, send.key, later)) return std::move(known->ack);
    if (pending_) {
        if (auto refused = admit_message(*audience_)) return AckAnswer(std::move(*refused));
        pending_->send(*user, std::move(send), later());
        return std::nullopt;
    }
    const std::string key = send.key;
    auto ack = publish_message(*audience_, *user, std::move(send));
    note_key(user, key, ack);
    return ack;
}

std::optional<RoomHome::Repeated> RoomHome::repeated(const UserPtr& user, const std::string& key,
                                                     const Later<AckAnswer>& later) {
    if (key.empty()) return std::nullopt;
    const auto& room = *audience_->room();
    const std::string& name = user->who.name;
    std::optional<Repeated> known;
    if (keys_) {
        if (const auto made = keys_->find(name, key, shard_->now().mono)) {
            known.emplace().ack =
                protocol::Ack{room.name(), {room.epoch(), made->offset}, format_rfc3339(made->at)};
        }
    }
    if (!known && pending_ && pending_->joins(name, key, later)) known.emplace();
    if (known) shard_->metrics().add(Metric::duplicates_answered);
    return known;
}

void RoomHome::note_key(const UserPtr& user, const std::string& key, const AckAnswer& ack) {
    if (!ack || key.empty()) return;
    const IdempotencyKeys::Published published{ack->cursor.offset, shard_->now().wall};
    remember(user->who.name, key, published);
    if (HistoryStore* store = shard_->hub().store()) {
        audience_->drain();  // the message first
        store->remember(audience_->name(), {user->who.name, key, published.offset, published.at});
    }
}

HistoryReply RoomHome::empty_reply() const {
    const auto& room = *audience_->room();
    return {room.name(), {room.epoch(), history_.last_offset()}, {}};
}

std::optional<PageAnswer> RoomHome::history(const protocol::History& asked,
                                            const Later<PageAnswer>& later) const {
    audience_->drain();
    const auto limit = std::min<std::size_t>(asked.limit, limits::history_answer_max);
    const auto& named = asked.since ? asked.since : asked.before;
    if (named && named->epoch != audience_->room()->epoch()) return earlier_life();
    const bool stored = shard_->hub().store() != nullptr;
    if (asked.since && !history_.reaches_back_to(asked.since->offset)) {
        if (!stored || asked.since->offset > history_.last_offset()) return not_retained();
        return ask_store(asked, false, later);
    }
    auto slice = asked.since    ? history_.after(asked.since->offset, limit)
                 : asked.before ? history_.before(asked.before->offset, limit)
                                : history_.last(limit);
    HistoryReply reply = empty_reply();
    reply.messages = std::move(slice.messages);
    reply.more = slice.more;
    if (asked.since || !stored) return reply;
    // Memory may hold less of the page than there is.
    const std::uint64_t last = history_.last_offset();
    const std::uint64_t end = std::min(asked.before ? asked.before->offset : last + 1, last + 1);
    const std::uint64_t there = end == 0 ? 0 : end - 1;
    if (history_.first_offset() > 1 &&
        reply.messages.size() < std::min<std::uint64_t>(limit, there)) {
        return ask_store(asked, false, later);
    }
    reply.more = reply.messages.size() < there;
    return reply;
}

std::optional<PageAnswer> RoomHome::page(protocol::History asked,
                                         const Later<PageAnswer>& later) const {
    audience_->drain();
    const bool recovered = can_follow(asked.since);
    if (!recovered && asked.since && shard_->hub().store() != nullptr &&
        asked.since->epoch == audience_->room()->epoch() &&
        asked.since->offset < history_.last_offset()) {
        return ask_store(asked, true, later);
    }
    if (!recovered) asked.since.reset();
    auto reply = history(asked, later);
    if (!reply || !*reply) return reply;
    (*reply)->recovered = recovered;
    // Who follows the room goes on from what the page ends with.
    if (recovered && (*reply)->more) (*reply)->cursor.offset = (*reply)->messages.back()->offset();
    return reply;
}

std::optional<PageAnswer> RoomHome::ask_store(const protocol::History& asked, bool recover,
                                              const Later<PageAnswer>& later) const {
    const StoredPage wanted{asked.before  ? asked.before->offset
                            : asked.since ? 0
                                          : history_.last_offset() + 1,
                            asked.since ? asked.since->offset : 0, history_.last_offset(),
                            std::min<std::uint32_t>(asked.limit, limits::history_answer_max)};
    const bool follows = asked.since.has_value();
    // What is answered where the store no longer has what followed the cursor.
    HistoryReply instead = empty_reply();
    if (recover) {
        auto last = history_.last(wanted.limit);
        instead.messages = std::move(last.messages);
        instead.more = true;
    }
    const auto answer = [respond = later(), reply = empty_reply(), instead = std::move(instead),
                         follows, recover, wanted,
                         &metrics = shard_->metrics()](Stored<HistorySlice>&& slice) mutable {
        if (!slice) {
            metrics.add(Metric::history_unread);
            return respond(PageAnswer(slice.error()));
        }
        const auto& messages = slice->messages;
        if (follows && (messages.empty() || messages.front()->offset() != wanted.after + 1)) {
            return respond(recover ? PageAnswer(std::move(instead)) : PageAnswer(not_retained()));
        }
        reply.more = slice->more;
        reply.recovered = recover;
        if (recover && slice->more) reply.cursor.offset = messages.back()->offset();
        reply.messages = std::move(slice->messages);
        respond(PageAnswer(std::move(reply)));
    };
    shard_->hub().store()->page(*shard_, audience_->name(), wanted, answer);
    return std::nullopt;
}

std::optional<PageAnswer> RoomHome::search(StoredSearch&& asked,
                                           const std::optional<protocol::Cursor>& before,
                                           const Later<PageAnswer>& later) const {
    HistoryStore* const store = shard_->hub().store();
    if (store == nullptr) {
        return make_error(errc::not_found,
                          "this server keeps messages in memory alone, where none are searched");
    }
    audience_->drain();
    if (before) {
        if (before->epoch != audience_->room()->epoch()) return earlier_life();
        if (before->offset <= 1) return empty_reply();
        asked.before = before->offset;
    }
    store->search(*shard_, audience_->name(), std::move(asked),
                  [respond = later(), reply = empty_reply(),
                   &metrics = shard_->metrics()](Stored<HistorySlice>&& slice) mutable {
                      if (!slice) {
                          metrics.add(Metric::history_unread);
                          return respond(PageAnswer(slice.error()));
                      }
                      reply.messages = std::move(slice->messages);
                      reply.more = slice->more;
                      respond(PageAnswer(std::move(reply)));
                  });
    return std::nullopt;
}

}  // namespace parley::core
