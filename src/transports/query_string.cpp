#include "transports/query_string.hpp"

#include <algorithm>
#include <charconv>

#include "protocol/utf8.hpp"

namespace parley::transports {
namespace {

// Says what it is: true of nearly every name.
bool stands_for_itself(char c) noexcept {
    return c != '%' && c != '+' && static_cast<unsigned char>(c) < 0x80;
}

}  // namespace

// By hand, since Boost.URL 1.81 decodes "lobby" with `space_as_plus` to six bytes, the last of them
// undefined.
std::optional<std::string> decode_query_text(std::string_view text) {
    if (std::ranges::all_of(text, stands_for_itself)) return std::string(text);
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out.push_back(text[i] == '+' ? ' ' : text[i]);
            continue;
        }
        const std::string_view digits = text.substr(i + 1, 2);
        unsigned value = 0;
        const char* const end = digits.data() + digits.size();
        const auto [stopped, error] = std::from_chars(digits.data(), end, value, 16);
        if (error != std::errc() || stopped != end || digits.size() != 2) return std::nullopt;
        out.push_back(static_cast<char>(value));
        i += 2;
    }
    if (!protocol::is_valid_utf8(out)) return std::nullopt;
    return out;
}

bool next_parameter(std::string_view& query, QueryParameter& parameter) {
    while (!query.empty()) {
        const auto end = query.find('&');
        const std::string_view pair = query.substr(0, end);
        query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
        if (pair.empty()) continue;
        const auto equals = pair.find('=');
        parameter.name = pair.substr(0, equals);
        parameter.value = equals == std::string_view::npos ? "" : pair.substr(equals + 1);
        return true;
    }
    return false;
}

}  // namespace parley::transports
