// million: what a session, a join, a leave and a delivery cost in the core while sessions grow to a
// million, in rooms of several sizes; everything but the sockets is the server's own.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <exception>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "isolated.hpp"
#include "population.hpp"
#include "report.hpp"

namespace parley::bench {
namespace {

constexpr std::size_t largest_room = 10'000;

const std::vector<Layout> layouts{
    {"2", 2},
    {"100", 100},
    {"10,000", largest_room},
    {"all", 0},
    // Of a hundred, one asked for presence: the room says how many there are, once a second.
    {"all, watched", 0, 100},
    // A join is told the last fifty messages.
    {"all, with history", 0, 0, 200},
    // Rates are held, of sessions, users and addresses.
    {"all, with limits", 0, 0, 0, true},
};

struct Options {
    std::size_t sessions_max = 1'000'000;
    std::vector<std::string> layouts;  // names; none: all of them
    std::string json_file;
    bool check = false;
};

// Multiples of the largest room.
std::vector<std::size_t> sizes_up_to(std::size_t most) {
    const std::vector<std::size_t> usual{10'000, 30'000, 100'000, 300'000, 1'000'000};
    std::vector<std::size_t> sizes;
    for (const std::size_t size : usual) {
        if (size < most) sizes.push_back(size);
    }
    sizes.push_back(most);
    return sizes;
}

Curve measure(const Layout& layout, const std::vector<std::size_t>& sizes) {
    const std::string answer = in_own_process([&layout, &sizes] {
        Curve curve{layout, {}};
        Population population(layout, sizes.back());
        for (const std::size_t size : sizes) curve.points.push_back(population.grow_to(size));
        curve.points.back().goodbye = population.end();
        return boost::json::serialize(to_json(curve));
    });
    return curve_from_json(boost::json::parse(answer).as_object(), layout);
}

int run(const Options& options) {
    boost::json::array curves;
    std::vector<std::string> faults;
    std::vector<std::string> missed;
    for (const Layout& layout : layouts) {
        const bool asked = options.layouts.empty() ||
                           std::ranges::find(options.layouts, layout.name) != options.layouts.end();
        if (!asked) continue;
        const Curve curve = measure(layout, sizes_up_to(options.sessions_max));
        std::cout << table_of(curve) << std::flush;
        curves.push_back(to_json(curve));
        for (auto& fault : faults_of(curve)) faults.push_back(std::move(fault));
        for (auto& miss : missed_by(curve)) missed.push_back(std::move(miss));
    }
    if (!options.json_file.empty()) {
        std::ofstream out(options.json_file);
        out << boost::json::serialize(boost::json::object{{"curves", curves}}) << "\n";
        if (!out.flush()) throw std::runtime_error("can't write " + options.json_file);
    }
    std::cout << "\n";
    for (const auto& fault : faults) std::cout << "NOT FLAT  " << fault << "\n";
    for (const auto& miss : missed) std::cout << "missed    " << miss << "\n";
    return options.check && !faults.empty() ? 1 : 0;
}

}  // namespace
}  // namespace parley::bench

int main(int argc, char** argv) {
    using parley::bench::largest_room;
    parley::bench::Options options;
    CLI::App app("What a session costs in Parley's core while sessions grow to a million.");
    std::vector<std::string> names;
    for (const auto& layout : parley::bench::layouts) names.push_back(layout.name);
    app.add_option("--max-sessions", options.sessions_max, "the largest size, a multiple of 10,000")
        ->check([](const std::string& text) {
            const CLI::Range range(largest_room, std::size_t{10'000'000});
            std::string fault = range(text);
            if (fault.empty() && std::stoull(text) % largest_room != 0) {
                fault = text + " is not a multiple of " + std::to_string(largest_room);
            }
            return fault;
        })
        ->capture_default_str();
    app.add_option("--rooms-of", options.layouts, "only these layouts; all where absent")
        ->check(CLI::IsMember(names));
    app.add_option("--json", options.json_file, "write the figures there too");
    app.add_flag("--check", options.check,
                 "exit 1 where allocations or bytes grow with the sessions (times don't count)");
    CLI11_PARSE(app, argc, argv);
    try {
        return parley::bench::run(options);
    } catch (const std::exception& e) {
        std::cerr << "million: " << e.what() << "\n";
        return 2;
    }
}
