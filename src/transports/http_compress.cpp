#include "transports/http_compress.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "transports/http_negotiate.hpp"

namespace parley::transports {

bool is_compressible(std::string_view content_type) noexcept {
    const std::string_view type = media_type(content_type);
    constexpr std::array<std::string_view, 5> types{"application/json", "application/problem+json",
                                                    "application/manifest+json",
                                                    "application/javascript", "image/svg+xml"};
    return type.starts_with("text/") || std::ranges::find(types, type) != types.end();
}

bool compress_answer(HttpResponse& response, std::string_view accept_encoding,
                     protocol::GzipEncoder& encoder) {
    if (response.content().size() < gzip_bytes_min || !is_compressible(response.content_type)) {
        return false;
    }
    // Said with the plain form too: a cache must know that there is another.
    response.headers.emplace_back("Vary", "Accept-Encoding");
    if (!accepts_gzip(accept_encoding)) return false;
    if (response.fixed_gzip.empty() || !response.body.empty()) {
        std::string compressed = encoder.encode(response.content());
        if (compressed.size() >= response.content().size()) return false;
        response.body = std::move(compressed);
    } else {
        response.fixed_body = response.fixed_gzip;
    }
    response.headers.emplace_back("Content-Encoding", "gzip");
    for (auto& [name, value] : response.headers) {
        // Other bytes of the same thing (RFC 9110, 8.8.1).
        if (name == "ETag" && !value.starts_with("W/")) value.insert(0, "W/");
    }
    return true;
}

}  // namespace parley::transports
