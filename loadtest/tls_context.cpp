#include "loadtest/tls_context.hpp"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <array>
#include <new>

namespace parley::load {
namespace {

// "http/1.1", as ALPN has it (RFC 7301): a length and the name.
constexpr std::array<unsigned char, 9> alpn{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

bool is_address(const std::string& host) {
    in6_addr address{};
    return ::inet_pton(AF_INET, host.c_str(), &address) == 1 ||
           ::inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

}  // namespace

void FreeSsl::operator()(ssl_st* ssl) const noexcept {
    ::SSL_free(ssl);
}
void FreeSsl::operator()(ssl_ctx_st* context) const noexcept {
    ::SSL_CTX_free(context);
}
void FreeSsl::operator()(ssl_session_st* session) const noexcept {
    ::SSL_SESSION_free(session);
}

TlsContext::TlsContext(const Url& url, const TlsOptions& options)
    : context_(::SSL_CTX_new(::TLS_client_method())), host_(url.host), insecure_(options.insecure) {
    if (!context_) throw std::bad_alloc();
    SSL_CTX* const context = context_.get();
    ::SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    // A connection between two reads holds no buffers; a write goes on with whatever is unsent by
    // then; a read takes what the kernel has, not one record's header at a time.
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(context, 1);
    ::SSL_CTX_set_alpn_protos(context, alpn.data(), static_cast<unsigned>(alpn.size()));
    ::SSL_CTX_set_verify(context, insecure_ ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, nullptr);
    // A server that closes without a close_notify has closed, no more.
    ::SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_COMPRESSION);
    if (!options.resume) {
        ::SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
        ::SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
        return;
    }
    ::SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_set_app_data(context, this);
    ::SSL_CTX_sess_set_new_cb(context, [](SSL* ssl, SSL_SESSION* session) {
        auto* const self = static_cast<TlsContext*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
        self->session_.reset(session);
        return 1;  // the reference is ours now
    });
}

Checked<std::unique_ptr<TlsContext>> TlsContext::make(const Url& url, const TlsOptions& options) {
    if (!url.tls) return std::unique_ptr<TlsContext>();
    std::unique_ptr<TlsContext> made(new TlsContext(url, options));
    if (options.insecure) return made;
    if (options.ca_file.empty()) {
        ::SSL_CTX_set_default_verify_paths(made->context_.get());
    } else if (::SSL_CTX_load_verify_file(made->context_.get(), options.ca_file.c_str()) != 1) {
        ::ERR_clear_error();
        return Problem{"--tls-ca " + options.ca_file +
                       ": cannot be read, or holds no certificate in PEM"};
    }
    return made;
}

SslPointer TlsContext::make_ssl(int fd) const {
    SslPointer ssl(::SSL_new(context_.get()));
    if (!ssl) throw std::bad_alloc();
    ::SSL_set_fd(ssl.get(), fd);
    ::SSL_set_connect_state(ssl.get());
    // An address is no server name (RFC 6066, 3), but a certificate may hold it.
    if (is_address(host_)) {
        if (!insecure_) {
            ::X509_VERIFY_PARAM_set1_ip_asc(::SSL_get0_param(ssl.get()), host_.c_str());
        }
    } else {
        // What the macro SSL_set_tlsext_host_name() does, which casts as C does.
        ::SSL_ctrl(ssl.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                   const_cast<char*>(host_.c_str()));
        if (!insecure_) ::SSL_set1_host(ssl.get(), host_.c_str());
    }
    if (session_) ::SSL_set_session(ssl.get(), session_.get());
    return ssl;
}

}  // namespace parley::load
