#include "protocol/http_head_check.hpp"

#include <algorithm>

#include "protocol/byte_run.hpp"
#include "protocol/http_bytes.hpp"

namespace parley::protocol {
namespace {

constexpr std::string_view version_begin = "HTTP/";
constexpr std::string_view usual_version = "HTTP/1.1\r\n";

std::size_t token_run(std::string_view bytes) noexcept {
    std::size_t at = 0;
    while (at < bytes.size() && is_http<token_byte>(bytes[at])) ++at;
    return at;
}

// What is_http() says of text and target bytes, as comparisons.
std::size_t text_run(std::string_view bytes) noexcept {
    return byte_run(bytes, [](auto c) { return ((c < 0x20) & (c != '\t')) | (c == 0x7F); });
}
std::size_t target_run(std::string_view bytes) noexcept {
    return byte_run(bytes, [](auto c) { return (c <= 0x20) | (c == 0x7F) | (c == '#'); });
}

}  // namespace

void HttpHeadCheck::expect_trailer() noexcept {
    *this = {};
    state_ = State::field_begin;
}

HttpHeadCheck::Status HttpHeadCheck::refuse(unsigned status, std::string_view why) noexcept {
    refused_with_ = static_cast<std::uint16_t>(status);
    error_ = why;
    return Status::refused;
}

// The faults that are the same wherever they stand are named first.
HttpHeadCheck::Status HttpHeadCheck::bad_byte(char byte, std::string_view why) noexcept {
    if (byte == '\n') return refuse(400, "a line ends with LF alone, CR LF is expected");
    if (byte == 0) return refuse(400, "a zero byte in the head");
    return refuse(400, why);
}

HttpHeadCheck::Step HttpHeadCheck::feed(std::string_view bytes,
                                        const HttpHeadLimits& limits) noexcept {
    std::size_t at = 0;
    while (at < bytes.size()) {
        at += skip_run(bytes.substr(at), limits);
        if (at == bytes.size()) break;
        const Status status = take(bytes[at++], limits);
        if (status != Status::need_more) return {status, at};
    }
    return {Status::need_more, at};
}

// Passes over what only goes on with the part at hand, and the usual ends of a line, and says how much
// that was: most of a head.
std::size_t HttpHeadCheck::skip_run(std::string_view bytes, const HttpHeadLimits& limits) noexcept {
    bytes = bytes.substr(0, limits.head_bytes - std::min<std::size_t>(size_, limits.head_bytes));
    std::size_t skipped = 0;
    if (state_ == State::method || state_ == State::name) {
        skipped = token_run(bytes);
    } else if (state_ == State::value) {
        skipped = text_run(bytes);
        if (bytes.substr(skipped).starts_with("\r\n")) {
            skipped += 2;
            state_ = State::field_begin;
        }
    } else if (state_ == State::version && part_ == 0 && bytes.starts_with(usual_version)) {
        skipped = usual_version.size();
        state_ = State::field_begin;
    } else if (state_ == State::target) {
        skipped = target_run(bytes.substr(
            0, limits.target_bytes - std::min<std::size_t>(part_, limits.target_bytes)));
        part_ += static_cast<std::uint32_t>(skipped);
    }
    size_ += static_cast<std::uint32_t>(skipped);
    return skipped;
}

HttpHeadCheck::Status HttpHeadCheck::take(char byte, const HttpHeadLimits& limits) noexcept {
    if (++size_ > limits.head_bytes) {
        return refuse(431, "the request's head is larger than this server takes");
    }
    switch (state_) {
        case State::method:
            return take_method(byte);
        case State::target_begin:
            if (byte == ' ') return refuse(400, "more than one blank before the target");
            part_ = 0;
            state_ = State::target;
            [[fallthrough]];
        case State::target:
            return take_target(byte, limits);
        case State::version:
            return take_version(byte);
        case State::line_end:
            if (byte != '\n') return refuse(400, "CR without LF");
            state_ = State::field_begin;
            return Status::need_more;
        case State::field_begin:
            return take_field_begin(byte, limits);
        case State::name:
            return take_name(byte);
        case State::value:
            return take_value(byte);
        case State::head_end:
            return byte == '\n' ? Status::complete : refuse(400, "CR without LF");
    }
    return Status::refused;
}

HttpHeadCheck::Status HttpHeadCheck::take_method(char byte) noexcept {
    if (byte == ' ' && size_ > 1) {
        state_ = State::target_begin;
        return Status::need_more;
    }
    return is_http<token_byte>(byte)
               ? Status::need_more
               : bad_byte(byte, "not an HTTP request: the method is no token");
}

HttpHeadCheck::Status HttpHeadCheck::take_target(char byte, const HttpHeadLimits& limits) noexcept {
    if (byte == ' ' && part_ > 0) {
        part_ = 0;
        state_ = State::version;
        return Status::need_more;
    }
    if (!is_http<target_byte>(byte)) return bad_byte(byte, "a byte in the target that none has");
    if (++part_ > limits.target_bytes) {
        return refuse(414, "the request's target is longer than this server takes");
    }
    return Status::need_more;
}

// "HTTP/1.1": eight bytes, then the end of the line.
HttpHeadCheck::Status HttpHeadCheck::take_version(char byte) noexcept {
    constexpr std::string_view no_version = "the request line does not end with an HTTP version";
    const std::uint32_t at = part_++;
    const bool digit = byte >= '0' && byte <= '9';
    if (at < version_begin.size()) {
        return byte == version_begin[at] ? Status::need_more : bad_byte(byte, no_version);
    }
    switch (at) {
        case 5:
        case 7:
            if (!digit) return bad_byte(byte, no_version);
            // Judged at the end of the line: until then it may be no version at all.
            other_version_ = other_version_ || (at == 5 ? byte != '1' : byte > '1');
            return Status::need_more;
        case 6:
            return byte == '.' ? Status::need_more : bad_byte(byte, no_version);
        default:
            break;
    }
    if (byte != '\r') return bad_byte(byte, no_version);
    if (other_version_) return refuse(505, "this server speaks HTTP/1.0 and HTTP/1.1");
    state_ = State::line_end;
    return Status::need_more;
}

HttpHeadCheck::Status HttpHeadCheck::take_field_begin(char byte,
                                                      const HttpHeadLimits& limits) noexcept {
    if (byte == '\r') {
        state_ = State::head_end;
        return Status::need_more;
    }
    if (byte == ' ' || byte == '\t') {
        return refuse(400, "a header line that begins with a blank");
    }
    if (++fields_ > limits.fields) {
        return refuse(431, "more headers than this server takes");
    }
    state_ = State::name;
    if (byte == ':') return refuse(400, "a header without a name");
    return take_name(byte);
}

HttpHeadCheck::Status HttpHeadCheck::take_name(char byte) noexcept {
    if (byte == ':') {
        state_ = State::value;
        return Status::need_more;
    }
    if (is_http<token_byte>(byte)) return Status::need_more;
    if (byte == ' ' || byte == '\t') return refuse(400, "a blank in the name of a header");
    if (byte == '\r') return refuse(400, "a header without a colon");
    return bad_byte(byte, "a byte in the name of a header that none has");
}

HttpHeadCheck::Status HttpHeadCheck::take_value(char byte) noexcept {
    if (byte == '\r') {
        state_ = State::line_end;
        return Status::need_more;
    }
    return is_http<text_byte>(byte)
               ? Status::need_more
               : bad_byte(byte, "a control character in the value of a header");
}

bool is_host_and_port(std::string_view host) noexcept {
    // reg-name, IPv4 address or IP-literal; percent-encoding as it comes (RFC 3986, 3.2.2).
    const auto bracket = host.find(']');
    std::string_view port;
    if (host.starts_with('[')) {
        if (bracket == std::string_view::npos) return false;
        port = host.substr(bracket + 1);
        const auto inside = host.substr(1, bracket - 1);
        const bool fine = std::ranges::all_of(inside, [](char c) {
            return is_http<hex_byte>(c) || c == ':' || c == '.' || c == 'v';
        });
        if (inside.empty() || !fine || (!port.empty() && port[0] != ':')) return false;
    } else {
        const auto colon = std::min(host.find(':'), host.size());
        port = host.substr(colon);
        const bool fine = std::ranges::all_of(host.substr(0, colon), is_http<host_byte>);
        if (!fine) return false;
    }
    if (!port.empty()) port.remove_prefix(1);
    return port.size() <= 5 &&
           std::ranges::all_of(port, [](char c) { return c >= '0' && c <= '9'; });
}

bool is_content_length(std::string_view digits) noexcept {
    return !digits.empty() && digits.size() <= 19 &&
           std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace parley::protocol
