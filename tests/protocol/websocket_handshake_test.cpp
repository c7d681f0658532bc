#include "protocol/websocket_handshake.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace parley::protocol {
namespace {

// The example of RFC 6455, 1.2 and 1.3.
constexpr std::string_view rfc_key = "dGhlIHNhbXBsZSBub25jZQ==";
constexpr std::string_view rfc_accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
constexpr std::array<std::string_view, 2> spoken{"parley.v1", "echo"};

UpgradeRequest good_request() {
    return {.method = "GET",
            .http_1_1 = true,
            .upgrade = "websocket",
            .connection = "Upgrade",
            .key = rfc_key,
            .version = "13",
            .protocols = "",
            .extensions = ""};
}

UpgradeAnswer answer(const UpgradeRequest& request) {
    return answer_upgrade(request, spoken, DeflateConfig{});
}

TEST(AcceptForKey, IsTheExampleOfTheRfc) {
    EXPECT_EQ(accept_for_key(rfc_key), rfc_accept);
}

TEST(AnswerUpgrade, AcceptsTheExampleOfTheRfc) {
    const auto result = answer(good_request());
    EXPECT_EQ(result.status, 101U);
    EXPECT_EQ(result.error, "");
    EXPECT_EQ(result.accept, rfc_accept);
    EXPECT_EQ(result.subprotocol, "");
    EXPECT_FALSE(result.deflate);
    EXPECT_EQ(result.extensions, "");
}

TEST(AnswerUpgrade, TakesTokensInAnyCaseOutOfLists) {
    for (const std::string_view connection :
         {"upgrade", "UPGRADE", "keep-alive, Upgrade", "Upgrade,keep-alive", " a ,\tuPGRADE "}) {
        for (const std::string_view upgrade : {"websocket", "WebSocket", "h2c, WEBSOCKET"}) {
            auto request = good_request();
            request.connection = connection;
            request.upgrade = upgrade;
            EXPECT_EQ(answer(request).status, 101U) << connection << " / " << upgrade;
            EXPECT_TRUE(wants_websocket(request));
        }
    }
    auto request = good_request();
    request.upgrade = "";
    EXPECT_FALSE(wants_websocket(request));
}

TEST(AnswerUpgrade, RefusesEachFlawWithItsStatusAndAReason) {
    struct Flaw {
        unsigned status;
        std::string_view named;  // by the error
        void (*spoil)(UpgradeRequest&);
    };
    const std::vector<Flaw> flaws{
        {405, "GET", [](UpgradeRequest& r) { r.method = "POST"; }},
        {405, "GET", [](UpgradeRequest& r) { r.method = "get"; }},
        {400, "HTTP/1.1", [](UpgradeRequest& r) { r.http_1_1 = false; }},
        {400, "Upgrade", [](UpgradeRequest& r) { r.upgrade = ""; }},
        {400, "Upgrade", [](UpgradeRequest& r) { r.upgrade = "websockets"; }},
        {400, "Connection", [](UpgradeRequest& r) { r.connection = ""; }},
        {400, "Connection", [](UpgradeRequest& r) { r.connection = "keep-alive, no-upgrade"; }},
        {426, "13", [](UpgradeRequest& r) { r.version = ""; }},
        {426, "13", [](UpgradeRequest& r) { r.version = "8"; }},
        {426, "13", [](UpgradeRequest& r) { r.version = "13, 8"; }},
        {400, "Key", [](UpgradeRequest& r) { r.key = ""; }},
        {400, "Key", [](UpgradeRequest& r) { r.key = "dGhlIHNhbXBsZSBub25jZQ="; }},
        {400, "Key", [](UpgradeRequest& r) { r.key = "dGhlIHNhbXBsZSBub25jZQ==="; }},
        {400, "Key", [](UpgradeRequest& r) { r.key = "dGhlIHNhbXBsZSBub25jZTEy"; }},
        {400, "Key", [](UpgradeRequest& r) { r.key = "dGhlIHNhbXBsZSBub25j-Q=="; }},
        {400, "Key", [](UpgradeRequest& r) { r.key = "dGhlIHNhbXBsZSBub2=jZQ=="; }},
    };
    for (const Flaw& flaw : flaws) {
        auto request = good_request();
        flaw.spoil(request);
        const auto result = answer(request);
        EXPECT_EQ(result.status, flaw.status) << result.error;
        EXPECT_NE(result.error.find(flaw.named), std::string::npos) << result.error;
        EXPECT_EQ(result.accept, "");
    }
}

TEST(AnswerUpgrade, ChoosesTheServersBestOfTheSubprotocolsOffered) {
    const std::vector<std::pair<std::string_view, std::string_view>> cases{
        {"parley.v1", "parley.v1"},
        {"echo, parley.v1", "parley.v1"},
        {"mqtt,echo", "echo"},
        {"mqtt", ""},
        {"PARLEY.V1", ""},
        {" , ,echo", "echo"},
        {"parley.v10, xparley.v1", ""},
    };
    for (const auto& [offered, chosen] : cases) {
        auto request = good_request();
        request.protocols = offered;
        EXPECT_EQ(answer(request).subprotocol, chosen) << offered;
        EXPECT_EQ(answer(request).status, 101U);
    }
}

// ---- permessage-deflate ----------------------------------------------------------------------

constexpr DeflateConfig keep_windows{.server_no_context_takeover = false,
                                     .client_no_context_takeover = false};

// The header that answers an offer, or "-" where none of it can be agreed to.
std::string agreed(std::string_view offer, const DeflateConfig& config = keep_windows) {
    const auto agreement = negotiate_deflate(offer, config);
    return agreement ? deflate_extension_header(*agreement) : "-";
}

TEST(NegotiateDeflate, AnswersEachParameterAsTheRfcSays) {
    const std::vector<std::pair<std::string_view, std::string_view>> cases{
        {"permessage-deflate", "permessage-deflate"},
        {"Permessage-Deflate", "permessage-deflate"},
        {"permessage-deflate; server_no_context_takeover",
         "permessage-deflate; server_no_context_takeover"},
        {"permessage-deflate; client_no_context_takeover",
         "permessage-deflate; client_no_context_takeover"},
        {"permessage-deflate;server_max_window_bits=10",
         "permessage-deflate; server_max_window_bits=10"},
        {"permessage-deflate; server_max_window_bits=\"10\"",
         "permessage-deflate; server_max_window_bits=10"},
        {"permessage-deflate; server_max_window_bits = 15",
         "permessage-deflate; server_max_window_bits=15"},
        {"permessage-deflate; client_max_window_bits", "permessage-deflate"},
        {"permessage-deflate; client_max_window_bits=15", "permessage-deflate"},
        {"permessage-deflate; client_max_window_bits=8",
         "permessage-deflate; client_max_window_bits=8"},
        {"permessage-deflate; client_max_window_bits; server_max_window_bits=9; "
         "server_no_context_takeover; client_no_context_takeover",
         "permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
         "server_max_window_bits=9"},
    };
    for (const auto& [offer, header] : cases) EXPECT_EQ(agreed(offer), header) << offer;
}

TEST(NegotiateDeflate, PassesOverOffersThatItCannotUse) {
    const std::vector<std::string_view> unusable{
        "",
        "permessage-bzip2",
        "x-webkit-deflate-frame",
        "permessage-deflate; unknown",
        "permessage-deflate; server_no_context_takeover=1",
        "permessage-deflate; client_no_context_takeover=\"\"",
        "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
        "permessage-deflate; client_max_window_bits; client_max_window_bits=9",
        "permessage-deflate; server_max_window_bits",
        "permessage-deflate; server_max_window_bits=8",
        "permessage-deflate; server_max_window_bits=7",
        "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; server_max_window_bits=09",
        "permessage-deflate; server_max_window_bits=+9",
        "permessage-deflate; server_max_window_bits=9a",
        "permessage-deflate; server_max_window_bits=",
        "permessage-deflate; server_max_window_bits=\"9",
        "permessage-deflate; client_max_window_bits=0",
        "permessage-deflate; client_max_window_bits=99999999999",
        "permessage-deflate; =9",
        "permessage-deflate; ; server_no_context_takeover",
    };
    for (const std::string_view offer : unusable) {
        EXPECT_EQ(agreed(offer), "-") << offer;
        // The next offer counts, unless an open quote has swallowed it.
        if (offer.ends_with("\"9")) continue;
        EXPECT_EQ(agreed(std::string(offer) + ", permessage-deflate; server_max_window_bits=12"),
                  "permessage-deflate; server_max_window_bits=12")
            << offer;
    }
}

TEST(NegotiateDeflate, TakesTheFirstUsableOffer) {
    EXPECT_EQ(agreed("permessage-deflate; server_max_window_bits=10, permessage-deflate"),
              "permessage-deflate; server_max_window_bits=10");
    EXPECT_EQ(agreed("other; a=\"x, permessage-deflate\", permessage-deflate"),
              "permessage-deflate");
}

TEST(NegotiateDeflate, ImposesWhatTheServerIsConfiguredTo) {
    const std::string_view both =
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    EXPECT_EQ(agreed("permessage-deflate; client_max_window_bits", DeflateConfig{}), both);
    EXPECT_EQ(agreed("permessage-deflate", {.server_window_bits = 11}),
              std::string(both) + "; server_max_window_bits=11");
    EXPECT_EQ(agreed("permessage-deflate; server_max_window_bits=13", {.server_window_bits = 11}),
              std::string(both) + "; server_max_window_bits=11");
    EXPECT_EQ(agreed("permessage-deflate", {.enabled = false}), "-");
}

TEST(NegotiateDeflate, IsPartOfTheAnswer) {
    auto request = good_request();
    request.extensions = "permessage-deflate; client_max_window_bits=10";
    const auto result = answer(request);
    ASSERT_TRUE(result.deflate);
    EXPECT_EQ(result.deflate->client_window_bits, 10);
    EXPECT_EQ(result.extensions,
              "permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
              "client_max_window_bits=10");
}

// ---- client role -----------------------------------------------------------------------------

TEST(ParseDeflateAnswer, ReadsBackEveryAgreement) {
    for (int bits = 0; bits < 8; ++bits) {
        const DeflateAgreement agreement{.server_no_context_takeover = (bits & 1) != 0,
                                         .client_no_context_takeover = (bits & 2) != 0,
                                         .server_window_bits = 15 - bits % 4,
                                         .client_window_bits = 8 + bits,
                                         .server_window_bits_asked = true};
        EXPECT_EQ(parse_deflate_answer(deflate_extension_header(agreement)), agreement);
    }
    EXPECT_FALSE(parse_deflate_answer("permessage-deflate; client_max_window_bits"));
    EXPECT_FALSE(parse_deflate_answer("permessage-deflate, permessage-deflate"));
    EXPECT_FALSE(parse_deflate_answer(""));
}

std::string good_head() {
    return "HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Accept: " +
           std::string(rfc_accept) + "\r\n\r\n";
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos);
    return text.replace(at, from.size(), to);
}

TEST(CheckUpgradeResponse, TakesAGoodAnswerAndSaysWhatIsWrongWithABadOne) {
    std::string error;
    EXPECT_TRUE(check_upgrade_response(good_head(), rfc_key, error)) << error;
    EXPECT_EQ(error, "");
    const std::string with_deflate = replaced(
        good_head(), "\r\n\r\n",
        "\r\nSec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=9\r\n\r\n");
    EXPECT_TRUE(check_upgrade_response(with_deflate, rfc_key, error)) << error;
    const std::vector<std::pair<std::string, std::string>> bad{
        {replaced(good_head(), "101", "503"), "101"},
        {replaced(good_head(), "101", "1010"), "101"},
        {replaced(good_head(), "WebSocket", "h2c"), "Upgrade"},
        {replaced(good_head(), "Connection: Upgrade", "Connection: close"), "Connection"},
        {replaced(good_head(), "s3p", "S3p"), "Sec-WebSocket-Accept"},
        {replaced(with_deflate, "window_bits=9", "window_bits=99"), "extension"},
        {replaced(with_deflate, "permessage-deflate", "x-other"), "extension"},
        {"", "101"},
        {"HTTP/1.1 101\r\n\r\n", "Upgrade"},
    };
    for (const auto& [head, named] : bad) {
        EXPECT_FALSE(check_upgrade_response(head, rfc_key, error)) << head;
        EXPECT_NE(error.find(named), std::string::npos) << error;
    }
}

TEST(AppendUpgradeRequest, IsWhatTheServerAccepts) {
    std::string bytes;
    append_upgrade_request(bytes, {.host = "localhost:8080",
                                   .path = "/ws?name=ann",
                                   .key = std::string(rfc_key),
                                   .subprotocol = "parley.v1",
                                   .origin = "http://localhost",
                                   .offer_deflate = true});
    EXPECT_TRUE(bytes.starts_with("GET /ws?name=ann HTTP/1.1\r\nHost: localhost:8080\r\n"));
    EXPECT_TRUE(bytes.ends_with("\r\n\r\n"));
    EXPECT_EQ(head_field(bytes, "origin"), "http://localhost");
    const std::string upgrade = head_field(bytes, "Upgrade");
    const std::string connection = head_field(bytes, "Connection");
    const std::string key = head_field(bytes, "Sec-WebSocket-Key");
    const std::string version = head_field(bytes, "Sec-WebSocket-Version");
    const std::string protocols = head_field(bytes, "Sec-WebSocket-Protocol");
    const std::string extensions = head_field(bytes, "Sec-WebSocket-Extensions");
    const auto result = answer({.method = "GET",
                                .http_1_1 = true,
                                .upgrade = upgrade,
                                .connection = connection,
                                .key = key,
                                .version = version,
                                .protocols = protocols,
                                .extensions = extensions});
    EXPECT_EQ(result.status, 101U) << result.error;
    EXPECT_EQ(result.subprotocol, "parley.v1");
    EXPECT_EQ(result.deflate, DeflateAgreement{});
}

TEST(HeadField, JoinsRepeatedFieldsAndIgnoresTheFirstLine) {
    const std::string_view head = "HTTP/1.1 200 a: b\r\nA:  1 \r\nb: x\r\na:2\r\nbroken\r\n\r\n";
    EXPECT_EQ(head_field(head, "a"), "1, 2");
    EXPECT_EQ(head_field(head, "B"), "x");
    EXPECT_EQ(head_field(head, "c"), "");
}

}  // namespace
}  // namespace parley::protocol
