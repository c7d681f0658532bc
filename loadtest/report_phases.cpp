#include "loadtest/report_phases.hpp"

#include <boost/json.hpp>
#include <cmath>

#include "loadtest/json_percentiles.hpp"

namespace parley::load {
namespace {

namespace json = boost::json;

double seconds_of(const PhasePlan::Part& part) {
    return static_cast<double>(part.to_ns - part.from_ns) / ns_per_s;
}

std::string text_of(double value) {
    return format_decimal(value, value == std::floor(value) ? 0 : 1);
}

// "100", "20 to 200".
std::string span_of(double from, double to) {
    return from == to ? text_of(from) : text_of(from) + " to " + text_of(to);
}

// "100", "20 to 200", "100, 200, 300".
std::string rates_of(const PhasePlan::Part& part) {
    if (part.linear) return span_of(part.rates.front(), part.rates.back());
    std::string text;
    for (const double rate : part.rates) text += (text.empty() ? "" : ", ") + text_of(rate);
    return text;
}

void add_line(Table& table, const std::string& name, const PhaseTally& t,
              const PhasePlan::Part& part) {
    const double seconds = seconds_of(part);
    const double rate = seconds > 0 ? static_cast<double>(t.received) / seconds : 0;
    const Histogram& h = t.latency;
    table.cells({name, format_number(t.published), format_number(t.received),
                 format_decimal(rate, 1), format_ns(h.percentile(50)), format_ns(h.percentile(99)),
                 format_ns(h.percentile(99.9)), format_ns(h.max())});
}

json::object counts_of(const PhaseTally& t, double seconds) {
    const auto per_s = [seconds](std::uint64_t count) {
        return seconds > 0 ? static_cast<double>(count) / seconds : 0;
    };
    return {{"opened", t.opened},
            {"published", t.published},
            {"withheld", t.withheld},
            {"received", t.received},
            {"answered", t.answered},
            {"messages_per_s", per_s(t.published)},
            {"deliveries_per_s", per_s(t.received)},
            {"latency_us", json_percentiles(t.latency)},
            {"answer_us", json_percentiles(t.answer)}};
}

json::object deliveries_of(const DeliveryCounts& c) {
    return {{"expected", c.expected},   {"received", c.received},
            {"lost", c.lost},           {"announced", c.announced},
            {"duplicate", c.duplicate}, {"out_of_order", c.out_of_order},
            {"stray", c.stray}};
}

std::uint32_t users_of(const Report& report, std::size_t persona) {
    return report.scenario.cast ? report.scenario.cast->groups()[persona].count : 0;
}

}  // namespace

void add_phases(Table& table, const Report& report) {
    const auto& whole = report.tally.phases;
    for (std::size_t i = 0; i < report.phases.size() && i < whole.size(); ++i) {
        const PhasePlan::Part& part = report.phases[i];
        table.heading("phase '" + part.name + "': " + format_decimal(seconds_of(part), 1) + " s, " +
                      span_of(part.connections_from, part.connections_to) + " connections, " +
                      rates_of(part) + " messages/s" + (part.measured ? "" : ", not measured"));
        table.cells({"", "messages", "deliveries", "deliveries/s", "p50", "p99", "p99.9", "max"});
        for (std::size_t p = 0; p < report.by_persona.size(); ++p) {
            const Tally& t = report.by_persona[p];
            if (i < t.phases.size()) {
                add_line(table, report.scenario.personas[p].name, t.phases[i], part);
            }
        }
        add_line(table, "all", whole[i], part);
    }
}

void add_personas(Table& table, const Report& report) {
    if (report.by_persona.empty()) return;
    table.heading("by persona (whole run; latency: measured phases)");
    table.cells({"", "users", "opened", "came back", "messages", "received", "caught up", "lost",
                 "faulty", "p50", "p99", "max"});
    for (std::size_t i = 0; i < report.by_persona.size(); ++i) {
        const Tally& t = report.by_persona[i];
        const Persona& persona = report.scenario.personas[i];
        const bool slow = persona.kind == Persona::Kind::slow_reader;
        const DeliveryCounts& c = slow ? t.slow : t.steady;
        const Histogram& h = t.latency;
        table.cells({persona.name, format_number(users_of(report, i)), format_number(t.opened),
                     format_number(t.rejoined), format_number(t.published),
                     format_number(c.received), format_number(t.caught_up),
                     format_number(c.lost + c.announced),
                     format_number(c.duplicate + c.out_of_order + c.stray),
                     format_ns(h.percentile(50)), format_ns(h.percentile(99)), format_ns(h.max())});
    }
}

void add_phases(json::object& out, const Report& report) {
    if (report.phases.empty()) return;
    const auto& whole = report.tally.phases;
    json::array phases;
    for (std::size_t i = 0; i < report.phases.size() && i < whole.size(); ++i) {
        const PhasePlan::Part& part = report.phases[i];
        const double seconds = seconds_of(part);
        json::object phase{{"name", part.name},
                           {"measured", part.measured},
                           {"from_s", static_cast<double>(part.from_ns) / ns_per_s},
                           {"to_s", static_cast<double>(part.to_ns) / ns_per_s},
                           {"connections_from", part.connections_from},
                           {"connections_to", part.connections_to},
                           {"rates_per_s", json::value_from(part.rates)},
                           {"linear", part.linear},
                           {"all", counts_of(whole[i], seconds)}};
        if (report.server && i < report.server->phases_cpu_s.size()) {
            phase["server_cpu_s"] = report.server->phases_cpu_s[i];
        }
        json::object personas;
        for (std::size_t p = 0; p < report.by_persona.size(); ++p) {
            const Tally& t = report.by_persona[p];
            if (i < t.phases.size()) {
                personas[report.scenario.personas[p].name] = counts_of(t.phases[i], seconds);
            }
        }
        if (!personas.empty()) phase["personas"] = std::move(personas);
        phases.push_back(std::move(phase));
    }
    out["phases"] = std::move(phases);
}

void add_personas(json::object& out, const Report& report) {
    if (report.by_persona.empty()) return;
    json::object personas;
    for (std::size_t i = 0; i < report.by_persona.size(); ++i) {
        const Tally& t = report.by_persona[i];
        const Persona& persona = report.scenario.personas[i];
        personas[persona.name] = {{"kind", name_of(persona.kind)},
                                  {"transport", name_of(persona.transport)},
                                  {"users", users_of(report, i)},
                                  {"opened", t.opened},
                                  {"failed", t.failed},
                                  {"dropped", t.dropped},
                                  {"churned", t.churned},
                                  {"rejoined", t.rejoined},
                                  {"caught_up", t.caught_up},
                                  {"published", t.published},
                                  {"refused", t.refused},
                                  {"withheld", t.withheld},
                                  {"deliveries", deliveries_of(t.steady)},
                                  {"slow_deliveries", deliveries_of(t.slow)},
                                  {"latency_us", json_percentiles(t.latency)},
                                  {"answer_us", json_percentiles(t.answer)},
                                  {"handshake_us", json_percentiles(t.handshake)}};
    }
    out["personas"] = std::move(personas);
}

}  // namespace parley::load
