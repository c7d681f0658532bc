#include "storage/postgres_target.hpp"

#include <libpq-fe.h>

#include <charconv>
#include <cstdlib>
#include <map>
#include <memory>
#include <stdexcept>

namespace parley::storage {
namespace {

using Options = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;
using Values = std::map<std::string, std::string>;

Values values_of(const Options& options) {
    Values values;
    for (const PQconninfoOption* option = options.get();
         option != nullptr && option->keyword != nullptr; ++option) {
        if (option->val == nullptr || *option->val == '\0') continue;
        values.emplace(option->keyword, option->val);
    }
    return values;
}

Values parsed(const std::string& target) {
    char* error = nullptr;
    const Options options(PQconninfoParse(target.c_str(), &error), &PQconninfoFree);
    PQfreemem(error);
    if (!options) {
        // libpq's own words quote the piece that it stumbled over.
        throw std::runtime_error(
            "the PostgreSQL connection string can't be read: expected "
            "postgres:postgresql://user@host/db or postgres:host=… dbname=…, with %XX for special "
            "characters of a URI");
    }
    return values_of(options);
}

std::vector<std::string> listed(const std::string& text) {
    std::vector<std::string> items{""};
    for (const char c : text) {
        if (c == ',') {
            items.emplace_back();
        } else {
            items.back() += c;
        }
    }
    return items;
}

// Takes the value out.
std::string taken(Values& values, const char* name) {
    const auto node = values.extract(name);
    return node.empty() ? std::string() : node.mapped();
}

std::vector<PostgresHost> hosts_of(Values& values) {
    const auto names = listed(taken(values, "host"));
    const auto addresses = listed(taken(values, "hostaddr"));
    const auto ports = listed(taken(values, "port"));
    const bool addressed = addresses.size() > 1 || !addresses[0].empty();
    const bool named = names.size() > 1 || !names[0].empty();
    const std::size_t count = addressed ? addresses.size() : names.size();
    if (addressed && named && names.size() != count) {
        throw std::runtime_error("the PostgreSQL connection string names " +
                                 std::to_string(names.size()) + " hosts and " +
                                 std::to_string(count) + " addresses (hostaddr)");
    }
    if (ports.size() != 1 && ports.size() != count) {
        throw std::runtime_error("the PostgreSQL connection string names " + std::to_string(count) +
                                 " hosts and " + std::to_string(ports.size()) + " ports");
    }
    std::vector<PostgresHost> hosts;
    for (std::size_t i = 0; i < count; ++i) {
        hosts.push_back({named ? names[i] : "", addressed ? addresses[i] : "",
                         ports.size() == 1 ? ports[0] : ports[i]});
        // `user:p@ss@host`: libpq takes what is behind the first @ for the host, and would say it.
        if (hosts.back().name.find('@', 1) != std::string::npos) {
            throw std::runtime_error(
                "the PostgreSQL host has an @ in it: one in a password is written %40 in a URI");
        }
    }
    return hosts;
}

std::chrono::milliseconds patience_of(const Values& values, std::chrono::milliseconds otherwise) {
    const auto given = values.find("connect_timeout");
    if (given == values.end()) return otherwise;
    int seconds = 0;
    const std::string& text = given->second;
    std::from_chars(text.data(), text.data() + text.size(), seconds);
    return seconds > 0 ? std::chrono::seconds(seconds) : otherwise;
}

}  // namespace

PostgresTarget postgres_target_of(std::string_view spec) {
    constexpr std::string_view prefix = "postgres:";
    const bool uri = spec.starts_with("postgres://") || spec.starts_with("postgresql://");
    if (!uri && spec.starts_with(prefix)) spec.remove_prefix(prefix.size());
    const std::string target(spec);
    if (target.find_first_of("=/") == std::string::npos) {
        throw std::runtime_error(
            "the PostgreSQL database is not named: expected postgres:postgresql://user@host/db or "
            "postgres:host=… dbname=…");
    }
    Values values = parsed(target);
    PostgresTarget out;
    out.patience = patience_of(values, out.patience);
    if (values.contains("service") || std::getenv("PGSERVICE") != nullptr) {
        out.hosts.emplace_back();
    } else {
        const Values defaults = values_of(Options(PQconndefaults(), &PQconninfoFree));
        for (const char* name : {"host", "hostaddr", "port", "target_session_attrs"}) {
            const auto set = defaults.find(name);
            if (set != defaults.end()) values.insert(*set);
        }
        out.hosts = hosts_of(values);
        std::string& wanted = values["target_session_attrs"];
        if (wanted.empty() || wanted == "any") wanted = out.hosts.size() > 1 ? "read-write" : "any";
    }
    out.options.assign(values.begin(), values.end());
    return out;
}

}  // namespace parley::storage
