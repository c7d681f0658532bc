// MetricsSource: a server's metrics over HTTP, in the text format of Prometheus, and what one of
// them says.
//
// Path:     GET /metrics → [MetricsSource] → ServerWatch
// Runs on:  the thread that asks; it waits for the answer.
// Owned by: ServerWatch.
// Bounds:   an answer of HttpReader::body_bytes_max within scrape_ns_max.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "loadtest/clock.hpp"
#include "loadtest/network.hpp"
#include "loadtest/scenario.hpp"
#include "loadtest/tls_context.hpp"

namespace parley::load {

// The sum of a metric's samples over all its labels; nothing where the text has none of that name,
// or one of them is no number. Prometheus' text format, version 0.0.4.
[[nodiscard]] std::optional<double> metric_sum(std::string_view text, std::string_view name);

class MetricsSource {
public:
    static constexpr std::int64_t scrape_ns_max = ns_per_s;

    // Resolves the host. `tls` says whom an https URL may trust.
    [[nodiscard]] static Checked<std::unique_ptr<MetricsSource>> make(const Url& url,
                                                                      const TlsOptions& tls);
    // Asks once, over a connection of its own, and waits for at most scrape_ns_max.
    [[nodiscard]] Checked<std::string> scrape() const;

private:
    MetricsSource() = default;

    Url url_;
    Addresses addresses_;
    std::unique_ptr<TlsContext> tls_;
};

}  // namespace parley::load
