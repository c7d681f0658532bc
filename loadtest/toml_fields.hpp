// TomlFields: reads the tables of a scenario file, key by key, and says where something is wrong.
//
// Path:     toml++ → [TomlFields] → scenario_file
// Runs on:  the main thread, at start.
// Owned by: scenario_file.
// Bounds:   none needed.
#pragma once

#include <toml++/toml.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "loadtest/scenario.hpp"

namespace parley::load {

// Thrown while a file is read; the text is the whole error.
struct FileError {
    std::string text;
};

class TomlFields {
public:
    // One key that a table may have, and what is to be done with its value.
    struct Field {
        std::string_view key;
        std::function<void(const toml::node&)> take;
    };

    explicit TomlFields(std::string file) : file_(std::move(file)) {}

    // Hands each value to its field; `prefix` stands before the key in errors: "phases.".
    void walk(const toml::table& table, std::string_view prefix, const std::vector<Field>& fields);

    // "FILE:12: phases.rate: "
    [[nodiscard]] std::string place(const toml::node& node) const;
    [[noreturn]] void fail(const toml::node& node, const std::string& problem) const;
    [[noreturn]] void fail_unknown(const toml::node& node, std::string_view key,
                                   const std::vector<std::string>& known) const;
    // What a check of a whole table found.
    void require(bool holds, const toml::node& node, const std::string& problem) const {
        if (!holds) fail(node, problem);
    }

    [[nodiscard]] std::string text(const toml::node& node) const;
    [[nodiscard]] double number(const toml::node& node) const;
    [[nodiscard]] std::uint32_t count(const toml::node& node) const;
    [[nodiscard]] bool flag(const toml::node& node) const;
    [[nodiscard]] std::chrono::nanoseconds duration(const toml::node& node) const;
    // Bytes, or a text such as "1KiB".
    [[nodiscard]] std::uint32_t size(const toml::node& node) const;
    [[nodiscard]] const toml::table& table(const toml::node& node) const;
    [[nodiscard]] std::vector<double> numbers(const toml::node& node) const;
    // A scalar in the words of a flag, of an array with commas between, of a table as KEY=VALUE.
    [[nodiscard]] std::string word(const toml::node& node) const;
    // For values inside of values: errors name this key.
    void name_key(std::string key) { key_ = std::move(key); }

private:
    template <typename T>
    [[nodiscard]] T checked(const toml::node& node, const Checked<T>& value) const {
        if (!value) fail(node, value.error().text);
        return *value;
    }

    std::string file_;
    std::string key_;  // of the value at hand, with its prefix
};

}  // namespace parley::load
