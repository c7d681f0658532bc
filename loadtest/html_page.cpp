#include "loadtest/html_page.hpp"

namespace parley::load {
namespace {

// Colours are of equal weight in both modes, and told apart by the colour-blind (after Okabe, Ito).
constexpr std::string_view style = R"(
:root { color-scheme: light dark; --page: #fbfbfa; --panel: #ffffff; --ink: #1d1f21;
  --soft: #62676d; --rule: #dcdee0; --grid: #e8eaec; --window: #eef3f8;
  --c0: #0072b2; --c1: #c75d00; --c2: #00785a; --c3: #a8478a; --c4: #7a6a00; --c5: #52606d;
  --good: #00694d; --warn: #8a5a00; --bad: #b3261e; }
@media (prefers-color-scheme: dark) {
  :root { --page: #14171a; --panel: #1c2024; --ink: #e8eaed; --soft: #a3abb3; --rule: #353b41;
    --grid: #2a2f35; --window: #20292f; --c0: #56b4e9; --c1: #f0a04b; --c2: #3cc79f;
    --c3: #e08cc6; --c4: #e5d352; --c5: #b3bdc7; --good: #4fd1a5; --warn: #f0b54b;
    --bad: #ff8a80; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 72rem; background: var(--page);
  color: var(--ink); font: 1rem/1.45 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.4rem; margin: 0.4rem 0; } h2 { font-size: 1.1rem; margin: 1.8rem 0 0.6rem; }
p { margin: 0.3rem 0; } .good { color: var(--good); } .warn { color: var(--warn); }
.bad { color: var(--bad); font-weight: 600; } .soft { color: var(--soft); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: 0.6rem;
  margin: 0.8rem 0; }
.tile { background: var(--panel); border: 1px solid var(--rule); border-radius: 0.4rem;
  padding: 0.5rem 0.7rem; }
.tile b { display: block; font-size: 1.25rem; font-variant-numeric: tabular-nums; }
.tile span { color: var(--soft); font-size: 0.85rem; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr));
  gap: 0.8rem; }
figure { margin: 0; background: var(--panel); border: 1px solid var(--rule);
  border-radius: 0.4rem; padding: 0.5rem; min-width: 0; }
figcaption { font-weight: 600; font-size: 0.95rem; }
figcaption span { font-weight: 400; color: var(--soft); }
svg { display: block; width: 100%; height: auto; } svg text { fill: var(--soft); font-size: 11px; }
svg .grid { stroke: var(--grid); } svg .axis { stroke: var(--soft); }
svg .window { fill: var(--window); } svg .line { fill: none; stroke-width: 1.6;
  stroke-linejoin: round; } svg .hit { fill: transparent; }
svg .hit:hover { fill: var(--soft); fill-opacity: 0.18; }
.key { display: flex; flex-wrap: wrap; gap: 0.1rem 0.9rem; font-size: 0.85rem; }
.key i { display: inline-block; width: 0.9rem; height: 0.2rem; margin-right: 0.35rem;
  vertical-align: middle; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: 0.9rem;
  font-variant-numeric: tabular-nums; } th, td { padding: 0.25rem 0.7rem 0.25rem 0;
  text-align: right; border-bottom: 1px solid var(--rule); white-space: nowrap; }
th { color: var(--soft); font-weight: 600; } th:first-child, td:first-child { text-align: left; }
td:last-child.words { text-align: left; white-space: normal; }
dl { display: grid; grid-template-columns: minmax(6rem, max-content) 1fr; gap: 0.2rem 1rem;
  margin: 0; } dt { color: var(--soft); } dd { margin: 0; }
@media (max-width: 36rem) { dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: 0.4rem; } }
code { font: 0.85rem/1.4 ui-monospace, monospace; }
)";

std::string classed(std::string_view name, std::string_view kind) {
    std::string out = "<" + std::string(name);
    if (!kind.empty()) out += " class=\"" + std::string(kind) + "\"";
    return out + ">";
}

}  // namespace

std::string html_escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            default: {
                const bool control = static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t';
                out += control ? ' ' : c;
            }
        }
    }
    return out;
}

HtmlPage::HtmlPage(std::string_view title) : title_(html_escaped(title)) {
    body_ = "<h1>" + title_ + "</h1>\n";
}

void HtmlPage::heading(std::string_view text) {
    body_ += "<h2>" + html_escaped(text) + "</h2>\n";
}

void HtmlPage::sentence(std::string_view text, std::string_view kind) {
    body_ += classed("p", kind) + html_escaped(text) + "</p>\n";
}

void HtmlPage::tiles(const std::vector<Tile>& tiles) {
    body_ += "<div class=\"tiles\">\n";
    for (const Tile& tile : tiles) {
        body_ += "<div class=\"tile\">" + classed("b", tile.kind) + html_escaped(tile.value) +
                 "</b><span>" + html_escaped(tile.name) + "</span></div>\n";
    }
    body_ += "</div>\n";
}

void HtmlPage::table(const std::vector<std::vector<std::string>>& rows,
                     const std::vector<std::string>& kinds) {
    body_ += "<div class=\"wide\"><table>\n";
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const bool kind_known = i > 0 && i <= kinds.size();
        body_ += classed("tr", kind_known ? kinds[i - 1] : std::string());
        const std::string cell = i == 0 ? "th" : "td";
        for (const std::string& text : rows[i]) {
            body_ += "<" + cell + ">" + html_escaped(text) + "</" + cell + ">";
        }
        body_ += "</tr>\n";
    }
    body_ += "</table></div>\n";
}

void HtmlPage::facts(const std::vector<std::pair<std::string, std::string>>& facts) {
    body_ += "<dl>\n";
    for (const auto& [name, text] : facts) {
        body_ +=
            "<dt>" + html_escaped(name) + "</dt><dd><code>" + html_escaped(text) + "</code></dd>\n";
    }
    body_ += "</dl>\n";
}

std::string HtmlPage::str() const {
    std::string out = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n";
    out += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n";
    out += "<title>" + title_ + "</title>\n<style>" + std::string(style) + "</style>\n</head>\n";
    return out + "<body>\n" + body_ + "</body>\n</html>\n";
}

}  // namespace parley::load
