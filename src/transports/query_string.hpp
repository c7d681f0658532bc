// QueryString: the parameters of a URL's query, decoded (WHATWG URL, 5.1).
//
// Path:     Frontend → [QueryString]
// Runs on:  any thread; pure functions.
// Owned by: nobody; points into the text that it was made from.
// Bounds:   a query comes bounded by http.header_bytes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace parley::transports {

// Percent-decoded, with `+` for a blank as forms write it; nothing where a `%` has no two digits
// behind it, or where the result is not UTF-8.
[[nodiscard]] std::optional<std::string> decode_query_text(std::string_view text);

struct QueryParameter {
    std::string_view name;   // not decoded
    std::string_view value;  // not decoded
};

// Takes the next `name=value` off the front of a query; false where there is none left.
[[nodiscard]] bool next_parameter(std::string_view& query, QueryParameter& parameter);

}  // namespace parley::transports
