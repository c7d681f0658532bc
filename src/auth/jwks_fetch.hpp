// jwks_fetch: one GET of a key set, over HTTP or HTTPS.
//
// Path:     JwksKeeper → [jwks_fetch] → another system
// Runs on:  the thread that calls it, which it keeps until the end: never a shard's.
// Owned by: nobody.
// Bounds:   the time that the caller gives; jwks_bytes_max. Redirects are not followed.
#pragma once

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace parley::auth {

struct HttpUrl {
    std::string text;
    bool tls = false;
    bool loopback = false;  // "localhost", or an address of this machine to itself
};
// "https://login.example.org/keys"; nothing for what is none, or names a user or a fragment.
[[nodiscard]] std::optional<HttpUrl> parse_http_url(std::string_view text);

// The body of a 200; it gives up early where `stopping` turns true. Throws std::runtime_error that
// says what went wrong. Certificates are judged by `ca_file`, or by what the machine trusts where
// that is empty (/etc/ssl/certs). A proxy is taken where the environment names one (https_proxy,
// http_proxy), but for a loopback.
[[nodiscard]] std::string fetch(const HttpUrl& url, const std::string& ca_file,
                                std::chrono::milliseconds timeout,
                                const std::atomic<bool>& stopping);

}  // namespace parley::auth
