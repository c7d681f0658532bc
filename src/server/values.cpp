#include "server/values.hpp"

#include <array>
#include <boost/asio/ip/address.hpp>
#include <charconv>
#include <cmath>
#include <limits>

namespace parley::server {
namespace {

struct Unit {
    std::string_view name;
    std::uint64_t factor;
};

// Largest first: the first that divides a value is the one it is printed in.
constexpr std::array duration_units{Unit{"h", 3'600'000}, Unit{"m", 60'000}, Unit{"s", 1'000},
                                    Unit{"ms", 1}};
constexpr std::array size_units{Unit{"GiB", 1U << 30U}, Unit{"MiB", 1U << 20U},
                                Unit{"KiB", 1U << 10U}, Unit{"", 1}};

// Digits, then exactly one of the units.
template <std::size_t N>
std::optional<std::uint64_t> parse_with_unit(std::string_view text,
                                             const std::array<Unit, N>& units,
                                             std::uint64_t largest) {
    std::uint64_t number = 0;
    const auto* end = text.data() + text.size();
    const auto [stop, failure] = std::from_chars(text.data(), end, number);
    if (failure != std::errc{}) return std::nullopt;
    const std::string_view name(stop, static_cast<std::size_t>(end - stop));
    for (const auto& unit : units) {
        if (unit.name != name) continue;
        if (number > largest / unit.factor) return std::nullopt;
        return number * unit.factor;
    }
    return std::nullopt;
}

template <std::size_t N>
std::string format_with_unit(std::uint64_t value, const std::array<Unit, N>& units) {
    for (const auto& unit : units) {
        const bool fits = value != 0 ? value % unit.factor == 0 : unit.factor == 1;
        if (fits) return std::to_string(value / unit.factor).append(unit.name);
    }
    return std::to_string(value);
}

}  // namespace

std::optional<milliseconds> parse_duration(std::string_view text) {
    constexpr auto largest = std::numeric_limits<milliseconds::rep>::max() / 1'000'000;  // as ns
    const auto ms = parse_with_unit(text, duration_units, static_cast<std::uint64_t>(largest));
    if (!ms) return std::nullopt;
    return milliseconds(static_cast<milliseconds::rep>(*ms));
}

std::string format_duration(milliseconds duration) {
    return format_with_unit(static_cast<std::uint64_t>(duration.count()), duration_units);
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
    return parse_with_unit(text, size_units, std::numeric_limits<std::uint64_t>::max());
}

std::string format_size(std::uint64_t bytes) {
    return format_with_unit(bytes, size_units);
}

std::optional<std::uint64_t> parse_count(std::string_view text) {
    std::uint64_t number = 0;
    const auto* end = text.data() + text.size();
    const auto [stop, failure] = std::from_chars(text.data(), end, number);
    if (failure != std::errc{} || stop != end) return std::nullopt;
    return number;
}

std::optional<double> parse_number(std::string_view text) {
    double number = 0;
    const auto* end = text.data() + text.size();
    const auto [stop, failure] = std::from_chars(text.data(), end, number);
    if (failure != std::errc{} || stop != end || !std::isfinite(number)) return std::nullopt;
    return number;
}

std::string format_number(double number) {
    std::array<char, 32> digits;
    const auto [stop, failure] =
        std::to_chars(digits.data(), digits.data() + digits.size(), number);
    return failure == std::errc{} ? std::string(digits.data(), stop) : std::string("0");
}

std::optional<Endpoint> parse_endpoint(std::string_view text) {
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const auto port = parse_count(text.substr(colon + 1));
    if (!port || *port > std::numeric_limits<std::uint16_t>::max()) return std::nullopt;
    const auto number = static_cast<std::uint16_t>(*port);

    auto host = text.substr(0, colon);
    if (host.empty()) return Endpoint(boost::asio::ip::tcp::v4(), number);
    const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (bracketed) host = host.substr(1, host.size() - 2);
    boost::system::error_code failure;
    const auto address = boost::asio::ip::make_address(host, failure);
    if (failure || address.is_v6() != bracketed) return std::nullopt;
    return Endpoint(address, number);
}

std::string format_endpoint(const Endpoint& endpoint) {
    const auto host = endpoint.address().to_string();
    const auto port = std::to_string(endpoint.port());
    return endpoint.address().is_v6() ? "[" + host + "]:" + port : host + ":" + port;
}

}  // namespace parley::server
