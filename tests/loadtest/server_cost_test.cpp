#include "loadtest/server_cost.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace parley::load {
namespace {

// A process that lives until its pipe is closed.
class Child {
public:
    Child() {
        if (::pipe(pipe_.data()) != 0) return;
        pid_ = ::fork();
        if (pid_ != 0) return;
        ::close(pipe_[1]);
        char byte = 0;
        ::_exit(::read(pipe_[0], &byte, 1) == 0 ? 0 : 1);
    }
    ~Child() {
        ::close(pipe_[1]);
        ::close(pipe_[0]);
        ::waitpid(pid_, nullptr, 0);
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    [[nodiscard]] pid_t pid() const { return pid_; }

private:
    std::array<int, 2> pipe_{};
    pid_t pid_ = -1;
};

TEST(ServerCost, AServerIsItsWholeProcessTree) {
    const auto contains = [](const std::vector<std::int32_t>& tree, pid_t pid) {
        return std::find(tree.begin(), tree.end(), pid) != tree.end();
    };
    pid_t was = 0;
    {
        const Child child;
        ASSERT_GT(child.pid(), 0);
        was = child.pid();
        const auto tree = process_tree(::getpid());
        EXPECT_EQ(tree.front(), ::getpid());
        EXPECT_TRUE(contains(tree, was));
        EXPECT_EQ(process_tree(was), std::vector<std::int32_t>{was});
        const auto alone = sample_server(was);
        const auto both = sample_server(::getpid());
        ASSERT_TRUE(alone && both);
        EXPECT_GT(alone->pss_kib, 0u);
        EXPECT_GT(both->pss_kib, alone->pss_kib);
    }
    EXPECT_FALSE(contains(process_tree(::getpid()), was));
    EXPECT_FALSE(sample_server(was));
}

}  // namespace
}  // namespace parley::load
