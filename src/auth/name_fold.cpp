#include "auth/name_fold.hpp"

#define U_SHOW_CPLUSPLUS_API 0
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uspoof.h>
#include <unicode/ustring.h>

#include <algorithm>
#include <array>
#include <memory>
#include <stdexcept>
#include <vector>

namespace parley::auth {
namespace {

using Utf16 = std::vector<UChar>;

void require(UErrorCode status, const char* what) {
    if (U_FAILURE(status)) {
        throw std::runtime_error(std::string(what) + ": " + u_errorName(status));
    }
}

// Calls one of ICU's functions, which fill a buffer and say how long it should have been.
template <typename Buffer, typename Fill>
Buffer filled(std::size_t guess, const char* what, Fill fill) {
    Buffer out;
    out.resize(guess);
    for (;;) {
        UErrorCode status = U_ZERO_ERROR;
        const std::int32_t length =
            fill(out.data(), static_cast<std::int32_t>(out.size()), &status);
        if (status == U_BUFFER_OVERFLOW_ERROR) {
            out.resize(static_cast<std::size_t>(length) + 1);
            continue;
        }
        require(status, what);
        out.resize(static_cast<std::size_t>(length));
        return out;
    }
}

Utf16 utf16_of(std::string_view text) {
    constexpr UChar32 instead = 0xFFFD;
    return filled<Utf16>(text.size() + 1, "UTF-8", [&](UChar* to, std::int32_t room, auto* status) {
        std::int32_t length = 0;
        u_strFromUTF8WithSub(to, room, &length, text.data(), static_cast<std::int32_t>(text.size()),
                             instead, nullptr, status);
        return length;
    });
}

std::string utf8_of(const Utf16& text) {
    constexpr UChar32 instead = 0xFFFD;
    return filled<std::string>(
        text.size() * 3 + 1, "UTF-16", [&](char* to, std::int32_t room, auto* status) {
            std::int32_t length = 0;
            u_strToUTF8WithSub(to, room, &length, text.data(),
                               static_cast<std::int32_t>(text.size()), instead, nullptr, status);
            return length;
        });
}

Utf16 folded(const Utf16& text) {
    UErrorCode status = U_ZERO_ERROR;
    const UNormalizer2* const fold = unorm2_getNFKCCasefoldInstance(&status);
    require(status, "NFKC_Casefold");
    return filled<Utf16>(
        text.size() + 16, "NFKC_Casefold", [&](UChar* to, std::int32_t room, auto* failed) {
            return unorm2_normalize(fold, text.data(), static_cast<std::int32_t>(text.size()), to,
                                    room, failed);
        });
}

std::vector<UChar32> characters_of(const Utf16& text) {
    return filled<std::vector<UChar32>>(
        text.size() + 1, "UTF-32", [&](UChar32* to, std::int32_t room, auto* status) {
            std::int32_t length = 0;
            u_strToUTF32(to, room, &length, text.data(), static_cast<std::int32_t>(text.size()),
                         status);
            return length;
        });
}

bool is_blank(UChar unit) {
    constexpr UChar braille_blank = 0x2800;
    return u_isUWhiteSpace(unit) != 0 || unit == braille_blank;
}

// Runs of blanks as one, and none at the ends. All blanks are single units of UTF-16.
Utf16 without_spare_blanks(const Utf16& text) {
    Utf16 out;
    for (const UChar unit : text) {
        if (!is_blank(unit)) {
            out.push_back(unit);
        } else if (!out.empty() && out.back() != u' ') {
            out.push_back(u' ');
        }
    }
    if (!out.empty() && out.back() == u' ') out.pop_back();
    return out;
}

std::string ascii_key(std::string_view name) {
    std::string key;
    key.reserve(name.size());
    for (const char c : name) {
        if (c == ' ' || (c >= '\t' && c <= '\r')) {
            if (!key.empty() && key.back() != ' ') key.push_back(' ');
        } else {
            key.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
        }
    }
    if (!key.empty() && key.back() == ' ') key.pop_back();
    return key;
}

std::string skeleton(std::string_view text) {
    struct Close {
        void operator()(USpoofChecker* checker) const noexcept { uspoof_close(checker); }
    };
    static const std::unique_ptr<USpoofChecker, Close> checker = [] {
        UErrorCode status = U_ZERO_ERROR;
        std::unique_ptr<USpoofChecker, Close> made(uspoof_open(&status));
        require(status, "Unicode's confusables");
        return made;
    }();
    return filled<std::string>(
        text.size() * 2 + 16, "skeleton", [&](char* to, std::int32_t room, auto* status) {
            return uspoof_getSkeletonUTF8(checker.get(), 0, text.data(),
                                          static_cast<std::int32_t>(text.size()), to, room, status);
        });
}

// What each character of ASCII looks like does not hang on its neighbours.
const std::string& look_of_ascii(char c) {
    static const auto looks = [] {
        std::array<std::string, 128> made;
        for (std::size_t i = 0; i < made.size(); ++i) {
            made[i] = skeleton(std::string(1, static_cast<char>(i)));
        }
        return made;
    }();
    return looks[static_cast<unsigned char>(c)];
}

}  // namespace

bool is_ascii(std::string_view text) noexcept {
    return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::string name_key(std::string_view name) {
    if (is_ascii(name)) return ascii_key(name);
    return utf8_of(without_spare_blanks(folded(utf16_of(name))));
}

std::string name_look(std::string_view key) {
    if (!is_ascii(key)) return skeleton(key);
    std::string look;
    for (const char c : key) look += look_of_ascii(c);
    return look;
}

std::optional<std::string> refuse_account_name(std::string_view name) {
    if (name_key(name).empty()) return "nothing of the name is seen";
    for (const UChar32 character : characters_of(utf16_of(name))) {
        const auto type = u_charType(character);
        if (type == U_UNASSIGNED || type == U_PRIVATE_USE_CHAR) {
            return "the name has a character that is none of Unicode's";
        }
        if (u_hasBinaryProperty(character, UCHAR_BIDI_CONTROL) != 0) {
            return "the name has a character that turns the direction of writing";
        }
    }
    return std::nullopt;
}

}  // namespace parley::auth
