// Owning handles of OpenSSL's objects, and its errors as text.
//
// Path:     beside TlsContexts and TlsStream
// Runs on:  any thread.
// Owned by: nobody; types.
// Bounds:   none.
#pragma once

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

namespace parley::transports {

namespace detail {
template <auto release>
struct Release {
    template <typename T>
    void operator()(T* object) const noexcept {
        release(object);
    }
};
inline void free_x509_list(STACK_OF(X509) * list) noexcept {
    sk_X509_pop_free(list, X509_free);
}
}  // namespace detail

using BioHandle = std::unique_ptr<BIO, detail::Release<BIO_free_all>>;
using X509Handle = std::unique_ptr<X509, detail::Release<X509_free>>;
using X509ListHandle = std::unique_ptr<STACK_OF(X509), detail::Release<detail::free_x509_list>>;
using KeyHandle = std::unique_ptr<EVP_PKEY, detail::Release<EVP_PKEY_free>>;
using ContextHandle = std::unique_ptr<SSL_CTX, detail::Release<SSL_CTX_free>>;
using SslHandle = std::unique_ptr<SSL, detail::Release<SSL_free>>;

// What OpenSSL said last on this thread, in its words; empties its queue, whose leftovers would be
// taken for errors of the next operation.
[[nodiscard]] std::string take_openssl_error();

}  // namespace parley::transports
