// TlsClient: OpenSSL's own client, for tests, over a connected socket that blocks and gives up after
// a while instead of hanging.
#pragma once

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/test_certificates.hpp"
#include "transports/loopback_client.hpp"
#include "transports/openssl_handles.hpp"

namespace parley::transports::test {

using SessionHandle = std::unique_ptr<SSL_SESSION, transports::detail::Release<SSL_SESSION_free>>;

struct TlsWish {
    std::string server_name;             // SNI; empty: none
    std::vector<std::string> protocols;  // ALPN; empty: none
    int version_min = TLS1_2_VERSION;
    int version_max = TLS1_3_VERSION;
    std::string ciphers;          // of TLS 1.2
    std::string suites;           // of TLS 1.3
    std::string signatures;       // algorithms accepted; empty: OpenSSL's
    const X509* trust = nullptr;  // null: anybody is trusted
    const parley::test::TestCertificate* own = nullptr;
    SSL_SESSION* session = nullptr;  // to take up
    bool ask_status = false;         // for an OCSP staple
    std::uint8_t max_fragment = 0;   // RFC 6066, 4: 1 is 512 bytes
};

// The client's half of a connection, before it has anything to speak over.
class TlsClientSide {
public:
    explicit TlsClientSide(const TlsWish& wish) : context_(SSL_CTX_new(TLS_client_method())) {
        SSL_CTX* const context = context_.get();
        SSL_CTX_set_security_level(context, wish.version_min < TLS1_2_VERSION ? 0 : 1);
        SSL_CTX_set_min_proto_version(context, wish.version_min);
        SSL_CTX_set_max_proto_version(context, wish.version_max);
        if (!wish.ciphers.empty()) SSL_CTX_set_cipher_list(context, wish.ciphers.c_str());
        if (!wish.suites.empty()) SSL_CTX_set_ciphersuites(context, wish.suites.c_str());
        if (!wish.signatures.empty()) {
            EXPECT_EQ(SSL_CTX_set1_sigalgs_list(context, wish.signatures.c_str()), 1);
        }
        if (wish.trust != nullptr) {
            X509_STORE_add_cert(SSL_CTX_get_cert_store(context), const_cast<X509*>(wish.trust));
            SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
        }
        if (wish.own != nullptr) {
            SSL_CTX_use_certificate(context, wish.own->certificate.get());
            SSL_CTX_use_PrivateKey(context, wish.own->key.get());
        }
        if (wish.max_fragment != 0) {
            SSL_CTX_set_tlsext_max_fragment_length(context, wish.max_fragment);
        }
        ssl_.reset(SSL_new(context));
        if (!wish.server_name.empty()) {
            SSL_ctrl(ssl_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                     const_cast<char*>(wish.server_name.c_str()));
        }
        std::string protocols;
        for (const std::string& protocol : wish.protocols) {
            protocols.push_back(static_cast<char>(protocol.size()));
            protocols += protocol;
        }
        SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<const unsigned char*>(protocols.data()),
                            static_cast<unsigned>(protocols.size()));
        if (wish.ask_status) SSL_set_tlsext_status_type(ssl_.get(), TLSEXT_STATUSTYPE_ocsp);
        if (wish.session != nullptr) SSL_set_session(ssl_.get(), wish.session);
        SSL_set_connect_state(ssl_.get());
    }

    ~TlsClientSide() {
        // OpenSSL spoils the session of a connection that ends without a goodbye.
        if (ssl_) SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    }
    TlsClientSide(TlsClientSide&&) noexcept = default;
    TlsClientSide& operator=(TlsClientSide&&) = delete;

    [[nodiscard]] SSL* ssl() const noexcept { return ssl_.get(); }

    [[nodiscard]] std::string common_name() const {
        const X509* const peer = SSL_get0_peer_certificate(ssl_.get());
        if (peer == nullptr) return {};
        std::array<char, 256> text{};
        X509_NAME_get_text_by_NID(X509_get_subject_name(peer), NID_commonName, text.data(),
                                  static_cast<int>(text.size()));
        return text.data();
    }
    [[nodiscard]] int key_type() const {
        return EVP_PKEY_get_base_id(X509_get0_pubkey(SSL_get0_peer_certificate(ssl_.get())));
    }
    [[nodiscard]] std::string protocol() const {
        const unsigned char* chosen = nullptr;
        unsigned length = 0;
        SSL_get0_alpn_selected(ssl_.get(), &chosen, &length);
        return {reinterpret_cast<const char*>(chosen), length};
    }
    [[nodiscard]] std::string staple() const {
        const unsigned char* bytes = nullptr;
        const long length = SSL_get_tlsext_status_ocsp_resp(ssl_.get(), &bytes);
        return length > 0 ? std::string(reinterpret_cast<const char*>(bytes),
                                        static_cast<std::size_t>(length))
                          : std::string();
    }
    [[nodiscard]] bool resumed() const { return SSL_session_reused(ssl_.get()) == 1; }
    // The session to take up later; of TLS 1.3 once something was read.
    [[nodiscard]] SessionHandle session() const {
        return SessionHandle(SSL_get1_session(ssl_.get()));
    }

private:
    transports::ContextHandle context_;
    transports::SslHandle ssl_;
};

// The same calls as LoopbackClient's.
class TlsClient : public ReadingAhead<TlsClient> {
public:
    explicit TlsClient(std::uint16_t port, const TlsWish& wish = {}, int receive_buffer = 0)
        : socket_(port, receive_buffer), side_(wish) {
        const timeval patience{LoopbackClient::patience.count() / 1000, 0};
        ::setsockopt(socket_.descriptor(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        SSL_set_fd(side_.ssl(), socket_.descriptor());
        connected_ = uninterrupted([this] { return SSL_do_handshake(side_.ssl()); }) == 1;
    }
    TlsClient(TlsClient&&) noexcept = default;

    [[nodiscard]] bool connected() const noexcept { return connected_; }
    [[nodiscard]] const TlsClientSide& side() const noexcept { return side_; }
    [[nodiscard]] LoopbackClient& socket() noexcept { return socket_; }

    bool send(std::string_view bytes) {
        std::size_t written = 0;
        return uninterrupted([&] {
                   return SSL_write_ex(side_.ssl(), bytes.data(), bytes.size(), &written);
               }) == 1;
    }
    // True where the server's end was announced by close_notify.
    [[nodiscard]] bool ended_well() const noexcept { return end_ == SSL_ERROR_ZERO_RETURN; }

private:
    friend class ReadingAhead<TlsClient>;
    // A socket that waits no longer than its patience is woken by what the process's other threads
    // do with io_uring, too.
    template <typename Call>
    static int uninterrupted(Call call) {
        for (;;) {
            ERR_clear_error();
            errno = 0;
            const int result = call();
            if (result == 1 || errno != EINTR) return result;
        }
    }
    std::string read_fresh() {
        std::string out(64 * 1024, '\0');
        std::size_t count = 0;
        const int result =
            uninterrupted([&] { return SSL_read_ex(side_.ssl(), out.data(), out.size(), &count); });
        if (result != 1) end_ = SSL_get_error(side_.ssl(), result);
        out.resize(result == 1 ? count : 0);
        return out;
    }

    LoopbackClient socket_;
    TlsClientSide side_;
    bool connected_ = false;
    int end_ = SSL_ERROR_NONE;
};

}  // namespace parley::transports::test
