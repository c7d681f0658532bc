#include "protocol/multipart.hpp"

#include <algorithm>

#include "protocol/header_list.hpp"
#include "protocol/http_bytes.hpp"

namespace parley::protocol {
namespace {

// Blanks that a mail gateway may have put behind a delimiter (RFC 2046, 5.1.1).
constexpr std::size_t padding_bytes_max = 64;
constexpr std::string_view crowded = "a boundary with something else in its line";

bool is_boundary(std::string_view text) noexcept {
    constexpr std::string_view marks = "'()+_,-./:=? ";
    return !text.empty() && text.size() <= 70 && text.back() != ' ' &&
           std::ranges::all_of(text, [marks](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                      (c != '\0' && marks.find(c) != std::string_view::npos);
           });
}

}  // namespace

std::optional<std::string> multipart_boundary(std::string_view content_type) {
    std::string_view item;
    if (!next_item(content_type, ';', item)) return std::nullopt;
    if (!equal_any_case(item, "multipart/form-data")) return std::nullopt;
    while (next_item(content_type, ';', item)) {
        const auto equals = item.find('=');
        if (equals == std::string_view::npos) continue;
        if (!equal_any_case(trim(item.substr(0, equals)), "boundary")) continue;
        std::string_view value = trim(item.substr(equals + 1));
        if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
            value = value.substr(1, value.size() - 2);
        }
        if (is_boundary(value)) return std::string(value);
    }
    return std::nullopt;
}

MultipartDecoder::MultipartDecoder(std::string_view boundary) : delimiter_("\r\n--") {
    delimiter_.append(boundary);
}

MultipartDecoder::Step MultipartDecoder::refuse(std::string_view why,
                                                std::size_t consumed) noexcept {
    error_ = why;
    return {Status::refused, consumed, {}};
}

MultipartDecoder::Step MultipartDecoder::feed(std::string_view bytes) {
    switch (state_) {
        case State::preamble:
        case State::content:
            return take_content(bytes);
        case State::behind:
            return take_behind(bytes);
        case State::head:
            return take_head(bytes);
        case State::epilogue:
            break;
    }
    return {Status::need_more, bytes.size(), {}};
}

// A delimiter has its one CR in front: bytes that began one and were none hold no other, so that
// what was held back is told from the delimiter itself.
MultipartDecoder::Step MultipartDecoder::take_content(std::string_view bytes) {
    std::size_t taken = 0;
    if (matched_ == 0) {
        const auto begins = std::min(bytes.find('\r'), bytes.size());
        if (begins > 0) {
            const auto status = state_ == State::content ? Status::data : Status::need_more;
            return {status, begins, bytes.substr(0, begins)};
        }
    }
    while (taken < bytes.size() && matched_ < delimiter_.size() &&
           bytes[taken] == delimiter_[matched_]) {
        ++taken;
        ++matched_;
    }
    if (matched_ == delimiter_.size()) {
        const bool within = state_ == State::content;
        matched_ = 0;
        head_.clear();
        state_ = State::behind;
        return {within ? Status::part_ends : Status::need_more, taken, {}};
    }
    if (taken == bytes.size()) return {Status::need_more, taken, {}};
    const std::string_view held = std::string_view(delimiter_).substr(0, matched_);
    matched_ = 0;
    // Nobody is told of what stands before the first boundary.
    if (state_ == State::preamble)
        return taken > 0 ? Step{Status::need_more, taken, {}} : feed(bytes);
    return {Status::data, taken, held};
}

// The rest of a delimiter's line: nothing, or that it was the last.
MultipartDecoder::Step MultipartDecoder::take_behind(std::string_view bytes) {
    for (std::size_t taken = 0; taken < bytes.size();) {
        head_.push_back(bytes[taken++]);
        if (head_ == "--") {
            state_ = State::epilogue;
            return {Status::end, taken, {}};
        }
        if (head_.ends_with("\r\n")) {
            if (!trim(std::string_view(head_).substr(0, head_.size() - 2)).empty()) {
                return refuse(crowded, taken);
            }
            if (++parts_ > parts_max) return refuse("a form of more than 32 parts", taken);
            // As behind a line of the head: one without any ends with its first line.
            head_ = "\r\n";
            state_ = State::head;
            return {Status::need_more, taken, {}};
        }
        if (head_.size() > padding_bytes_max) return refuse(crowded, taken);
    }
    return {Status::need_more, bytes.size(), {}};
}

MultipartDecoder::Step MultipartDecoder::take_head(std::string_view bytes) {
    for (std::size_t taken = 0; taken < bytes.size();) {
        head_.push_back(bytes[taken++]);
        if (head_.ends_with("\r\n\r\n")) {
            if (!parse_head()) return refuse(error_, taken);
            state_ = State::content;
            return {Status::part_begins, taken, {}};
        }
        if (head_.size() > head_bytes_max) {
            return refuse("a part whose headers are longer than 8 KiB", taken);
        }
    }
    return {Status::need_more, bytes.size(), {}};
}

bool MultipartDecoder::parse_head() {
    part_ = {};
    std::optional<ContentDisposition> disposition;
    std::string_view rest(head_);
    while (!rest.empty()) {
        const auto end = rest.find("\r\n");
        const std::string_view line = rest.substr(0, end);
        rest.remove_prefix(end + 2);
        if (line.empty()) continue;
        const auto colon = line.find(':');
        const std::string_view name = line.substr(0, std::min(colon, line.size()));
        if (colon == std::string_view::npos || name.empty() ||
            !std::ranges::all_of(name, is_http<token_byte>)) {
            error_ = "a part with a line that is no header";
            return false;
        }
        const std::string_view value = trim(line.substr(colon + 1));
        if (equal_any_case(name, "Content-Disposition")) {
            disposition = parse_content_disposition(value);
        } else if (equal_any_case(name, "Content-Type")) {
            part_.content_type = value;
        } else if (equal_any_case(name, "Content-Transfer-Encoding") &&
                   !equal_any_case(value, "binary") && !equal_any_case(value, "8bit") &&
                   !equal_any_case(value, "7bit")) {
            error_ = "a part in a transfer encoding: its bytes are taken as they are";
            return false;
        }
    }
    if (!disposition || disposition->type != "form-data") {
        error_ = "a part without Content-Disposition: form-data";
        return false;
    }
    part_.disposition = std::move(*disposition);
    return true;
}

}  // namespace parley::protocol
