#include "transports/admin/metrics_export.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <limits>
#include <map>

#include "core/transport.hpp"

namespace parley::transports::admin {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Families = std::vector<MetricFamily>;

std::string own_name(std::string_view name, std::string_view suffix = "") {
    return std::string("parley_").append(name).append(suffix);
}

// The sum over the shards of what `read` finds on one.
template <typename Read>
std::uint64_t sum(const core::Hub& hub, const Read& read) {
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < hub.shard_count(); ++i) {
        total += read(static_cast<const core::Shard&>(hub.shard(i)).metrics());
    }
    return total;
}

ClientMetric labelled(const Labels& labels) {
    ClientMetric metric;
    for (const auto& [name, value] : labels) metric.label.push_back({name, value});
    return metric;
}

ClientMetric counter(double value, const Labels& labels = {}) {
    ClientMetric metric = labelled(labels);
    metric.counter.value = value;
    return metric;
}

ClientMetric gauge(double value, const Labels& labels = {}) {
    ClientMetric metric = labelled(labels);
    metric.gauge.value = value;
    return metric;
}

double as_double(std::uint64_t count) {
    return static_cast<double>(count);
}

void add_counters(Families& families, const core::Hub& hub) {
    for (const auto& row : core::metric_rows()) {
        const auto total = sum(hub, [&](const auto& metrics) { return metrics.read(row.value); });
        families.push_back({own_name(row.name, "_total"),
                            std::string(row.help),
                            MetricType::Counter,
                            {counter(as_double(total))}});
    }
}

void add_levels(Families& families, const core::Hub& hub) {
    for (const auto& row : core::level_rows()) {
        const auto total = sum(hub, [&](const auto& metrics) { return metrics.read(row.value); });
        families.push_back({own_name(row.name),
                            std::string(row.help),
                            MetricType::Gauge,
                            {gauge(as_double(total) * row.unit)}});
    }
    const auto alive = [&](core::Metric born, core::Metric gone) {
        // What went was there before: read in this order the difference is never below zero.
        const auto less = sum(hub, [&](const auto& metrics) { return metrics.read(gone); });
        const auto more = sum(hub, [&](const auto& metrics) { return metrics.read(born); });
        return as_double(more - std::min(more, less));
    };
    using core::Metric;
    families.push_back({"parley_rooms",
                        "Rooms that exist.",
                        MetricType::Gauge,
                        {gauge(alive(Metric::rooms_created, Metric::rooms_dropped))}});
}

void add_errors(Families& families, const core::Hub& hub) {
    MetricFamily family{"parley_refusals_total",
                        "Commands refused with an error, by its code.",
                        MetricType::Counter,
                        {}};
    for (const auto& row : core::errc_rows) {
        const auto total = sum(hub, [&](const auto& metrics) { return metrics.errors(row.value); });
        family.metric.push_back(counter(as_double(total), {{"cause", std::string(row.name)}}));
    }
    families.push_back(std::move(family));
}

void add_closes(Families& families, const core::Hub& hub) {
    MetricFamily family{"parley_closes_total",
                        "Sessions ended, by close code and its name.",
                        MetricType::Counter,
                        {}};
    for (std::size_t i = 0; i < core::all_close_reasons.size(); ++i) {
        const auto& reason = core::all_close_reasons[i];
        const auto total = sum(hub, [&](const auto& metrics) { return metrics.closes(i); });
        family.metric.push_back(counter(as_double(total), {{"code", std::to_string(reason.code)},
                                                           {"reason", std::string(reason.name)}}));
    }
    families.push_back(std::move(family));
}

void add_lag(Families& families, const core::Hub& hub) {
    struct PolicyRow {
        core::OnLag policy;
        const char* name;
    };
    constexpr std::array policies{PolicyRow{core::OnLag::disconnect, "disconnect"},
                                  PolicyRow{core::OnLag::gap, "gap"},
                                  PolicyRow{core::OnLag::latest, "latest"}};
    static_assert(policies.size() == core::on_lag_policies);
    MetricFamily family{"parley_lag_events_total",
                        "Times that a reader fell out of its room's window, by what then happened.",
                        MetricType::Counter,
                        {}};
    for (const auto& row : policies) {
        const auto total =
            sum(hub, [&](const auto& metrics) { return metrics.lag_events(row.policy); });
        family.metric.push_back(counter(as_double(total), {{"policy", row.name}}));
    }
    families.push_back(std::move(family));
}

void add_acts(Families& families, const core::Hub& hub) {
    MetricFamily family{
        "parley_acts_total",
        "Acts about who may do what in a room, by what they were and how they ended.",
        MetricType::Counter,
        {}};
    for (std::size_t i = 0; i < core::audit_act_names.size(); ++i) {
        for (std::size_t j = 0; j < core::audit_outcome_names.size(); ++j) {
            const auto act = static_cast<core::AuditAct>(i);
            const auto outcome = static_cast<core::AuditOutcome>(j);
            const auto total =
                sum(hub, [&](const auto& metrics) { return metrics.acts(act, outcome); });
            family.metric.push_back(
                counter(as_double(total), {{"act", std::string(core::name_of(act))},
                                           {"outcome", std::string(core::name_of(outcome))}}));
        }
    }
    families.push_back(std::move(family));
}

// Several kinds of transport may bear one name (with and without compression).
void add_transports(Families& families, const core::Hub& hub) {
    struct Count {
        double opened = 0;
        double closed = 0;
    };
    std::map<std::string, Count> counts;
    for (std::size_t i = 0; i < hub.shard_count(); ++i) {
        const core::ShardMetrics& metrics = hub.shard(i).metrics();
        for (std::size_t kind = 0; kind <= core::ShardMetrics::transport_kinds_max; ++kind) {
            const auto count = metrics.sessions(kind);
            if (count.transport == nullptr && count.opened == 0) continue;
            Count& of = counts[count.transport != nullptr ? std::string(count.transport->name)
                                                          : std::string("other")];
            of.opened += as_double(count.opened);
            of.closed += as_double(count.closed);
        }
    }
    MetricFamily opened{"parley_transport_sessions_opened_total",
                        "Sessions opened, by transport.",
                        MetricType::Counter,
                        {}};
    MetricFamily closed{"parley_transport_sessions_closed_total",
                        "Sessions ended, by transport.",
                        MetricType::Counter,
                        {}};
    MetricFamily now{
        "parley_sessions", "Sessions that are open, by transport.", MetricType::Gauge, {}};
    for (const auto& [name, count] : counts) {
        const Labels labels{{"transport", name}};
        opened.metric.push_back(counter(count.opened, labels));
        closed.metric.push_back(counter(count.closed, labels));
        now.metric.push_back(gauge(std::max(0.0, count.opened - count.closed), labels));
    }
    for (auto* family : {&opened, &closed, &now}) families.push_back(std::move(*family));
}

void add_histograms(Families& families, const core::Hub& hub) {
    for (const auto& row : core::measure_rows) {
        ClientMetric metric;
        std::uint64_t cumulative = 0;
        for (std::size_t bucket = 0; bucket <= row.shape.bounds(); ++bucket) {
            cumulative += sum(hub, [&](const auto& metrics) {
                return metrics.histogram(row.value).read(bucket);
            });
            const double bound = bucket == row.shape.bounds()
                                     ? std::numeric_limits<double>::infinity()
                                     : as_double(row.shape.bound(bucket)) * row.unit;
            metric.histogram.bucket.push_back({cumulative, bound});
        }
        metric.histogram.sample_count = cumulative;
        const auto total =
            sum(hub, [&](const auto& metrics) { return metrics.histogram(row.value).sum(); });
        metric.histogram.sample_sum = as_double(total) * row.unit;
        families.push_back({own_name(row.name),
                            std::string(row.help),
                            MetricType::Histogram,
                            {std::move(metric)}});
    }
}

void add_answer_times(Families& families, const ShardWatch& watch) {
    MetricFamily family{"parley_shard_answer_seconds",
                        "How long the shard took to answer when it was asked last, or has owed its "
                        "answer: the age of its turn.",
                        MetricType::Gauge,
                        {}};
    const auto now = core::monotonic_now();
    for (std::size_t i = 0; i < watch.shard_count(); ++i) {
        const std::chrono::duration<double> seconds = watch.answer_time(i, now);
        family.metric.push_back(gauge(seconds.count(), {{"shard", std::to_string(i)}}));
    }
    families.push_back(std::move(family));
}

void add_sources(Families& families, const std::vector<MetricSource>& sources) {
    for (const auto& source : sources) {
        const bool counts = source.kind == MetricSource::Kind::counter;
        MetricFamily family{
            source.name, source.help, counts ? MetricType::Counter : MetricType::Gauge, {}};
        for (const auto& sample : source.read()) {
            family.metric.push_back(counts ? counter(sample.value, sample.labels)
                                           : gauge(sample.value, sample.labels));
        }
        families.push_back(std::move(family));
    }
}

Families collect(const ServerView& view) {
    Families families;
    add_counters(families, *view.hub);
    add_errors(families, *view.hub);
    add_acts(families, *view.hub);
    add_closes(families, *view.hub);
    add_lag(families, *view.hub);
    add_transports(families, *view.hub);
    add_levels(families, *view.hub);
    add_histograms(families, *view.hub);
    add_answer_times(families, *view.watch);
    add_sources(families, view.sources);
    return families;
}

}  // namespace

std::string export_metrics(const ServerView& view) {
    return prometheus::TextSerializer().Serialize(collect(view));
}

}  // namespace parley::transports::admin
