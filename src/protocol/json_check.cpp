#include <boost/json/basic_parser_impl.hpp>

#include "protocol/cursor.hpp"
#include "protocol/json_codec.hpp"
#include "protocol/json_scan.hpp"

namespace parley::protocol {
namespace {

namespace json = boost::json;
using boost::system::error_code;

// Boost.JSON decides what is JSON; what is in it is read where it stands. Building no tree, the
// check costs no allocation, and a frame of ten thousand chosen keys no hash collisions.
struct AcceptEverything {
    static constexpr std::size_t max_object_size = std::size_t(-1);
    static constexpr std::size_t max_array_size = std::size_t(-1);
    static constexpr std::size_t max_key_size = std::size_t(-1);
    static constexpr std::size_t max_string_size = std::size_t(-1);

    using Text = json::string_view;
    bool on_document_begin(error_code&) { return true; }
    bool on_document_end(error_code&) { return true; }
    bool on_object_begin(error_code&) { return true; }
    bool on_object_end(std::size_t, error_code&) { return true; }
    bool on_array_begin(error_code&) { return true; }
    bool on_array_end(std::size_t, error_code&) { return true; }
    bool on_key_part(Text, std::size_t, error_code&) { return true; }
    bool on_key(Text, std::size_t, error_code&) { return true; }
    bool on_string_part(Text, std::size_t, error_code&) { return true; }
    bool on_string(Text, std::size_t, error_code&) { return true; }
    bool on_number_part(Text, error_code&) { return true; }
    bool on_int64(std::int64_t, Text, error_code&) { return true; }
    bool on_uint64(std::uint64_t, Text, error_code&) { return true; }
    bool on_double(double, Text, error_code&) { return true; }
    bool on_bool(bool, error_code&) { return true; }
    bool on_null(error_code&) { return true; }
    bool on_comment_part(Text, error_code&) { return true; }
    bool on_comment(Text, error_code&) { return true; }
};

std::string reason_of(error_code error) {
    if (error == json::error::syntax) return "syntax error";
    if (error == json::error::incomplete) return "it ends too early";
    if (error == json::error::extra_data) return "something follows the end of the value";
    if (error == json::error::too_deep) {
        return "nesting deeper than " + std::to_string(json_depth_max);
    }
    if (error == json::error::illegal_leading_surrogate ||
        error == json::error::illegal_trailing_surrogate ||
        error == json::error::expected_utf16_escape) {
        return "a surrogate without its other half";
    }
    return error.message();
}

}  // namespace

std::optional<std::string> check_json(std::string_view text) {
    json::parse_options options;
    options.max_depth = json_depth_max;
    json::basic_parser<AcceptEverything> parser(options);
    error_code error;
    const auto at = parser.write_some(false, text.data(), text.size(), error);
    if (!error && at < text.size()) error = json::error::extra_data;
    if (!error) return std::nullopt;
    auto problem = reason_of(error) + " at byte ";
    append_decimal(problem, at);
    return problem;
}

}  // namespace parley::protocol
