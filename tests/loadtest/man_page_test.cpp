#include "loadtest/man_page.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "loadtest/command_line.hpp"

namespace parley::load {
namespace {

TEST(ManPage, OfTheManualIsThatOfTheProgram) {
    std::ifstream in(PARLEY_LOAD_MANUAL);
    const std::string manual{std::istreambuf_iterator<char>(in), {}};
    const auto line = parse_command_line({"--help-man"});
    ASSERT_TRUE(line);
    EXPECT_TRUE(line->help == manual)
        << "the options have changed: parley-load --help-man > docs/man/parley-load.1";
}

TEST(ManPage, HasEveryOptionOfTheHelp) {
    const std::string help = parse_command_line({"--help"})->help;
    const std::string page = parse_command_line({"--help-man"})->help;
    std::size_t options = 0;
    for (std::size_t at = help.find("\n  --"); at != std::string::npos;
         at = help.find("\n  --", at + 1)) {
        std::string name = help.substr(at + 3, help.find_first_of(" \n", at + 3) - at - 3);
        for (std::size_t dash = name.find('-'); dash != std::string::npos;
             dash = name.find('-', dash + 2)) {
            name.insert(dash, "\\");
        }
        EXPECT_NE(page.find("\n\\fB" + name + "\\fR"), std::string::npos) << name;
        ++options;
    }
    EXPECT_GT(options, 25u);
    EXPECT_EQ(help.find("--help-man"), std::string::npos);
}

TEST(ManPage, NoLineIsTakenForACommandThatIsNone) {
    const std::string page = parse_command_line({"--help-man"})->help;
    for (std::size_t at = page.find("\n."); at != std::string::npos;
         at = page.find("\n.", at + 1)) {
        const std::string name = page.substr(at + 1, page.find_first_of(" \n", at + 1) - at - 1);
        EXPECT_TRUE(name == ".TH" || name == ".SH" || name == ".TP" || name == ".PP" ||
                    name == ".nf" || name == ".fi")
            << name;
    }
}

}  // namespace
}  // namespace parley::load
