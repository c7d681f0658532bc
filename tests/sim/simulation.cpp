#include "sim/simulation.hpp"

#include "core/subscriber.hpp"

namespace parley::sim {
namespace {

using std::chrono::milliseconds;
using test::TestTransport;

core::Config drawn_config(std::mt19937_64& random, std::uint32_t shards) {
    const auto between = [&random](std::uint64_t low, std::uint64_t high) {
        return low + random() % (high - low + 1);
    };
    core::Config config;
    config.shards = shards;
    config.limits.enabled = between(0, 3) == 0;
    config.limits.rooms_per_session = between(1, 4);
    config.limits.rooms = between(0, 3) == 0 ? between(2, 8) : 1000;
    config.history.messages = between(1, 40);
    config.history.idle_ttl = milliseconds(between(1, 600'000));
    config.presence.roster_max = between(1, 10);
    config.presence.grace = milliseconds(between(1, 20'000));
    config.window.messages = between(1, 60);
    config.window.bytes = between(1, 20'000);
    config.flush.slice_writes = between(1, 8);
    config.rooms = {{"gap-*", core::OnLag::gap, {}}, {"latest-*", core::OnLag::latest, {}}};
    config.flush.delay_max = milliseconds(between(0, 300));
    const auto delay = [&between]() -> core::FlushDelay {
        return between(0, 2) == 0
                   ? core::FlushDelay{}
                   : core::FlushDelay{false, milliseconds(between(0, 3) * between(0, 90))};
    };
    config.flush.delay = delay();
    for (auto& rule : config.rooms) {
        if (between(0, 1) == 0) rule.flush_delay = delay();
    }
    return config;
}

}  // namespace

Simulation::Simulation(const Options& options)
    : options_(options),
      random_(options.seed * 64 + options.shards),
      config_(drawn_config(random_, options.shards)),
      hub_(std::make_unique<test::TestHub>(config_, random_())),
      check_(config_.history.messages) {
    rooms_ = {"gap-1", "latest-1", "lobby", "another", "gap-2"};
    const auto people = 3 + draw(12);
    for (std::uint64_t i = 0; i < people; ++i) {
        // Fewer names than people: some have two sessions.
        people_.push_back({});
        people_.back().name = "p" + std::to_string(i % (people - people / 4));
        people_.back().shard = draw(options.shards);
    }
}

Simulation::~Simulation() {
    for (auto& person : people_) {
        if (person.session) person.session->closed(core::close_reasons::normal);
    }
}

Outcome Simulation::run() {
    instants_[core::format_rfc3339(hub_->now().wall)] = 0;
    for (int i = 0; i < options_.steps; ++i) {
        step();
        listen();
        if (i % 16 == 0) check_conservation("under way");
    }
    settle();
    check_everybody_is_up_to_date();
    check_conservation("at rest");
    check_members();
    end_everything();
    check_.finish();
    outcome_.failures = check_.failures();
    outcome_.acks_confirmed = check_.acks_confirmed();
    outcome_.gaps = hub_->total(core::Metric::gaps);
    outcome_.slow_disconnects = hub_->total(core::Metric::slow_disconnects);
    outcome_.duplicates = hub_->total(core::Metric::duplicates_answered);
    return outcome_;
}

void Simulation::step() {
    switch (draw(16)) {
        case 0:
            pass_time();
            break;
        case 1:
            // A shard that gets no turn for a while.
            stalled_ = stalled_ ? std::nullopt : std::optional<std::size_t>(draw(options_.shards));
            break;
        case 2:
        case 3:
        case 4:
        case 5:
            run_shards();
            break;
        default:
            act(people_[draw(people_.size())]);
            break;
    }
}

void Simulation::pass_time() {
    const std::uint64_t scale = one_in(30) ? 700'000 : one_in(5) ? 15'000 : 100;
    hub_->jump(milliseconds(1 + draw(scale)));
    instants_[core::format_rfc3339(hub_->now().wall)] =
        std::chrono::duration_cast<milliseconds>(hub_->now().mono.time_since_epoch()).count();
}

void Simulation::run_shards() {
    for (auto turns = 1 + draw(3 * options_.shards); turns > 0; --turns) {
        const auto shard = draw(options_.shards);
        if (shard == stalled_) continue;
        if (one_in(3)) {
            hub_->shard(shard).post([this, shard](core::Shard&) { meanwhile(shard); });
        }
        if (one_in(4)) hub_->shard(shard).note_round(any_round());
        hub_->run(shard);
        check_budget(shard);
        listen();
    }
}

// What a loop of any kind may have to tell of a round.
core::FlushPace::Round Simulation::any_round() {
    const milliseconds whole(1 + draw(200));
    const auto share = [this, whole] {
        return one_in(2) ? core::Duration::zero() : whole * draw(101) / 100;
    };
    return {whole, share(), one_in(2) ? core::Duration(whole) : share()};
}

// Whatever a room's flush waits for, behind a turn nothing has waited for longer than it may.
void Simulation::check_budget(std::size_t shard) {
    core::Shard& turned = hub_->shard(shard);
    static_cast<void>(turned.each_audience(1000, [&](const core::Audience& audience) {
        if (!audience.held()) return;
        ++outcome_.holds;
        const auto age = core::stamp_of(turned.now().mono) - audience.next_pass_born();
        if (std::chrono::microseconds(age) < turned.flush_delay_of(audience)) return;
        check_.fail(audience.name() + " was held for " + std::to_string(age) + " us");
    }));
}

// Shards run at the same time: what others do between a shard's taking its mail and its draining
// the rooms. A task in that mail is where it can happen on one thread.
void Simulation::meanwhile(std::size_t busy) {
    if (interrupted_ || at_rest_) return;
    interrupted_ = true;
    for (auto things = 1 + draw(4); things > 0; --things) {
        if (const auto other = draw(options_.shards); other != busy) hub_->run(other);
        Person& person = people_[draw(people_.size())];
        if (person.session && person.shard != busy) command(person);
    }
    interrupted_ = false;
}

void Simulation::settle() {
    at_rest_ = true;
    for (auto& person : people_) {
        if (person.session && !person.transport->closed_for) {
            unblock(person, TestTransport::unlimited);
        }
    }
    for (int round = 0; round < 3; ++round) {
        hub_->pass(milliseconds(300));  // no flush is held for longer
        for (std::size_t i = 0; i < hub_->shards(); ++i) check_budget(i);
        listen();
        for (auto& person : people_) {
            if (person.session && person.transport->closed_for) {
                end(person, *person.transport->closed_for);
            }
        }
    }
    // What the last of that time brought forth may be held still: as before a drain.
    for (std::size_t i = 0; i < hub_->shards(); ++i) hub_->shard(i).hold_no_more();
    hub_->settle();
    listen();
}

// Fan-out's first law: what was due is written, announced, filtered, dropped or still to come.
void Simulation::check_conservation(const char* when) {
    std::uint64_t pending = 0;
    for (const auto& person : people_) {
        if (person.session) pending += person.session->pending();
    }
    const auto due = hub_->total(core::Metric::deliveries_due);
    const auto accounted = hub_->total(core::Metric::deliveries_written) +
                           hub_->total(core::Metric::deliveries_skipped) +
                           hub_->total(core::Metric::deliveries_filtered) +
                           hub_->total(core::Metric::deliveries_dropped) + pending;
    if (due == accounted) return;
    check_.fail(std::string(when) + ": " + std::to_string(due) + " deliveries were due and " +
                std::to_string(accounted) + " are accounted for");
}

void Simulation::check_everybody_is_up_to_date() {
    for (auto& person : people_) {
        if (!person.session) continue;
        if (person.session->pending() != 0) check_.fail(person.name + " is owed something at rest");
        for (const auto& [room, place] : person.places) {
            core::Audience* audience = hub_->hub().home_of(room).find_audience(room);
            if (!audience) {
                check_.fail(room + " is gone while " + person.name + " is in it");
            } else if (audience->room()->ring().last_offset() + 1 != place.next) {
                check_.fail(person.name + " missed the end of " + room);
            }
        }
    }
}

void Simulation::check_members() {
    // Whoever was lost without a goodbye has left by then; nobody else has.
    hub_->pass(config_.presence.grace + milliseconds(1));
    listen();
    std::map<std::string, std::map<std::string, int>> expected;
    for (const auto& person : people_) {
        if (!person.session) continue;
        for (const auto& [room, place] : person.places) ++expected[room][person.name];
    }
    for (const auto& room : rooms_) {
        core::Audience* audience = hub_->hub().home_of(room).find_audience(room);
        const auto count = audience ? audience->home()->members().count : 0;
        if (count != expected[room].size()) {
            check_.fail(room + " counts " + std::to_string(count) + " members, " +
                        std::to_string(expected[room].size()) + " are there");
        }
    }
}

void Simulation::end_everything() {
    for (auto& person : people_) {
        if (!person.session) continue;
        end(person, one_in(2) ? core::close_reasons::vanished : core::close_reasons::going_away);
    }
    hub_->pass(config_.presence.grace + config_.history.idle_ttl + milliseconds(10));
    for (std::size_t i = 0; i < hub_->shards(); ++i) {
        if (const auto left = hub_->shard(i).room_count()) {
            check_.fail(std::to_string(left) + " rooms are left on shard " + std::to_string(i));
        }
        if (hub_->shard(i).timers().next_due()) {
            check_.fail("a timer is left on shard " + std::to_string(i));
        }
    }
    const auto same = [this](core::Metric one, core::Metric other) {
        if (hub_->total(one) == hub_->total(other)) return;
        check_.fail(std::string(name_of(one)) + " is not " + std::string(name_of(other)));
    };
    same(core::Metric::rooms_created, core::Metric::rooms_dropped);
    same(core::Metric::audiences_created, core::Metric::audiences_dropped);
    same(core::Metric::sessions_opened, core::Metric::sessions_closed);
    for (const auto& session : sessions_) {
        if (!session.expired()) check_.fail("a session lives on");
    }
    check_conservation("at the end");
}

}  // namespace parley::sim
