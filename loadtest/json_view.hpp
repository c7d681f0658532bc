// json_view: what of a result may be there, read without asking twice.
//
// Path:     result as JSON → [json_view] → html_report, compare
// Runs on:  the main thread.
// Owned by: nobody; no state.
// Bounds:   none needed.
#pragma once

#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace parley::load {

// What stands at "a/b/c"; nullptr where there is nothing or null.
[[nodiscard]] const boost::json::value* json_at(const boost::json::value& root,
                                                std::string_view path);
[[nodiscard]] std::optional<double> json_number(const boost::json::value& root,
                                                std::string_view path);
// Empty where there is none; a number or a truth as text.
[[nodiscard]] std::string json_text(const boost::json::value& root, std::string_view path);
[[nodiscard]] bool json_truth(const boost::json::value& root, std::string_view path);
// A column of numbers, nothing for each null; empty where there is none.
[[nodiscard]] std::vector<std::optional<double>> json_column(const boost::json::value& root,
                                                             std::string_view path);

}  // namespace parley::load
