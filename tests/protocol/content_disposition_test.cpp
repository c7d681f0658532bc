#include "protocol/content_disposition.hpp"

#include <gtest/gtest.h>

#include <string>

#include "protocol/utf8.hpp"

namespace parley::protocol {
namespace {

std::string name_of(std::string_view header) {
    const auto disposition = parse_content_disposition(header);
    return disposition ? disposition->filename.value_or("(none)") : "(no header)";
}

TEST(ContentDisposition, HasItsFileNameInAllTheWaysThatThereAre) {
    struct Row {
        std::string_view header, name;
    };
    for (const Row& row : {
             Row{R"(attachment; filename="a b.txt")", "a b.txt"},
             Row{"attachment;filename=a.txt", "a.txt"},
             Row{"ATTACHMENT; FileName=a.txt", "a.txt"},
             Row{R"(attachment; filename="a\"b\\c;d.txt")", R"(a"b\c;d.txt)"},
             Row{R"(form-data; name="file"; filename="C:\dir\a.txt")", R"(C:\dir\a.txt)"},
             Row{"attachment; filename*=UTF-8''gr%C3%BC%C3%9F.txt", "grüß.txt"},
             Row{"attachment; filename*=utf-8'de'%41.txt", "A.txt"},
             // The one with a charset is meant for those who know it.
             Row{"attachment; filename=\"plain\"; filename*=UTF-8''better", "better"},
             Row{"attachment; filename*=UTF-8''better; filename=\"plain\"", "better"},
             Row{"attachment; filename*=UTF-8''%C3; filename=plain", "plain"},
             Row{"attachment; filename*=UTF-8''%4; filename=plain", "plain"},
             Row{"attachment; filename*=ISO-8859-1''%E9; filename=plain", "plain"},
             Row{"attachment; filename*=nonsense", "(none)"},
             Row{"attachment; filename=\"\"", ""},
             Row{"attachment", "(none)"},
             Row{"attachment; size=3", "(none)"},
             Row{"", "(no header)"},
             Row{"; filename=a", "(no header)"},
         }) {
        EXPECT_EQ(name_of(row.header), row.name) << row.header;
    }
    const auto form = parse_content_disposition(R"(Form-Data; name="a field"; x=y)");
    ASSERT_TRUE(form);
    EXPECT_EQ(form->type, "form-data");
    EXPECT_EQ(form->name, "a field");
    EXPECT_EQ(form->filename, std::nullopt);
}

TEST(CleanFileName, LeavesNoPathAndNothingThatDeceives) {
    struct Row {
        std::string_view sent, kept;
    };
    for (const Row& row : {
             Row{"a.txt", "a.txt"},
             Row{"grüß dich €.txt", "grüß dich €.txt"},
             Row{"../../etc/passwd", "passwd"},
             Row{"/etc/passwd", "passwd"},
             Row{R"(..\..\windows\system.ini)", "system.ini"},
             Row{R"(C:\a/b\c.txt)", "c.txt"},
             Row{"..", "file"},
             Row{".", "file"},
             Row{"...", "file"},
             Row{"", "file"},
             Row{"/", "file"},
             Row{"a/", "file"},
             Row{"  .bashrc. ", "bashrc"},
             Row{std::string_view("a\0b\r\nc\td.txt", 12), "abcd.txt"},
             Row{"a\x7F\xC2\x85"
                 "b",
                 "ab"},
             Row{"\xE2\x80\xAEgpj.exe", "gpj.exe"},
             Row{"a\xE2\x81\xA6.b\xEF\xBB\xBF", "a.b"},
             Row{"latin\xE9.txt", "file"},
             Row{"\xC0\xAE\xC0\xAE\xC0\xAF"
                 "etc",
                 "file"},
             Row{"%2e%2e%2fetc", "%2e%2e%2fetc"},
             Row{"con?.txt", "con?.txt"},
         }) {
        EXPECT_EQ(clean_file_name(row.sent), row.kept) << testing::PrintToString(row.sent);
    }
}

TEST(CleanFileName, IsShortWithItsEndingLeftOn) {
    EXPECT_EQ(clean_file_name(std::string(300, 'a') + ".png"),
              std::string(kept_file_name_bytes_max - 4, 'a') + ".png");
    EXPECT_EQ(clean_file_name(std::string(300, 'a')), std::string(kept_file_name_bytes_max, 'a'));
    EXPECT_EQ(clean_file_name("a." + std::string(300, 'b')).size(), kept_file_name_bytes_max);
    // Never within a character.
    for (std::size_t before = 100; before < 140; ++before) {
        const std::string kept = clean_file_name(std::string(before, 'a') + "€€€€€€€€€€€€€€.png");
        EXPECT_LE(kept.size(), kept_file_name_bytes_max);
        EXPECT_TRUE(is_valid_utf8(kept)) << before;
        EXPECT_TRUE(kept.ends_with(".png"));
    }
}

std::string written(std::string_view name, bool shown = false) {
    std::string out;
    append_content_disposition(out, shown, name);
    return out;
}

TEST(ContentDisposition, IsWrittenSoThatAllReadIt) {
    EXPECT_EQ(written("a b.txt"), R"(attachment; filename="a b.txt")");
    EXPECT_EQ(written("a.png", true), R"(inline; filename="a.png")");
    EXPECT_EQ(written("grüß.txt"),
              R"(attachment; filename="gr__.txt"; filename*=UTF-8''gr%C3%BC%C3%9F.txt)");
    EXPECT_EQ(written(R"(a"b\c%41)"),
              R"(attachment; filename="a_b_c_41"; filename*=UTF-8''a%22b%5Cc%2541)");
    EXPECT_EQ(written("€ 'x'"),
              R"(attachment; filename="_ 'x'"; filename*=UTF-8''%E2%82%AC%20%27x%27)");
}

TEST(ContentDisposition, IsReadBackAsItWasWritten) {
    for (const char* const name : {"a.txt", "grüß dich.txt", "a;b=c,d.txt", "100% \"sure\".txt",
                                   "𝄞.mp3", "semi;colon", "a'b''c"}) {
        EXPECT_EQ(name_of(written(name)), name);
    }
}

}  // namespace
}  // namespace parley::protocol
