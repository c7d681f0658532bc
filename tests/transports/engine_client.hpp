// EngineClient: an Engine.IO client's polling side for tests, request by request over one connection.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "protocol/engineio.hpp"
#include "transports/loopback_client.hpp"

namespace parley::transports::test {

struct EngineAnswer {
    int status = 0;  // 0: the connection ended without one
    std::string head;
    std::string body;

    friend bool operator==(const EngineAnswer& answer, const std::pair<int, std::string>& other) {
        return answer.status == other.first && answer.body == other.second;
    }
    friend void PrintTo(const EngineAnswer& answer, std::ostream* out) {
        *out << answer.status << ' ' << answer.body;
    }
};

inline std::pair<int, std::string> answered(int status, std::string_view body) {
    return {status, std::string(body)};
}

template <typename Socket>
class BasicEngineClient {
public:
    static constexpr std::string_view refused_sid = R"({"code":1,"message":"Session ID unknown"})";
    static constexpr std::string_view refused = R"({"code":3,"message":"Bad request"})";

    explicit BasicEngineClient(std::uint16_t port, std::string path = "/engine.io/")
        : BasicEngineClient(Socket(port), std::move(path)) {}
    BasicEngineClient(Socket socket, std::string path)
        : socket_(std::move(socket)), path_(std::move(path)) {}

    [[nodiscard]] Socket& socket() noexcept { return socket_; }
    [[nodiscard]] std::string target(std::string_view query) const {
        return path_ + "?" + std::string(query);
    }

    void ask(std::string_view method, std::string_view query, std::string_view body = {},
             std::string_view headers = {}) {
        std::string request(method);
        request.append(" ").append(target(query)).append(" HTTP/1.1\r\nHost: localhost\r\n");
        request.append(headers);
        if (method == "POST" || method == "PUT") {
            request.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n");
        }
        socket_.send(request.append("\r\n").append(body));
    }
    EngineAnswer answer() {
        EngineAnswer answer;
        answer.head = socket_.read_through("\r\n\r\n");
        answer.status = status_of(answer.head);
        const auto length = answer.head.find("Content-Length: ");
        if (length != std::string::npos) {
            answer.body = socket_.read_exactly(std::stoul(answer.head.substr(length + 16)));
        }
        return answer;
    }
    EngineAnswer request(std::string_view method, std::string_view query,
                         std::string_view body = {}, std::string_view headers = {}) {
        ask(method, query, body, headers);
        return answer();
    }

    // A new session; its id.
    std::string open(std::string_view headers = {}) {
        const EngineAnswer opened = request("GET", "EIO=4&transport=polling", {}, headers);
        EXPECT_EQ(opened.status, 200) << opened.body;
        // What it says points into this.
        const std::string json = opened.body.empty() ? std::string() : opened.body.substr(1);
        const auto open = protocol::decode_engine_open(json);
        EXPECT_TRUE(open) << opened.body;
        return open ? std::string(open->sid) : std::string();
    }
    static std::string session(std::string_view sid, std::string_view transport = "polling") {
        std::string query("EIO=4&transport=");
        return query.append(transport).append("&sid=").append(sid);
    }
    void ask_poll(std::string_view sid) { ask("GET", session(sid)); }
    EngineAnswer poll(std::string_view sid) { return request("GET", session(sid)); }
    EngineAnswer post(std::string_view sid, std::string_view body) {
        return request("POST", session(sid), body, "Content-Type: text/plain;charset=UTF-8\r\n");
    }

private:
    Socket socket_;
    std::string path_;
};

using EngineClient = BasicEngineClient<LoopbackClient>;

// Where a WebSocket of that session, or of a new one, is opened.
inline std::string socket_path(std::string_view sid = {}, std::string_view path = "/engine.io/") {
    std::string target(path);
    target += "?EIO=4&transport=websocket";
    if (!sid.empty()) target.append("&sid=").append(sid);
    return target;
}

}  // namespace parley::transports::test
