#include <utility>

#include "protocol/json_codec.hpp"
#include "protocol/json_fields.hpp"
#include "protocol/json_scan.hpp"

namespace parley::protocol {

CommandPeek peek_command(std::string_view text) {
    CommandPeek peek;
    std::string_view id;
    // No early end when both are found: a second `type` may follow, and would count.
    for (JsonItems items(trim_json_space(text)); items.next();) {
        const auto field = find_field(items.key());
        if (field == Field::id) id = items.value();
        if (field != Field::type) continue;
        const auto value = items.value();
        const bool plain =
            json_kind(value) == JsonKind::string && value.find('\\') == std::string_view::npos;
        peek.type = plain ? value.substr(1, value.size() - 2) : std::string_view{};
    }
    // The frame may be broken, and the id goes into a reply: only a well-formed one is taken.
    if (id.empty() || check_json(id)) return peek;
    if (auto parsed = parse_command_id(id)) peek.id = *std::move(parsed);
    return peek;
}

}  // namespace parley::protocol
