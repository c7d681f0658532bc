// The half of RoomHome that changes what was said.
#include <utility>

#include "core/at_home.hpp"
#include "core/audience.hpp"
#include "core/audit.hpp"
#include "core/file_store.hpp"
#include "core/hub.hpp"
#include "core/room_home.hpp"
#include "core/session.hpp"
#include "core/shard.hpp"

namespace parley::core {
namespace {

constexpr milliseconds retry_soon{100};

protocol::Error no_such_message() {
    return make_error(errc::not_found, "there is no such message, or it is no longer kept");
}

}  // namespace

PendingAmendments& RoomHome::amendments() {
    if (!amendments_) amendments_ = std::make_unique<PendingAmendments>();
    return *amendments_;
}

std::optional<AckAnswer> RoomHome::amend(const UserPtr& user, Amendment&& asked, bool moderates,
                                         const Later<AckAnswer>& later) {
    audience_->drain();
    if (auto known = repeated(user, asked.key, later)) return std::move(known->ack);
    RetainedPtr target = amendments_ ? amendments_->find(asked.offset) : nullptr;
    if (!target) target = history_.find(asked.offset);
    if (target) return amend_target(user, std::move(asked), moderates, *target, later);
    if (asked.offset == 0 || asked.offset > history_.last_offset() ||
        shard_->hub().store() == nullptr) {
        return AckAnswer(no_such_message());
    }
    ask_for_target(user, std::move(asked), moderates, later());
    return std::nullopt;
}

// The message is not in memory. By the time that the store has it here somebody else may have changed
// it: then it is asked for again, and sees that.
void RoomHome::ask_for_target(const UserPtr& user, Amendment&& asked, bool moderates,
                              Respond<AckAnswer> respond) const {
    const StoredPage wanted{asked.offset + 1, 0, history_.last_offset(), 1, true};
    const auto answer = [shard = shard_, user, asked = std::move(asked), moderates,
                         respond = std::move(respond),
                         seen = amended_](Stored<HistorySlice>&& slice) mutable {
        if (!slice) {
            shard->metrics().add(Metric::history_unread);
            return respond(AckAnswer(slice.error()));
        }
        Audience* const audience = shard->find_audience(asked.room);
        if (audience == nullptr || !audience->home()) {
            return respond(AckAnswer(make_error(
                errc::unavailable, "the room was put away meanwhile, try again", retry_soon)));
        }
        RoomHome& home = *audience->home();
        const auto later = [&respond] { return respond; };
        std::optional<AckAnswer> ack;
        const auto& found = slice->messages;
        if (home.amended_ != seen || (home.amendments_ && !home.amendments_->empty())) {
            ack = home.amend(user, std::move(asked), moderates, later);
        } else if (found.empty() || found.front()->offset() != asked.offset) {
            ack = AckAnswer(no_such_message());
        } else {
            const RetainedPtr target = found.front();
            ack = home.amend_target(user, std::move(asked), moderates, *target, later);
        }
        if (ack) respond(std::move(*ack));
    };
    shard_->hub().store()->page(*shard_, audience_->name(), wanted, answer);
}

std::optional<AckAnswer> RoomHome::amend_target(const UserPtr& user, Amendment&& asked,
                                                bool moderates, const Retained& target,
                                                const Later<AckAnswer>& later) {
    auto judged = judge_amendment(asked, target, *user, moderates);
    if (!judged) {
        if (!asked.body) audit_refusal(*user, asked, judged.error());
        return AckAnswer(judged.error());
    }
    const auto amends = [&](const protocol::Cursor& at, std::string_view at_text) {
        Amended amended = amended_by(asked, std::move(*judged), at, at_text);
        amended.by = user->who;
        return amended;
    };
    protocol::Send said = publication_of(asked);
    if (pending_) {
        if (auto refused = admit_message(*audience_)) return AckAnswer(std::move(*refused));
        pending_->send(*user, std::move(said), later(), amends);
        return std::nullopt;
    }
    auto ack = publish_message(*audience_, *user, std::move(said));
    if (!ack) return ack;
    amendments().add(ack->cursor.offset, amends(ack->cursor, ack->at));
    audience_->drain();
    note_key(user, asked.key, ack);
    return ack;
}

void RoomHome::audit_refusal(const User& user, const Amendment& asked,
                             const protocol::Error& why) const {
    AuditRecord record;
    record.act = AuditAct::remove;
    record.outcome = AuditOutcome::refused;
    record.room = audience_->name();
    record.by = &user.who;
    record.reason = asked.reason;
    record.offset = asked.offset;
    record.cause = why.message;
    shard_->audit(record);
}

// What the publication with that offset, which is being kept, changes of those before it.
std::vector<RetainedPtr> RoomHome::carry_out_amendments(std::uint64_t publication) {
    auto amended = amendments_->take(publication);
    if (!amended) return {};
    ++amended_;
    for (const RetainedPtr& message : amended->messages) history_.amend(message);
    shard_->metrics().add(amended->deleted ? Metric::messages_deleted : Metric::messages_edited);
    if (amended->deleted && amended->by.id != amended->author.id) {
        AuditRecord record;
        record.act = AuditAct::remove;
        record.room = audience_->name();
        record.by = &amended->by;
        record.user = amended->author.id;
        record.user_name = amended->author.name;
        record.reason = amended->reason;
        record.offset = amended->offset;
        shard_->audit(record);
    }
    FileStore* const files = shard_->hub().files();
    if (files == nullptr || amended->files.empty()) return std::move(amended->messages);
    // But those that another message shows too.
    history_.each([&](std::string_view message) { strike_named_in(message, amended->files); });
    for (std::string& file : amended->files) {
        files->remove_with_message(std::move(file), audience_->name(), amended->author.id);
    }
    return std::move(amended->messages);
}

}  // namespace parley::core
