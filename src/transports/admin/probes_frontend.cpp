// `/healthz/live`: whether to leave the process alone; `/healthz/ready`: whether to send it
// sessions.
#include "protocol/json_append.hpp"
#include "transports/admin/admin_frontends.hpp"

namespace parley::transports::admin {
namespace {

HttpResponse status_answer(unsigned status, std::string body) {
    HttpResponse response = fresh("application/json", std::move(body));
    response.status = status;
    return response;
}

class ProbesFrontend final : public Frontend {
public:
    explicit ProbesFrontend(const ServerView& view) noexcept : view_(&view) {}

    bool owns(const HttpTarget& target) const noexcept override {
        return target.path == live_path || target.path == "/healthz/ready" ||
               target.path == "/healthz";
    }

    std::optional<HttpResponse> handle(Exchange& exchange) override {
        if (auto refused = refuse_other_methods(exchange)) return refused;
        return exchange.path == live_path ? live() : ready();
    }

private:
    static constexpr std::string_view live_path = "/healthz/live";

    [[nodiscard]] HttpResponse live() const {
        const auto silent = view_->watch->silent_for(view_->stalled_after, core::monotonic_now());
        if (silent.empty()) return status_answer(200, R"({"status":"ok"})");
        std::string body = R"({"status":"stalled","shards":[)";
        for (const auto shard : silent) {
            if (body.back() != '[') body += ',';
            protocol::append_decimal(body, shard);
        }
        return status_answer(503, body + "]}");
    }

    [[nodiscard]] HttpResponse ready() const {
        switch (view_->readiness()) {
            case Readiness::ready:
                break;
            case Readiness::draining:
                return status_answer(503, R"({"status":"draining"})");
            case Readiness::overloaded:
                return status_answer(503, R"({"status":"overloaded"})");
            case Readiness::history_unavailable:
                return status_answer(503, R"({"status":"history_unavailable"})");
        }
        return status_answer(200, R"({"status":"ok"})");
    }

    const ServerView* view_;
};

}  // namespace

std::unique_ptr<Frontend> make_probes_frontend(const ServerView& view) {
    return std::make_unique<ProbesFrontend>(view);
}

}  // namespace parley::transports::admin
