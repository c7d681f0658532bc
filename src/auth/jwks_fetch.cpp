#include "auth/jwks_fetch.hpp"

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

// A part of the URL; nothing where it has none.
std::optional<std::string> part_of(CURLU* url, CURLUPart part) {
    char* text = nullptr;
    if (curl_url_get(url, part, &text, 0) != CURLUE_OK) return std::nullopt;
    return std::string(Text(text).get());
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
        curl_multi_perform(transfers.get(), &running);
        int left = 0;
        if (const CURLMsg* ended = curl_multi_info_read(transfers.get(), &left)) {
            result = ended->data.result;
            break;
        }
        curl_multi_poll(transfers.get(), nullptr, 0, look_ms, nullptr);
    }
    curl_multi_remove_handle(transfers.get(), transfer);
    return result;
}

}  // namespace

std::optional<HttpUrl> parse_http_url(std::string_view text) {
    HttpUrl url{.text = std::string(text), .host = {}, .tls = text.starts_with("https://")};
    const std::size_t scheme = url.tls ? 8 : 7;
    // libcurl guesses at what is missing, and takes any number of slashes.
    if (!url.tls && !text.starts_with("http://")) return std::nullopt;
    const Url parts(curl_url());
    if (curl_url_set(parts.get(), CURLUPART_URL, url.text.c_str(), CURLU_DISALLOW_USER) !=
        CURLUE_OK) {
        return std::nullopt;
    }
    const auto host = part_of(parts.get(), CURLUPART_HOST);
    if (!host || !text.substr(scheme).starts_with(*host)) return std::nullopt;
    if (part_of(parts.get(), CURLUPART_FRAGMENT)) return std::nullopt;
    url.host = host->starts_with('[') ? host->substr(1, host->size() - 2) : *host;
    return url;
}

std::string fetch(const HttpUrl& url, const std::string& ca_file, std::chrono::milliseconds timeout,
                  const std::atomic<bool>& stopping) {
    const Transfer owned(curl_easy_init());
    CURL* const transfer = owned.get();
    if (!transfer) throw std::runtime_error("no transfer can be set up");
    const Fields fields(
        curl_slist_append(nullptr, "Accept: application/jwk-set+json, application/json"));
    std::string body;
    std::string problem(CURL_ERROR_SIZE, '\0');
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
