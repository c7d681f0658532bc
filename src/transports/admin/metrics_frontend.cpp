// `/metrics`: for Prometheus.
#include <boost/beast/http/verb.hpp>

#include "transports/admin/admin_frontends.hpp"
#include "transports/admin/metrics_export.hpp"

namespace parley::transports::admin {
namespace {

namespace http = boost::beast::http;

class MetricsFrontend final : public Frontend {
public:
    explicit MetricsFrontend(const ServerView& view) noexcept : view_(&view) {}

    bool owns(const HttpTarget& target) const noexcept override {
        return target.path == "/metrics";
    }

    std::optional<HttpResponse> handle(Exchange& exchange) override {
        if (auto refused = refuse_other_methods(exchange)) return refused;
        return fresh(metrics_content_type, export_metrics(*view_));
    }

private:
    const ServerView* view_;
};

}  // namespace

std::unique_ptr<Frontend> make_metrics_frontend(const ServerView& view) {
    return std::make_unique<MetricsFrontend>(view);
}

std::optional<HttpResponse> refuse_other_methods(const Exchange& exchange) {
    const http::verb method = exchange.request.method();
    if (method == http::verb::get || method == http::verb::head) return std::nullopt;
    return method_not_allowed("GET, HEAD");
}

HttpResponse fresh(std::string_view content_type, std::string body) {
    HttpResponse response;
    response.content_type = content_type;
    response.body = std::move(body);
    response.headers.emplace_back("Cache-Control", "no-store");
    return response;
}

}  // namespace parley::transports::admin
