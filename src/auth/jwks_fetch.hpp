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
    bool tls = false;
    std::string host;
    std::string port;
    std::string target;
};
// "https://login.example.org/keys"; nothing for what is none.
[[nodiscard]] std::optional<HttpUrl> parse_http_url(std::string_view text);

// The body of a 200; it gives up early where `stopping` turns true. Throws std::runtime_error that says what went wrong. Certificates are judged by
// `ca_file`, or by what the machine trusts where that is empty.
[[nodiscard]] std::string fetch(const HttpUrl& url, const std::string& ca_file,
                                std::chrono::milliseconds timeout,
                                const std::atomic<bool>& stopping);

}  // namespace parley::auth
