#include "loadtest/network.hpp"

#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>

#include "loadtest/file_descriptor.hpp"

namespace parley::load {
namespace {

Checked<SocketAddress> resolve(const std::string& host, std::uint16_t port, int flags) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = flags;
    addrinfo* list = nullptr;
    const int status = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list);
    if (status != 0) return Problem{"cannot resolve " + host + ": " + ::gai_strerror(status)};
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(list, &::freeaddrinfo);
    SocketAddress address;
    address.length = list->ai_addrlen;
    std::memcpy(&address.storage, list->ai_addr, list->ai_addrlen);
    return address;
}

}  // namespace

Checked<Addresses> resolve_addresses(const Scenario& scenario) {
    Addresses addresses;
    const auto server = resolve(scenario.url.host, scenario.url.port, 0);
    if (!server) return server.error();
    addresses.server = *server;
    for (const std::string& ip : scenario.source_ips) {
        const auto source = resolve(ip, 0, AI_NUMERICHOST);
        if (!source) return source.error();
        if (source->storage.ss_family != server->storage.ss_family) {
            return Problem{"source address " + ip + " and server " + scenario.url.host +
                           " are not of one family (IPv4 or IPv6)"};
        }
        addresses.sources.push_back(*source);
    }
    return addresses;
}

std::optional<std::string> probe_server(const Addresses& addresses) {
    constexpr int timeout_ms = 5000;
    const SocketAddress& server = addresses.server;
    const FileDescriptor fd(
        ::socket(server.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd.open()) return describe_connect_error(errno);
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&server.storage), server.length) ==
        0) {
        return std::nullopt;
    }
    if (errno != EINPROGRESS) return describe_connect_error(errno);
    pollfd waiting{fd.get(), POLLOUT, 0};
    if (::poll(&waiting, 1, timeout_ms) == 0) return "no answer within 5 s";
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return describe_connect_error(error);
    return std::nullopt;
}

std::optional<std::string> ensure_descriptors(std::uint64_t connections) {
    constexpr rlim_t others = 64;  // epoll, standard streams, /proc, libraries
    const rlim_t needed = connections + others;
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur >= needed) return std::nullopt;
    if (limit.rlim_max < needed) {
        // Only the superuser may; anybody else is told below.
        const rlimit raised{needed, needed};
        if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) return std::nullopt;
    }
    const rlimit raised{std::min(needed, limit.rlim_max), limit.rlim_max};
    if (limit.rlim_max >= needed && ::setrlimit(RLIMIT_NOFILE, &raised) == 0) return std::nullopt;
    return std::to_string(needed) + " open files are needed, " + std::to_string(limit.rlim_max) +
           " are allowed, " + std::to_string(needed - std::min(needed, limit.rlim_max)) +
           " are missing: run `ulimit -Hn " + std::to_string(needed) +
           "` as root in this shell first, or share them out with --workers";
}

Checked<Addresses> prepare_network(const Scenario& scenario, std::uint64_t connections) {
    // OpenSSL writes with write(), which has no MSG_NOSIGNAL: a closed connection is an error here.
    ::signal(SIGPIPE, SIG_IGN);
    auto addresses = resolve_addresses(scenario);
    if (!addresses) return addresses.error();
    if (const auto missing = ensure_descriptors(connections)) return Problem{*missing};
    if (const auto unreachable = probe_server(*addresses)) {
        return Problem{"cannot connect to " + scenario.url.host + " port " +
                       std::to_string(scenario.url.port) + ": " + *unreachable};
    }
    return addresses;
}

std::string describe_connect_error(int error) {
    std::string text = std::system_category().message(error);
    if (error == EADDRNOTAVAIL) {
        text +=
            " (the local ports towards this server are used up, about 28,000 for each source "
            "address, or a source address is not this machine's: give more with --source-ips, "
            "or widen net.ipv4.ip_local_port_range)";
    } else if (error == EMFILE || error == ENFILE) {
        text += " (raise the limit of open files)";
    }
    return text;
}

}  // namespace parley::load
