// report_phases: the part of a report that tells each phase and each persona by itself.
//
// Path:     Report → [report_phases] → table, JSON
// Runs on:  the main thread.
// Owned by: report_table, report_json.
// Bounds:   none needed.
#pragma once

#include <boost/json/object.hpp>

#include "loadtest/report.hpp"
#include "loadtest/table.hpp"

namespace parley::load {

// Rows of the phases, and of the personas; none where the scenario names none.
void add_phases(Table& table, const Report& report);
void add_personas(Table& table, const Report& report);

// "phases" and "personas", where there are any.
void add_phases(boost::json::object& out, const Report& report);
void add_personas(boost::json::object& out, const Report& report);

}  // namespace parley::load
