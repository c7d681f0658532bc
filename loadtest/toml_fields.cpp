#include "loadtest/toml_fields.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "loadtest/nearest.hpp"

namespace parley::load {

void TomlFields::walk(const toml::table& table, std::string_view prefix,
                      const std::vector<Field>& fields) {
    for (const auto& [key, node] : table) {
        const std::string_view name = key.str();
        key_ = std::string(prefix) + std::string(name);
        const auto field = std::find_if(fields.begin(), fields.end(),
                                        [name](const Field& f) { return f.key == name; });
        if (field != fields.end()) {
            field->take(node);
            continue;
        }
        std::vector<std::string> known;
        for (const Field& f : fields) known.push_back(std::string(prefix) + std::string(f.key));
        fail_unknown(node, key_, known);
    }
    key_ = prefix.substr(0, prefix.size() - (prefix.ends_with('.') ? 1 : 0));
}

std::string TomlFields::place(const toml::node& node) const {
    return file_ + ":" + std::to_string(node.source().begin.line) + ": " + key_ + ": ";
}

void TomlFields::fail(const toml::node& node, const std::string& problem) const {
    throw FileError{place(node) + problem};
}

void TomlFields::fail_unknown(const toml::node& node, std::string_view key,
                              const std::vector<std::string>& known) const {
    throw FileError{file_ + ":" + std::to_string(node.source().begin.line) + ": unknown key " +
                    std::string(key) + ", did you mean " + nearest(key, known) + "?"};
}

std::string TomlFields::text(const toml::node& node) const {
    if (const auto* text = node.as_string()) return text->get();
    fail(node, "expected a text in quotes");
}

double TomlFields::number(const toml::node& node) const {
    if (const auto* number = node.as_integer()) return static_cast<double>(number->get());
    if (const auto* number = node.as_floating_point()) return number->get();
    fail(node, "expected a number");
}

std::uint32_t TomlFields::count(const toml::node& node) const {
    const auto* number = node.as_integer();
    if (number == nullptr || number->get() < 0 ||
        number->get() > std::numeric_limits<std::uint32_t>::max()) {
        fail(node, "expected a whole number");
    }
    return static_cast<std::uint32_t>(number->get());
}

bool TomlFields::flag(const toml::node& node) const {
    if (const auto* flag = node.as_boolean()) return flag->get();
    fail(node, "expected true or false");
}

std::chrono::nanoseconds TomlFields::duration(const toml::node& node) const {
    if (!node.is_string()) fail(node, "expected a duration in quotes, such as \"25s\"");
    return checked(node, parse_duration(text(node)));
}

std::uint32_t TomlFields::size(const toml::node& node) const {
    return node.is_string() ? checked(node, parse_size(text(node))) : count(node);
}

const toml::table& TomlFields::table(const toml::node& node) const {
    if (const auto* table = node.as_table()) return *table;
    fail(node, "expected a table");
}

std::vector<double> TomlFields::numbers(const toml::node& node) const {
    const auto* array = node.as_array();
    if (array == nullptr || array->empty()) fail(node, "expected a list of numbers");
    std::vector<double> out;
    for (const toml::node& item : *array) out.push_back(number(item));
    return out;
}

std::string TomlFields::word(const toml::node& node) const {
    std::string out;
    if (const auto* array = node.as_array()) {
        for (const toml::node& item : *array) out += (out.empty() ? "" : ",") + word(item);
        return out;
    }
    if (const auto* table = node.as_table()) {
        for (const auto& [key, item] : *table) {
            out += (out.empty() ? "" : ",") + std::string(key.str()) + "=" + word(item);
        }
        return out;
    }
    if (const auto* text = node.as_string()) return text->get();
    if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
    if (const auto* number = node.as_integer()) return std::to_string(number->get());
    std::array<char, 32> digits{};
    const auto [end, error] =
        std::to_chars(digits.data(), digits.data() + digits.size(), number(node));
    return {digits.data(), error == std::errc{} ? end : digits.data()};
}

}  // namespace parley::load
