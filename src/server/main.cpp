#include <unistd.h>

#include <string>
#include <vector>

#include "server/program.hpp"

int main(int argc, char** argv) {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    std::size_t variables = 0;
    while (environ[variables] != nullptr) ++variables;
    return parley::server::run_program(arguments, {environ, variables});
}
