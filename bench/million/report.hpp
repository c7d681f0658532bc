// report: the curves as tables for people, and what must hold of them whatever the machine.
//
// Path:     figures → [report] → stdout
// Runs on:  the main thread.
// Owned by: nobody; no state.
// Bounds:   none needed.
#pragma once

#include <string>
#include <vector>

#include "figures.hpp"

namespace parley::bench {

[[nodiscard]] std::string table_of(const Curve& curve);

// What is not flat: a line for each count of operations or bytes that grows with the sessions, or is
// above its bound. Times are no part of it.
[[nodiscard]] std::vector<std::string> faults_of(const Curve& curve);
// The aims that are times or bytes: a line for each that a curve misses.
[[nodiscard]] std::vector<std::string> missed_by(const Curve& curve);

}  // namespace parley::bench
