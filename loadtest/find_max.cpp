#include "loadtest/find_max.hpp"

#include <algorithm>
#include <boost/json.hpp>

#include "loadtest/clock.hpp"

namespace parley::load {
namespace {

namespace json = boost::json;

std::string text_of(std::int64_t ns) {
    return format_ns(static_cast<std::uint64_t>(ns));
}

double as_ms(std::int64_t ns) {
    return static_cast<double>(ns) / static_cast<double>(ns_per_ms);
}

std::string rate_text(double rate) {
    return rate < 100 ? format_decimal(rate, 2) : format_decimal(rate, 0);
}

std::string_view verdict_on(const FindMaxResult::Step& step) {
    const Limit limit = judge(step.measured, step.p99_max_ns);
    if (limit != Limit::none) return name_of(limit);
    return step.confirms ? "confirmed" : "borne";
}

std::string describe(const FindMaxResult::Bound& bound) {
    const std::string within = "p99 <= " + text_of(bound.p99_max_ns);
    if (!bound.found) {
        return "No rate was found that is borne with " + within + " (" +
               std::string(name_of(bound.limited_by)) + ").";
    }
    std::string text = rate_text(bound.found->rate_per_s) + " messages/s, " +
                       format_number(static_cast<std::uint64_t>(bound.found->deliveries_per_s)) +
                       " deliveries/s with " + within + " (" + text_of(bound.found->p99_ns) + ")";
    if (bound.limited_by == Limit::generator) {
        return text + "; above it the generator was the bottleneck: the server bears more.";
    }
    return text + "; limited by " + std::string(name_of(bound.limited_by)) + ".";
}

json::object figures(const StepResult& step) {
    return {{"rate", step.rate_per_s},
            {"deliveries_per_s", step.deliveries_per_s},
            {"arrived_share", step.arrived_share},
            {"p50_ms", as_ms(step.p50_ns)},
            {"p99_ms", as_ms(step.p99_ns)},
            {"closed", step.closed},
            {"generator_limited", step.generator_limited}};
}

json::object bound_json(const FindMaxResult::Bound& bound) {
    json::object out =
        bound.found
            ? figures(*bound.found)
            : json::object{{"rate", nullptr}, {"deliveries_per_s", nullptr}, {"p99_ms", nullptr}};
    out["p99_max_ms"] = as_ms(bound.p99_max_ns);
    out["limited_by"] = name_of(bound.limited_by);
    out["lower_bound"] = bound.limited_by == Limit::generator;
    return out;
}

}  // namespace

bool FindMaxResult::complete() const {
    return !bounds.empty() && std::all_of(bounds.begin(), bounds.end(),
                                          [](const Bound& bound) { return bound.found; });
}

bool FindMaxResult::generator_limited() const {
    return std::any_of(bounds.begin(), bounds.end(),
                       [](const Bound& bound) { return bound.limited_by == Limit::generator; });
}

std::vector<std::string> FindMaxResult::remarks() const {
    std::vector<std::string> remarks;
    for (const Bound& bound : bounds) remarks.push_back(describe(bound));
    return remarks;
}

std::vector<std::string> find_max_columns() {
    return {"bound", "messages/s", "deliv./s", "arrived %", "p50", "p99", "closed", "outcome"};
}

std::vector<std::string> cells_of(const FindMaxResult::Step& step) {
    const StepResult& m = step.measured;
    return {text_of(step.p99_max_ns),
            rate_text(m.rate_per_s),
            rate_text(m.deliveries_per_s),
            format_decimal(m.arrived_share * 100, 2),
            text_of(m.p50_ns),
            text_of(m.p99_ns),
            format_number(m.closed),
            std::string(verdict_on(step))};
}

void add_find_max(Table& table, const FindMaxResult& result) {
    table.heading("search of the highest rate");
    table.cells(find_max_columns());
    for (const FindMaxResult::Step& step : result.steps) table.cells(cells_of(step));
}

json::object to_json(const FindMaxResult& result) {
    json::object out;
    json::array bounds;
    for (const FindMaxResult::Bound& bound : result.bounds) {
        out = bound_json(bound);
        bounds.push_back(out);
    }
    json::array steps;
    for (const FindMaxResult::Step& step : result.steps) {
        json::object figure = figures(step.measured);
        figure["p99_max_ms"] = as_ms(step.p99_max_ns);
        figure["confirms"] = step.confirms;
        figure["outcome"] = verdict_on(step);
        steps.push_back(std::move(figure));
    }
    out["bounds"] = std::move(bounds);
    out["steps"] = std::move(steps);
    return out;
}

}  // namespace parley::load
