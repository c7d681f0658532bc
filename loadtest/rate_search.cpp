#include "loadtest/rate_search.hpp"

#include <algorithm>
#include <cmath>

namespace parley::load {
namespace {

// Four digits: what is printed is what was measured, and can be asked for again.
double rounded(double rate) {
    const double unit = std::pow(10.0, std::floor(std::log10(rate)) - 3);
    return std::round(rate / unit) * unit;
}

}  // namespace

std::string_view name_of(Limit limit) {
    switch (limit) {
        case Limit::none:
            return "none";
        case Limit::latency:
            return "latency";
        case Limit::loss:
            return "loss";
        case Limit::connections:
            return "connections";
        case Limit::generator:
            return "generator";
        case Limit::rate:
            return "rate";
        case Limit::steps:
            return "steps";
    }
    return {};
}

Limit judge(const StepResult& step, std::int64_t p99_max_ns) {
    Limit limit = Limit::none;
    if (step.p99_ns > p99_max_ns) limit = Limit::latency;
    if (step.arrived_share < arrived_share_min) limit = Limit::loss;
    if (step.closed > 0) limit = Limit::connections;
    // A busy generator makes figures worse, never better: what was borne all the same counts.
    return limit != Limit::none && step.generator_limited ? Limit::generator : limit;
}

RateSearch::RateSearch(const RateSearchConfig& config)
    : config_(config),
      rate_(rounded(std::clamp(config.start_per_s, config.rate_min_per_s, config.rate_max_per_s))) {
}

void RateSearch::learn(const StepResult& step) {
    took_search(step.rate_per_s, judge(step, config_.p99_max_ns));
}

void RateSearch::took_search(double rate, Limit limit) {
    if (limit == Limit::none) {
        bear(rate);
    } else {
        refuse(rate, limit);
    }
    aim();
}

void RateSearch::bear(double rate) {
    borne_ = std::max(borne_, rate);
    // That this rate, or one below it, was refused was a mishap.
    if (refused_ <= borne_) refused_ = unknown;
}

void RateSearch::refuse(double rate, Limit limit) {
    if (rate <= borne_ || rate > refused_) return;
    refused_twice_ = rate == refused_;
    refused_ = rate;
    limited_by_ = limit;
}

// From what is known to the next step.
void RateSearch::aim() {
    if (borne_ > 0 && refused_ < unknown) return bisect();
    stage_ = Stage::growing;
    if (borne_ > 0) {
        rate_ = rounded(std::min(borne_ * growth, config_.rate_max_per_s));
        if (borne_ < config_.rate_max_per_s) return;
        limited_by_ = Limit::rate;
        rate_ = borne_;
        stage_ = Stage::confirming;
    } else if (refused_ < unknown) {
        rate_ = rounded(refused_ / retreat);
        if (rate_ < config_.rate_min_per_s) stage_ = Stage::over;
    }
}

void RateSearch::bisect() {
    rate_ = rounded(std::sqrt(borne_ * refused_));
    stage_ = Stage::bisecting;
    if (refused_ > borne_ * (1 + config_.precision) && rate_ > borne_ && rate_ < refused_) return;
    // Machines hiccup, and one that did it here would have ended the search far too low.
    stage_ = refused_twice_ ? Stage::confirming : Stage::doubting;
    rate_ = refused_twice_ ? borne_ : refused_;
}

std::optional<RateSearch::Step> RateSearch::next() const {
    if (stage_ == Stage::over) return std::nullopt;
    return Step{rate_, stage_ == Stage::confirming};
}

void RateSearch::took(const StepResult& step) {
    const Limit limit = judge(step, config_.p99_max_ns);
    ++steps_;
    switch (stage_) {
        case Stage::growing:
        case Stage::bisecting:
        case Stage::doubting:
            took_search(step.rate_per_s, limit);
            break;
        case Stage::confirming:
            took_confirming(step, limit);
            break;
        case Stage::over:
            break;
    }
    if (stage_ != Stage::over && steps_ >= steps_max) cut_short();
}

void RateSearch::took_confirming(const StepResult& step, Limit limit) {
    if (limit == Limit::none) {
        found_ = step;
        stage_ = Stage::over;
        return;
    }
    limited_by_ = limit;
    if (++confirmations_ == confirmations_max) {
        stage_ = Stage::over;
        return;
    }
    // A queue that grows slowly shows in the longer step only: back, and further each time.
    rate_ = rounded(rate_ * (1 - std::min(0.5, std::ldexp(config_.precision,
                                                          static_cast<int>(confirmations_) - 1))));
}

void RateSearch::cut_short() {
    stage_ = Stage::over;
    limited_by_ = Limit::steps;
}

}  // namespace parley::load
