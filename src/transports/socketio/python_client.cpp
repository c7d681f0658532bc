#include "transports/socketio/python_client.hpp"

#include <algorithm>

#include "transports/query_string.hpp"

namespace parley::transports {
namespace {

bool is_seconds(std::string_view t) {
    constexpr std::size_t digits_min = 9;
    const auto point = std::min(t.find('.'), t.size());
    if (point < digits_min || point + 1 >= t.size()) return false;
    t = t.substr(0, point);
    return std::ranges::all_of(t, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

bool is_python_client(std::string_view query) {
    QueryParameter parameter;
    while (next_parameter(query, parameter)) {
        if (parameter.name == "t" && is_seconds(parameter.value)) return true;
    }
    return false;
}

}  // namespace parley::transports
