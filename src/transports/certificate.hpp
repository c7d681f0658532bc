// Certificate: a certificate with its chain, its key and its staple, as read from files.
//
// Path:     TlsConfig → [Certificate] → TlsContexts
// Runs on:  any thread; reads files.
// Owned by: TlsContexts.
// Bounds:   certificate_file_bytes_max for each file.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "transports/openssl_handles.hpp"

namespace parley::transports {

inline constexpr std::size_t certificate_file_bytes_max = 1024 * 1024;

// A certificate or its surroundings can't be used. what() is one line that begins with the setting
// and the file: `tls.key: /etc/parley/key.pem: is not the key of /etc/parley/cert.pem`.
struct TlsError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct Certificate {
    std::string file;  // where it was read from
    X509Handle leaf;
    X509ListHandle chain;
    KeyHandle key;
    std::string staple;  // an OCSP response (RFC 6066, 8), or empty
    // What it is for, in lower case: the DNS names of its subjectAltName, wildcards as they are;
    // without that extension, its common name (RFC 6125, 6.4.4).
    std::vector<std::string> names;
    std::int64_t not_before = 0;  // seconds since 1970
    std::int64_t not_after = 0;
};

// Throws TlsError.
[[nodiscard]] Certificate load_certificate(const std::string& cert_file,
                                           const std::string& key_file);
// An OCSP response that says good of this certificate. Empty, with a line appended to `warnings`,
// where it was good only until before `now`. Throws TlsError.
[[nodiscard]] std::string load_staple(const std::string& file, const Certificate& certificate,
                                      std::int64_t now, std::vector<std::string>& warnings);
// All the certificates of a PEM file, at least one. Throws TlsError naming `setting`.
[[nodiscard]] std::vector<X509Handle> load_certificates(const std::string& file,
                                                        const std::string& setting);
// The content of a file that `setting` names. Throws TlsError.
[[nodiscard]] std::string read_tls_file(const std::string& file, const std::string& setting);

}  // namespace parley::transports
