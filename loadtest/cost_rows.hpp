// What a run cost, as rows of any report's table.
//
// Path:     GeneratorCost, ServerCost → [cost_rows] → Table
// Runs on:  the main thread.
// Owned by: nobody.
// Bounds:   none needed.
#pragma once

#include <string_view>

#include "loadtest/histogram.hpp"
#include "loadtest/table.hpp"
#include "loadtest/verdict.hpp"

namespace parley::load {

// Begins the part "generator": its processor time, and how it was kept from running.
void add_generator(Table& table, const GeneratorCost& generator);
// Begins the part "server" with its processor time over that window.
void add_server(Table& table, const ServerCost& server, double window_s);
// A row with what the server's memory was, as PSS.
void add_memory(Table& table, std::string_view when, std::uint64_t pss_kib);

}  // namespace parley::load
