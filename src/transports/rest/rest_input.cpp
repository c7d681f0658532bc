#include "transports/rest/rest_input.hpp"

#include <algorithm>
#include <array>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/field.hpp>

#include "protocol/json_codec.hpp"
#include "protocol/json_scan.hpp"
#include "transports/http_negotiate.hpp"
#include "transports/query_string.hpp"

namespace parley::transports {
namespace {

namespace http = boost::beast::http;
using boost::beast::iequals;

constexpr std::string_view not_encoded = " is not percent-encoded UTF-8";

bool is_number(std::string_view text) {
    return protocol::json_kind(text) == protocol::JsonKind::number && !protocol::check_json(text);
}

// How the value of a form's field stands in the object; what is wrong with it where it can't.
std::optional<std::string> append_value(std::string& out, std::string_view name,
                                        std::string_view value) {
    constexpr std::array<std::string_view, 2> numbers{"offset", "limit"};
    if (name == "data") {
        if (const auto problem = protocol::check_json(value)) {
            std::string wrong = "\"data\" is not JSON: ";
            wrong += *problem;
            return wrong;
        }
        out += value;
    } else if ((name == "active" && (value == "true" || value == "false")) ||
               (std::ranges::find(numbers, name) != numbers.end() && is_number(value))) {
        out += value;
    } else {
        protocol::append_json_string(out, value);
    }
    return std::nullopt;
}

}  // namespace

FormFields form_to_json(std::string_view form) {
    FormFields fields;
    fields.json.push_back('{');
    QueryParameter parameter;
    while (next_parameter(form, parameter)) {
        const auto name = decode_query_text(parameter.name);
        const auto value = decode_query_text(parameter.value);
        if (!name || !value) {
            fields.problem.append("the form").append(not_encoded);
            return fields;
        }
        // A form has no way to leave a field out but this one.
        if (value->empty() && *name != "text" && *name != "message") continue;
        if (fields.json.size() > 1) fields.json.push_back(',');
        protocol::append_json_string(fields.json, *name);
        fields.json.push_back(':');
        if (auto problem = append_value(fields.json, *name, *value)) {
            fields.problem = std::move(*problem);
            return fields;
        }
    }
    fields.json.push_back('}');
    return fields;
}

RestHeaders::RestHeaders(const HttpRequest& request) {
    for (const auto& field : request) {
        switch (field.name()) {
            case http::field::accept:
                accept = field.value();
                break;
            case http::field::content_type:
                content_type = field.value();
                break;
            case http::field::content_encoding:
                content_encoding = field.value();
                break;
            case http::field::authorization:
                has_credentials = true;
                break;
            case http::field::unknown:
                if (iequals(field.name_string(), "X-Parley-Name")) name = field.value();
                if (iequals(field.name_string(), "Idempotency-Key")) {
                    idempotency_key = field.value();
                }
                break;
            default:  // Beast's names, of which there are hundreds
                break;
        }
    }
}

std::variant<RestInput, HttpResponse> read_rest_input(const HttpRequest& request,
                                                      const RestHeaders& headers,
                                                      std::string_view query) {
    const bool has_body = request.method() != http::verb::get &&
                          request.method() != http::verb::head && !request.body().empty();
    if (has_body) {
        const std::string_view coding = headers.content_encoding;
        if (!coding.empty() && !iequals(coding, "identity")) {
            HttpResponse refusal = problem(415, "a body is taken as it is, not compressed");
            refusal.headers.emplace_back("Accept-Encoding", "identity");
            return refusal;
        }
        const std::string_view type = media_type(headers.content_type);
        if (type.empty() || iequals(type, "application/json")) return RestInput{{}, request.body()};
        if (!iequals(type, "application/x-www-form-urlencoded")) {
            return unsupported_media_type(rest_body_types);
        }
    }
    // A DELETE has no body that every proxy lets through: its query says what there is to say.
    const bool asks = request.method() == http::verb::get || request.method() == http::verb::head ||
                      request.method() == http::verb::delete_;
    if (!has_body && !asks) return RestInput{{}, "{}"};
    FormFields fields = form_to_json(has_body ? std::string_view(request.body()) : query);
    if (!fields.problem.empty()) return problem(400, fields.problem);
    return RestInput{std::move(fields.json), {}};
}

std::optional<std::string> find_parameter(std::string_view query, std::string_view name) {
    QueryParameter parameter;
    while (next_parameter(query, parameter)) {
        if (parameter.name == name) return decode_query_text(parameter.value);
    }
    return std::nullopt;
}

std::string_view idempotency_key(std::string_view header) noexcept {
    const bool quoted = header.size() >= 2 && header.front() == '"' && header.back() == '"';
    return quoted ? header.substr(1, header.size() - 2) : header;
}

}  // namespace parley::transports
