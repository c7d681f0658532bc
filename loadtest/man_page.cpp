#include "loadtest/man_page.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>

namespace parley::load {
namespace {

// Text as roff prints it: its control characters are escaped, a minus stays a minus.
std::string roff(std::string_view text) {
    std::string out;
    bool line_begins = true;
    for (const char c : text) {
        if (line_begins && (c == '.' || c == '\'')) out += "\\&";
        if (c == '\\') {
            out += "\\e";
        } else if (c == '-') {
            out += "\\-";
        } else {
            out += c;
        }
        line_begins = c == '\n';
    }
    return out;
}

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        lines.push_back(text.substr(0, end));
        text.remove_prefix(std::min(text.size(), end + 1));
    }
    return lines;
}

std::string section(std::string_view name) {
    return ".SH " + roff(name) + "\n";
}

// Blank lines part paragraphs.
std::string paragraphs(std::string_view text) {
    std::string out;
    for (const std::string_view line : lines_of(text)) {
        out += line.empty() ? std::string(".PP\n") : roff(line) + "\n";
    }
    return out;
}

std::string option(const CLI::Option& option) {
    std::string out = ".TP\n";
    const bool positional = option.get_positional();
    out += "\\fB" + roff(option.get_name(positional, true)) + "\\fR";
    if (!option.get_type_name().empty() && !positional) {
        out += " \\fI" + roff(option.get_type_name()) + "\\fR";
    }
    out += "\n" + roff(option.get_description());
    if (!option.get_default_str().empty()) {
        out += "\n(default: " + roff(option.get_default_str()) + ")";
    }
    if (option.get_required()) out += "\n(must be given)";
    return out + "\n";
}

std::string footer_sections(std::string_view footer) {
    std::string out;
    bool set = false;  // within .nf
    std::string blank;
    for (const std::string_view line : lines_of(footer)) {
        if (line.empty()) {
            if (set) blank = "\n";
        } else if (line.front() != ' ') {
            if (set) out += ".fi\n";
            out += section(line) + ".nf\n";
            set = true;
            blank.clear();
        } else {
            out += blank + roff(line.substr(std::min<std::size_t>(2, line.size()))) + "\n";
            blank.clear();
        }
    }
    return set ? out + ".fi\n" : out;
}

}  // namespace

std::string man_page(const CLI::App& app, const ManPage& page) {
    std::string title(page.name);
    std::ranges::transform(title, title.begin(),
                           [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    std::string out =
        ".\\\" Made by " + std::string(page.name) + " --help-man; not to be edited.\n";
    out += ".TH " + roff(title) + " 1 \"\" Parley\n.SH NAME\n";
    out += roff(page.name) + " \\- " + roff(page.summary) + "\n" + section("SYNOPSIS") + ".nf\n";
    for (const std::string& line : page.synopsis) out += "\\fB" + roff(line) + "\\fR\n";
    out += ".fi\n" + section("DESCRIPTION");
    const std::string description = app.get_description();
    const std::size_t begin = description.find("\n\n");
    out += paragraphs(
        std::string_view(description).substr(begin == std::string::npos ? 0 : begin + 2));
    out += section("OPTIONS");
    for (const CLI::Option* const each : app.get_options()) {
        if (!each->get_group().empty()) out += option(*each);
    }
    out += footer_sections(app.get_footer());
    return out + section("SEE ALSO") + roff(page.see_also) + "\n";
}

}  // namespace parley::load
