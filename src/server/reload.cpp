#include "server/reload.hpp"

#include <algorithm>

#include "server/settings.hpp"

namespace parley::server {
namespace {

void copy_setting(const Setting& setting, const ServerConfig& from, ServerConfig& to) {
    auto source = from;  // a field is found by reference; nothing is written to it
    std::visit([&](const auto& kind) { kind.field(to) = kind.field(source); }, setting.kind);
}

std::string text_of(const std::vector<core::RoomRule>& rules) {
    std::string out;
    for (const auto& rule : rules) {
        if (!out.empty()) out += ", ";
        out.append(rule.match).append(" = ").append(name_of(rule.on_lag));
        if (rule.flush_delay) out.append(" ").append(format_flush_delay(*rule.flush_delay));
        const auto keeps = [&out](std::string_view what, const std::string& value) {
            out.append(" keep_").append(what).append("=").append(value);
        };
        if (rule.keep_messages) keeps("messages", std::to_string(*rule.keep_messages));
        if (rule.keep_bytes) keeps("bytes", format_size(*rule.keep_bytes));
        if (rule.keep_age) keeps("age", format_duration(*rule.keep_age));
        if (rule.kind != protocol::RoomKind::open) {
            out.append(" kind=").append(protocol::name_of(rule.kind));
        }
        for (const auto& owner : rule.owners) out.append(" owner=").append(owner);
    }
    return out;
}

}  // namespace

bool is_reloadable(std::string_view key) noexcept {
    if (key.starts_with("tls.")) return key != "tls.listen";
    return key.starts_with("limits.") || key == "http.allowed_origins" ||
           key == "http.trusted_proxies" || key == "http.use_forwarded" || key == "log.level";
}

ReloadPlan plan_reload(const ServerConfig& running, const ServerConfig& fresh) {
    ReloadPlan plan{running, {}, {}};
    for (const auto& setting : all_settings()) {
        auto from = toml_value(setting, running);
        auto to = toml_value(setting, fresh);
        if (from == to) continue;
        const bool now = is_reloadable(setting.key);
        if (now) copy_setting(setting, fresh, plan.config);
        (now ? plan.applied : plan.waiting)
            .push_back({std::string(setting.key), std::move(from), std::move(to)});
    }
    auto from = text_of(running.core.rooms);
    auto to = text_of(fresh.core.rooms);
    if (from != to) plan.waiting.push_back({"rooms", std::move(from), std::move(to)});
    return plan;
}

}  // namespace parley::server
