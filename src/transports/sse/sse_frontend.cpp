// `/api/v1/rooms/{room}/events`: Server-Sent Events.
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/verb.hpp>

#include "core/hub.hpp"
#include "protocol/sse.hpp"
#include "transports/frontend_table.hpp"
#include "transports/gate.hpp"
#include "transports/http_connection.hpp"
#include "transports/http_negotiate.hpp"
#include "transports/rest/rest_answers.hpp"
#include "transports/room_request.hpp"
#include "transports/sse/sse_connection.hpp"

namespace parley::transports {
namespace {

namespace http = boost::beast::http;

constexpr std::string_view events_leaf = "events";

class SseFrontend final : public Frontend {
public:
    explicit SseFrontend(Gate& gate) noexcept : gate_(&gate) {}

    bool owns(const HttpTarget& target) const noexcept override {
        return room_in_path(target.path, events_leaf).has_value();
    }

    bool takes_tokens() const noexcept override { return true; }

    std::optional<HttpResponse> handle(Exchange& exchange) override {
        const HttpRequest& request = exchange.request;
        const bool head = request.method() == http::verb::head;
        if (request.method() != http::verb::get && !head) return method_not_allowed("GET, HEAD");
        if (!accepts_type(request[http::field::accept], protocol::sse_media_type)) {
            return not_acceptable(protocol::sse_media_type);
        }
        auto read = read_room_request(exchange, *room_in_path(exchange.path, events_leaf), rules());
        if (auto* refusal = std::get_if<HttpResponse>(&read)) return std::move(*refusal);
        const auto& asked = std::get<RoomRequest>(read);
        if (asked.name && !exchange.identity.user) {
            const auto taken = gate_->shard().hub().refuse_anonymous(*asked.name);
            if (taken) return answer_error(*taken);
        }
        if (head) return stream_head();
        open_event_stream(*gate_, std::move(exchange.stream),
                          ask_of(exchange, std::move(std::get<RoomRequest>(read))));
        return std::nullopt;
    }

private:
    [[nodiscard]] RoomRequestRules rules() const noexcept {
        return {.count_name = "history",
                .count_min = 0,
                .wait_max = std::chrono::milliseconds::zero(),
                .name_bytes_max = gate_->shard().config().limits.name_bytes,
                .event_stream = true};
    }

    [[nodiscard]] static HttpResponse stream_head() {
        HttpResponse response;
        response.content_type = protocol::sse_media_type;
        response.headers.emplace_back("Cache-Control", "no-store");
        // nginx would gather events until a buffer is full.
        response.headers.emplace_back("X-Accel-Buffering", "no");
        return response;
    }

    // The head of a stream, whose length nobody knows: in chunks, or to the connection's end.
    [[nodiscard]] std::string head_of(const Exchange& exchange, bool chunked) const {
        std::string head = "HTTP/1.1 200 OK\r\nDate: ";
        head.append(gate_->http_date()).append("\r\nContent-Type: ");
        head.append(protocol::sse_media_type).append("\r\n");
        append_header_lines(head, stream_head());
        gate_->cors().append(head, exchange.request);
        return head += chunked ? "Transfer-Encoding: chunked\r\n" : "Connection: close\r\n";
    }

    [[nodiscard]] SseAsk ask_of(Exchange& exchange, RoomRequest&& asked) const {
        SseAsk ask;
        ask.chunked = exchange.request.version() == 11;
        ask.head = head_of(exchange, ask.chunked);
        ask.request = kept_head(exchange.request, exchange.path);
        ask.following.assign(exchange.following.data(), exchange.following.size());
        ask.hop = exchange.hop;
        ask.room = std::move(asked.room);
        ask.since = asked.since;
        ask.history = asked.count.value_or(0);
        ask.how.kinds = asked.transient ? core::all_kinds : core::messages_only;
        // Who gives a name, or has one, is seen while the stream is open.
        ask.how.member = asked.name.has_value() || exchange.identity.user;
        ask.who = {exchange.peer.address().to_string(), std::move(asked.name), true,
                   exchange.identity.user};
        return ask;
    }

    Gate* gate_;
};

}  // namespace

std::unique_ptr<Frontend> make_sse_frontend(Gate& gate) {
    return std::make_unique<SseFrontend>(gate);
}

}  // namespace parley::transports
