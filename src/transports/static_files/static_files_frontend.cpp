// `/`: the web chat, from the program's own bytes.
#include <algorithm>
#include <array>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/verb.hpp>
#include <string>
#include <vector>

#include "protocol/gzip.hpp"
#include "transports/frontend_table.hpp"
#include "transports/http_compress.hpp"
#include "transports/static_files/embedded_files.hpp"

namespace parley::transports {
namespace {

namespace http = boost::beast::http;

struct ContentType {
    std::string_view suffix;
    std::string_view type;
};

constexpr std::array content_types{
    ContentType{".html", "text/html; charset=utf-8"},
    ContentType{".js", "text/javascript; charset=utf-8"},
    ContentType{".mjs", "text/javascript; charset=utf-8"},
    ContentType{".css", "text/css; charset=utf-8"},
    ContentType{".json", "application/json"},
    ContentType{".webmanifest", "application/manifest+json"},
    ContentType{".svg", "image/svg+xml"},
    ContentType{".png", "image/png"},
    ContentType{".ico", "image/x-icon"},
    ContentType{".woff2", "font/woff2"},
    ContentType{".txt", "text/plain; charset=utf-8"},
};

// The page runs its own files only, talks to its own server only, and is framed by nobody else.
constexpr std::string_view content_security_policy =
    "default-src 'self'; connect-src 'self' ws: wss:; style-src 'self'; img-src 'self' data:; "
    "frame-ancestors 'self'; base-uri 'none'; form-action 'self'";

std::string_view content_type_of(std::string_view path) {
    for (const ContentType& entry : content_types) {
        if (path.ends_with(entry.suffix)) return entry.type;
    }
    return "application/octet-stream";
}

const EmbeddedFile* find_file(std::string_view path) noexcept {
    if (path == "/") path = "/index.html";
    const auto files = embedded_files();
    const auto file = std::find_if(files.begin(), files.end(),
                                   [path](const EmbeddedFile& f) { return f.path == path; });
    return file == files.end() ? nullptr : &*file;
}

// The files that are worth it, compressed: once a process, as well as it can be done.
std::string_view gzipped(const EmbeddedFile& file) {
    static const auto all = [] {
        protocol::GzipEncoder encoder(9);
        std::vector<std::string> compressed;
        for (const EmbeddedFile& each : embedded_files()) {
            const bool pays =
                each.bytes.size() >= gzip_bytes_min && is_compressible(content_type_of(each.path));
            compressed.push_back(pays ? encoder.encode(each.bytes) : std::string());
        }
        return compressed;
    }();
    return all[static_cast<std::size_t>(&file - embedded_files().data())];
}

// If-None-Match is a list of tags, weak or not, or `*` (RFC 9110, 13.1.2).
bool names_etag(std::string_view if_none_match, std::string_view etag) {
    return if_none_match == "*" || if_none_match.find(etag) != std::string_view::npos;
}

class StaticFilesFrontend final : public Frontend {
public:
    bool owns(const HttpTarget& target) const noexcept override {
        return find_file(target.path) != nullptr;
    }

    std::optional<HttpResponse> handle(Exchange& exchange) override {
        const http::verb method = exchange.request.method();
        if (method != http::verb::get && method != http::verb::head) {
            return method_not_allowed("GET, HEAD");
        }
        const EmbeddedFile& file = *find_file(exchange.path);
        HttpResponse response;
        response.headers.emplace_back("ETag", file.etag);
        // Always asked for anew, mostly answered 304: a new server's page is never an old one.
        response.headers.emplace_back("Cache-Control", "no-cache");
        if (names_etag(exchange.request[http::field::if_none_match], file.etag)) {
            response.status = 304;
            return response;
        }
        response.content_type = content_type_of(file.path);
        response.fixed_body = file.bytes;
        response.fixed_gzip = gzipped(file);
        response.headers.emplace_back("Content-Security-Policy", content_security_policy);
        response.headers.emplace_back("X-Content-Type-Options", "nosniff");
        response.headers.emplace_back("Referrer-Policy", "no-referrer");
        return response;
    }
};

}  // namespace

std::unique_ptr<Frontend> make_static_files_frontend(Gate&) {
    return std::make_unique<StaticFilesFrontend>();
}

}  // namespace parley::transports
