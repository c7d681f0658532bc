#include "loadtest/verdict.hpp"

#include <cstdio>

namespace parley::load {
namespace {

std::string percent(double share) {
    char text[32];
    std::snprintf(text, sizeof text, "%.0f %%", share * 100);
    return text;
}

}  // namespace

std::string generator_limits(const GeneratorCost& generator, std::int64_t lag_p99_ns) {
    std::string why;
    const auto because = [&why](const std::string& reason) {
        why += (why.empty() ? "" : "; ") + reason;
    };
    if (generator.busiest_share > generator_busy_share_max) {
        because("a thread was " + percent(generator.busiest_share) + " busy");
    }
    if (generator.longest_wait_share > generator_wait_share_max) {
        because("a thread was kept from running " + percent(generator.longest_wait_share) +
                " of the time");
    }
    if (lag_p99_ns > generator_lag_ns_max) {
        because("what was due was sent up to " + std::to_string(lag_p99_ns / ns_per_ms) +
                " ms late (p99)");
    }
    return why;
}

std::string count_of(std::uint64_t count, const char* one, const char* many) {
    return std::to_string(count) + " " + (count == 1 ? one : many);
}

}  // namespace parley::load
