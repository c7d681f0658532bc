// Values: how a duration, a size, a number or an address is written in settings, both ways.
//
// Path:     file, environment, flags → [Values] → Settings
// Runs on:  any thread; pure functions.
// Owned by: nobody; no state.
// Bounds:   what does not fit its type is refused, never wrapped.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace parley::server {

using Endpoint = boost::asio::ip::tcp::endpoint;
using std::chrono::milliseconds;

// Digits and a unit: "500ms", "25s", "2m", "1h".
[[nodiscard]] std::optional<milliseconds> parse_duration(std::string_view text);
// In the largest unit that divides it.
[[nodiscard]] std::string format_duration(milliseconds duration);

inline constexpr std::uint64_t kib = 1024;
inline constexpr std::uint64_t mib = 1024 * kib;
inline constexpr std::uint64_t gib = 1024 * mib;

// Bytes: "65536", "64KiB", "1MiB", "2GiB".
[[nodiscard]] std::optional<std::uint64_t> parse_size(std::string_view text);
[[nodiscard]] std::string format_size(std::uint64_t bytes);

// Decimal digits and nothing else.
[[nodiscard]] std::optional<std::uint64_t> parse_count(std::string_view text);

// A decimal number that is finite: "20", "0.5".
[[nodiscard]] std::optional<double> parse_number(std::string_view text);
[[nodiscard]] std::string format_number(double number);

// "127.0.0.1:8080", "[::1]:8080"; ":8080" is every IPv4 address. No names: what a listener binds to
// must not depend on a resolver.
[[nodiscard]] std::optional<Endpoint> parse_endpoint(std::string_view text);
[[nodiscard]] std::string format_endpoint(const Endpoint& endpoint);

}  // namespace parley::server
