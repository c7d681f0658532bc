#include "storage/postgres_values.hpp"

#include <boost/endian/conversion.hpp>
#include <chrono>
#include <cstring>

namespace parley::storage {
namespace {

using std::chrono::microseconds;

// Where PostgreSQL's time begins, 2000-01-01.
constexpr core::WallTime postgres_zero{std::chrono::seconds(946'684'800)};

std::uint64_t in_postgres_time(core::WallTime at) {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<microseconds>(at - postgres_zero).count());
}

void append_big(std::string& out, std::uint32_t value) {
    boost::endian::native_to_big_inplace(value);
    out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void append_big(std::string& out, std::uint64_t value) {
    boost::endian::native_to_big_inplace(value);
    out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

// Where in an array's head its length stands, behind dimensions, flags and the type.
constexpr std::size_t length_at = 3 * sizeof(std::uint32_t);

}  // namespace

PostgresArray::PostgresArray(Of element) {
    append_big(bytes_, std::uint32_t{1});  // dimensions
    append_big(bytes_, std::uint32_t{0});  // no nulls
    append_big(bytes_, static_cast<std::uint32_t>(element));
    append_big(bytes_, std::uint32_t{0});  // the length, once it is known
    append_big(bytes_, std::uint32_t{1});  // the first one's index
}

void PostgresArray::push(std::uint64_t value) {
    append_big(bytes_, static_cast<std::uint32_t>(sizeof value));
    append_big(bytes_, value);
    ++count_;
}

void PostgresArray::push(core::WallTime at) {
    push(in_postgres_time(at));
}

void PostgresArray::push(std::string_view bytes) {
    append_big(bytes_, static_cast<std::uint32_t>(bytes.size()));
    bytes_.append(bytes);
    ++count_;
}

std::string_view PostgresArray::bytes() noexcept {
    const std::uint32_t length = boost::endian::native_to_big(count_);
    std::memcpy(bytes_.data() + length_at, &length, sizeof length);
    return bytes_;
}

PostgresParameters& PostgresParameters::number(std::uint64_t value) {
    append_big(numbers_.emplace_back(), value);
    return text(numbers_.back());
}

PostgresParameters& PostgresParameters::time(core::WallTime at) {
    return number(in_postgres_time(at));
}

PostgresParameters& PostgresParameters::text(std::string_view bytes) {
    // A null pointer would be NULL.
    values_.push_back(bytes.data() == nullptr ? "" : bytes.data());
    lengths_.push_back(static_cast<int>(bytes.size()));
    formats_.push_back(1);
    return *this;
}

std::string_view PostgresResult::state() const noexcept {
    const char* state = PQresultErrorField(result_.get(), PG_DIAG_SQLSTATE);
    return state == nullptr ? std::string_view() : std::string_view(state);
}

std::string PostgresResult::error() const {
    const char* primary = PQresultErrorField(result_.get(), PG_DIAG_MESSAGE_PRIMARY);
    return in_one_line(primary != nullptr ? primary : PQresultErrorMessage(result_.get()));
}

std::uint64_t PostgresResult::number(int row, int column) const noexcept {
    const std::string_view bytes = text(row, column);
    std::uint64_t value = 0;
    if (bytes.size() != sizeof value) return 0;
    std::memcpy(&value, bytes.data(), sizeof value);
    return boost::endian::big_to_native(value);
}

bool PostgresResult::truth(int row, int column) const noexcept {
    const std::string_view bytes = text(row, column);
    return !bytes.empty() && bytes.front() != 0;
}

core::WallTime PostgresResult::time(int row, int column) const noexcept {
    const auto since = microseconds(static_cast<std::int64_t>(number(row, column)));
    return postgres_zero + std::chrono::duration_cast<core::WallTime::duration>(since);
}

std::string_view PostgresResult::text(int row, int column) const noexcept {
    return {PQgetvalue(result_.get(), row, column),
            static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}

std::string in_one_line(std::string_view text) {
    std::string line;
    for (const char c : text) {
        const bool blank = c == '\n' || c == '\r' || c == '\t' || c == ' ';
        if (!blank) {
            line.push_back(c);
        } else if (!line.empty() && line.back() != ' ') {
            line.push_back(' ');
        }
    }
    while (!line.empty() && line.back() == ' ') line.pop_back();
    return line;
}

}  // namespace parley::storage
