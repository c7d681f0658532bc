// man_page: a program's own help as a manual page, so that the two cannot part.
//
// Path:     CLI::App → [man_page] → --help-man → docs/man
// Runs on:  the main thread.
// Owned by: nobody; no state.
// Bounds:   none needed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace parley::load {

struct ManPage {
    std::string_view name;     // "parley-load"
    std::string_view summary;  // half a sentence
    std::vector<std::string> synopsis;
    std::string_view see_also;
};

// In man(7)'s macros. The description's first line, up to its colon, is left out; of the footer each
// line that stands at the margin is a section's name, and what follows it is set as it is.
[[nodiscard]] std::string man_page(const CLI::App& app, const ManPage& page);

}  // namespace parley::load
