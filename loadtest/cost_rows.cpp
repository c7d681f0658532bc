#include "loadtest/cost_rows.hpp"

#include <string>

namespace parley::load {

void add_generator(Table& table, const GeneratorCost& generator) {
    table.heading("generator");
    table.row("CPU", format_decimal(generator.cpu_cores, 2), "cores");
    table.row("busiest thread", format_decimal(generator.busiest_share * 100, 0) + " %");
    table.row("kept waiting, at most",
              format_decimal(generator.longest_wait_share * 100, 0) + " %");
}

void add_server(Table& table, const ServerCost& server, double window_s) {
    table.heading("server");
    table.row("CPU", format_decimal(server.cpu_s() / (window_s > 0 ? window_s : 1), 2), "cores");
}

void add_memory(Table& table, std::string_view when, std::uint64_t pss_kib) {
    table.row("memory " + std::string(when), format_number(pss_kib) + " KiB");
}

}  // namespace parley::load
