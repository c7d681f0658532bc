#include "loadtest/progress.hpp"

#include <unistd.h>

#include "loadtest/clock.hpp"

namespace parley::load {

Progress::Progress(std::FILE* out, const Scenario& scenario)
    : out_(out),
      connections_(scenario.connections),
      terminal_(out != nullptr && ::isatty(::fileno(out)) == 1) {}

void Progress::update(const std::string& phase, const ProgressCounts& counts, std::int64_t now_ns) {
    if (out_ == nullptr || now_ns < next_ns_) return;
    const double seconds = static_cast<double>(now_ns - last_ns_) / ns_per_s;
    const bool first = last_ns_ == 0;
    const auto rate = [seconds, first](std::uint64_t now, std::uint64_t before) {
        return first ? 0.0 : static_cast<double>(now - before) / seconds;
    };
    std::string line = phase + ": " + std::to_string(counts.ready) + "/" +
                       std::to_string(connections_) + " connected";
    if (counts.failed > 0) line += ", " + std::to_string(counts.failed) + " failed";
    char rates[96];
    std::snprintf(rates, sizeof rates, ", %.0f messages/s, %.0f deliveries/s",
                  rate(counts.published, last_.published), rate(counts.received, last_.received));
    line += rates;
    // "\033[K" clears what a longer line left behind.
    std::fprintf(out_, terminal_ ? "\r%s\033[K" : "%s\n", line.c_str());
    std::fflush(out_);
    line_open_ = terminal_;
    last_ = counts;
    last_ns_ = now_ns;
    next_ns_ = now_ns + (terminal_ ? ns_per_s : 5 * ns_per_s);
}

void Progress::line(const std::string& text) {
    if (out_ == nullptr) return;
    std::fprintf(out_, line_open_ ? "\r%s\033[K\n" : "%s\n", text.c_str());
    std::fflush(out_);
    line_open_ = false;
}

void Progress::finish() {
    if (line_open_) std::fputs("\n", out_);
    line_open_ = false;
}

}  // namespace parley::load
