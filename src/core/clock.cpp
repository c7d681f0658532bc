#include "core/clock.hpp"

#include <array>

namespace parley::core {
namespace {

void put_digits(char* at, unsigned value, int digits) {
    for (int i = digits - 1; i >= 0; --i, value /= 10) at[i] = static_cast<char>('0' + value % 10);
}

}  // namespace

Instant machine_now() noexcept {
    return {std::chrono::steady_clock::now(), std::chrono::system_clock::now()};
}

TimePoint monotonic_now() noexcept {
    return std::chrono::steady_clock::now();
}

std::string format_rfc3339(WallTime at) {
    const auto day = std::chrono::floor<std::chrono::days>(at);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss time{std::chrono::floor<std::chrono::milliseconds>(at - day)};
    std::string out = "0000-00-00T00:00:00.000Z";
    put_digits(&out[0], static_cast<unsigned>(static_cast<int>(date.year())), 4);
    put_digits(&out[5], static_cast<unsigned>(date.month()), 2);
    put_digits(&out[8], static_cast<unsigned>(date.day()), 2);
    put_digits(&out[11], static_cast<unsigned>(time.hours().count()), 2);
    put_digits(&out[14], static_cast<unsigned>(time.minutes().count()), 2);
    put_digits(&out[17], static_cast<unsigned>(time.seconds().count()), 2);
    put_digits(&out[20], static_cast<unsigned>(time.subseconds().count()), 3);
    return out;
}

}  // namespace parley::core
