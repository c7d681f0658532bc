// PostgresParameters, PostgresArray, PostgresResult: values on their way to PostgreSQL and back, in
// its binary format, so that nothing is escaped, parsed or copied twice.
//
// Path:     PostgresWriter, PostgresReader, PostgresKeeper → [values] ⇄ PostgresConnection
// Runs on:  the engine's thread.
// Owned by: whoever asks.
// Bounds:   none of its own: batches and pages are bounded by who makes them.
#pragma once

#include <libpq-fe.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"

namespace parley::storage {

// A column of a statement that stores many rows at once, `unnest($1::int8[], …)`.
class PostgresArray {
public:
    // The elements' type, by its number in every PostgreSQL (pg_type.dat).
    enum class Of : std::uint32_t { bytea = 17, int8 = 20, text = 25, timestamptz = 1184 };

    explicit PostgresArray(Of element);
    void push(std::uint64_t value);
    void push(std::int64_t value) { push(static_cast<std::uint64_t>(value)); }
    void push(core::WallTime at);
    void push(std::string_view bytes);
    [[nodiscard]] std::uint32_t size() const noexcept { return count_; }
    // Valid until the next push().
    [[nodiscard]] std::string_view bytes() noexcept;

private:
    std::string bytes_;
    std::uint32_t count_ = 0;
};

// What a statement is given for $1, $2 … Text and arrays are referred to, not copied: they must
// stay until the statement was sent.
class PostgresParameters {
public:
    PostgresParameters& number(std::uint64_t value);
    PostgresParameters& time(core::WallTime at);
    PostgresParameters& text(std::string_view bytes);
    PostgresParameters& array(PostgresArray& values) { return text(values.bytes()); }

    [[nodiscard]] int count() const noexcept { return static_cast<int>(values_.size()); }
    [[nodiscard]] const char* const* values() const noexcept { return values_.data(); }
    [[nodiscard]] const int* lengths() const noexcept { return lengths_.data(); }
    // All of them are binary.
    [[nodiscard]] const int* formats() const noexcept { return formats_.data(); }

private:
    std::deque<std::string> numbers_;  // where they are doesn't change
    std::vector<const char*> values_;
    std::vector<int> lengths_;
    std::vector<int> formats_;
};

// The rows that a statement gave. What it hands out is valid while it lives.
class PostgresResult {
public:
    explicit PostgresResult(PGresult* result) noexcept : result_(result, &PQclear) {}

    explicit operator bool() const noexcept { return result_ != nullptr; }
    [[nodiscard]] ExecStatusType status() const noexcept { return PQresultStatus(result_.get()); }
    // The SQLSTATE of what failed, five characters; empty where there is none.
    [[nodiscard]] std::string_view state() const noexcept;
    // What failed, in one line.
    [[nodiscard]] std::string error() const;

    [[nodiscard]] int rows() const noexcept { return PQntuples(result_.get()); }
    [[nodiscard]] bool null(int row, int column) const noexcept {
        return PQgetisnull(result_.get(), row, column) == 1;
    }
    // Of int8; 0 where it is null.
    [[nodiscard]] std::uint64_t number(int row, int column) const noexcept;
    // Of boolean; false where it is null.
    [[nodiscard]] bool truth(int row, int column) const noexcept;
    [[nodiscard]] core::WallTime time(int row, int column) const noexcept;
    // Of text and bytea; empty where it is null.
    [[nodiscard]] std::string_view text(int row, int column) const noexcept;

private:
    std::unique_ptr<PGresult, decltype(&PQclear)> result_;
};

// An error's text in one line.
[[nodiscard]] std::string in_one_line(std::string_view text);

}  // namespace parley::storage
