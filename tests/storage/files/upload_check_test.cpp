#include "storage/files/upload_check.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace parley::storage {
namespace {

using core::FileRefusal;

const std::string png = "\x89PNG\r\n\x1A\n" + std::string(600, 'p');
const std::string text = std::string(700, 'a') + "grüß";
const std::vector<std::string> most{"image/*", "text/plain"};
const std::vector<std::string> all{"*"};

// The type that a file of those bytes is kept as, or `!` and why it is not.
std::string judged(std::string_view bytes, std::string_view declared, std::size_t piece,
                   const std::vector<std::string>& types = most) {
    UploadCheck check(types, declared);
    for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
        if (const auto problem = check.feed(bytes.substr(0, piece))) {
            return '!' + std::string(core::row_of(problem->cause).name);
        }
    }
    if (const auto problem = check.finish()) {
        return '!' + std::string(core::row_of(problem->cause).name);
    }
    return std::string(check.type());
}

TEST(UploadCheck, JudgesAFileHoweverItComes) {
    struct Row {
        std::string bytes, declared, judged;
    };
    for (const Row& row : {
             Row{png, "image/png", "image/png"},
             Row{png, "", "image/png"},
             Row{png, "image/gif", "!content"},
             Row{png, "text/html", "!content"},
             Row{png.substr(0, 12), "image/png", "image/png"},
             Row{text, "text/plain", "text/plain"},
             Row{text, "", "text/plain"},
             Row{text, "image/png", "!content"},
             Row{text, "text/html", "!type"},
             Row{text + '\0', "text/plain", "!content"},
             Row{text + '\0', "", "!type"},
             Row{"\xFF" + text, "", "!type"},
             Row{"%PDF-1.7", "application/pdf", "!type"},
             Row{"", "image/png", "!malformed"},
         }) {
        for (const std::size_t piece : {1U, 7U, 511U, 512U, 513U, 10'000U}) {
            EXPECT_EQ(judged(row.bytes, row.declared, piece), row.judged)
                << row.declared << ' ' << piece;
        }
    }
}

TEST(UploadCheck, KeepsWhatItDoesNotKnowAsBytesWhereThatIsTaken) {
    EXPECT_EQ(judged(text, "text/html", 9, all), "application/octet-stream");
    EXPECT_EQ(judged(text + '\0', "", 9, all), "application/octet-stream");
    EXPECT_EQ(judged(std::string("\x7F") + "ELF", "", 9, all), "application/octet-stream");
}

TEST(UploadCheck, RefusesAsSoonAsItKnows) {
    UploadCheck check(most, "image/png");
    EXPECT_FALSE(check.feed(text.substr(0, 511)));
    const auto problem = check.feed("a");
    ASSERT_TRUE(problem);
    EXPECT_EQ(problem->cause, FileRefusal::content);
    EXPECT_EQ(problem->text,
              "the file is said to be image/png and its bytes are those of "
              "text/plain");
}

TEST(UploadCheck, HasTheHashOfAllOfIt) {
    UploadCheck check(all, "");
    EXPECT_FALSE(check.feed("ab"));
    EXPECT_FALSE(check.feed("c"));
    EXPECT_FALSE(check.finish());
    EXPECT_EQ(check.size(), 3u);
    // FIPS 180-2, B.1
    EXPECT_EQ(check.sha256(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace parley::storage
