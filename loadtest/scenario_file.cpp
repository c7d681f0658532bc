#include "loadtest/scenario_file.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <optional>

#include "loadtest/stamp.hpp"
#include "loadtest/toml_fields.hpp"

namespace parley::load {
namespace {

using Fields = std::vector<TomlFields::Field>;
using toml::node;

// 20, {from = 10, to = 100} or {steps = [10, 50, 100]}.
void read_rate(TomlFields& toml, const node& value, Phase& phase) {
    if (!value.is_table()) {
        phase.rates = {toml.number(value)};
        return;
    }
    std::optional<double> from;
    std::optional<double> to;
    toml.walk(toml.table(value), "phases.rate.",
              {{"from", [&](const node& n) { from = toml.number(n); }},
               {"to", [&](const node& n) { to = toml.number(n); }},
               {"steps", [&](const node& n) { phase.rates = toml.numbers(n); }}});
    toml.require(phase.rates.empty() ? from && to : !from && !to, value,
                 "expected a number, {from = 10, to = 100} or {steps = [10, 50, 100]}");
    if (!phase.rates.empty()) return;
    phase.rates = {*from, *to};
    phase.linear = true;
}

Phase read_phase(TomlFields& toml, const toml::table& table) {
    Phase phase;
    const Fields fields{
        {"name", [&](const node& n) { phase.name = toml.text(n); }},
        {"duration", [&](const node& n) { phase.duration = toml.duration(n); }},
        {"connections", [&](const node& n) { phase.connections = toml.count(n); }},
        {"ramp", [&](const node& n) { phase.ramp = toml.duration(n); }},
        {"rate", [&](const node& n) { read_rate(toml, n, phase); }},
        {"measured", [&](const node& n) { phase.measured = toml.flag(n); }},
        {"storm", [&](const node& n) { phase.storm_percent = toml.number(n); }},
        {"storm_over", [&](const node& n) { phase.storm_over = toml.duration(n); }},
    };
    toml.walk(table, "phases.", fields);
    toml.require(!phase.name.empty(), table, "a phase needs a name");
    toml.require(phase.duration.count() > 0, table, "a phase needs a duration of more than 0");
    return phase;
}

// 128, {min = 64, max = 512} or {median = 120, sigma = 0.8, max = 4096}.
SizeModel read_size(TomlFields& toml, const node& value) {
    SizeModel size;
    if (!value.is_table()) {
        size.min = size.max = toml.size(value);
        return size;
    }
    const toml::table& table = toml.table(value);
    size.kind = table.contains("median") || table.contains("sigma") ? SizeModel::Kind::lognormal
                                                                    : SizeModel::Kind::uniform;
    if (size.kind == SizeModel::Kind::lognormal) size.min = stamp_bytes;
    size.max = 0;
    toml.walk(table, "personas.size.",
              {{"min", [&](const node& n) { size.min = toml.size(n); }},
               {"max", [&](const node& n) { size.max = toml.size(n); }},
               {"median", [&](const node& n) { size.median = toml.size(n); }},
               {"sigma", [&](const node& n) { size.sigma = toml.number(n); }}});
    const bool whole = size.max > 0 && (size.kind == SizeModel::Kind::lognormal
                                            ? table.contains("median") && table.contains("sigma")
                                            : table.contains("min"));
    toml.require(
        whole, value,
        "expected bytes, {min = 64, max = 512} or {median = 120, sigma = 0.8, max = 4096}");
    return size;
}

void read_read_rate(TomlFields& toml, const node& value, Persona::Reading& reading) {
    constexpr std::uint64_t reads_a_second = 10;
    const std::uint64_t per_s = toml.size(value);
    const bool often = per_s >= reads_a_second;
    reading.every = std::chrono::milliseconds(often ? 1000 / reads_a_second : 1000);
    reading.bytes = often ? per_s / reads_a_second : per_s;
}

// Which keys go with which kinds, beside those that go with all of them.
void check_keys(const TomlFields& toml, const toml::table& table, const Persona& persona) {
    using Kind = Persona::Kind;
    const auto only = [&](std::string_view key, bool goes, const char* with) {
        const node* const found = table.get(key);
        toml.require(found == nullptr || goes, found != nullptr ? *found : table,
                     std::string(key) + " goes with " + with + ", not with kind " +
                         std::string(name_of(persona.kind)));
    };
    only("rate", persona.publishes(), "kinds talker and rest-publisher");
    only("size", persona.publishes(), "kinds talker and rest-publisher");
    only("read_rate", persona.kind == Kind::slow_reader, "kind slow-reader");
    only("pause", persona.kind == Kind::slow_reader, "kind slow-reader");
    only("churn", persona.kind == Kind::churner, "kind churner");
    only("away", persona.kind == Kind::churner, "kind churner");
    only("resume", !persona.publishes(), "kinds that only listen");
    toml.require(!table.contains("read_rate") || !table.contains("pause"), table,
                 "a slow reader has a read_rate or a pause, not both");
    toml.require(table.contains("share") != table.contains("count"), table,
                 "a persona needs a share (per cent) or a count");
}

Persona read_persona(TomlFields& toml, const toml::table& table) {
    Persona persona;
    std::optional<Transport> transport;
    bool kind_said = false;
    const Fields fields{
        {"name", [&](const node& n) { persona.name = toml.text(n); }},
        {"kind",
         [&](const node& n) {
             const auto kind = persona_kind_from(toml.text(n));
             toml.require(kind.has_value(), n,
                          "'" + toml.text(n) + "' is none: expected " + persona_kind_names());
             persona.kind = *kind;
             kind_said = true;
         }},
        {"share", [&](const node& n) { persona.weight = toml.number(n); }},
        {"count", [&](const node& n) { persona.weight = toml.count(n); }},
        {"transport",
         [&](const node& n) {
             for (const TransportEntry& entry : transports()) {
                 if (entry.name == toml.text(n)) transport = entry.transport;
             }
             toml.require(transport.has_value(), n,
                          "'" + toml.text(n) + "' is none: expected " + transport_names());
         }},
        {"rate", [&](const node& n) { persona.rate_per_s = toml.number(n); }},
        {"size", [&](const node& n) { persona.size = read_size(toml, n); }},
        {"skew", [&](const node& n) { persona.skew = toml.number(n); }},
        {"read_rate", [&](const node& n) { read_read_rate(toml, n, persona.reading); }},
        {"pause",
         [&](const node& n) {
             persona.reading = {toml.duration(n), std::numeric_limits<std::uint64_t>::max()};
         }},
        {"churn", [&](const node& n) { persona.churn_per_s = toml.number(n); }},
        {"away", [&](const node& n) { persona.away = toml.duration(n); }},
        {"resume",
         [&](const node& n) {
             persona.resumes = toml.flag(n);
             persona.resume_said = true;
         }},
    };
    toml.walk(table, "personas.", fields);
    toml.require(!persona.name.empty(), table, "a persona needs a name");
    toml.require(kind_said, table, "a persona needs a kind: " + persona_kind_names());
    check_keys(toml, table, persona);
    using Kind = Persona::Kind;
    const Transport usual = persona.kind == Kind::rest_publisher ? Transport::rest
                            : persona.kind == Kind::poller       ? Transport::longpoll
                                                                 : Transport::websocket;
    persona.transport = transport.value_or(usual);
    if (!persona.resume_said) {
        persona.resumes = !persona.publishes() && can_resume(persona.transport);
    }
    return persona;
}

template <typename Read, typename Item>
void read_list(TomlFields& toml, const node& value, const char* what, Read read,
               std::vector<Item>& items) {
    const auto* const list = value.as_array();
    toml.require(list != nullptr && list->is_homogeneous<toml::table>(), value,
                 std::string("expected [[") + what + "]] tables");
    for (const node& item : *list) items.push_back(read(toml, *item.as_table()));
}

void check_weights(const TomlFields& toml, const node& value, ScenarioFile& file) {
    double sum = 0;
    std::size_t counted = 0;
    for (const node& item : *value.as_array()) counted += item.as_table()->contains("count");
    for (const Persona& persona : file.personas) sum += persona.weight;
    toml.require(counted == 0 || counted == file.personas.size(), value,
                 "either all personas have a share, or all a count");
    toml.require(counted > 0 || std::abs(sum - 100) < 1e-6, value,
                 "the shares of the personas make " + std::to_string(sum) + ", not 100");
    file.counts_personas = counted > 0;
}

}  // namespace

std::uint32_t ScenarioFile::connections() const {
    double sum = 0;
    for (const Persona& persona : personas) sum += counts_personas ? persona.weight : 0;
    auto most = static_cast<std::uint32_t>(std::min(sum, 4e9));
    for (const Phase& phase : phases) most = std::max(most, phase.connections.value_or(0));
    return most;
}

Checked<ScenarioFile> parse_scenario_file(std::string_view text, const std::string& name,
                                          const std::vector<std::string>& known) {
    ScenarioFile file;
    file.name = name;
    TomlFields toml(name);
    try {
        const toml::table whole = toml::parse(text, name);
        for (const auto& [key, value] : whole) {
            const std::string word(key.str());
            toml.name_key(word);
            if (word == "phases") {
                read_list(toml, value, "phases", read_phase, file.phases);
            } else if (word == "personas") {
                read_list(toml, value, "personas", read_persona, file.personas);
                toml.name_key(word);
                check_weights(toml, value, file);
            } else if (std::find(known.begin(), known.end(), word) != known.end()) {
                file.values.push_back({word, toml.word(value), toml.place(value)});
            } else {
                std::vector<std::string> all = known;
                all.insert(all.end(), {"phases", "personas"});
                toml.fail_unknown(value, word, all);
            }
        }
    } catch (const FileError& error) {
        return Problem{error.text};
    } catch (const toml::parse_error& error) {
        return Problem{name + ":" + std::to_string(error.source().begin.line) + ": " +
                       std::string(error.description())};
    }
    return file;
}

Checked<ScenarioFile> load_scenario_file(const std::string& file,
                                         const std::vector<std::string>& known) {
    std::ifstream in(file, std::ios::binary);
    if (!in) return Problem{file + ": cannot be read"};
    std::string text(scenario_file_bytes_max + 1, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
    if (in.bad()) return Problem{file + ": cannot be read"};
    if (text.size() > scenario_file_bytes_max) {
        return Problem{file + ": is larger than " + std::to_string(scenario_file_bytes_max) +
                       " bytes: not a scenario file"};
    }
    return parse_scenario_file(text, file, known);
}

}  // namespace parley::load
