#include "core/config.hpp"

#include <algorithm>

#include "protocol/direct_room.hpp"

namespace parley::core {

bool matches(std::string_view pattern, std::string_view name) noexcept {
    // Backtracks to the last star only: linear but for pathological patterns, which names of 128
    // bytes keep harmless.
    std::size_t p = 0;
    std::size_t n = 0;
    std::size_t star = std::string_view::npos;
    std::size_t resume = 0;
    while (n < name.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            resume = n;
        } else if (p < pattern.size() && pattern[p] == name[n]) {
            ++p;
            ++n;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            n = ++resume;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
}

const RoomRule* rule_of(const std::vector<RoomRule>& rules, std::string_view room) noexcept {
    const auto found = std::ranges::find_if(
        rules, [room](const RoomRule& rule) { return matches(rule.match, room); });
    return found == rules.end() ? nullptr : &*found;
}

OnLag lag_policy_of(const std::vector<RoomRule>& rules, std::string_view room) {
    const RoomRule* rule = rule_of(rules, room);
    return rule != nullptr ? rule->on_lag : OnLag::disconnect;
}

protocol::RoomKind kind_of(const std::vector<RoomRule>& rules, std::string_view room) noexcept {
    // A room of two is nobody else's, whatever a pattern says.
    if (protocol::is_direct_room(room)) return protocol::RoomKind::open;
    const RoomRule* rule = rule_of(rules, room);
    return rule != nullptr ? rule->kind : protocol::RoomKind::open;
}

Retention retention_of(const Config& config, std::string_view room) {
    Retention keep = config.history.keep;
    const RoomRule* rule = rule_of(config.rooms, room);
    if (rule == nullptr) return keep;
    keep.messages = rule->keep_messages.value_or(keep.messages);
    keep.bytes = rule->keep_bytes.value_or(keep.bytes);
    keep.age = rule->keep_age.value_or(keep.age);
    return keep;
}

}  // namespace parley::core
