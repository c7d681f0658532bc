// The opening handshake of RFC 6455 (section 4) and the negotiation of permessage-deflate
// (RFC 7692, section 7), over plain header values: HTTP itself is somebody else's.
//
// Path:     HTTP → [websocket_handshake] → WebSocket transport
// Runs on:  any thread; pure functions.
// Owned by: nobody; no state.
// Bounds:   header values come bounded by the HTTP parser.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace parley::protocol {

// The header values of an upgrade request; empty where the header is absent. Headers that may be
// repeated come joined with ", ".
struct UpgradeRequest {
    std::string_view method;
    bool http_1_1 = true;
    std::string_view upgrade;
    std::string_view connection;
    std::string_view key;
    std::string_view version;
    std::string_view protocols;
    std::string_view extensions;
};

// What of permessage-deflate this server agrees to.
struct DeflateConfig {
    bool enabled = true;
    int server_window_bits = 15;  // 9 to 15
    bool server_no_context_takeover = true;
    bool client_no_context_takeover = true;
};

struct DeflateAgreement {
    bool server_no_context_takeover = true;
    bool client_no_context_takeover = true;
    int server_window_bits = 15;  // of what the server compresses
    int client_window_bits = 15;  // of what the client compresses; below 15 only where it offered
    // The client asked for a bound, so the answer must name one, be it 15 (RFC 7692, 7.1.2.1).
    bool server_window_bits_asked = false;
    friend bool operator==(const DeflateAgreement&, const DeflateAgreement&) = default;
};

struct UpgradeAnswer {
    // 101, or the status to refuse with: 400, 405, 426.
    unsigned status = 101;
    std::string error;        // what was wrong and what was expected; empty for 101
    std::string accept;       // Sec-WebSocket-Accept
    std::string subprotocol;  // empty: none agreed
    std::optional<DeflateAgreement> deflate;
    std::string extensions;  // Sec-WebSocket-Extensions of the answer; empty: none
};

// Server role: judges a request. `subprotocols` are those that this server speaks, best first; a
// client that offers only others gets none (the connection goes on without one).
[[nodiscard]] UpgradeAnswer answer_upgrade(const UpgradeRequest& request,
                                           std::span<const std::string_view> subprotocols,
                                           const DeflateConfig& deflate);

// True where the request asks for a WebSocket at all (Upgrade names it); only then is
// answer_upgrade() due.
[[nodiscard]] bool wants_websocket(const UpgradeRequest& request);

// Sec-WebSocket-Accept for a key: base64(SHA-1(key + GUID)).
[[nodiscard]] std::string accept_for_key(std::string_view key);

// Server role: the first offer of a Sec-WebSocket-Extensions value that can be agreed to, in
// RFC 7692's terms; malformed or unknown parameters make an offer unusable, not the request.
[[nodiscard]] std::optional<DeflateAgreement> negotiate_deflate(std::string_view offers,
                                                                const DeflateConfig& config);
// Server role: the Sec-WebSocket-Extensions value that answers with an agreement.
[[nodiscard]] std::string deflate_extension_header(const DeflateAgreement& agreement);
// Client role: what a Sec-WebSocket-Extensions value of an answer agreed to; nothing where it isn't
// one well-formed permessage-deflate.
[[nodiscard]] std::optional<DeflateAgreement> parse_deflate_answer(std::string_view extensions);

// Client role: the request's bytes for a path, and the judgement of the answer's head.
struct ClientUpgrade {
    std::string host, path, key;  // key: 16 random bytes in base64, the caller's
    std::string subprotocol;      // empty: none asked
    std::string origin;           // empty: none sent
    bool offer_deflate = false;
};
void append_upgrade_request(std::string& out, const ClientUpgrade& upgrade);
// `head` ends with the empty line. True when it is a 101 that fits the key and agrees to nothing
// but, at most, permessage-deflate; else `error` says why.
[[nodiscard]] bool check_upgrade_response(std::string_view head, std::string_view key,
                                          std::string& error);
// The value of a header field of a head, without the blanks around it; repeated fields joined with
// ", ", empty where there is none. The name in any case.
[[nodiscard]] std::string head_field(std::string_view head, std::string_view name);

}  // namespace parley::protocol
