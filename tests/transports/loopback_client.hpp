// LoopbackClient: the other end of a connection, for tests: plain blocking calls that give up after
// a while instead of hanging.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace parley::transports::test {

// What a client reads beyond what it was asked for is read next. `Client` has read_fresh(): what
// comes next of the connection itself, empty at its end or when patience ends.
template <typename Client>
class ReadingAhead {
public:
    // Whatever comes next; empty at the end.
    std::string read_some() {
        if (!unread_.empty()) return std::exchange(unread_, {});
        return static_cast<Client*>(this)->read_fresh();
    }
    // Up to and with that text; what came behind it is read next. All there was where it ends early.
    std::string read_through(std::string_view end) {
        std::string all;
        for (;;) {
            const auto at = all.find(end);
            if (at != std::string::npos) {
                unread_ = all.substr(at + end.size());
                all.resize(at + end.size());
                return all;
            }
            const std::string more = read_some();
            if (more.empty()) return all;
            all += more;
        }
    }
    std::string read_exactly(std::size_t count) {
        std::string all;
        while (all.size() < count) {
            const std::string more = read_some();
            if (more.empty()) return all;
            all += more;
        }
        unread_ = all.substr(count);
        all.resize(count);
        return all;
    }
    // Everything until the peer closes.
    std::string read_to_end() {
        std::string all;
        for (;;) {
            const std::string more = read_some();
            if (more.empty()) return all;
            all += more;
        }
    }
    [[nodiscard]] bool at_end() { return read_some().empty(); }

    // One HTTP answer with the body that its Content-Length promises.
    std::string read_answer(bool head_only = false) {
        std::string answer = read_through("\r\n\r\n");
        const auto length = answer.find("Content-Length: ");
        if (head_only || length == std::string::npos) return answer;
        return answer + read_exactly(std::stoul(answer.substr(length + 16)));
    }

private:
    std::string unread_;
};

class LoopbackClient : public ReadingAhead<LoopbackClient> {
public:
    // Nobody waits longer than this for an answer that must come.
    static constexpr std::chrono::milliseconds patience{60'000};

    explicit LoopbackClient(std::uint16_t port, int receive_buffer = 0)
        : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        if (receive_buffer != 0) {
            ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVBUF, &receive_buffer,
                         sizeof receive_buffer);
        }
        const int one = 1;
        ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const int result =
            ::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
        EXPECT_EQ(result, 0) << "connect to port " << port;
    }
    ~LoopbackClient() { close(); }
    LoopbackClient(LoopbackClient&& other) noexcept
        : ReadingAhead(std::move(other)), descriptor_(std::exchange(other.descriptor_, -1)) {}
    LoopbackClient& operator=(LoopbackClient&&) = delete;

    void close() {
        if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
    }
    [[nodiscard]] int descriptor() const noexcept { return descriptor_; }
    void shutdown_write() { ::shutdown(descriptor_, SHUT_WR); }
    // Ends the connection by a reset.
    void reset() {
        const linger at_once{1, 0};
        ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        close();
    }

    // False once the peer has closed.
    bool send(std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }
    bool send_in_pieces(std::string_view bytes, std::size_t piece) {
        for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
            if (!send(bytes.substr(0, piece))) return false;
        }
        return true;
    }
    // Sends what the connection takes without waiting; gives back how much that was.
    std::size_t send_some(std::string_view bytes) {
        const ssize_t sent =
            ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        return sent > 0 ? static_cast<std::size_t>(sent) : 0;
    }
    // True once more can be sent within that time.
    bool writable_within(std::chrono::milliseconds time) {
        pollfd entry{descriptor_, POLLOUT, 0};
        return ::poll(&entry, 1, static_cast<int>(time.count())) == 1;
    }

    // As few bytes as that from the connection itself, and nothing ahead; empty at its end.
    std::string read_little(std::size_t count) {
        std::string bytes(count, '\0');
        const ssize_t got = ::recv(descriptor_, bytes.data(), bytes.size(), 0);
        bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
        return bytes;
    }

private:
    friend class ReadingAhead<LoopbackClient>;
    std::string read_fresh() {
        pollfd entry{descriptor_, POLLIN, 0};
        if (::poll(&entry, 1, static_cast<int>(patience.count())) != 1) {
            ADD_FAILURE() << "nothing came";
            return {};
        }
        static thread_local std::array<char, 256 * 1024> buffer;
        const ssize_t count = ::recv(descriptor_, buffer.data(), buffer.size(), 0);
        return count > 0 ? std::string(buffer.data(), static_cast<std::size_t>(count))
                         : std::string();
    }

    int descriptor_;
};

inline int status_of(std::string_view answer) {
    return answer.size() > 12 ? std::stoi(std::string(answer.substr(9, 3))) : 0;
}

}  // namespace parley::transports::test
