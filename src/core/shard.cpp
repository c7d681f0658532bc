#include "core/shard.hpp"

#include <cassert>

#include "core/at_home.hpp"
#include "core/audience.hpp"
#include "core/audit.hpp"
#include "core/history_store.hpp"
#include "core/hub.hpp"
#include "core/ids.hpp"
#include "core/room_records.hpp"

namespace parley::core {

std::string_view room_name_of(const std::unique_ptr<Audience>& audience) noexcept {
    return audience->name();
}

Shard::Shard(Hub& hub, ShardLoop& loop, std::uint32_t index, const Instant& now, std::uint64_t seed)
    : hub_(&hub),
      loop_(&loop),
      index_(index),
      now_(now),
      random_(seed),
      timers_(now.mono),
      lost_sessions_(timers_, metrics_),
      claims_(hub.config().shards),
      signed_in_(timers_),
      config_(hub.config()),
      pace_(config_.flush.delay_max),
      hold_timer_(*this) {}

Shard::~Shard() {
    // What is still on the desk belongs to nobody else: a task is freed unrun, a room let go.
    mailbox_.take_all([](MailboxNode& node) {
        auto& mail = static_cast<Mail&>(node);
        mail.discard(mail);
    });
}

void Shard::request_turn() {
    if (turn_requested_) return;
    turn_requested_ = true;
    loop_->run_soon();
}

void Shard::deliver(Mail& mail) noexcept {
    if (mailbox_.push(mail)) loop_->wake();
}

void Shard::post(std::function<void(Shard&)> task) {
    deliver(*new Errand(std::move(task)));
}

const std::string& Shard::now_text() {
    const auto at = std::chrono::floor<std::chrono::milliseconds>(now_.wall);
    if (at != now_text_of_ || now_text_.empty()) {
        now_text_of_ = at;
        now_text_ = format_rfc3339(at);
    }
    return now_text_;
}

void Shard::turn(const Instant& now) {
    set_now(now);
    // What is queued in this turn is done in it, or asks for another at its end.
    turn_requested_ = true;
    mailbox_.take_all([this](MailboxNode& node) {
        auto& mail = static_cast<Mail&>(node);
        mail.deliver(mail, *this);
    });
    // By index: draining may end sessions, whose leaving is published and drained in turn.
    for (std::size_t i = 0; i < to_drain_.size(); ++i) {
        to_drain_[i]->to_drain = false;
        to_drain_[i]->drain();
        queue_flush(*to_drain_[i]);
    }
    to_drain_.clear();
    release_due();
    flush_slice();
    drop_idle();
    arm_hold_timer();
    turn_requested_ = false;
    if (!to_flush_.empty() || !to_drain_.empty() || !may_drop_.empty()) request_turn();
}

void Shard::note_written(TimePoint now) noexcept {
    const std::uint32_t stamp = stamp_of(now);
    for (std::size_t i = 0; i < passes_ended_; ++i) {
        metrics_.record(Measure::publish_to_written, stamp - ended_[i]);
    }
    passes_ended_ = 0;
}

void Shard::flush_slice() {
    if (to_flush_.empty()) return;
    in_slice_ = true;
    loop_->slice_begins();
    // Rooms take turns slice by slice, so that a large one does not hold up the small ones.
    std::size_t writes = config().flush.slice_writes;
    while (writes > 0 && !to_flush_.empty()) {
        Audience* audience = to_flush_.front();
        to_flush_.pop_front();
        if (to_flush_.size() > 1) to_flush_[1]->prefetch_self();
        if (!to_flush_.empty()) to_flush_[0]->prefetch_listeners();
        writes = audience->flush(writes);
        audience->to_flush = audience->in_pass();
        if (audience->to_flush) {
            to_flush_.push_back(audience);
        } else {
            queue_flush(*audience);
        }
    }
    loop_->slice_ends();
    in_slice_ = false;
    for (Audience* audience : to_rest_) audience->rest();
    to_rest_.clear();
}

bool Shard::rest_after_slice(Audience& audience) {
    if (in_slice_) to_rest_.push_back(&audience);
    return in_slice_;
}

void Shard::drop_retired() noexcept {
    if (retired_.empty()) return;
    // Few are, and they are large: what was gathered goes now rather than that they pile up.
    if (in_slice_) {
        loop_->slice_ends();
        loop_->slice_begins();
    }
    retired_.clear();
}

void Shard::drop_idle() {
    const auto candidates = std::move(may_drop_);
    may_drop_.clear();
    for (Audience* audience : candidates) {
        if (audience->to_drain || audience->to_flush) {
            may_drop_.push_back(audience);  // a turn is due for it anyway
            continue;
        }
        audience->may_drop = false;
        if (!audience->droppable()) continue;
        const std::string name = audience->name();
        if (const RoomHome* const home = audience->home()) home->note_dropping();
        const bool was_home = homes_.erase(name) + unlisted_.erase(name) == 1;
        audiences_.erase(name);
        if (was_home) continue;
        // The home may have been waiting for this shard to let go.
        hub_->home_of(name).post([name](Shard& home) {
            if (Audience* there = home.find_audience(name)) home.consider_dropping(*there);
        });
    }
}

Audience* Shard::find_audience(std::string_view room) const noexcept {
    const auto* found = audiences_.find(room);
    return found == nullptr ? nullptr : found->get();
}

Audience& Shard::audience_of(const std::string& room) {
    if (Audience* audience = find_audience(room)) return *audience;
    return *audiences_.add(std::make_unique<Audience>(*this, room));
}

bool Shard::rooms_are_full() const noexcept {
    return (homes_.size() + unlisted_.size() + openings_.size()) * hub_->shard_count() >=
           config().limits.rooms;
}

Audience* Shard::home_of(const std::string& room) {
    if (Audience* audience = find_audience(room)) return audience;
    assert(hub_->store() == nullptr);
    if (rooms_are_full()) return nullptr;
    return &make_home(room, {random_epoch(random_), 0, {}, {}}, {});
}

Audience& Shard::make_home(const std::string& room, const StoredRoom& stored, RoomRecord&& record) {
    Audience& audience = audience_of(room);
    audience.become_home(
        RoomPtr(new Room(room, stored.epoch, static_cast<std::uint32_t>(hub_->shard_count()),
                         index_, stored.last_offset)),
        stored, std::move(record));
    const bool listed = kind_of(config_.rooms, room) != protocol::RoomKind::hidden;
    (listed ? homes_ : unlisted_).emplace(audience.name(), &audience);
    return audience;
}

bool Shard::is_open(std::string_view room) const noexcept {
    const RoomRecords* const records = hub_->records();
    if (hub_->store() == nullptr && records == nullptr) return true;
    if (find_audience(room) != nullptr) return true;
    return hub_->store() == nullptr && !records->has(room);
}

void Shard::when_open(const std::string& room, WhenOpen then) {
    if (is_open(room)) return then(*this, std::nullopt);
    const auto asked = openings_.find(room);
    if (asked != openings_.end()) return asked->second.push_back(std::move(then));
    if (rooms_are_full()) return then(*this, too_many_rooms());
    openings_[room].push_back(std::move(then));
    open(room);
}

void Shard::open(const std::string& room) {
    HistoryStore* const store = hub_->store();
    if (store == nullptr) return open_records(room, {random_epoch(random_), 0, {}, {}});
    store->open(*this, room, random_epoch(random_), [this, room](Stored<StoredRoom>&& stored) {
        if (stored) return open_records(room, std::move(*stored));
        metrics_.add(Metric::history_unread);
        opened(room, nullptr, stored.error());
    });
}

// Who may do what is known before anybody does anything.
void Shard::open_records(const std::string& room, StoredRoom&& stored) {
    RoomRecords* const records = hub_->records();
    if (records == nullptr || !records->has(room)) {
        return opened(room, &make_home(room, stored, {}), {});
    }
    records->load(*this, room,
                  [this, room, stored = std::move(stored)](Recorded<RoomRecord>&& record) {
                      if (!record) {
                          metrics_.add(Metric::records_unread);
                          return opened(room, nullptr, record.error());
                      }
                      opened(room, &make_home(room, stored, std::move(*record)), {});
                  });
}

void Shard::opened(const std::string& room, Audience* audience, const OpenRefusal& refused) {
    // Until the turn ends the room stays, whatever those who waited do with it.
    const auto waiting = openings_.extract(room);
    for (const WhenOpen& then : waiting.mapped()) then(*this, refused);
    if (audience != nullptr) consider_dropping(*audience);
}

void Shard::audit(const AuditRecord& record) {
    metrics_.count_act(record.act, record.outcome);
    if (hub_->audit_log()) hub_->audit_log()(record);
}

std::vector<Audience*> Shard::homes_after(std::string_view name, std::size_t most) const {
    std::vector<Audience*> found;
    for (auto at = homes_.upper_bound(name); at != homes_.end() && found.size() < most; ++at) {
        found.push_back(at->second);
    }
    return found;
}

void Shard::queue_drain(Audience& audience) {
    if (audience.to_drain) return;
    audience.to_drain = true;
    to_drain_.push_back(&audience);
    request_turn();
}

void Shard::queue_flush(Audience& audience) {
    if (audience.to_flush || audience.done()) return;
    if (holds_ && audience.may_hold()) {
        if (audience.held()) return;
        if (held_.hold(audience, audience.next_pass_born(), now_.mono)) {
            metrics_.add(Metric::flushes_held);
            return request_turn();  // at its end the timer is set
        }
    }
    flush_soon(audience);
}

void Shard::flush_soon(Audience& audience) {
    if (audience.to_flush || audience.done()) return;
    audience.end_hold();
    audience.to_flush = true;
    to_flush_.push_back(&audience);
    request_turn();
}

HoldLine& Shard::hold_line_of(const std::string& room) {
    const RoomRule* rule = rule_of(config_.rooms, room);
    return held_.line_of(rule != nullptr && rule->flush_delay ? *rule->flush_delay
                                                              : config_.flush.delay);
}

void Shard::release_due() {
    while (HeldFlush* due = held_.take_due(now_.mono)) flush_soon(static_cast<Audience&>(*due));
}

void Shard::hold_no_more() {
    holds_ = false;
    audiences_.each(audiences_.size(), [this](const auto& audience) {
        if (audience->held()) flush_soon(*audience);
    });
}

void Shard::note_round(FlushPace::Round round) {
    // A pass may go on for many rounds: what could be spared of it was known when it began.
    if (visits_ > 0) {
        of_visits_ = visits_;
        of_visits_again_ = visits_again_;
    }
    round.sparable = round.sparable * static_cast<Duration::rep>(of_visits_again_) /
                     static_cast<Duration::rep>(of_visits_);
    visits_ = visits_again_ = 0;
    const Duration before = pace_.delay();
    if (!pace_.note(round)) return;
    const auto in_us = [](Duration delay) {
        return static_cast<std::size_t>(delay / std::chrono::microseconds(1));
    };
    metrics_.move(Level::flush_delay, in_us(before), in_us(pace_.delay()));
    held_.set_adaptive(pace_.delay());
    if (pace_.delay() < before) request_turn();  // some may be due now
}

void Shard::HoldTimer::fire(Timer& timer) noexcept {
    static_cast<HoldTimer&>(timer).owner->request_turn();
}

void Shard::arm_hold_timer() noexcept {
    if (const auto due = held_.next_due(now_.mono)) {
        timers_.arm(hold_timer_, *due);
    } else {
        hold_timer_.cancel();
    }
}

void Shard::consider_dropping(Audience& audience) {
    if (audience.held() && !audience.may_hold()) flush_soon(audience);
    if (audience.may_drop) return;
    audience.may_drop = true;
    may_drop_.push_back(&audience);
    request_turn();
}

}  // namespace parley::core
