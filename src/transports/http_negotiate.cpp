#include "transports/http_negotiate.hpp"

#include <algorithm>
#include <optional>

#include "protocol/header_list.hpp"

namespace parley::transports {
namespace {

using protocol::equal_any_case;
using protocol::next_item;
using protocol::trim;

// A weight in thousandths; what is no weight counts as none given.
unsigned weight_of(std::string_view text) {
    // qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] )
    if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return 1000;
    unsigned weight = text[0] == '1' ? 1000 : 0;
    if (text.size() > 1 && text[1] != '.') return 1000;
    unsigned place = 100;
    for (std::size_t i = 2; i < text.size(); ++i, place /= 10) {
        if (text[i] < '0' || text[i] > '9') return 1000;
        weight += static_cast<unsigned>(text[i] - '0') * place;
    }
    return std::min(weight, 1000U);
}

// One item of a weighted list, without its other parameters.
struct Weighted {
    std::string_view name;
    unsigned weight = 1000;
};

bool next_weighted(std::string_view& list, Weighted& item) {
    std::string_view text;
    if (!next_item(list, ',', text)) return false;
    item = {};
    std::string_view part;
    if (!next_item(text, ';', item.name)) return true;
    while (next_item(text, ';', part)) {
        if (part.starts_with("q=") || part.starts_with("Q="))
            item.weight = weight_of(part.substr(2));
    }
    return true;
}

// How exactly a range of `Accept` names a type: 0 not at all, 3 in full.
int match_of(std::string_view range, std::string_view type) {
    if (equal_any_case(range, type)) return 3;
    const auto slash = type.find('/');
    if (range.ends_with("/*") &&
        equal_any_case(range.substr(0, range.size() - 2), type.substr(0, slash))) {
        return 2;
    }
    return range == "*/*" ? 1 : 0;
}

}  // namespace

bool accepts_type(std::string_view accept, std::string_view type) noexcept {
    if (trim(accept).empty()) return true;
    int best = 0;
    unsigned weight = 0;
    Weighted item;
    while (next_weighted(accept, item)) {
        const int match = match_of(item.name, type);
        if (match <= best) continue;
        best = match;
        weight = item.weight;
    }
    return weight > 0;
}

bool accepts_gzip(std::string_view accept_encoding) noexcept {
    std::optional<unsigned> gzip;
    std::optional<unsigned> any;
    // Unnamed, the bytes as they are may always be sent, as what is liked least.
    std::optional<unsigned> identity;
    Weighted item;
    while (next_weighted(accept_encoding, item)) {
        if (equal_any_case(item.name, "gzip") || equal_any_case(item.name, "x-gzip")) {
            gzip = item.weight;
        } else if (equal_any_case(item.name, "identity")) {
            identity = item.weight;
        } else if (item.name == "*") {
            any = item.weight;
        }
    }
    const unsigned weight = gzip.value_or(any.value_or(0));
    return weight > 0 && weight >= identity.value_or(0);
}

std::string_view media_type(std::string_view content_type) noexcept {
    return trim(content_type.substr(0, content_type.find(';')));
}

}  // namespace parley::transports
