// What a search asks for, taken apart: the same words for every store.
//
// Path:     SearchRequest → [search_terms] → SqliteSearcher, PostgresSearcher
// Runs on:  any thread.
// Owned by: nobody; plain functions.
// Bounds:   the query's own length.
#pragma once

#include <string_view>
#include <vector>

namespace parley::storage {

// One word, or those of a quoted part, which stand side by side.
struct SearchTerm {
    std::string_view words;  // of the query
    bool beginning = false;  // `pre*`: the beginning of a word

    bool operator==(const SearchTerm&) const = default;
};

// The terms of a query, in its order; what has no word gives none. Control characters part words as
// blanks do.
[[nodiscard]] std::vector<SearchTerm> search_terms(std::string_view query);

}  // namespace parley::storage
