#include "loadtest/json_view.hpp"

#include <boost/json.hpp>
#include <cstdio>

namespace parley::load {
namespace {

namespace json = boost::json;

std::optional<double> number_of(const json::value& value) {
    if (!value.is_number()) return std::nullopt;
    return value.to_number<double>();
}

}  // namespace

const json::value* json_at(const json::value& root, std::string_view path) {
    const json::value* at = &root;
    while (!path.empty()) {
        const std::size_t end = path.find('/');
        const json::object* const object = at->if_object();
        at = object == nullptr ? nullptr : object->if_contains(path.substr(0, end));
        if (at == nullptr || at->is_null()) return nullptr;
        path.remove_prefix(end == std::string_view::npos ? path.size() : end + 1);
    }
    return at;
}

std::optional<double> json_number(const json::value& root, std::string_view path) {
    const json::value* const found = json_at(root, path);
    return found == nullptr ? std::nullopt : number_of(*found);
}

std::string json_text(const json::value& root, std::string_view path) {
    const json::value* const found = json_at(root, path);
    if (found == nullptr) return {};
    if (const auto* text = found->if_string()) return {text->data(), text->size()};
    if (!found->is_double()) return json::serialize(*found);
    char text[32];
    std::snprintf(text, sizeof text, "%.10g", found->get_double());
    return text;
}

bool json_truth(const json::value& root, std::string_view path) {
    const json::value* const found = json_at(root, path);
    return found != nullptr && found->is_bool() && found->get_bool();
}

std::vector<std::optional<double>> json_column(const json::value& root, std::string_view path) {
    std::vector<std::optional<double>> column;
    const json::value* const found = json_at(root, path);
    if (found == nullptr || !found->is_array()) return column;
    for (const json::value& value : found->get_array()) column.push_back(number_of(value));
    return column;
}

}  // namespace parley::load
