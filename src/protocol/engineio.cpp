#include "protocol/engineio.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "protocol/http_bytes.hpp"
#include "protocol/json_append.hpp"
#include "protocol/json_scan.hpp"
#include "protocol/utf8.hpp"

namespace parley::protocol {
namespace {

constexpr char separator = '\x1E';
constexpr char binary_mark = 'b';

// libcrypto counts in int, and takes base64 in fours and bytes in threes: pieces of whole groups.
constexpr std::size_t groups_max = 1024;

const unsigned char* unsigned_of(const char* bytes) {
    return reinterpret_cast<const unsigned char*>(bytes);
}

unsigned char* unsigned_of(char* bytes) {
    return reinterpret_cast<unsigned char*>(bytes);
}

std::size_t padding_of(std::string_view base64) {
    if (base64.ends_with("==")) return 2;
    return base64.ends_with('=') ? 1 : 0;
}

// EVP_DecodeBlock() alone would pass over white space, and take padding for zeros anywhere.
bool is_whole_base64(std::string_view base64) {
    return base64.size() % 4 == 0 &&
           std::all_of(base64.begin(),
                       base64.end() - static_cast<std::ptrdiff_t>(padding_of(base64)), is_base64);
}

// Whether the last group is what its bytes are written as: bits behind the last byte are zero.
bool ends_as_written(std::string_view last_group, const unsigned char* bytes, std::size_t size) {
    std::array<unsigned char, 5> again;  // EVP_EncodeBlock() ends it with a zero
    EVP_EncodeBlock(again.data(), bytes, static_cast<int>(size));
    return std::memcmp(again.data(), last_group.data(), last_group.size()) == 0;
}

// The bytes that `base64` stands for, put where it begins; nothing where it is malformed.
std::optional<std::span<char>> decode_in_place(std::span<char> base64) {
    const std::string_view text(base64.data(), base64.size());
    if (!is_whole_base64(text)) return std::nullopt;
    if (text.empty()) return base64;
    const std::size_t padding = padding_of(text);
    std::array<char, 4> last_group;
    std::copy_n(base64.end() - 4, last_group.size(), last_group.begin());
    std::array<unsigned char, 3 * groups_max> piece;
    std::size_t size = 0;
    for (std::size_t at = 0; at < base64.size(); at += 4 * groups_max) {
        const std::size_t chars = std::min(base64.size() - at, 4 * groups_max);
        const int decoded =
            EVP_DecodeBlock(piece.data(), unsigned_of(base64.data() + at), static_cast<int>(chars));
        if (decoded < 0) return std::nullopt;
        std::memcpy(base64.data() + size, piece.data(), static_cast<std::size_t>(decoded));
        size += static_cast<std::size_t>(decoded);
    }
    size -= padding;
    const auto last_bytes = unsigned_of(base64.data() + size - (3 - padding));
    if (!ends_as_written({last_group.data(), 4}, last_bytes, 3 - padding)) return std::nullopt;
    return base64.first(size);
}

std::optional<std::uint64_t> number_of(std::string_view value) {
    std::uint64_t number = 0;
    const auto* end = value.data() + value.size();
    const auto read = std::from_chars(value.data(), end, number);
    if (value.empty() || read.ec != std::errc{} || read.ptr != end) return std::nullopt;
    return number;
}

bool lists_websocket(std::string_view upgrades) {
    for (JsonItems items(upgrades); items.next();) {
        if (items.value() == "\"websocket\"") return true;
    }
    return false;
}

}  // namespace

std::optional<EnginePacket> decode_engine_packet(std::string_view text) noexcept {
    if (text.empty() || text.front() < '0' || text.front() > '6') return std::nullopt;
    return EnginePacket{static_cast<EngineType>(text.front() - '0'), false, text.substr(1)};
}

EnginePayload::Step EnginePayload::next(EnginePacket& packet) noexcept {
    if (done_) return Step::end;
    const auto end = std::find(rest_.begin(), rest_.end(), separator);
    const auto record = rest_.first(static_cast<std::size_t>(end - rest_.begin()));
    done_ = end == rest_.end();
    rest_ = rest_.subspan(record.size() + (done_ ? 0 : 1));
    if (!record.empty() && record.front() == binary_mark) {
        const auto bytes = decode_in_place(record.subspan(1));
        if (!bytes) return Step::broken;
        packet = {EngineType::message, true, {bytes->data(), bytes->size()}};
        return Step::packet;
    }
    const std::string_view text(record.data(), record.size());
    const auto decoded = decode_engine_packet(text);
    if (!decoded || !is_valid_utf8(text)) return Step::broken;
    packet = *decoded;
    return Step::packet;
}

std::size_t engine_records_end(std::string_view body, std::size_t count) noexcept {
    if (body.empty()) return std::string_view::npos;
    std::size_t end = body.find(separator);
    while (--count != 0 && end != std::string_view::npos) end = body.find(separator, end + 1);
    if (count != 0) return std::string_view::npos;
    return std::min(end, body.size());
}

void append_engine_record(std::string& body, EngineType type, std::string_view data) {
    if (!body.empty()) body.push_back(separator);
    body.push_back(static_cast<char>('0' + static_cast<int>(type)));
    body += data;
}

void append_engine_binary_record(std::string& body, std::string_view data) {
    if (!body.empty()) body.push_back(separator);
    body.push_back(binary_mark);
    std::array<unsigned char, 4 * groups_max + 1> piece;  // EVP_EncodeBlock() ends it with a zero
    while (!data.empty()) {
        const auto bytes = data.substr(0, 3 * groups_max);
        const int chars = EVP_EncodeBlock(piece.data(), unsigned_of(bytes.data()),
                                          static_cast<int>(bytes.size()));
        body.append(piece.begin(), piece.begin() + chars);
        data.remove_prefix(bytes.size());
    }
}

void append_engine_open(std::string& out, const EngineOpen& open) {
    append_string(out, R"({"sid":)", open.sid);
    out += open.upgrades ? R"(,"upgrades":["websocket"])" : R"(,"upgrades":[])";
    append_number(out, R"(,"pingInterval":)", open.ping_interval_ms);
    append_number(out, R"(,"pingTimeout":)", open.ping_timeout_ms);
    append_number(out, R"(,"maxPayload":)", open.max_payload);
    out.push_back('}');
}

std::optional<EngineOpen> decode_engine_open(std::string_view json) {
    if (check_json(json)) return std::nullopt;
    EngineOpen open;
    std::optional<std::uint64_t> interval, timeout, max_payload;
    bool has_upgrades = false;
    for (JsonItems items(trim_json_space(json)); items.next();) {
        const auto value = items.value();
        if (items.key() == "sid" && json_kind(value) == JsonKind::string) {
            open.sid = value.substr(1, value.size() - 2);
        } else if (items.key() == "upgrades" && json_kind(value) == JsonKind::array) {
            has_upgrades = true;
            open.upgrades = lists_websocket(value);
        } else if (items.key() == "pingInterval") {
            interval = number_of(value);
        } else if (items.key() == "pingTimeout") {
            timeout = number_of(value);
        } else if (items.key() == "maxPayload") {
            max_payload = number_of(value);
        }
    }
    const bool whole = !open.sid.empty() && has_upgrades && interval && timeout && max_payload;
    if (!whole) return std::nullopt;
    open.ping_interval_ms = *interval;
    open.ping_timeout_ms = *timeout;
    open.max_payload = *max_payload;
    return open;
}

}  // namespace parley::protocol
