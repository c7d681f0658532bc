#include "protocol/websocket_handshake.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <utility>

#include "protocol/header_list.hpp"
#include "protocol/http_bytes.hpp"

namespace parley::protocol {
namespace {

constexpr std::string_view handshake_guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr std::size_t key_chars = 24;  // 16 bytes in base64
constexpr std::size_t sha1_bytes = 20;
constexpr std::size_t accept_chars = 28;

struct FreeDigest {
    void operator()(EVP_MD* digest) const noexcept { EVP_MD_free(digest); }
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};

// Fetched once: looking SHA-1 up by name costs more than computing it.
const EVP_MD* sha1() {
    static const std::unique_ptr<EVP_MD, FreeDigest> digest(EVP_MD_fetch(nullptr, "SHA1", nullptr));
    if (!digest) throw std::runtime_error("libcrypto offers no SHA-1, which RFC 6455 needs");
    return digest.get();
}

bool is_key(std::string_view key) {
    return key.size() == key_chars && key.ends_with("==") &&
           std::all_of(key.begin(), key.end() - 2, is_base64);
}

UpgradeAnswer refuse(unsigned status, std::string_view error) {
    UpgradeAnswer answer;
    answer.status = status;
    answer.error = error;
    return answer;
}

// The server's best that the client offers. Subprotocols are compared as they are written.
std::string_view choose_subprotocol(std::string_view offered,
                                    std::span<const std::string_view> spoken) {
    for (const std::string_view candidate : spoken) {
        std::string_view rest = offered;
        std::string_view item;
        while (next_item(rest, ',', item)) {
            if (item == candidate) return candidate;
        }
    }
    return {};
}

// Takes a line without its CR LF off the front of a head.
std::string_view next_line(std::string_view& rest) {
    const auto end = rest.find("\r\n");
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 2);
    return line;
}

}  // namespace

std::string accept_for_key(std::string_view key) {
    // A thread keeps its context: making one costs as much as the hash.
    thread_local const std::unique_ptr<EVP_MD_CTX, FreeDigest> context(EVP_MD_CTX_new());
    std::array<unsigned char, EVP_MAX_MD_SIZE> hash;
    const bool hashed =
        context && EVP_DigestInit_ex2(context.get(), sha1(), nullptr) == 1 &&
        EVP_DigestUpdate(context.get(), key.data(), key.size()) == 1 &&
        EVP_DigestUpdate(context.get(), handshake_guid.data(), handshake_guid.size()) == 1 &&
        EVP_DigestFinal_ex(context.get(), hash.data(), nullptr) == 1;
    if (!hashed) throw std::runtime_error("libcrypto failed to compute SHA-1");
    std::array<unsigned char, accept_chars + 1> text;  // EVP_EncodeBlock ends it with a zero
    EVP_EncodeBlock(text.data(), hash.data(), sha1_bytes);
    return std::string(text.begin(), text.end() - 1);
}

// ---- server role -----------------------------------------------------------------------------

bool wants_websocket(const UpgradeRequest& request) {
    return list_names(request.upgrade, "websocket");
}

UpgradeAnswer answer_upgrade(const UpgradeRequest& request,
                             std::span<const std::string_view> subprotocols,
                             const DeflateConfig& deflate) {
    if (request.method != "GET") return refuse(405, "a WebSocket is opened with GET");
    if (!request.http_1_1) return refuse(400, "a WebSocket is opened over HTTP/1.1");
    if (!wants_websocket(request)) return refuse(400, "the Upgrade header must name websocket");
    if (!list_names(request.connection, "upgrade")) {
        return refuse(400, "the Connection header must name Upgrade");
    }
    if (trim(request.version) != "13") return refuse(426, "Sec-WebSocket-Version must be 13");
    const std::string_view key = trim(request.key);
    if (!is_key(key)) return refuse(400, "Sec-WebSocket-Key must be 16 bytes in base64");

    UpgradeAnswer answer;
    answer.accept = accept_for_key(key);
    answer.subprotocol = choose_subprotocol(request.protocols, subprotocols);
    answer.deflate = negotiate_deflate(request.extensions, deflate);
    if (answer.deflate) answer.extensions = deflate_extension_header(*answer.deflate);
    return answer;
}

// ---- client role -----------------------------------------------------------------------------

void append_upgrade_request(std::string& out, const ClientUpgrade& upgrade) {
    const auto append_field = [&out](std::string_view name, std::string_view value) {
        out.append(name).append(": ").append(value).append("\r\n");
    };
    out.append("GET ").append(upgrade.path).append(" HTTP/1.1\r\n");
    append_field("Host", upgrade.host);
    append_field("Upgrade", "websocket");
    append_field("Connection", "Upgrade");
    append_field("Sec-WebSocket-Key", upgrade.key);
    append_field("Sec-WebSocket-Version", "13");
    if (!upgrade.subprotocol.empty()) append_field("Sec-WebSocket-Protocol", upgrade.subprotocol);
    if (!upgrade.origin.empty()) append_field("Origin", upgrade.origin);
    if (upgrade.offer_deflate) {
        append_field("Sec-WebSocket-Extensions",
                     "permessage-deflate; server_no_context_takeover; client_no_context_takeover");
    }
    out.append("\r\n");
}

std::string head_field(std::string_view head, std::string_view name) {
    std::string joined;
    bool found = false;
    next_line(head);
    while (!head.empty()) {
        const std::string_view line = next_line(head);
        const auto colon = line.find(':');
        if (colon == std::string_view::npos || !equal_any_case(line.substr(0, colon), name)) {
            continue;
        }
        if (std::exchange(found, true)) joined.append(", ");
        joined.append(trim(line.substr(colon + 1)));
    }
    return joined;
}

bool check_upgrade_response(std::string_view head, std::string_view key, std::string& error) {
    std::string_view rest = head;
    const std::string_view status_line = next_line(rest);
    const auto fail = [&error](std::string_view what, std::string_view found) {
        error.assign(what).append("; the answer has '").append(found).append("'");
        return false;
    };
    if (!status_line.starts_with("HTTP/1.1 101") ||
        (status_line.size() > 12 && status_line[12] != ' ')) {
        return fail("expected the status 101", status_line);
    }
    if (const auto upgrade = head_field(head, "Upgrade"); !equal_any_case(upgrade, "websocket")) {
        return fail("expected Upgrade: websocket", upgrade);
    }
    if (const auto connection = head_field(head, "Connection");
        !list_names(connection, "upgrade")) {
        return fail("expected Connection: Upgrade", connection);
    }
    if (const auto accept = head_field(head, "Sec-WebSocket-Accept");
        accept != accept_for_key(key)) {
        return fail("expected the Sec-WebSocket-Accept of the key that was sent", accept);
    }
    if (const auto extensions = head_field(head, "Sec-WebSocket-Extensions");
        !extensions.empty() && !parse_deflate_answer(extensions)) {
        return fail("expected no extension but permessage-deflate", extensions);
    }
    return true;
}

}  // namespace parley::protocol
