#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstdlib>
#include <string>

#include "auth/password_hasher.hpp"

namespace parley::auth {
namespace {

TEST(PasswordHasher, WithoutMemoryNothingIsSaidOfAPassword) {
    HashConfig cheap;
    cheap.memory = 8 * 1024;
    cheap.passes = 1;
    // A hash that takes 4 GiB, where a quarter of that is to be had.
    std::string hash = *hash_password("correct horse", cheap);
    hash.replace(hash.find("m=8,"), 4, "m=4194304,");
    const auto judge = [&hash] {
        const rlimit least{1U << 30U, 1U << 30U};
        const bool limited = ::setrlimit(RLIMIT_AS, &least) == 0;
        std::_Exit(limited && !is_password_of(hash, "correct horse") ? 0 : 1);
    };
    EXPECT_EXIT(judge(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace parley::auth
