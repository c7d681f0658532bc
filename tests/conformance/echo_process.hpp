// The echo server as a process of its own, for the length of a test program.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace parley::conformance {

class EchoProcess {
public:
    explicit EchoProcess(std::vector<std::string> arguments = {}) {
        std::array<int, 2> out{};
        if (::pipe2(out.data(), O_CLOEXEC) != 0) return;
        std::string program = PARLEY_ECHO_SERVER;
        std::vector<char*> argv{program.data()};
        for (std::string& argument : arguments) argv.push_back(argument.data());
        argv.push_back(nullptr);
        process_ = ::fork();
        if (process_ == 0) {
            ::dup2(out[1], STDOUT_FILENO);
            ::execv(argv[0], argv.data());
            ::_exit(127);
        }
        ::close(out[1]);
        // "listening on 127.0.0.1:PORT"
        std::string line;
        for (char c = 0; ::read(out[0], &c, 1) == 1 && c != '\n';) line += c;
        ::close(out[0]);
        const auto colon = line.rfind(':');
        EXPECT_NE(colon, std::string::npos) << PARLEY_ECHO_SERVER << " said: " << line;
        if (colon != std::string::npos) {
            port_ = static_cast<std::uint16_t>(std::stoul(line.substr(colon + 1)));
        }
    }
    ~EchoProcess() { EXPECT_EQ(stop(), 0) << "the echo server did not end well"; }
    EchoProcess(const EchoProcess&) = delete;
    EchoProcess& operator=(const EchoProcess&) = delete;

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

private:
    int stop() {
        if (process_ <= 0) return 0;
        ::kill(process_, SIGTERM);
        int status = 0;
        ::waitpid(process_, &status, 0);
        process_ = -1;
        return status;
    }

    pid_t process_ = -1;
    std::uint16_t port_ = 0;
};

// The server that most tests share, started with the first of them.
class EchoTest : public testing::Test {
protected:
    static void SetUpTestSuite() { server_ = new EchoProcess(); }
    static void TearDownTestSuite() {
        delete server_;
        server_ = nullptr;
    }
    static std::uint16_t port() { return server_->port(); }

private:
    static inline EchoProcess* server_ = nullptr;
};

}  // namespace parley::conformance
