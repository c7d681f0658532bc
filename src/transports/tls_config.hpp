// TlsConfig: what an operator may choose of TLS, with its defaults.
//
// Path:     config_file, command_line → [TlsConfig] → TlsContexts, TlsHandshake
// Runs on:  built at start and at every reload; changed by nobody afterwards.
// Owned by: TransportConfig.
// Bounds:   tls_files_max files of each kind.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace parley::transports {

inline constexpr std::size_t tls_files_max = 1000;

// Whether clients are asked for a certificate.
enum class ClientAuth : std::uint8_t {
    none,
    request,  // one that is shown must be good; none is fine
    require,
};

struct TlsConfig {
    // PEM files: the certificates, each with its chain behind it, and the key of each in the same
    // order. The first one serves whoever asks for no name, or for one that none has.
    std::vector<std::string> cert;
    std::vector<std::string> key;
    // OCSP responses (DER), stapled to the certificates in the same order; "" where there is none.
    std::vector<std::string> ocsp;
    std::string client_ca;  // PEM: who may have signed a client's certificate
    ClientAuth client_auth = ClientAuth::none;
    std::chrono::milliseconds handshake_timeout{10'000};
    // Session tickets are made with one key for this long, and taken for twice as long after.
    std::chrono::milliseconds ticket_rotation{std::chrono::hours(12)};
    // How often the files are looked at for changes; 0: only SIGHUP loads them again.
    std::chrono::milliseconds reload_check{10'000};
};

}  // namespace parley::transports
