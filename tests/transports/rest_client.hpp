// RestClient: requests to the REST interface and their answers, over one connection, for tests.
#pragma once

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_to.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "transports/loopback_client.hpp"

namespace parley::transports::test {

struct RestAnswer {
    int status = 0;
    std::string head;
    std::string body;

    // Empty where there is no such header.
    [[nodiscard]] std::string header(std::string_view name) const {
        const auto at = head.find("\r\n" + std::string(name) + ": ");
        if (at == std::string::npos) return {};
        const auto begin = at + name.size() + 4;
        return head.substr(begin, head.find("\r\n", begin) - begin);
    }
    [[nodiscard]] boost::json::value json() const { return boost::json::parse(body); }
    [[nodiscard]] std::string text(std::string_view field) const {
        return boost::json::value_to<std::string>(json().at(field));
    }
    [[nodiscard]] std::int64_t number(std::string_view field) const {
        return json().at(field).as_int64();
    }
};

class RestClient {
public:
    explicit RestClient(std::uint16_t port) : socket_(port) {}

    // `extra` are header lines, each with its end.
    RestAnswer ask(std::string_view method, std::string_view target, std::string_view body = {},
                   std::string_view extra = {}) {
        std::string request = std::string(method) + " " + std::string(target) +
                              " HTTP/1.1\r\nHost: a\r\n" + std::string(extra);
        if (!body.empty()) request += "Content-Length: " + std::to_string(body.size()) + "\r\n";
        request += "\r\n";
        request += body;
        socket_.send(request);
        const std::string answer = socket_.read_answer(method == "HEAD");
        const auto end = answer.find("\r\n\r\n");
        if (end == std::string::npos) return {};
        return {status_of(answer), answer.substr(0, end + 2), answer.substr(end + 4)};
    }
    RestAnswer get(std::string_view target, std::string_view extra = {}) {
        return ask("GET", target, {}, extra);
    }
    // A form, or JSON where it begins with a brace.
    RestAnswer post(std::string_view target, std::string_view body, std::string extra = {}) {
        extra += body.starts_with("{") ? "Content-Type: application/json\r\n"
                                       : "Content-Type: application/x-www-form-urlencoded\r\n";
        return ask("POST", target, body, extra);
    }

private:
    LoopbackClient socket_;
};

}  // namespace parley::transports::test
