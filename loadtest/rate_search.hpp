// RateSearch: the highest rate that a server bears with its p99 within a bound, found by asking for
// one step after another: doubled until one is not borne, then bisected, the border asked once more,
// and confirmed. It decides; somebody else measures.
//
// Path:     StepResult → [RateSearch] → the next step of Run
// Runs on:  the main thread; a plain value.
// Owned by: Run; a test.
// Bounds:   steps_max steps; confirmations_max confirmations.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

namespace parley::load {

// What a step measured.
struct StepResult {
    double rate_per_s = 0;        // asked: messages, over all rooms
    double deliveries_per_s = 0;  // arrived in the window
    double arrived_share = 1;     // of the deliveries meant for the window, before the drain ended
    std::int64_t p50_ns = 0;
    std::int64_t p99_ns = 0;
    std::uint64_t closed = 0;  // connections that ended
    bool generator_limited = false;
};

// Why a rate was not borne.
enum class Limit : std::uint8_t {
    none,         // it was
    latency,      // the p99 was above the bound
    loss,         // too little of what was due arrived
    connections,  // some were ended
    generator,    // one of the above, while the generator was the bottleneck
    rate,         // it was, but there is no higher rate to ask for
    steps,        // the search was cut short: interrupted, or too many steps
};
// "latency", "loss" …
[[nodiscard]] std::string_view name_of(Limit limit);

// At least this share must arrive.
inline constexpr double arrived_share_min = 0.99;

// Whether a step is borne under this bound: none, or why not.
[[nodiscard]] Limit judge(const StepResult& step, std::int64_t p99_max_ns);

struct RateSearchConfig {
    double start_per_s = 10;
    std::int64_t p99_max_ns = 200'000'000;
    double precision = 0.03;  // the answer is at most this share below a rate that was not borne
    double rate_max_per_s = 1e7;
    double rate_min_per_s = 0.1;
};

class RateSearch {
public:
    static constexpr double growth = 2;
    // After a rate that nothing below has been borne of yet.
    static constexpr double retreat = 4;
    static constexpr std::size_t steps_max = 64;
    static constexpr unsigned confirmations_max = 6;

    struct Step {
        double rate_per_s;
        bool confirms;  // to be longer than the others
    };

    explicit RateSearch(const RateSearchConfig& config);

    // A step that was measured for another bound. Only before the first next().
    void learn(const StepResult& step);
    // What to measure next; nothing when the search is over.
    [[nodiscard]] std::optional<Step> next() const;
    // What that gave.
    void took(const StepResult& step);
    // Ends the search here.
    void cut_short();

    // The confirmation that was borne; nothing where none was.
    [[nodiscard]] const std::optional<StepResult>& found() const noexcept { return found_; }
    // Why no higher rate was borne; where nothing was found, why not even the last.
    [[nodiscard]] Limit limited_by() const noexcept { return limited_by_; }
    [[nodiscard]] std::int64_t p99_max_ns() const noexcept { return config_.p99_max_ns; }

private:
    enum class Stage : std::uint8_t { growing, bisecting, doubting, confirming, over };
    static constexpr double unknown = std::numeric_limits<double>::infinity();

    void took_search(double rate, Limit limit);
    void took_confirming(const StepResult& step, Limit limit);
    void bear(double rate);
    void refuse(double rate, Limit limit);
    void bisect();
    void aim();

    RateSearchConfig config_;
    Stage stage_ = Stage::growing;
    double rate_;               // of the next step
    double borne_ = 0;          // the highest rate that was
    double refused_ = unknown;  // the lowest one above it that was not
    Limit limited_by_ = Limit::none;
    bool refused_twice_ = false;
    std::size_t steps_ = 0;
    unsigned confirmations_ = 0;
    std::optional<StepResult> found_;
};

}  // namespace parley::load
