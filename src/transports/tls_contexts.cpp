#include "transports/tls_contexts.hpp"

#include <openssl/err.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <new>
#include <set>
#include <utility>

#include "protocol/header_list.hpp"

namespace parley::transports {
namespace {

using std::chrono::seconds;

// Mozilla's server-side TLS guidelines 5.7, "intermediate". None of these is weak, so that the order
// is one of cost: a handshake that hashes with SHA-256, as browsers ask for first and OpenSSL's
// clients last, takes 15 of 178 us less than one with SHA-384. A client that has ChaCha20 first has
// no AES in hardware, and knows it (SSL_OP_PRIORITIZE_CHACHA).
constexpr const char* ciphers_1_3 =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr const char* ciphers_1_2 =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
    "DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:DHE-RSA-CHACHA20-POLY1305";
constexpr const char* groups = "X25519:prime256v1:secp384r1";
// 112 bits: RSA from 2,048 bits on.
constexpr int security_level = 2;
// RFC 8446, 4.6.1: no ticket lives longer than a week.
constexpr seconds ticket_life_max = std::chrono::hours(24 * 7);
// One is what a client that comes back needs, and each costs every full handshake its making. It is
// not kept for the first answer, though that would save a send: it takes the acknowledgement to a
// client with Nagle's algorithm, whose request would wait 40 ms for one.
constexpr std::size_t tickets_sent = 1;

constexpr std::string_view alpn_http_1_1 = "http/1.1";

[[noreturn]] void fail(const std::string& what) {
    throw TlsError(what + ": " + take_openssl_error());
}

// RFC 7301, 3.2: who offers protocols and none that is spoken here is refused; who offers none at
// all speaks what everybody did before.
int on_alpn(SSL*, const unsigned char** chosen, unsigned char* chosen_length,
            const unsigned char* offered, unsigned int length, void*) noexcept {
    const std::string_view all(reinterpret_cast<const char*>(offered), length);
    for (std::size_t at = 0; at < all.size();) {
        const auto size = static_cast<std::size_t>(offered[at]);
        if (all.substr(at + 1, size) == alpn_http_1_1) {
            *chosen = offered + at + 1;
            *chosen_length = static_cast<unsigned char>(size);
            return SSL_TLSEXT_ERR_OK;
        }
        at += 1 + size;
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

// What OpenSSL's macros for callbacks do, without their old casts.
template <typename Function>
void set_callback(SSL_CTX* context, int command, Function* function) {
    SSL_CTX_callback_ctrl(context, command, reinterpret_cast<void (*)()>(function));
}

void set_profile(SSL_CTX* context) {
    SSL_CTX_set_security_level(context, security_level);
    SSL_CTX_set_dh_auto(context, 1);
    if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_ciphersuites(context, ciphers_1_3) != 1 ||
        SSL_CTX_set_cipher_list(context, ciphers_1_2) != 1 ||
        SSL_CTX_set1_groups_list(context, groups) != 1) {
        fail("tls: this OpenSSL lacks the ciphers of the profile");
    }
    // A connection that just ends is no error: HTTP and WebSocket say themselves where they end.
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_IGNORE_UNEXPECTED_EOF |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    // An idle connection holds no buffers; a frame that is sent again may have moved.
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    // A record's head and body come by one call of the kernel instead of two.
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(context, tickets_sent);
    SSL_CTX_set_alpn_select_cb(context, &on_alpn, nullptr);
}

}  // namespace

TlsContexts::TlsContexts(const TlsConfig& config, std::shared_ptr<TicketKeys> tickets,
                         std::int64_t now)
    : tickets_(std::move(tickets)), handshake_timeout_(config.handshake_timeout) {
    ERR_clear_error();
    load(config, now);
    load_client_ca(config);
    build(config);
}

void TlsContexts::load(const TlsConfig& config, std::int64_t now) {
    if (config.cert.empty()) throw TlsError("tls.cert: names no file");
    if (config.key.size() != config.cert.size()) {
        throw TlsError("tls.key: names " + std::to_string(config.key.size()) +
                       " files, and tls.cert " + std::to_string(config.cert.size()) +
                       " (expected one key for each certificate, in the same order)");
    }
    if (!config.ocsp.empty() && config.ocsp.size() != config.cert.size()) {
        throw TlsError("tls.ocsp: names " + std::to_string(config.ocsp.size()) +
                       " files, and tls.cert " + std::to_string(config.cert.size()) +
                       " (expected one for each certificate, \"\" where there is none)");
    }
    for (std::size_t i = 0; i < config.cert.size(); ++i) {
        Certificate certificate = load_certificate(config.cert[i], config.key[i]);
        if (!config.ocsp.empty() && !config.ocsp[i].empty()) {
            certificate.staple = load_staple(config.ocsp[i], certificate, now, warnings_);
        }
        check_dates(certificate, now);
        certificates_.push_back(std::move(certificate));
    }
}

void TlsContexts::check_dates(const Certificate& certificate, std::int64_t now) {
    if (now > certificate.not_after) {
        warnings_.push_back("tls.cert: " + certificate.file + ": has expired");
    } else if (now < certificate.not_before) {
        warnings_.push_back("tls.cert: " + certificate.file + ": is not valid yet");
    }
}

void TlsContexts::load_client_ca(const TlsConfig& config) {
    if (config.client_auth == ClientAuth::none) return;
    if (config.client_ca.empty()) {
        throw TlsError("tls.client_ca: is needed to judge the certificates of clients");
    }
    client_ca_ = load_certificates(config.client_ca, "tls.client_ca");
}

void TlsContexts::build(const TlsConfig& config) {
    const auto serve = [&](const std::string& name) {
        const auto members = serving(name);
        auto& context = contexts_[members];
        if (!context) context = make_context(config, members);
        by_name_.emplace(name, context.get());
    };
    for (const Certificate& certificate : certificates_) {
        if (certificate.names.empty()) serve("");
        for (const std::string& name : certificate.names) serve(name);
    }
    const auto& first = certificates_.front().names;
    default_ = by_name_.find(first.empty() ? "" : first.front())->second;
}

// The certificates with that name, the first for each type of key; "": those without any.
std::vector<std::size_t> TlsContexts::serving(std::string_view name) const {
    std::vector<std::size_t> out;
    std::set<int> types;
    for (std::size_t i = 0; i < certificates_.size(); ++i) {
        const auto& names = certificates_[i].names;
        const bool has = name.empty() ? names.empty()
                                      : std::find(names.begin(), names.end(), name) != names.end();
        if (has && types.insert(EVP_PKEY_get_base_id(certificates_[i].key.get())).second) {
            out.push_back(i);
        }
    }
    return out;
}

ContextHandle TlsContexts::make_context(const TlsConfig& config,
                                        const std::vector<std::size_t>& members) const {
    ContextHandle context(SSL_CTX_new(TLS_server_method()));
    if (!context) throw std::bad_alloc();
    set_profile(context.get());
    for (const std::size_t member : members) {
        const Certificate& certificate = certificates_[member];
        if (SSL_CTX_use_cert_and_key(context.get(), certificate.leaf.get(), certificate.key.get(),
                                     certificate.chain.get(), 1) != 1) {
            fail("tls.cert: " + certificate.file + ": cannot be served");
        }
    }
    ask_for_certificates(context.get(), config.client_auth);
    const auto life = std::chrono::duration_cast<seconds>(config.ticket_rotation) * 2;
    SSL_CTX_set_timeout(context.get(),
                        static_cast<long>(std::clamp(life, seconds(1), ticket_life_max).count()));
    tickets_->attach(context.get());
    auto* const self = const_cast<TlsContexts*>(this);
    set_callback(context.get(), SSL_CTRL_SET_TLSEXT_SERVERNAME_CB, &TlsContexts::on_server_name);
    SSL_CTX_set_tlsext_servername_arg(context.get(), self);
    set_callback(context.get(), SSL_CTRL_SET_TLSEXT_STATUS_REQ_CB, &TlsContexts::on_status);
    SSL_CTX_set_tlsext_status_arg(context.get(), self);
    return context;
}

void TlsContexts::ask_for_certificates(SSL_CTX* context, ClientAuth auth) const {
    // A session is resumed only where clients are asked for the same: one that was made before a
    // certificate was required, or under another authority, must not get around it.
    std::string asked(1, static_cast<char>(auth));
    for (const X509Handle& authority : client_ca_) {
        std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
        if (X509_digest(authority.get(), EVP_sha256(), digest.data(), nullptr) != 1 ||
            X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority.get()) != 1 ||
            SSL_CTX_add_client_CA(context, authority.get()) != 1) {
            fail("tls.client_ca: cannot be used");
        }
        asked.append(digest.begin(), digest.end());
    }
    std::array<unsigned char, SHA256_DIGEST_LENGTH> id{};
    if (EVP_Digest(asked.data(), asked.size(), id.data(), nullptr, EVP_sha256(), nullptr) != 1 ||
        SSL_CTX_set_session_id_context(context, id.data(), id.size()) != 1) {
        fail("tls: sessions cannot be told apart");
    }
    if (auth == ClientAuth::none) return;
    const int fail_without = auth == ClientAuth::require ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | fail_without, nullptr);
}

SslHandle TlsContexts::make_connection() const {
    SslHandle ssl(SSL_new(default_));
    if (!ssl) throw std::bad_alloc();
    SSL_set_accept_state(ssl.get());
    return ssl;
}

std::int64_t TlsContexts::expires() const noexcept {
    std::int64_t first = certificates_.front().not_after;
    for (const Certificate& certificate : certificates_) {
        first = std::min(first, certificate.not_after);
    }
    return first;
}

SSL_CTX* TlsContexts::context_for(std::string_view name) const {
    if (name.ends_with('.')) name.remove_suffix(1);
    if (name.empty()) return default_;
    const std::string wanted = protocol::in_lower_case(name);
    if (const auto exact = by_name_.find(wanted); exact != by_name_.end()) return exact->second;
    // RFC 6125, 6.4.3: a wildcard stands for the first label, and for all of it.
    const auto dot = wanted.find('.');
    if (dot == std::string::npos) return default_;
    std::string parent(1, '*');
    parent.append(wanted, dot);
    const auto below = by_name_.find(parent);
    return below != by_name_.end() ? below->second : default_;
}

int TlsContexts::on_server_name(SSL* ssl, int*, void* self) noexcept {
    const char* const name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    if (name == nullptr) return SSL_TLSEXT_ERR_NOACK;
    try {
        SSL_CTX* const context = static_cast<const TlsContexts*>(self)->context_for(name);
        if (context != SSL_get_SSL_CTX(ssl)) SSL_set_SSL_CTX(ssl, context);
    } catch (const std::bad_alloc&) {
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    return SSL_TLSEXT_ERR_OK;
}

int TlsContexts::on_status(SSL* ssl, void* self) noexcept {
    const X509* const served = SSL_get_certificate(ssl);
    for (const Certificate& certificate : static_cast<const TlsContexts*>(self)->certificates_) {
        if (certificate.leaf.get() != served || certificate.staple.empty()) continue;
        // The connection frees it.
        void* const copy = OPENSSL_memdup(certificate.staple.data(), certificate.staple.size());
        if (copy == nullptr) return SSL_TLSEXT_ERR_NOACK;
        SSL_set_tlsext_status_ocsp_resp(ssl, copy, static_cast<long>(certificate.staple.size()));
        return SSL_TLSEXT_ERR_OK;
    }
    return SSL_TLSEXT_ERR_NOACK;
}

}  // namespace parley::transports
