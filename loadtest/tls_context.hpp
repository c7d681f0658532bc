// TlsContext: what all TLS connections of a thread share: trust, protocol versions, the session to
// take up again.
//
// Path:     Scenario → [TlsContext] → Stream
// Runs on:  one load thread.
// Owned by: LoadThread, HandshakeThread; outlives their streams.
// Bounds:   one session.
#pragma once

#include <memory>
#include <string>

#include "loadtest/scenario.hpp"

extern "C" {
struct ssl_ctx_st;
struct ssl_st;
struct ssl_session_st;
}

namespace parley::load {

struct FreeSsl {
    void operator()(ssl_st* ssl) const noexcept;
    void operator()(ssl_ctx_st* context) const noexcept;
    void operator()(ssl_session_st* session) const noexcept;
};
using SslPointer = std::unique_ptr<ssl_st, FreeSsl>;

class TlsContext {
public:
    TlsContext(const TlsContext&) = delete;
    TlsContext& operator=(const TlsContext&) = delete;
    ~TlsContext() = default;

    // Nothing for a URL without TLS; the reason where the trusted certificates cannot be read.
    [[nodiscard]] static Checked<std::unique_ptr<TlsContext>> make(const Url& url,
                                                                   const TlsOptions& options);
    // A connection's state, client role, that names and expects the URL's host.
    [[nodiscard]] SslPointer make_ssl(int fd) const;

private:
    TlsContext(const Url& url, const TlsOptions& options);

    std::unique_ptr<ssl_ctx_st, FreeSsl> context_;
    std::unique_ptr<ssl_session_st, FreeSsl> session_;  // the newest; absent unless it is resumed
    std::string host_;
    bool insecure_;
};

}  // namespace parley::load
