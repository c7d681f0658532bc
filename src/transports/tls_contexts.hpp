// TlsContexts: everything that a handshake needs to know: certificates by name, and the profile by
// which TLS is spoken (Mozilla's "intermediate": TLS 1.2 and 1.3, forward secrecy, AEAD).
//
// Path:     TlsConfig → [TlsContexts] → TlsHandshake
// Runs on:  built on any thread; immutable from then on and used by all shards.
// Owned by: shared by the gates and by the handshakes under way. A reload makes a new one; what was
//           agreed by an old one goes on.
// Bounds:   tls_files_max certificates.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "transports/certificate.hpp"
#include "transports/openssl_handles.hpp"
#include "transports/ticket_keys.hpp"
#include "transports/tls_config.hpp"

namespace parley::transports {

class TlsContexts {
public:
    // Reads every file that `config` names. `now` is the wall clock's, in seconds since 1970, and
    // only for warnings(). Throws TlsError.
    TlsContexts(const TlsConfig& config, std::shared_ptr<TicketKeys> tickets, std::int64_t now);
    TlsContexts(const TlsContexts&) = delete;
    TlsContexts& operator=(const TlsContexts&) = delete;

    // The server's side of one connection, without a descriptor yet. The contexts must stay until
    // its handshake is done. Throws std::bad_alloc.
    [[nodiscard]] SslHandle make_connection() const;

    // When the first of the certificates ends, in seconds since 1970.
    [[nodiscard]] std::int64_t expires() const noexcept;
    // Certificates and staples that are served but not valid at `now`, one line each.
    [[nodiscard]] const std::vector<std::string>& warnings() const noexcept { return warnings_; }
    [[nodiscard]] std::size_t certificates() const noexcept { return certificates_.size(); }
    [[nodiscard]] std::chrono::milliseconds handshake_timeout() const noexcept {
        return handshake_timeout_;
    }

    // Where a client that asks for that name is served from; never null. For tests.
    [[nodiscard]] SSL_CTX* context_for(std::string_view name) const;

private:
    static int on_server_name(SSL* ssl, int* alert, void* self) noexcept;
    static int on_status(SSL* ssl, void* self) noexcept;

    void load(const TlsConfig& config, std::int64_t now);
    void check_dates(const Certificate& certificate, std::int64_t now);
    void load_client_ca(const TlsConfig& config);
    void build(const TlsConfig& config);
    [[nodiscard]] std::vector<std::size_t> serving(std::string_view name) const;
    [[nodiscard]] ContextHandle make_context(const TlsConfig& config,
                                             const std::vector<std::size_t>& members) const;
    void ask_for_certificates(SSL_CTX* context, ClientAuth auth) const;

    std::shared_ptr<TicketKeys> tickets_;
    std::chrono::milliseconds handshake_timeout_;
    std::vector<Certificate> certificates_;
    std::vector<X509Handle> client_ca_;
    // By the certificates in it, at most one for each type of key, and by name.
    std::map<std::vector<std::size_t>, ContextHandle> contexts_;
    std::map<std::string, SSL_CTX*, std::less<>> by_name_;
    SSL_CTX* default_ = nullptr;
    std::vector<std::string> warnings_;
};

}  // namespace parley::transports
