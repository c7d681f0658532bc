#include "loadtest/persona.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <numeric>
#include <set>

#include "loadtest/scenario.hpp"
#include "loadtest/stamp.hpp"

namespace parley::load {
namespace {

constexpr std::array<std::string_view, 6> kind_names{"talker",  "listener", "slow-reader",
                                                     "churner", "poller",   "rest-publisher"};

// A number of [0, 1), from the upper half of the bits.
double unit(std::uint64_t luck) {
    return static_cast<double>(luck >> 11) * 0x1p-53;
}

// Rooms as a persona chooses them: the nth of its users always the same one, and any run of users
// spread over the rooms as all of them are.
class RoomChoice {
public:
    RoomChoice(double skew, std::uint32_t rooms) : rooms_(rooms) {
        if (skew <= 0) return;
        double sum = 0;
        for (std::uint32_t room = 0; room < rooms; ++room) {
            sum += std::pow(static_cast<double>(room) + 1, -skew);
            up_to_.push_back(sum);
        }
    }
    [[nodiscard]] std::uint32_t operator()(std::uint32_t nth) const {
        if (up_to_.empty()) return nth % rooms_;
        // Multiples of the golden ratio fill the unit interval evenly from the first one on.
        double whole = 0;
        const double at =
            std::modf((static_cast<double>(nth) + 0.5) * (std::numbers::phi - 1), &whole);
        const auto found = std::upper_bound(up_to_.begin(), up_to_.end(), at * up_to_.back());
        const auto room = static_cast<std::uint32_t>(found - up_to_.begin());
        return std::min(room, rooms_ - 1);
    }

private:
    std::uint32_t rooms_;
    std::vector<double> up_to_;  // the weights of the rooms up to this one
};

}  // namespace

std::uint32_t SizeModel::draw(std::uint64_t luck) const {
    double size = min;
    switch (kind) {
        case Kind::fixed:
            return min;
        case Kind::uniform:
            size = min + std::floor(unit(luck) * (static_cast<double>(max) - min + 1));
            break;
        case Kind::lognormal: {
            // Box and Muller (1958), from two independent halves of the bits.
            const double radius = std::sqrt(-2 * std::log(1 - unit(luck << 32)));
            const double angle = 2 * std::numbers::pi * unit(luck);
            size = std::round(median * std::exp(sigma * radius * std::cos(angle)));
            break;
        }
    }
    return static_cast<std::uint32_t>(
        std::clamp(size, static_cast<double>(min), static_cast<double>(max)));
}

std::string_view name_of(Persona::Kind kind) {
    return kind_names[static_cast<std::size_t>(kind)];
}

std::string persona_kind_names() {
    std::string names;
    for (const std::string_view name : kind_names) {
        if (!names.empty()) names += name == kind_names.back() ? " or " : ", ";
        names += name;
    }
    return names;
}

std::optional<Persona::Kind> persona_kind_from(std::string_view name) {
    const auto found = std::find(kind_names.begin(), kind_names.end(), name);
    if (found == kind_names.end()) return std::nullopt;
    return static_cast<Persona::Kind>(found - kind_names.begin());
}

bool can_resume(Transport transport) {
    return transport == Transport::websocket || transport == Transport::sse ||
           transport == Transport::longpoll;
}

std::vector<std::uint32_t> share_out(std::span<const double> weights, std::uint32_t connections) {
    const double all = std::accumulate(weights.begin(), weights.end(), 0.0);
    std::vector<std::uint32_t> counts;
    std::vector<std::size_t> by_rest(weights.size());
    std::vector<double> rests;
    std::uint32_t given = 0;
    for (const double weight : weights) {
        const double due = all > 0 ? weight / all * connections : 0;
        counts.push_back(std::max(1u, static_cast<std::uint32_t>(due)));
        rests.push_back(due - counts.back());
        given += counts.back();
    }
    std::iota(by_rest.begin(), by_rest.end(), std::size_t{0});
    std::stable_sort(by_rest.begin(), by_rest.end(),
                     [&rests](std::size_t a, std::size_t b) { return rests[a] > rests[b]; });
    for (std::size_t i = 0; given < connections && !by_rest.empty(); ++given, ++i) {
        ++counts[by_rest[i % by_rest.size()]];
    }
    // Those who were rounded up to one took it from the largest.
    for (; given > connections; --given) {
        const auto largest = std::max_element(counts.begin(), counts.end());
        if (*largest <= 1) break;
        --*largest;
    }
    return counts;
}

Cast::Cast(const std::vector<Persona>& personas, std::uint32_t connections, std::uint32_t rooms) {
    std::vector<double> weights;
    for (const Persona& persona : personas) weights.push_back(persona.weight);
    const std::vector<std::uint32_t> counts = share_out(weights, connections);
    for (std::size_t i = 0; i < personas.size(); ++i) {
        groups_.push_back({0, counts[i]});
        if (!personas[i].publishes()) continue;
        groups_[i].first = publishers_;
        publishers_ += counts[i];
        parts_.resize(publishers_, {0, 0, static_cast<std::uint8_t>(i)});
    }
    // Smooth weighted round robin: each turn everybody gains its weight, the richest is chosen and
    // pays the whole.
    std::vector<std::int64_t> credit(personas.size(), 0);
    const std::int64_t whole = std::int64_t{connections} - publishers_;
    for (std::int64_t turn = 0; turn < whole; ++turn) {
        std::size_t richest = personas.size();
        for (std::size_t i = 0; i < personas.size(); ++i) {
            if (personas[i].publishes()) continue;
            credit[i] += counts[i];
            if (richest == personas.size() || credit[i] > credit[richest]) richest = i;
        }
        credit[richest] -= whole;
        parts_.push_back({0, 0, static_cast<std::uint8_t>(richest)});
    }
    seat(personas, rooms);
}

void Cast::seat(const std::vector<Persona>& personas, std::uint32_t rooms) {
    publishers_in_.assign(rooms, 0);
    std::vector<RoomChoice> choices;
    for (const Persona& persona : personas) choices.emplace_back(persona.skew, rooms);
    std::vector<std::uint32_t> seated(personas.size(), 0);
    for (std::uint32_t user = 0; user < parts_.size(); ++user) {
        Part& part = parts_[user];
        part.room = choices[part.persona](seated[part.persona]++);
        if (user < publishers_) part.member = publishers_in_[part.room]++;
    }
}

Mix mix_of(const std::vector<Persona>& personas, std::span<const std::uint32_t> counts) {
    std::array<double, transports_count> users{};
    for (std::size_t i = 0; i < personas.size(); ++i) {
        users[static_cast<std::size_t>(personas[i].transport)] += counts[i];
    }
    std::vector<double> weights;
    std::vector<std::size_t> which;
    for (std::size_t i = 0; i < users.size(); ++i) {
        if (users[i] <= 0) continue;
        weights.push_back(users[i]);
        which.push_back(i);
    }
    Mix::Percent percent{};
    const auto parts = share_out(weights, 100);
    for (std::size_t i = 0; i < which.size(); ++i) percent[which[i]] = parts[i];
    return Mix(percent);
}

std::optional<double> own_rate(const std::vector<Persona>& personas) {
    std::optional<double> sum;
    for (const Persona& persona : personas) {
        if (persona.rate_per_s) sum = sum.value_or(0) + *persona.rate_per_s;
    }
    return sum;
}

std::vector<double> rate_parts(const Scenario& scenario) {
    std::vector<double> parts;
    double all = 0;
    for (std::size_t i = 0; i < scenario.personas.size(); ++i) {
        const Persona& persona = scenario.personas[i];
        const double part =
            persona.publishes() ? persona.rate_per_s.value_or(scenario.cast->groups()[i].count) : 0;
        parts.push_back(part);
        all += part;
    }
    for (double& part : parts) part = all > 0 ? part / all : 0;
    return parts;
}

namespace {

std::optional<std::string> persona_problem(const Persona& p) {
    using Kind = Persona::Kind;
    constexpr std::uint32_t size_max = 1u << 20;
    const bool rest = p.transport == Transport::rest;
    if (rest != (p.kind == Kind::rest_publisher)) {
        return "transport rest goes with kind rest-publisher, and with no other";
    }
    const bool polls = p.transport == Transport::longpoll || p.transport == Transport::sse ||
                       p.transport == Transport::socketio_polling;
    if (p.kind == Kind::poller && !polls) {
        return "a poller's transport is longpoll, sse or socketio-polling";
    }
    if (p.size.min < stamp_bytes || p.size.max < p.size.min || p.size.max > size_max) {
        return "size must be " + std::to_string(stamp_bytes) + " (the stamp) to " +
               std::to_string(size_max) + " bytes, its min no more than its max";
    }
    if (p.size.kind == SizeModel::Kind::lognormal &&
        !(p.size.median >= 1 && p.size.sigma >= 0 && p.size.sigma <= 10)) {
        return "a lognormal size needs a median of 1 or more and a sigma of 0 to 10";
    }
    if (p.rate_per_s && !(*p.rate_per_s >= 0 && *p.rate_per_s <= 1e7)) {
        return "rate must be 0 to 10000000";
    }
    if (!(p.skew >= 0 && p.skew <= 10)) return "skew must be 0 (even) to 10";
    if (p.kind == Kind::churner && !(p.churn_per_s > 0 && p.churn_per_s <= 1e5)) {
        return "churn must be more than 0, and 100000 a second at most";
    }
    if (p.kind == Kind::slow_reader && (p.reading.every.count() <= 0 || p.reading.bytes == 0)) {
        return "a slow reader reads something, after a pause of more than 0";
    }
    if (p.away > std::chrono::hours(24)) return "away may be 24h at most";
    if (p.resumes && !can_resume(p.transport)) {
        return "resume goes with websocket, sse and longpoll";
    }
    if (!(p.weight > 0)) return "share or count must be more than 0";
    return std::nullopt;
}

}  // namespace

std::optional<std::string> personas_problem(const Scenario& s) {
    if (s.personas.empty()) return std::nullopt;
    if (s.personas.size() > personas_max) {
        return "there may be " + std::to_string(personas_max) + " personas at most";
    }
    std::set<std::string> names;
    for (const Persona& persona : s.personas) {
        if (persona.name.empty()) return "a persona has no name";
        const std::string which = "persona '" + persona.name + "': ";
        if (!names.insert(persona.name).second) return which + "there are two of this name";
        if (const auto problem = persona_problem(persona)) return which + *problem;
    }
    const auto says_rate = [](const Persona& p) { return p.rate_per_s.has_value(); };
    for (const Persona& persona : s.personas) {
        if (!persona.publishes() || says_rate(persona)) continue;
        if (std::any_of(s.personas.begin(), s.personas.end(), says_rate)) {
            return "persona '" + persona.name + "': its rate is missing, where others have one";
        }
    }
    if (s.connections < s.personas.size()) {
        return "--connections " + std::to_string(s.connections) + " are fewer than the " +
               std::to_string(s.personas.size()) + " personas";
    }
    return std::nullopt;
}

}  // namespace parley::load
