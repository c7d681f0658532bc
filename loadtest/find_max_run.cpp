#include "loadtest/find_max_run.hpp"

#include <optional>
#include <utility>

#include "loadtest/rate_search.hpp"
#include "loadtest/table.hpp"

namespace parley::load {
namespace {

// The first rate of a search that was given none: what any server bears, soon doubled into the
// range of what this one does.
constexpr double first_deliveries_per_s = 20'000;
constexpr double first_answers_per_s = 1000;

double first_rate(const Scenario& scenario) {
    if (scenario.find_max->start_per_s > 0) return scenario.find_max->start_per_s;
    if (scenario.mix.only(Transport::rest)) return first_answers_per_s;
    return first_deliveries_per_s * scenario.rooms / scenario.connections;
}

StepResult measured_by(const Report& report, double rate_per_s) {
    const Histogram& latency = report.main_latency();
    const bool answers = report.scenario.mix.only(Transport::rest);
    StepResult result;
    result.rate_per_s = rate_per_s;
    result.deliveries_per_s = answers ? report.answers_per_s() : report.throughput_per_s();
    result.arrived_share = report.arrived_share();
    result.p50_ns = static_cast<std::int64_t>(latency.percentile(50));
    result.p99_ns = static_cast<std::int64_t>(latency.percentile(99));
    result.closed = report.tally.dropped;
    result.generator_limited = report.generator_limited();
    return result;
}

class Search {
public:
    Search(const Scenario& scenario, const PlayStep& play, Progress& progress,
           const std::atomic<bool>& interrupted)
        : scenario_(scenario), play_(play), progress_(progress), interrupted_(interrupted) {}

    Report run() {
        progress_.line(Table::joined(find_max_columns()));
        // The tightest first: it spoils the least. What one has seen the next need not ask again.
        for (const std::chrono::nanoseconds bound : scenario_.find_max->p99_max) {
            if (interrupted_.load(std::memory_order_relaxed) || nobody_came()) break;
            RateSearchConfig config;
            config.start_per_s = first_rate(scenario_);
            config.p99_max_ns = bound.count();
            config.rate_max_per_s = scenario_.find_max->rate_max_per_s;
            RateSearch rates(config);
            for (const FindMaxResult::Step& step : result_.steps) rates.learn(step.measured);
            find(rates);
            result_.bounds.push_back({rates.p99_max_ns(), rates.found(), rates.limited_by()});
        }
        Report report = shown_ ? std::move(*shown_) : Report();
        report.find_max = std::move(result_);
        return report;
    }

private:
    [[nodiscard]] bool nobody_came() const { return shown_ && shown_->tally.opened == 0; }

    void find(RateSearch& rates) {
        const FindMax& asked = *scenario_.find_max;
        const auto confirmation =
            asked.confirmation.count() > 0 ? asked.confirmation : 3 * asked.step;
        while (const auto next = rates.next()) {
            Report report = play_(next->confirms ? confirmation : asked.step, next->rate_per_s);
            const StepResult measured = measured_by(report, next->rate_per_s);
            result_.steps.push_back({measured, rates.p99_max_ns(), next->confirms});
            const DeliveryCounts& counts = report.tally.steady;
            result_.wrong_anywhere |= counts.duplicate + counts.out_of_order + counts.stray > 0;
            progress_.line(Table::joined(cells_of(result_.steps.back())));
            // Half a step says nothing of its rate.
            if (interrupted_.load(std::memory_order_relaxed)) {
                rates.cut_short();
            } else {
                rates.took(measured);
            }
            if (!confirmed_ || rates.found()) shown_ = std::move(report);
            confirmed_ |= rates.found().has_value();
            if (nobody_came()) rates.cut_short();
        }
    }

    const Scenario& scenario_;
    const PlayStep& play_;
    Progress& progress_;
    const std::atomic<bool>& interrupted_;
    FindMaxResult result_;
    std::optional<Report> shown_;
    bool confirmed_ = false;  // what is shown is a confirmation
};

}  // namespace

Report find_max(const Scenario& scenario, const PlayStep& play, Progress& progress,
                const std::atomic<bool>& interrupted) {
    return Search(scenario, play, progress, interrupted).run();
}

}  // namespace parley::load
