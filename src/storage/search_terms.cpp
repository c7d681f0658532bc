#include "storage/search_terms.hpp"

#include <algorithm>

namespace parley::storage {
namespace {

bool parts_words(char c) {
    return static_cast<unsigned char>(c) <= ' ';
}

}  // namespace

std::vector<SearchTerm> search_terms(std::string_view query) {
    std::vector<SearchTerm> terms;
    for (std::size_t at = 0; at < query.size();) {
        if (parts_words(query[at])) {
            ++at;
            continue;
        }
        const bool quoted = query[at] == '"';
        if (quoted) ++at;
        const auto ends = [quoted](char c) { return quoted ? c == '"' : parts_words(c); };
        std::size_t end = at;
        while (end < query.size() && !ends(query[end])) ++end;
        SearchTerm term{query.substr(at, end - at)};
        at = quoted ? end + 1 : end;
        term.beginning = !quoted && term.words.ends_with('*');
        if (term.beginning) term.words.remove_suffix(1);
        if (!std::ranges::all_of(term.words, parts_words)) terms.push_back(term);
    }
    return terms;
}

}  // namespace parley::storage
