// `/healthz`: whether to send sessions here (protocol.md, section 4.2).
#include <boost/beast/http/verb.hpp>

#include "core/hub.hpp"
#include "transports/frontend_table.hpp"
#include "transports/gate.hpp"

namespace parley::transports {
namespace {

namespace http = boost::beast::http;

class HealthFrontend final : public Frontend {
public:
    explicit HealthFrontend(Gate& gate) noexcept : gate_(&gate) {}

    bool owns(const HttpTarget& target) const noexcept override {
        return target.path == "/healthz";
    }

    std::optional<HttpResponse> handle(Exchange& exchange) override {
        const http::verb method = exchange.request.method();
        if (method != http::verb::get && method != http::verb::head) {
            return method_not_allowed("GET, HEAD");
        }
        HttpResponse response;
        response.content_type = "application/json";
        response.headers.emplace_back("Cache-Control", "no-store");
        response.fixed_body = R"({"status":"ok"})";
        if (gate_->draining()) {
            response.status = 503;
            response.fixed_body = R"({"status":"draining"})";
        } else if (gate_->overloaded()) {
            response.status = 503;
            response.fixed_body = R"({"status":"overloaded"})";
        } else if (!gate_->shard().hub().takes_messages()) {
            response.status = 503;
            response.fixed_body = R"({"status":"history_unavailable"})";
        }
        if (response.status == 503) add_retry_after(response, gate_->retry_after());
        return response;
    }

private:
    Gate* gate_;
};

}  // namespace

std::unique_ptr<Frontend> make_health_frontend(Gate& gate) {
    return std::make_unique<HealthFrontend>(gate);
}

}  // namespace parley::transports
