// PhasePlan: how a run goes on through its phases: how many connections there are meant to be at an
// instant, and when the nth message is meant to be sent. Instants count from the first phase's start.
//
// Path:     Scenario → [PhasePlan] → TalkPacer, LoadThread, Report
// Runs on:  any thread; constant.
// Owned by: Plan.
// Bounds:   phases_max phases, rate_steps_max steps of each.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace parley::load {

struct Scenario;

inline constexpr std::size_t phases_max = 64;
inline constexpr std::size_t rate_steps_max = 64;

// One phase as the scenario file tells it.
struct Phase {
    std::string name;
    std::chrono::nanoseconds duration{};
    // How many connections there are in the end; nothing: as many as before.
    std::optional<std::uint32_t> connections;
    // How long it takes to get there, evenly; nothing: the whole phase. Not of the first phase,
    // whose connections are opened before it begins.
    std::optional<std::chrono::nanoseconds> ramp;
    // Messages a second over all rooms: none: as the scenario has it; two or more: one behind the
    // other for equal times, or with `linear` from the first to the second.
    std::vector<double> rates;
    bool linear = false;
    bool measured = true;  // false: warm-up
    // So many per cent of those who don't publish are cut off as the phase begins, without a
    // goodbye, and come back, spread evenly over `storm_over`.
    double storm_percent = 0;
    std::chrono::nanoseconds storm_over{};
};

// A rate that changes in straight lines, and how many messages it makes.
class RateCurve {
public:
    // Goes on behind what there is: from one rate to another, in a straight line.
    void add(std::int64_t length_ns, double from_per_s, double to_per_s);

    // The instant at which `messages` have been due, such as 0 for the first one's; nothing when
    // the curve ends before.
    [[nodiscard]] std::optional<std::int64_t> time_of(double messages) const;
    [[nodiscard]] double messages() const noexcept { return messages_; }
    [[nodiscard]] double highest_per_s() const noexcept { return highest_per_s_; }
    [[nodiscard]] std::int64_t length_ns() const noexcept { return length_ns_; }

private:
    struct Piece {
        std::int64_t from_ns, length_ns;
        double from_per_s, to_per_s;
        double before, within;  // messages
    };
    std::vector<Piece> pieces_;
    std::int64_t length_ns_ = 0;
    double messages_ = 0;
    double highest_per_s_ = 0;
};

class PhasePlan {
public:
    struct Part {
        std::string name;
        std::int64_t from_ns, to_ns;
        bool measured;
        std::uint32_t connections_from, connections_to;
        std::vector<double> rates;  // as in Phase, one at least
        bool linear;
        double storm_percent;
        std::int64_t storm_over_ns;
    };

    // Where the scenario names no phases: a warm-up and a measured part.
    explicit PhasePlan(const Scenario& scenario);

    [[nodiscard]] const std::vector<Part>& parts() const noexcept { return parts_; }
    [[nodiscard]] const RateCurve& rate() const noexcept { return rate_; }
    [[nodiscard]] std::int64_t length_ns() const noexcept { return rate_.length_ns(); }
    // From the first measured part to the end of the last.
    [[nodiscard]] std::int64_t window_from_ns() const noexcept { return window_from_ns_; }
    [[nodiscard]] std::int64_t window_to_ns() const noexcept { return window_to_ns_; }
    // The users 0 to connections_at() - 1 are meant to be there.
    [[nodiscard]] std::uint32_t connections_at(std::int64_t since_start_ns) const;
    [[nodiscard]] std::uint32_t connections_at_first() const noexcept { return first_; }
    // How long the measured parts last that lie before `until_ns`.
    [[nodiscard]] std::int64_t measured_ns(std::int64_t until_ns) const;

private:
    void add(const Phase& phase, std::uint32_t before, double usual_rate);

    struct Slope {
        std::int64_t from_ns, to_ns;
        std::uint32_t from, to;
    };
    std::vector<Part> parts_;
    std::vector<Slope> slopes_;
    RateCurve rate_;
    std::uint32_t first_ = 0;
    std::int64_t window_from_ns_ = 0;
    std::int64_t window_to_ns_ = 0;
};

// Why these phases can't be played, in words that name the phase; nothing when they can.
[[nodiscard]] std::optional<std::string> phases_problem(const Scenario& scenario);

}  // namespace parley::load
