// nearest: which of the known words somebody may have meant.
//
// Path:     scenario file → [nearest] → error
// Runs on:  any thread; no state.
// Owned by: nobody.
// Bounds:   none needed.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace parley::load {

// How many letters must be put in, taken out or changed to make one word the other (Levenshtein).
[[nodiscard]] inline std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);  // distances from a's prefix to each prefix of b
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({changed, row[j] + 1, row[j - 1] + 1});
        }
    }
    return row[b.size()];
}

// Of one known word at least.
[[nodiscard]] inline std::string nearest(std::string_view word,
                                         const std::vector<std::string>& known) {
    return *std::min_element(known.begin(), known.end(), [word](const auto& a, const auto& b) {
        return edit_distance(word, a) < edit_distance(word, b);
    });
}

}  // namespace parley::load
