// Who comes and goes while messages are published: the connections that the phases ask for, storms,
// churn; and those who read slowly.
#include <algorithm>
#include <cmath>

#include "loadtest/clock.hpp"
#include "loadtest/load_thread.hpp"

namespace parley::load {
namespace {

constexpr std::size_t opened_a_turn = 64;
constexpr std::size_t returned_a_look = 256;
constexpr std::int64_t leavers_every_ns = 2 * ns_per_ms;
constexpr std::int64_t goodbye_ns_max = ns_per_s;

}  // namespace

// A group for the whole run, or one for each persona that comes and goes.
void LoadThread::add_churners() {
    const Scenario& scenario = plan().scenario;
    std::vector<std::uint32_t> everywhere(std::max<std::size_t>(1, scenario.personas.size()), 0);
    std::vector<ChurnGroup> groups(everywhere.size());
    for (std::uint32_t user = 0; user < scenario.connections; ++user) {
        if (!scenario.may_churn(user)) continue;
        const std::size_t which = scenario.cast ? scenario.cast->persona_of(user) : 0;
        ++everywhere[which];
        if (user % shares_ == share_) groups[which].users.push_back(user);
    }
    for (std::size_t i = 0; i < groups.size(); ++i) {
        ChurnGroup& group = groups[i];
        if (group.users.empty()) continue;
        const double per_s =
            scenario.cast ? scenario.personas[i].churn_per_s : scenario.churn_per_s;
        if (scenario.cast) group.away_ns = scenario.personas[i].away.count();
        // Each thread takes the part of the churn that is its part of those who may leave.
        const double every_s =
            static_cast<double>(everywhere[i]) / (per_s * static_cast<double>(group.users.size()));
        group.every_ns = static_cast<std::int64_t>(every_s * static_cast<double>(ns_per_s));
        churn_.push_back(std::move(group));
    }
}

void LoadThread::begin_phases() {
    const PhasePlan& phases = plan().phases;
    const Scenario& scenario = plan().scenario;
    // Where one process does not see all receivers, or there are too many messages.
    const bool no_last_receivers = scenario.split.of > 1 || !scenario.phases.empty() ||
                                   control_.pass.messages_in_window() > LastReceivers::messages_max;
    for (Tally& tally : context_.users.tallies) {
        if (no_last_receivers) tally.last_receivers.give_up();
        tally.window_from_ns = control_.pass.window_from_ns();
        tally.window_to_ns = publish_end_ns_;
        if (scenario.phases.empty()) continue;
        tally.window_to_ns = publish_start_ns_ + phases.window_to_ns();
        for (const PhasePlan::Part& part : phases.parts()) {
            PhaseTally& phase = tally.phases.emplace_back();
            phase.from_ns = publish_start_ns_ + part.from_ns;
            phase.to_ns = publish_start_ns_ + part.to_ns;
            phase.measured = part.measured;
        }
    }
}

void LoadThread::follow_phases(std::int64_t now_ns) {
    if (plan().scenario.phases.empty() || now_ns < publish_start_ns_) return;
    const PhasePlan& phases = plan().phases;
    for (; next_part_ < phases.parts().size(); ++next_part_) {
        const PhasePlan::Part& part = phases.parts()[next_part_];
        if (now_ns < publish_start_ns_ + part.from_ns) break;
        storm(part, now_ns);
    }
    const std::uint32_t meant = phases.connections_at(now_ns - publish_start_ns_);
    for (std::size_t n = 0; n < opened_a_turn && opened_ < senders_from_; ++n, ++opened_) {
        Client& client = clients_[opened_];
        if (client.user().index() >= meant) break;
        if (client.user().lived()) forget_leaver(client);
        if (client.connected()) client.abandon({}, context_);
        client.open(now_ns, false, context_);
    }
    for (; opened_ > 0 && clients_[opened_ - 1].user().index() >= meant; --opened_) {
        Client& client = clients_[opened_ - 1];
        if (client.user().state() == VirtualUser::State::ready) {
            send_away(client, now_ns, never_ns);
            ++client.user().tally(context_.users).left;
        } else if (client.user().state() == VirtualUser::State::opening) {
            if (client.user().came_back()) client.user().settle(std::nullopt, context_.users);
            client.vanish(context_);
        }
    }
}

// It may have been sent away a moment ago, and is to begin afresh.
void LoadThread::forget_leaver(Client& client) {
    std::erase_if(leavers_, [&](const Leaver& leaver) {
        if (leaver.user != client.user().index()) return false;
        if (leaver.resumes) client.user().settle(std::nullopt, context_.users);
        return true;
    });
}

void LoadThread::storm(const PhasePlan::Part& part, std::int64_t now_ns) {
    if (part.storm_percent <= 0) return;
    const std::uint32_t publishers = plan().scenario.publishers();
    const std::uint32_t there = plan().phases.connections_at(part.from_ns);
    const double share = part.storm_percent / 100;
    const double cut_off = std::max(1.0, share * (there - publishers));
    for (std::size_t n = 0; n < opened_; ++n) {
        Client& client = clients_[n];
        VirtualUser& user = client.user();
        if (user.index() < publishers || user.state() != VirtualUser::State::ready) continue;
        // The nth of all who are cut off, evenly spread over all who may be.
        const double place = user.index() - publishers;
        const double nth = std::floor(place * share);
        if (std::floor((place + 1) * share) <= nth) continue;
        const bool resumes = user.may_come_back();
        if (!resumes) user.settle(std::nullopt, context_.users);
        client.vanish(context_);
        ++user.tally(context_.users).churned;
        const double after = nth / cut_off * static_cast<double>(part.storm_over_ns);
        leavers_.push_back(
            {user.index(), now_ns, now_ns + static_cast<std::int64_t>(after), resumes});
    }
    next_leavers_ns_ = 0;
}

void LoadThread::send_away(Client& client, std::int64_t now_ns, std::int64_t return_ns) {
    VirtualUser& user = client.user();
    const bool resumes = return_ns != never_ns && user.may_come_back();
    if (!resumes) user.settle(std::nullopt, context_.users);
    client.leave(context_);
    client.flush(context_);
    leavers_.push_back({user.index(), now_ns + goodbye_ns_max, return_ns, resumes});
}

void LoadThread::churn_due(std::int64_t now_ns) {
    for (ChurnGroup& group : churn_) {
        for (; now_ns >= group.next_ns; group.next_ns += group.every_ns) {
            // Those who are still coming back are passed over; after a whole round nobody is left.
            for (std::size_t tried = 0; tried < group.users.size(); ++tried) {
                Client& client = client_of(group.users[group.next]);
                group.next = (group.next + 1) % group.users.size();
                if (client.user().state() != VirtualUser::State::ready) continue;
                send_away(client, now_ns, now_ns + group.away_ns);
                ++client.user().tally(context_.users).churned;
                break;
            }
        }
    }
}

void LoadThread::finish_leaving(std::int64_t now_ns) {
    if (leavers_.empty() || now_ns < next_leavers_ns_) return;
    next_leavers_ns_ = now_ns + leavers_every_ns;
    std::size_t returned = 0;
    std::erase_if(leavers_, [&](const Leaver& leaver) {
        Client& client = client_of(leaver.user);
        if (client.connected() && now_ns < leaver.until_ns) return false;
        if (client.connected()) client.abandon({}, context_);
        if (leaver.return_ns == never_ns) return true;
        // At the end nobody is awaited longer than need be.
        if (now_ns < leaver.return_ns && phase_ == Phase::publishing) return false;
        if (returned == returned_a_look) return false;
        if (bring_back(leaver, now_ns)) ++returned;
        return true;
    });
}

// False: the phase has no place for it any more.
bool LoadThread::bring_back(const Leaver& leaver, std::int64_t now_ns) {
    Client& client = client_of(leaver.user);
    if (leaver.user / shares_ >= opened_) {
        // It was to be told what it missed, and never asks.
        if (leaver.resumes) client.user().settle(std::nullopt, context_.users);
        return false;
    }
    if (leaver.resumes) {
        client.come_back(now_ns, context_);
    } else {
        client.open(now_ns, false, context_);
    }
    return true;
}

void LoadThread::read_slowly(std::int64_t now_ns) {
    for (SlowReaders::Group& group : slow_.groups()) {
        if (now_ns < group.next_ns) continue;
        group.next_ns = now_ns + group.reading.every.count();
        const std::size_t bytes = std::min<std::uint64_t>(group.reading.bytes, SIZE_MAX);
        for (const std::uint32_t user : group.users) {
            Client& client = client_of(user);
            if (client.connected()) client.on_readable(context_, bytes);
        }
    }
}

}  // namespace parley::load
