// `/api/v1/rooms/{room}/messages?wait=`: answers once something follows the cursor.
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/verb.hpp>

#include "core/shard.hpp"
#include "transports/frontend_table.hpp"
#include "transports/gate.hpp"
#include "transports/http_connection.hpp"
#include "transports/http_negotiate.hpp"
#include "transports/longpoll/longpoll_connection.hpp"
#include "transports/query_string.hpp"
#include "transports/room_request.hpp"

namespace parley::transports {
namespace {

namespace http = boost::beast::http;

constexpr std::string_view messages_leaf = "messages";
constexpr std::uint32_t limit_default = 50;

bool waits(std::string_view query) noexcept {
    QueryParameter parameter;
    while (next_parameter(query, parameter)) {
        if (parameter.name == "wait") return true;
    }
    return false;
}

class LongPollFrontend final : public Frontend {
public:
    explicit LongPollFrontend(Gate& gate) noexcept : gate_(&gate) {}

    // Without `wait` it is a page of history, and not this frontend's.
    bool owns(const HttpTarget& target) const noexcept override {
        return room_in_path(target.path, messages_leaf) && waits(target.query);
    }

    bool takes_tokens() const noexcept override { return true; }

    std::optional<HttpResponse> handle(Exchange& exchange) override {
        const HttpRequest& request = exchange.request;
        if (request.method() != http::verb::get && request.method() != http::verb::head) {
            return method_not_allowed("GET, HEAD");
        }
        if (!accepts_type(request[http::field::accept], "application/json")) {
            return not_acceptable("application/json");
        }
        auto read =
            read_room_request(exchange, *room_in_path(exchange.path, messages_leaf), rules());
        if (auto* refusal = std::get_if<HttpResponse>(&read)) return std::move(*refusal);
        auto& asked = std::get<RoomRequest>(read);
        // HEAD tells what there is, and waits for nothing.
        const bool head = request.method() == http::verb::head;
        open_long_poll(*gate_, std::move(exchange.stream), exchange.hop,
                       {exchange.peer.address().to_string(), std::move(asked.room), asked.since,
                        asked.count.value_or(limit_default),
                        head ? core::Duration::zero() : core::Duration(*asked.wait),
                        kept_head(request, exchange.path),
                        std::string(exchange.following.data(), exchange.following.size()),
                        exchange.identity.user});
        return std::nullopt;
    }

private:
    [[nodiscard]] RoomRequestRules rules() const noexcept {
        return {"limit", 1, gate_->config().wait_max, gate_->shard().config().limits.name_bytes};
    }

    Gate* gate_;
};

}  // namespace

std::unique_ptr<Frontend> make_longpoll_frontend(Gate& gate) {
    return std::make_unique<LongPollFrontend>(gate);
}

}  // namespace parley::transports
