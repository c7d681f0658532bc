// HtmlPage: the frame of our pages and the parts that they are made of.
//
// Path:     html_report, compare_html → [HtmlPage] → --html
// Runs on:  the main thread.
// Owned by: whoever makes a page.
// Bounds:   none needed.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace parley::load {

// With &, <, > and quotes as entities, and without what XML does not allow.
[[nodiscard]] std::string html_escaped(std::string_view text);

class HtmlPage {
public:
    explicit HtmlPage(std::string_view title);

    void heading(std::string_view text);
    // `kind`: a class of the style: "good", "warn", "bad" or empty.
    void sentence(std::string_view text, std::string_view kind = {});
    // Figures side by side, large, with what they are below.
    struct Tile {
        std::string value, name, kind;
    };
    void tiles(const std::vector<Tile>& tiles);
    // The first row is the head; the first cell of each row is its name. `kinds`: of each row but
    // the head, as above; may be shorter.
    void table(const std::vector<std::vector<std::string>>& rows,
               const std::vector<std::string>& kinds = {});
    // Names and texts, as of a machine.
    void facts(const std::vector<std::pair<std::string, std::string>>& facts);
    // Charts stand side by side between the two.
    void begin_charts() { body_ += "<div class=\"charts\">\n"; }
    void end_charts() { body_ += "</div>\n"; }
    // Markup that is well-formed.
    void add(std::string_view markup) { body_ += markup; }

    // The whole page.
    [[nodiscard]] std::string str() const;

private:
    std::string title_;
    std::string body_;
};

}  // namespace parley::load
