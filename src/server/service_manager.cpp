#include "server/service_manager.hpp"

#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#include <cstdlib>
#include <stdexcept>
#include <system_error>

#include "core/clock.hpp"

namespace parley::server {
namespace {

// What can't be sent is no reason to end: nobody listens then.
void notify(const std::string& message) {
    static_cast<void>(::sd_notify(0, message.c_str()));
}

InheritedSocket::Purpose purpose_of(const std::string& name, const std::string& what) {
    using Purpose = InheritedSocket::Purpose;
    // Not named: the unit's name under systemd, "unknown" under others.
    if (name == "http" || name == "unknown" || name.ends_with(".socket")) return Purpose::http;
    if (name == "https") return Purpose::https;
    if (name == "admin") return Purpose::admin;
    throw std::runtime_error(what +
                             ": its name is none of http, https, admin "
                             "(FileDescriptorName= of the socket unit)");
}

}  // namespace

std::vector<InheritedSocket> ServiceManager::inherited_sockets() {
    char** names = nullptr;
    const int count = ::sd_listen_fds_with_names(1, &names);
    if (count < 0) throw std::system_error(-count, std::generic_category(), "LISTEN_FDS");
    std::vector<std::string> owned;
    for (int i = 0; i < count; ++i) {
        owned.emplace_back(names[i]);
        std::free(names[i]);
    }
    std::free(names);

    std::vector<InheritedSocket> sockets;
    for (int i = 0; i < count; ++i) {
        const int descriptor = SD_LISTEN_FDS_START + i;
        const auto& name = owned[static_cast<std::size_t>(i)];
        const auto what = "inherited socket " + std::to_string(descriptor) + " (" + name + ")";
        const bool tcp = ::sd_is_socket(descriptor, AF_INET, SOCK_STREAM, 1) > 0 ||
                         ::sd_is_socket(descriptor, AF_INET6, SOCK_STREAM, 1) > 0;
        if (!tcp) throw std::runtime_error(what + ": not a TCP socket that listens");
        sockets.push_back({purpose_of(name, what), descriptor});
    }
    return sockets;
}

void ServiceManager::ready(std::string_view status) const {
    notify("READY=1\nSTATUS=" + std::string(status));
}

void ServiceManager::reloading() const {
    const auto now = std::chrono::duration_cast<std::chrono::microseconds>(
        core::monotonic_now().time_since_epoch());
    notify("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now.count()) + "\nSTATUS=reloading");
}

void ServiceManager::stopping(std::string_view status) const {
    notify("STOPPING=1\nSTATUS=" + std::string(status));
}

void ServiceManager::status(std::string_view text) const {
    notify("STATUS=" + std::string(text));
}

std::optional<std::chrono::microseconds> ServiceManager::watchdog() {
    std::uint64_t microseconds = 0;
    if (::sd_watchdog_enabled(0, &microseconds) <= 0) return std::nullopt;
    return std::chrono::microseconds(microseconds);
}

void ServiceManager::alive() const {
    notify("WATCHDOG=1");
}

}  // namespace parley::server
