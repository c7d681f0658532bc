#include "protocol/multipart.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace parley::protocol {
namespace {

using Status = MultipartDecoder::Status;

// What a form holds, as text: `[name|filename|type|content]` for each part, `.` at its end, or why it
// is refused.
std::string told(const std::vector<std::string_view>& pieces, std::string_view boundary) {
    MultipartDecoder decoder(boundary);
    std::string out;
    for (std::string_view piece : pieces) {
        while (!piece.empty()) {
            const auto step = decoder.feed(piece);
            EXPECT_LE(step.consumed, piece.size());
            if (step.consumed == 0 && step.status == Status::need_more) return out + " stuck";
            piece.remove_prefix(step.consumed);
            const auto& part = decoder.part();
            switch (step.status) {
                case Status::part_begins:
                    out += '[' + part.disposition.name.value_or("-") + '|' +
                           part.disposition.filename.value_or("-") + '|' + part.content_type + '|';
                    break;
                case Status::data:
                    out += step.data;
                    break;
                case Status::part_ends:
                    out += ']';
                    break;
                case Status::end:
                    out += '.';
                    break;
                case Status::refused:
                    return out + '!' + std::string(decoder.error());
                case Status::need_more:
                    break;
            }
        }
    }
    return out;
}

std::string told(std::string_view form, std::string_view boundary = "AaB") {
    return told(std::vector<std::string_view>{form}, boundary);
}

const std::string two_parts =
    "--AaB\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nann\r\n"
    "--AaB\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a b.png\"\r\n"
    "Content-Type: image/png\r\n\r\n\x89PNG\r\n\r\n--Aa\r\n--A\r--AaC\n--AaB\r\r\n\r\n--AaB--\r\n";
const std::string two_parts_told =
    "[name|-||ann][file|a b.png|image/png|\x89PNG\r\n\r\n--Aa\r\n--A\r--AaC\n--AaB\r\r\n].";

TEST(Multipart, IsReadAtEverySplit) {
    EXPECT_EQ(told(two_parts), two_parts_told);
    const std::string_view all(two_parts);
    for (std::size_t one = 0; one <= all.size(); ++one) {
        for (std::size_t two = one; two <= all.size(); two += 7) {
            SCOPED_TRACE(std::to_string(one) + ' ' + std::to_string(two));
            ASSERT_EQ(
                told({all.substr(0, one), all.substr(one, two - one), all.substr(two)}, "AaB"),
                two_parts_told);
        }
    }
    std::vector<std::string_view> bytes;
    for (std::size_t i = 0; i < all.size(); ++i) bytes.push_back(all.substr(i, 1));
    EXPECT_EQ(told(bytes, "AaB"), two_parts_told);
}

TEST(Multipart, HasEmptyPartsAndNone) {
    const std::string head = "--AaB\r\nContent-Disposition: form-data; name=a\r\n\r\n";
    EXPECT_EQ(told(head + "\r\n--AaB--"), "[a|-||].");
    EXPECT_EQ(told(head + "\r\n\r\n--AaB--"), "[a|-||\r\n].");
    EXPECT_EQ(told("--AaB--\r\n"), ".");
    EXPECT_EQ(told("preamble\r\n--AaB--\r\nepilogue --AaB\r\n"), ".");
    EXPECT_EQ(told("--AaB \t \r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n--AaB--"),
              "[a|-||x].");
}

TEST(Multipart, IsNotOverBeforeItsLastBoundary) {
    MultipartDecoder decoder("AaB");
    std::string_view rest(two_parts);
    while (!decoder.ended()) {
        ASSERT_FALSE(rest.empty());
        const auto step = decoder.feed(rest.substr(0, 1));
        rest.remove_prefix(step.consumed);
    }
    EXPECT_EQ(rest, "\r\n") << "ended with the last boundary";
}

TEST(Multipart, IsRefusedWhereItIsNone) {
    struct Row {
        std::string form, told;
    };
    const std::string disposition = "Content-Disposition: form-data; name=a\r\n";
    for (const Row& row : {
             Row{"--AaBx\r\n", "!a boundary with something else in its line"},
             Row{"--AaB-x\r\n", "!a boundary with something else in its line"},
             Row{"--AaB" + std::string(100, ' '), "!a boundary with something else in its line"},
             Row{"--AaB\r\n\r\nx", "!a part without Content-Disposition: form-data"},
             Row{"--AaB\r\nContent-Disposition: attachment\r\n\r\n",
                 "!a part without Content-Disposition: form-data"},
             Row{"--AaB\r\nno header\r\n\r\n", "!a part with a line that is no header"},
             Row{"--AaB\r\n" + disposition + " folded: x\r\n\r\n",
                 "!a part with a line that is no header"},
             Row{"--AaB\r\n" + disposition + "Content-Transfer-Encoding: base64\r\n\r\n",
                 "!a part in a transfer encoding: its bytes are taken as they are"},
             Row{"--AaB\r\n" + disposition + "X: " + std::string(9'000, 'x'),
                 "!a part whose headers are longer than 8 KiB"},
         }) {
        EXPECT_EQ(told(row.form), row.told);
    }
}

TEST(Multipart, HasABoundOnItsParts) {
    std::string form;
    for (std::size_t i = 0; i < MultipartDecoder::parts_max; ++i) {
        form += "--AaB\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n";
    }
    EXPECT_TRUE(told(form + "--AaB--").ends_with("]."));
    EXPECT_TRUE(told(form + "--AaB\r\n").ends_with("!a form of more than 32 parts"));
}

TEST(Multipart, HasItsBoundaryInContentType) {
    struct Row {
        std::string type;
        std::optional<std::string> boundary;
    };
    for (const Row& row : {
             Row{"multipart/form-data; boundary=AaB", "AaB"},
             Row{"Multipart/Form-Data;charset=utf-8; Boundary=\"a b\"", "a b"},
             Row{"multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW",
                 "----WebKitFormBoundary7MA4YWxkTrZu0gW"},
             Row{"multipart/form-data", std::nullopt},
             Row{"multipart/form-data; boundary=", std::nullopt},
             Row{"multipart/form-data; boundary=\"\"", std::nullopt},
             Row{"multipart/form-data; boundary=a\rb", std::nullopt},
             Row{"multipart/form-data; boundary=" + std::string(71, 'a'), std::nullopt},
             Row{"multipart/mixed; boundary=AaB", std::nullopt},
             Row{"image/png", std::nullopt},
             Row{"", std::nullopt},
         }) {
        EXPECT_EQ(multipart_boundary(row.type), row.boundary) << row.type;
    }
}

}  // namespace
}  // namespace parley::protocol
