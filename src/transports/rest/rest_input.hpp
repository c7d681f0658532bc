// What a request to the REST interface brings along, whichever way it was written: a JSON body, a
// form or a query become one JSON object.
//
// Path:     RestFrontend → [rest_input] → rest_codec
// Runs on:  any thread; pure functions.
// Owned by: the request; a JSON body is pointed into.
// Bounds:   http.header_bytes, http.body_bytes.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "transports/frontend.hpp"
#include "transports/http_response.hpp"

namespace parley::transports {

// What a body may be.
inline constexpr std::string_view rest_body_types =
    "application/json, application/x-www-form-urlencoded";

// The headers of a request that matter here, found in one pass: each look-up by name would search
// them all.
struct RestHeaders {
    explicit RestHeaders(const HttpRequest& request);
    std::string_view accept{};
    std::string_view content_type{};
    std::string_view content_encoding{};
    std::string_view idempotency_key{};  // as it is written
    std::optional<std::string_view> name{};
    bool has_credentials = false;
};

// The fields of a request as a JSON object: of the query where it is a GET or a DELETE without a
// body, of the body otherwise.
struct RestInput {
    std::string made;       // from a form or query
    std::string_view body;  // or as it came
    [[nodiscard]] std::string_view json() const noexcept { return made.empty() ? body : made; }
};
// An answer instead where the body is of another type (415) or the form is none (400).
[[nodiscard]] std::variant<RestInput, HttpResponse> read_rest_input(const HttpRequest& request,
                                                                    const RestHeaders& headers,
                                                                    std::string_view query);

// A form's fields as a JSON object: strings, but what the protocol has as numbers, true or false,
// or as any JSON (`data`), which stand as they are written. What is wrong with it, otherwise.
struct FormFields {
    std::string json;
    std::string problem;  // empty: nothing is
};
[[nodiscard]] FormFields form_to_json(std::string_view form);

// The first parameter of that name, decoded; nothing where there is none, or it can't be decoded.
[[nodiscard]] std::optional<std::string> find_parameter(std::string_view query,
                                                        std::string_view name);

// The key that an `Idempotency-Key` header has: a structured string, or the bare text that everybody
// sends (draft-ietf-httpapi-idempotency-key-header).
[[nodiscard]] std::string_view idempotency_key(std::string_view header) noexcept;

}  // namespace parley::transports
