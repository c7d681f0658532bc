#include "protocol/media_types.hpp"

#include <gtest/gtest.h>

#include <string>

namespace parley::protocol {
namespace {

using namespace std::string_view_literals;

// The smallest beginning of a file of each kind that tells it.
struct Sample {
    std::string_view bytes;
    std::string_view type;
};
constexpr Sample samples[] = {
    {"\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR"sv, "image/png"},
    {"\xFF\xD8\xFF\xE0\0\x10JFIF\0"sv, "image/jpeg"},
    {"\xFF\xD8\xFF\xE1"sv, "image/jpeg"},
    {"GIF87a\x01\0"sv, "image/gif"},
    {"GIF89a\x01\0"sv, "image/gif"},
    {"RIFF\x24\0\0\0WEBPVP8 "sv, "image/webp"},
    {"\0\0\0\x1C"
     "ftypavif\0\0\0\0avifmif1"sv,
     "image/avif"},
    {"\0\0\0\x1C"
     "ftypmif1\0\0\0\0mif1avif"sv,
     "image/avif"},
    {"\0\0\0\x20"
     "ftypisom\0\0\x02\0isomiso2avc1mp41"sv,
     "video/mp4"},
    {"\0\0\0\x14"
     "ftypmp42\0\0\0\0isom"sv,
     "video/mp4"},
    {"\0\0\0\x14"
     "ftypM4A \0\0\0\0M4A "sv,
     "audio/mp4"},
    {"\x1A\x45\xDF\xA3\x9F\x42\x86\x81\x01\x42\x82\x84webm\x42\x87\x81\x04"sv, "video/webm"},
    {"ID3\x04\0\0\0\0\0\0"sv, "audio/mpeg"},
    {"\xFF\xFB\x90\x64"sv, "audio/mpeg"},
    {"OggS\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x1E\x01vorbis"sv, "audio/ogg"},
    {"OggS\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x2A\x80theora"sv, "video/ogg"},
    {"%PDF-1.7\n%\xE2\xE3"sv, "application/pdf"},
    {"PK\x03\x04\x14\0"sv, "application/zip"},
    {"PK\x05\x06\0\0"sv, "application/zip"},
    {"hello\r\n\tworld\n"sv, "text/plain"},
    {"\xEF\xBB\xBFgrüß dich"sv, "text/plain"},
    {"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"sv, "text/plain"},
    // What is none of them.
    {""sv, ""},
    {"\0\x01\x02\x03"sv, ""},
    {"text\0with a zero"sv, ""},
    {"latin \xE9 one"sv, ""},
    {"\x7F"
     "ELF\x02\x01"sv,
     ""},
    {"\0\0\0\x18"
     "ftypheic\0\0\0\0mif1heic"sv,
     ""},
    {"\0\0\0\x14"
     "ftypqt  \0\0\0\0qt  "sv,
     ""},
    {"\x1A\x45\xDF\xA3\x9F\x42\x82\x88matroska"sv, ""},
    {"RIFF\x24\0\0\0WAVEfmt "sv, ""},
    {"\xFF\xF1\x50\x80"sv, ""},  // AAC
    {"\xFF\xFEh\0i\0"sv, ""},    // UTF-16
    {"\xFF\xFB\xF0\x64"sv, ""},  // a bit rate that there is not
};

TEST(MediaTypes, AreKnownByTheirFirstBytes) {
    for (const Sample& sample : samples) {
        EXPECT_EQ(sniff_media_type(sample.bytes), sample.type)
            << testing::PrintToString(sample.bytes);
    }
}

TEST(MediaTypes, AreFoundInBytesThatEndAnywhereWithoutALookBehindThem) {
    for (const Sample& sample : samples) {
        for (std::size_t size = 0; size <= sample.bytes.size(); ++size) {
            // Of its own, so that a sanitizer sees a step too far.
            const std::string part(sample.bytes.substr(0, size));
            const auto type = sniff_media_type(part);
            // Of Ogg the container comes first, and what is in it later.
            const bool early = type == "text/plain" || type == "audio/ogg";
            EXPECT_TRUE(type.empty() || early || type == sample.type) << type;
        }
    }
}

TEST(MediaTypes, LookAtTheFirstBytesOnly) {
    std::string text(sniff_bytes, 'a');
    text.push_back('\0');
    EXPECT_EQ(sniff_media_type(text), "text/plain");
    // A character that is cut by the end of what is looked at.
    std::string cut(sniff_bytes - 1, 'a');
    EXPECT_EQ(sniff_media_type(cut + "\xC3\xA9"), "text/plain");
}

TEST(MediaTypes, AreJudgedByWhatTheyAreSaidToBe) {
    struct Row {
        std::string_view declared, sniffed, kept;
        bool contradicts;
    };
    for (const Row& row : {
             Row{"image/png", "image/png", "image/png", false},
             Row{"IMAGE/PNG", "image/png", "image/png", false},
             Row{"image/jpg", "image/jpeg", "image/jpeg", false},
             Row{"audio/webm", "video/webm", "audio/webm", false},
             Row{"audio/mp4", "video/mp4", "audio/mp4", false},
             Row{"application/ogg", "video/ogg", "audio/ogg", false},
             // Nothing is said: what is found.
             Row{"", "image/png", "image/png", false},
             Row{"application/octet-stream", "image/png", "image/png", false},
             Row{"application/x-www-form-urlencoded", "image/png", "image/png", false},
             Row{"", "", octet_stream, false},
             // Said and not so.
             Row{"image/png", "text/plain", "text/plain", true},
             Row{"image/png", "", octet_stream, true},
             Row{"image/png", "image/jpeg", "image/jpeg", true},
             Row{"text/plain", "", octet_stream, true},
             Row{"text/plain", "image/gif", "image/gif", true},
             Row{"video/mp4", "video/webm", "video/webm", true},
             Row{"text/html", "image/png", octet_stream, true},
             // What can't be proved is never called what it is said to be.
             Row{"text/html", "text/plain", octet_stream, false},
             Row{"image/svg+xml", "text/plain", octet_stream, false},
             Row{"application/javascript", "text/plain", octet_stream, false},
             Row{"application/vnd.oasis.opendocument.text", "application/zip", octet_stream, false},
             Row{"application/msword", "", octet_stream, false},
         }) {
        const MediaVerdict verdict = judge_media_type(row.declared, row.sniffed);
        EXPECT_EQ(verdict.contradicts, row.contradicts) << row.declared << ' ' << row.sniffed;
        EXPECT_EQ(verdict.type, row.kept) << row.declared << ' ' << row.sniffed;
    }
}

TEST(MediaTypes, AreShownInPlaceWhereNoScriptCanBeInThem) {
    for (const auto type : {"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif",
                            "video/mp4", "audio/webm", "audio/mpeg", "video/ogg"}) {
        EXPECT_TRUE(is_shown_inline(type)) << type;
    }
    for (const auto type : {"", "text/plain", "text/html", "image/svg+xml", "application/pdf",
                            "application/zip", "application/octet-stream", "text/javascript"}) {
        EXPECT_FALSE(is_shown_inline(type)) << type;
    }
}

TEST(MediaTypes, MatchPatterns) {
    EXPECT_TRUE(media_matches("*", "a/b"));
    EXPECT_TRUE(media_matches("image/*", "image/png"));
    EXPECT_FALSE(media_matches("image/*", "images/png"));
    EXPECT_TRUE(media_matches("image/png", "image/png"));
    EXPECT_FALSE(media_matches("image/png", "image/png2"));
    for (const auto good : {"*", "image/*", "image/png", "application/vnd.a-b+xml"}) {
        EXPECT_TRUE(is_media_pattern(good)) << good;
    }
    for (const auto bad :
         {"", "/", "image", "image/", "/png", "*/*", "Image/png", "a/b/c", "a b/c"}) {
        EXPECT_FALSE(is_media_pattern(bad)) << bad;
    }
    EXPECT_TRUE(is_media_type("Image/PNG"));
    for (const std::string& bad :
         {std::string("a"), std::string("a/"), std::string("/a"), std::string("a/b;c"),
          std::string("a/\xC3\xA9"), "a/" + std::string(126, 'b')}) {
        EXPECT_FALSE(is_media_type(bad)) << bad;
    }
}

TEST(TextCheck, HoldsATextToItsEndAtEverySplit) {
    const std::string good = "a\tb\r\ngrüß € 𝄞";
    for (const auto& [text, is_text] :
         {std::pair(good, true), std::pair(good + "\x01", false), std::pair(good + "\xF0", false),
          std::pair("\xFF" + good, false), std::pair(good + "\x7F", false)}) {
        for (std::size_t split = 0; split <= text.size(); ++split) {
            TextCheck check;
            check.feed(std::string_view(text).substr(0, split));
            check.feed(std::string_view(text).substr(split));
            EXPECT_EQ(check.complete(), is_text) << split;
        }
    }
}

}  // namespace
}  // namespace parley::protocol
