#include "protocol/sse.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "protocol/cursor.hpp"

namespace parley::protocol {
namespace {

constexpr std::string_view line_breaks = "\r\n";
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

void append_line(std::string& out, std::string_view field, std::string_view value) {
    out.append(field).append(value).push_back('\n');
}

}  // namespace

void append_sse(std::string& out, std::string_view id, std::string_view name,
                std::string_view data) {
    if (!id.empty()) append_line(out, "id: ", id);
    if (!name.empty()) append_line(out, "event: ", name);
    for (;;) {
        const auto end = data.find_first_of(line_breaks);
        append_line(out, "data: ", data.substr(0, end));
        if (end == std::string_view::npos) break;
        data.remove_prefix(end + (data.substr(end).starts_with("\r\n") ? 2 : 1));
    }
    out.push_back('\n');
}

void append_sse_position(std::string& out, std::string_view id, std::uint64_t retry_ms) {
    append_sse_retry(out, retry_ms);
    if (!id.empty()) append_line(out, "id: ", id);
    out.push_back('\n');
}

void append_sse_retry(std::string& out, std::uint64_t retry_ms) {
    out.append("retry: ");
    append_decimal(out, retry_ms);
    out.push_back('\n');
}

bool SseDecoder::too_large(std::size_t more) const noexcept {
    return line_.size() + event_.data.size() + more > bytes_max_;
}

SseDecoder::Step SseDecoder::feed(std::string_view bytes) {
    if (malformed_) return {Status::malformed, 0};
    if (ready_) {
        event_.name.clear();
        event_.data.clear();
        has_data_ = ready_ = false;
    }
    std::size_t at = 0;
    while (at < bytes.size()) {
        if (after_cr_ && bytes[at] == '\n') ++at;
        after_cr_ = false;
        const auto end = std::min(bytes.find_first_of(line_breaks, at), bytes.size());
        if (too_large(end - at)) {
            malformed_ = true;
            return {Status::malformed, at};
        }
        line_.append(bytes, at, end - at);
        if (end == bytes.size()) break;
        after_cr_ = bytes[end] == '\r';
        at = end + 1;
        const bool ended = take_line(line_);
        line_.clear();
        if (ended) return {Status::event_ready, at};
    }
    return {Status::need_more, bytes.size()};
}

bool SseDecoder::take_line(std::string_view line) {
    if (std::exchange(first_line_, false) && line.starts_with(byte_order_mark)) {
        line.remove_prefix(byte_order_mark.size());
    }
    if (line.empty()) {
        event_.id = id_;
        if (!has_data_) {
            event_.name.clear();
            return false;
        }
        event_.data.pop_back();  // each line came with its break
        if (event_.name.empty()) event_.name = "message";
        return ready_ = true;
    }
    const auto colon = line.find(':');
    if (colon == 0) return false;  // a comment
    auto value = colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
    if (value.starts_with(' ')) value.remove_prefix(1);
    take_field(line.substr(0, colon), value);
    return false;
}

void SseDecoder::take_field(std::string_view name, std::string_view value) {
    if (name == "data") {
        event_.data.append(value).push_back('\n');
        has_data_ = true;
    } else if (name == "event") {
        event_.name = value;
    } else if (name == "id") {
        if (value.find('\0') == std::string_view::npos) id_ = value;
    } else if (name == "retry") {
        std::uint64_t ms = 0;
        const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), ms);
        if (error == std::errc{} && end == value.data() + value.size()) retry_ms_ = ms;
    }
}

}  // namespace parley::protocol
