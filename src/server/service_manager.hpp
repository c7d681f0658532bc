// ServiceManager: what systemd is told, and what it hands over (sd_notify(3), sd_listen_fds(3),
// sd_watchdog_enabled(3)). Where another or nobody started the process all of it does nothing.
//
// Path:     Server → [ServiceManager] → systemd; systemd → [ServiceManager] → Server
// Runs on:  the main thread.
// Owned by: Server.
// Bounds:   none needed.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace parley::server {

// A socket that listens already. It stays open for the process's life.
struct InheritedSocket {
    enum class Purpose { http, https, admin };
    Purpose purpose;
    int descriptor;
};

class ServiceManager {
public:
    // Takes the sockets of LISTEN_FDS, which a socket unit names http, https or admin
    // (FileDescriptorName=). Throws std::runtime_error that says which one is no good, and why.
    [[nodiscard]] static std::vector<InheritedSocket> inherited_sockets();

    void ready(std::string_view status) const;
    void reloading() const;
    void stopping(std::string_view status) const;
    void status(std::string_view text) const;

    // How long systemd waits for a sign of life (WatchdogSec=), where it does.
    [[nodiscard]] static std::optional<std::chrono::microseconds> watchdog();
    void alive() const;
};

}  // namespace parley::server
