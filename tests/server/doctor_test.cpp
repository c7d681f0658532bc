#include "server/doctor.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

namespace parley::server {
namespace {

// A /proc of our own, in which everything is plentiful until a test says otherwise.
class DoctorTest : public testing::Test {
protected:
    void SetUp() override {
        root_ = std::filesystem::path(testing::TempDir()) /
                testing::UnitTest::GetInstance()->current_test_info()->name();
        write("sys/fs/nr_open", "1048576");
        write("sys/fs/file-max", "9223372036854775807");
        write("sys/net/core/somaxconn", "4096");
        write("sys/net/ipv4/tcp_max_syn_backlog", "2048");
        write("sys/net/ipv4/ip_local_port_range", "32768\t60999");
        write("sys/net/ipv4/tcp_mem", "287898\t383867\t575796");
        write("meminfo", "MemTotal:  24684084 kB\nMemFree: 1 kB\nMemAvailable:  23772192 kB\n");
    }
    void TearDown() override { std::filesystem::remove_all(root_); }

    void write(const std::filesystem::path& file, std::string_view content) {
        std::filesystem::create_directories((root_ / file).parent_path());
        std::ofstream(root_ / file) << content << '\n';
    }

    [[nodiscard]] std::vector<Finding> ask(std::uint64_t connections,
                                           OpenFileLimit files = {1024, 1048576}) const {
        return examine({connections, files, 2, root_});
    }

    // What lifts the only thing in the way, if there is exactly one.
    static std::string only_lift(const std::vector<Finding>& findings) {
        std::string lift;
        for (const auto& finding : findings) {
            if (finding.lift.empty()) continue;
            if (!lift.empty()) return "more than one";
            lift = finding.lift;
        }
        return lift;
    }

    std::filesystem::path root_;
};

TEST_F(DoctorTest, TellsHowBytesLeaveAndThatEpollIsInNobodysWay) {
    const auto state_of = [&](std::optional<std::string> refusal) {
        const auto findings = examine({10, {1024, 1048576}, 2, root_, std::move(refusal)});
        EXPECT_TRUE(nothing_in_the_way(findings));
        return std::ranges::find(findings, "io", &Finding::what)->state;
    };
    EXPECT_EQ(state_of(std::nullopt), "uring, unless --io says else");
    EXPECT_EQ(state_of("not permitted"), "epoll; io_uring is refused: not permitted");
    write("sys/kernel/io_uring_disabled", "2");
    EXPECT_EQ(state_of("not permitted"),
              "epoll; io_uring is refused: not permitted; sudo sysctl -w "
              "kernel.io_uring_disabled=0 allows it");
}

TEST_F(DoctorTest, FindsNothingInTheWayOfTenThousandOnARoomyMachine) {
    const auto findings = ask(10'000);
    EXPECT_TRUE(nothing_in_the_way(findings));
    const auto text = format_findings(findings);
    EXPECT_EQ(static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')),
              findings.size());
    EXPECT_EQ(text.find("in the way"), std::string::npos);
    EXPECT_NE(text.find("parleyd raises the soft limit itself"), std::string::npos);
}

TEST_F(DoctorTest, NamesTheCommandThatLiftsEachThing) {
    struct Row {
        std::filesystem::path file;
        std::string_view content, lift;
    };
    for (const auto& row : {
             Row{"sys/fs/nr_open", "10000", "sudo sysctl -w fs.nr_open=10512"},
             Row{"sys/fs/file-max", "10000", "sudo sysctl -w fs.file-max=10512"},
             Row{"sys/net/core/somaxconn", "128", "sudo sysctl -w net.core.somaxconn=4096"},
             Row{"sys/net/ipv4/tcp_max_syn_backlog", "128",
                 "sudo sysctl -w net.ipv4.tcp_max_syn_backlog=1024"},
             Row{"sys/net/ipv4/ip_local_port_range", "50000 59998",
                 "sudo sysctl -w net.ipv4.ip_local_port_range=\"1024 65535\""},
             Row{"sys/net/ipv4/tcp_mem", "100 200 300",
                 "sudo sysctl -w net.ipv4.tcp_mem=\"15000 20000 40000\""},
             Row{"meminfo", "MemAvailable: 16000 kB",
                 "parleyd doctor --connections 1000 (what fits), or a machine with more memory"},
         }) {
        SetUp();
        write(row.file, row.content);
        EXPECT_EQ(only_lift(ask(10'000)), row.lift);
    }
}

TEST_F(DoctorTest, CountsTheHardLimitOfOpenFilesToTheLastOne) {
    EXPECT_EQ(only_lift(ask(10'000, {1024, 10'512})), "");
    EXPECT_EQ(only_lift(ask(10'000, {1024, 10'511})),
              "sudo prlimit --pid $$ --nofile=10512:10512 (this shell; under systemd "
              "LimitNOFILE=10512)");
}

TEST_F(DoctorTest, AsksForMoreAddressesWherePortsCanNotSuffice) {
    EXPECT_EQ(only_lift(ask(100'000)),
              "sudo sysctl -w net.ipv4.ip_local_port_range=\"1024 65535\", and connect from 2 "
              "addresses");
    write("sys/net/ipv4/ip_local_port_range", "1024 65535");
    const auto findings = ask(100'000);
    EXPECT_TRUE(nothing_in_the_way(findings));
    EXPECT_NE(format_findings(findings).find("connect from 2 addresses"), std::string::npos);
}

TEST_F(DoctorTest, DoesNotJudgeWhatItCanNotRead) {
    std::filesystem::remove_all(root_);
    const auto findings = ask(10'000);
    EXPECT_TRUE(nothing_in_the_way(findings));
    EXPECT_EQ(std::count_if(findings.begin(), findings.end(),
                            [](const Finding& f) { return f.state == "not known here"; }),
              7);
}

TEST(Machine, HasACpuAndRaisesTheSoftLimitToTheHardOne) {
    EXPECT_GE(usable_cpus(), 1U);
    const auto limit = raise_open_file_limit();
    EXPECT_EQ(limit.soft, limit.hard);
    EXPECT_EQ(open_file_limit().soft, limit.soft);
}

}  // namespace
}  // namespace parley::server
