#include "protocol/media_types.hpp"

#include <algorithm>
#include <array>

#include "protocol/header_list.hpp"
#include "protocol/http_bytes.hpp"

namespace parley::protocol {
namespace {

using namespace std::string_view_literals;

// What can be proved by bytes. Those of one family have the same first bytes.
struct Known {
    std::string_view type;
    std::string_view family;
    bool shown;
};
constexpr std::array known_types{
    Known{"image/png", "png", true},        Known{"image/jpeg", "jpeg", true},
    Known{"image/gif", "gif", true},        Known{"image/webp", "webp", true},
    Known{"image/avif", "avif", true},      Known{"video/mp4", "mp4", true},
    Known{"audio/mp4", "mp4", true},        Known{"video/webm", "webm", true},
    Known{"audio/webm", "webm", true},      Known{"audio/mpeg", "mp3", true},
    Known{"audio/ogg", "ogg", true},        Known{"video/ogg", "ogg", true},
    Known{"application/pdf", "pdf", false}, Known{"application/zip", "zip", false},
    Known{"text/plain", "text", false},
};

struct Alias {
    std::string_view also;
    std::string_view type;
};
constexpr std::array aliases{
    Alias{"image/jpg", "image/jpeg"},
    Alias{"image/pjpeg", "image/jpeg"},
    Alias{"image/apng", "image/png"},
    Alias{"audio/mp3", "audio/mpeg"},
    Alias{"application/ogg", "audio/ogg"},
    Alias{"audio/m4a", "audio/mp4"},
    Alias{"audio/x-m4a", "audio/mp4"},
    Alias{"video/x-m4v", "video/mp4"},
    Alias{"application/x-zip-compressed", "application/zip"},
};

// What says nothing; the last is what curl --data-binary says unasked.
constexpr std::array silent_types{""sv, octet_stream, "application/x-www-form-urlencoded"sv};

const Known* find_known(std::string_view type) noexcept {
    const auto alias = std::ranges::find_if(
        aliases, [type](const Alias& row) { return equal_any_case(row.also, type); });
    if (alias != aliases.end()) type = alias->type;
    const auto found = std::ranges::find_if(
        known_types, [type](const Known& row) { return equal_any_case(row.type, type); });
    return found == known_types.end() ? nullptr : &*found;
}

// ISO base media: a box `ftyp` with the brands that a file is good for (ISO 14496-12, 4.3).
std::string_view sniff_boxes(std::string_view first) noexcept {
    constexpr std::array mp4_brands{"isom"sv, "iso2"sv, "iso4"sv, "iso5"sv, "iso6"sv, "mp41"sv,
                                    "mp42"sv, "avc1"sv, "M4V "sv, "dash"sv, "MSNV"sv};
    if (first.size() < 12 || first.substr(4, 4) != "ftyp") return {};
    const auto byte = [first](std::size_t i) { return static_cast<unsigned char>(first[i]); };
    const std::size_t box = (std::size_t{byte(0)} << 24U) | (std::size_t{byte(1)} << 16U) |
                            (std::size_t{byte(2)} << 8U) | byte(3);
    const std::string_view major = first.substr(8, 4);
    const std::string_view brands = first.substr(0, std::min(box, first.size()));
    const bool picture = major == "avif" || major == "avis" || major == "mif1" || major == "msf1";
    for (std::size_t at = 8; picture && at + 4 <= brands.size(); at += 4) {
        const std::string_view brand = brands.substr(at, 4);
        if (at != 12 && (brand == "avif" || brand == "avis")) return "image/avif";
    }
    if (major == "M4A " || major == "M4B ") return "audio/mp4";
    return std::ranges::find(mp4_brands, major) != mp4_brands.end() ? "video/mp4"sv : ""sv;
}

// Matroska's container has many uses; its DocType says which.
std::string_view sniff_ebml(std::string_view first) noexcept {
    if (!first.starts_with("\x1A\x45\xDF\xA3")) return {};
    const auto at = first.substr(0, 64).find("\x42\x82");
    if (at == std::string_view::npos || at + 3 > first.size()) return {};
    return first.substr(at + 3).starts_with("webm") ? "video/webm"sv : ""sv;
}

// The head of an MPEG audio frame of layer III (ISO 11172-3, 2.4.1.3).
bool is_mp3_frame(std::string_view first) noexcept {
    if (first.size() < 4) return false;
    const auto byte = [first](std::size_t i) { return static_cast<unsigned char>(first[i]); };
    const bool sync = byte(0) == 0xFF && (byte(1) & 0xE0U) == 0xE0U;
    const bool version = (byte(1) & 0x18U) != 0x08U;
    const bool layer = (byte(1) & 0x06U) == 0x02U;
    const bool rate =
        (byte(2) & 0xF0U) != 0xF0U && (byte(2) & 0xF0U) != 0 && (byte(2) & 0x0CU) != 0x0CU;
    return sync && version && layer && rate;
}

std::string_view sniff_ogg(std::string_view first) noexcept {
    if (!first.starts_with("OggS")) return {};
    // The first page holds the head of one stream: what is seen comes before what is heard.
    return first.find("\x80theora") < 64 ? "video/ogg"sv : "audio/ogg"sv;
}

}  // namespace

std::string_view sniff_media_type(std::string_view first) noexcept {
    first = first.substr(0, sniff_bytes);
    if (first.empty()) return {};
    if (first.starts_with("\x89PNG\r\n\x1A\n")) return "image/png";
    if (first.starts_with("\xFF\xD8\xFF")) return "image/jpeg";
    if (first.starts_with("GIF87a") || first.starts_with("GIF89a")) return "image/gif";
    if (first.starts_with("RIFF") && first.substr(0, 12).ends_with("WEBP")) return "image/webp";
    if (first.starts_with("%PDF-")) return "application/pdf";
    if (first.starts_with("PK\x03\x04") || first.starts_with("PK\x05\x06")) {
        return "application/zip";
    }
    if (const auto type = sniff_boxes(first); !type.empty()) return type;
    if (const auto type = sniff_ebml(first); !type.empty()) return type;
    if (const auto type = sniff_ogg(first); !type.empty()) return type;
    if (first.starts_with("ID3") || is_mp3_frame(first)) return "audio/mpeg";
    TextCheck text;
    return text.feed(first) ? "text/plain"sv : ""sv;
}

bool is_shown_inline(std::string_view type) noexcept {
    const Known* const known = find_known(type);
    return known != nullptr && known->shown;
}

MediaVerdict judge_media_type(std::string_view declared, std::string_view sniffed) noexcept {
    const Known* const found = find_known(sniffed);
    const std::string_view by_content = found == nullptr ? octet_stream : found->type;
    if (std::ranges::any_of(silent_types,
                            [declared](auto type) { return equal_any_case(type, declared); })) {
        return {by_content};
    }
    if (const Known* const said = find_known(declared)) {
        const bool agrees = found != nullptr && found->family == said->family;
        return {agrees ? said->type : by_content, !agrees};
    }
    // Many formats are text or an archive inside: they may be what they are said to be.
    const bool may_be = found == nullptr || found->family == "text" || found->family == "zip";
    return {octet_stream, !may_be};
}

bool is_media_type(std::string_view text) noexcept {
    const auto slash = text.find('/');
    if (slash == 0 || slash == std::string_view::npos || slash + 1 == text.size()) return false;
    return text.size() <= 127 && std::ranges::all_of(text.substr(0, slash), is_http<token_byte>) &&
           std::ranges::all_of(text.substr(slash + 1), is_http<token_byte>);
}

bool is_media_pattern(std::string_view text) noexcept {
    if (text == "*") return true;
    const auto slash = text.find('/');
    if (slash == 0 || slash == std::string_view::npos || slash + 1 == text.size()) return false;
    const auto is_name = [](std::string_view part) {
        return std::ranges::all_of(part, [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '+' ||
                   c == '-';
        });
    };
    const std::string_view behind = text.substr(slash + 1);
    return is_name(text.substr(0, slash)) && (behind == "*" || is_name(behind));
}

bool media_matches(std::string_view pattern, std::string_view type) noexcept {
    if (pattern == "*" || pattern == type) return true;
    return pattern.ends_with("/*") && type.starts_with(pattern.substr(0, pattern.size() - 1));
}

bool TextCheck::feed(std::string_view bytes) noexcept {
    constexpr auto is_text = [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return (byte >= 0x20 && byte != 0x7F) || (byte >= '\t' && byte <= '\r' && byte != '\v');
    };
    well_ = well_ && std::ranges::all_of(bytes, is_text) && utf8_.feed(bytes);
    return well_;
}

}  // namespace parley::protocol
