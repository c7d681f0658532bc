#include "transports/error_response.hpp"

#include <algorithm>
#include <array>
#include <chrono>

#include "core/errc.hpp"

namespace parley::transports {
namespace {

using core::errc;

// Where an error is temporary and does not say for how long.
constexpr std::chrono::seconds retry_default{1};

constexpr std::array<unsigned, core::errc_rows.size()> statuses{
    400,  // bad_request
    401,  // unauthorized
    403,  // forbidden
    409,  // not_joined
    404,  // not_found
    409,  // conflict
    413,  // too_large
    429,  // rate_limited
    503,  // unavailable
    500,  // internal
};

errc code_of(const protocol::Error& error) {
    const auto row = std::ranges::find(core::errc_rows, error.code, &core::ErrcRow::name);
    return row == core::errc_rows.end() ? errc::internal : row->value;
}

}  // namespace

HttpResponse error_response(const protocol::Error& error) {
    const errc code = code_of(error);
    const core::Duration wait =
        error.retry_after_ms ? std::chrono::milliseconds(*error.retry_after_ms) : retry_default;
    if (code == errc::rate_limited) return too_many_requests(wait, error.message);
    if (code == errc::unavailable) return unavailable(wait, error.message);
    return problem(statuses[static_cast<std::size_t>(code)], error.message);
}

}  // namespace parley::transports
