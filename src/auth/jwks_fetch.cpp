#include "auth/jwks_fetch.hpp"

#include <arpa/inet.h>
#include <curl/curl.h>

#include <memory>
#include <stdexcept>

#include "auth/jwt_keys.hpp"

namespace parley::auth {
namespace {

constexpr int look_ms = 50;

template <auto release>
struct Release {
    template <typename T>
    void operator()(T* what) const noexcept {
        release(what);
    }
};
using Url = std::unique_ptr<CURLU, Release<&curl_url_cleanup>>;
using Text = std::unique_ptr<char, Release<&curl_free>>;
using Transfer = std::unique_ptr<CURL, Release<&curl_easy_cleanup>>;
using Transfers = std::unique_ptr<CURLM, Release<&curl_multi_cleanup>>;
using Fields = std::unique_ptr<curl_slist, Release<&curl_slist_free_all>>;

// As libcurl writes addresses.
bool is_loopback(const std::string& host) {
    in_addr address{};
    const bool v4 = inet_pton(AF_INET, host.c_str(), &address) == 1;
    return host == "localhost" || host == "[::1]" || (v4 && host.starts_with("127."));
}

// libcurl's: takes a piece of the body, or ends the transfer by taking less.
std::size_t take_piece(const char* bytes, std::size_t, std::size_t count, void* into) {
    std::string& body = *static_cast<std::string*>(into);
    if (body.size() + count > jwks_bytes_max) return 0;
    body.append(bytes, count);
    return count;
}

// Runs it to its end, or until nobody waits for it any more.
CURLcode complete(CURL* transfer, const std::atomic<bool>& stopping) {
    const Transfers transfers(curl_multi_init());
    if (!transfers || curl_multi_add_handle(transfers.get(), transfer) != CURLM_OK) {
        return CURLE_OUT_OF_MEMORY;
    }
    CURLcode result = CURLE_ABORTED_BY_CALLBACK;
    // The partner is JwksKeeper::stop(); nothing else is read because of it.
    while (!stopping.load(std::memory_order_relaxed)) {
        int running = 0;
        const CURLMcode driven = curl_multi_perform(transfers.get(), &running);
        int left = 0;
        if (const CURLMsg* ended = curl_multi_info_read(transfers.get(), &left)) {
            result = ended->data.result;
            break;
        }
        if (driven != CURLM_OK) break;
        if (curl_multi_poll(transfers.get(), nullptr, 0, look_ms, nullptr) != CURLM_OK) break;
    }
    curl_multi_remove_handle(transfers.get(), transfer);
    return result;
}

}  // namespace

std::optional<HttpUrl> parse_http_url(std::string_view text) {
    const bool tls = text.starts_with("https://");
    if (!tls && !text.starts_with("http://")) return std::nullopt;
    // libcurl takes any number of slashes, and an empty fragment for none.
    const std::string_view rest = text.substr(tls ? 8 : 7);
    if (rest.starts_with('/') || rest.find('#') != std::string_view::npos) return std::nullopt;
    HttpUrl url{.text = std::string(text), .tls = tls};
    const Url parts(curl_url());
    char* host = nullptr;
    if (curl_url_set(parts.get(), CURLUPART_URL, url.text.c_str(), CURLU_DISALLOW_USER) !=
            CURLUE_OK ||
        curl_url_get(parts.get(), CURLUPART_HOST, &host, 0) != CURLUE_OK) {
        return std::nullopt;
    }
    url.loopback = is_loopback(Text(host).get());
    return url;
}

std::string fetch(const HttpUrl& url, const std::string& ca_file, std::chrono::milliseconds timeout,
                  const std::atomic<bool>& stopping) {
    std::string body;
    std::string problem(CURL_ERROR_SIZE, '\0');
    const Fields fields(
        curl_slist_append(nullptr, "Accept: application/jwk-set+json, application/json"));
    const Transfer owned(curl_easy_init());  // uses all of these until its end
    CURL* const transfer = owned.get();
    if (!transfer) throw std::runtime_error("no transfer can be set up");
    curl_easy_setopt(transfer, CURLOPT_URL, url.text.c_str());
    curl_easy_setopt(transfer, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(transfer, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    curl_easy_setopt(transfer, CURLOPT_HTTPHEADER, fields.get());
    curl_easy_setopt(transfer, CURLOPT_USERAGENT, "parleyd");
    curl_easy_setopt(transfer, CURLOPT_TIMEOUT_MS, static_cast<long>(timeout.count()));
    curl_easy_setopt(transfer, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(transfer, CURLOPT_QUICK_EXIT, 1L);  // not for a resolver that hangs
    curl_easy_setopt(transfer, CURLOPT_WRITEFUNCTION, &take_piece);
    curl_easy_setopt(transfer, CURLOPT_WRITEDATA, &body);
    curl_easy_setopt(transfer, CURLOPT_ERRORBUFFER, problem.data());
    if (!ca_file.empty()) {
        curl_easy_setopt(transfer, CURLOPT_CAINFO, ca_file.c_str());
        curl_easy_setopt(transfer, CURLOPT_CAPATH, nullptr);  // nobody beside it is trusted
    }
    // Without TLS the environment's proxy could sign for anybody.
    if (url.loopback) curl_easy_setopt(transfer, CURLOPT_PROXY, "");
    const CURLcode result = complete(transfer, stopping);
    if (result == CURLE_WRITE_ERROR) throw std::runtime_error("larger than a key set may be");
    if (result != CURLE_OK) {
        problem.resize(problem.find('\0'));
        throw std::runtime_error(problem.empty() ? curl_easy_strerror(result) : problem);
    }
    long status = 0;
    curl_easy_getinfo(transfer, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200) {
        throw std::runtime_error("answered " + std::to_string(status) + " (expected 200)");
    }
    return body;
}

}  // namespace parley::auth
