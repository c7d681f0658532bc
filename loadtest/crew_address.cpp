// Where a coordinator listens and its workers connect: loopback, and nowhere else.
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <system_error>

#include "loadtest/network.hpp"
#include "loadtest/worker_message.hpp"

namespace parley::load {
namespace {

bool has_colon(const std::string& host) {
    return host.find(':') != std::string::npos;
}

bool is_loopback(const std::string& host) {
    in_addr four{};
    in6_addr six{};
    if (::inet_pton(AF_INET, host.c_str(), &four) == 1) return ntohl(four.s_addr) >> 24 == 127;
    return ::inet_pton(AF_INET6, host.c_str(), &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

SocketAddress socket_address(const CrewAddress& address) {
    SocketAddress out;
    if (has_colon(address.host)) {
        sockaddr_in6 six{};
        six.sin6_family = AF_INET6;
        six.sin6_port = htons(address.port);
        ::inet_pton(AF_INET6, address.host.c_str(), &six.sin6_addr);
        std::memcpy(&out.storage, &six, out.length = sizeof six);
    } else {
        sockaddr_in four{};
        four.sin_family = AF_INET;
        four.sin_port = htons(address.port);
        ::inet_pton(AF_INET, address.host.c_str(), &four.sin_addr);
        std::memcpy(&out.storage, &four, out.length = sizeof four);
    }
    return out;
}

Problem failed(const char* what, const CrewAddress& address) {
    return Problem{"cannot " + std::string(what) + " " + address.text() + ": " +
                   std::system_category().message(errno)};
}

}  // namespace

std::string CrewAddress::text() const {
    return (has_colon(host) ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Checked<CrewAddress> parse_crew_address(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    CrewAddress address;
    std::string_view host = text.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    address.host = host;
    const std::string_view port =
        colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
    if (error != std::errc{} || end != port.data() + port.size()) {
        return Problem{"'" + std::string(text) +
                       "': expected ADDRESS:PORT, such as 127.0.0.1:7000"};
    }
    if (!is_loopback(address.host)) {
        return Problem{
            "'" + address.host +
            "' is no loopback address: all processes of a run share one machine's clock"};
    }
    return address;
}

Checked<FileDescriptor> listen_at(CrewAddress& address) {
    SocketAddress at = socket_address(address);
    FileDescriptor fd(::socket(at.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!fd.open()) return failed("listen at", address);
    const int on = 1;
    ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    auto* const generic = reinterpret_cast<sockaddr*>(&at.storage);
    if (::bind(fd.get(), generic, at.length) != 0 || ::listen(fd.get(), 64) != 0) {
        return failed("listen at", address);
    }
    ::getsockname(fd.get(), generic, &at.length);
    // Both families keep the port in the same place.
    address.port = ntohs(reinterpret_cast<const sockaddr_in*>(&at.storage)->sin_port);
    return fd;
}

Checked<FileDescriptor> connect_to(const CrewAddress& address) {
    const SocketAddress at = socket_address(address);
    FileDescriptor fd(::socket(at.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!fd.open()) return failed("join", address);
    const auto* const generic = reinterpret_cast<const sockaddr*>(&at.storage);
    if (::connect(fd.get(), generic, at.length) != 0) return failed("join", address);
    return fd;
}

}  // namespace parley::load
