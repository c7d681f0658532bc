// Who a request is by its token, and the requests about accounts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/fake_accounts.hpp"
#include "transports/accounts/account_input.hpp"
#include "transports/credential.hpp"
#include "transports/http_parse.hpp"
#include "transports/rest_client.hpp"
#include "transports/test_server.hpp"
#include "transports/websocket_client.hpp"

namespace parley::transports {
namespace {

using parley::test::FakeAccounts;
using test::RestClient;
using test::TestServer;
using test::WebSocketClient;
using testing::HasSubstr;
using testing::Not;
using Event = protocol::WebSocketDecoder::Event;

const std::string bearer = "Authorization: Bearer good\r\n";

struct AccountsServer {
    explicit AccountsServer(core::Config config = test::unlimited(), TransportConfig wire = {})
        : server(std::move(config), std::move(wire), frontends, nullptr, &accounts),
          client(server.port()) {
        accounts.add("good", "ann");
    }
    FakeAccounts accounts;
    TestServer server;
    RestClient client;
};

// ---- credentials -----------------------------------------------------------------------------

TEST(Credential, IsABearerTokenOrACookieOfOursAndNothingElse) {
    TestServer server;
    struct Row {
        std::string headers;
        std::string token;  // "-": refused
        std::string method = "GET";
    };
    const std::string cookie = "Cookie: a=b; parley_session=t; c=d\r\n";
    const auto read = [&server](const Row& row) -> std::string {
        HttpParser parser(HttpLimits{});
        std::string text = row.method + " /api/v1/rooms HTTP/1.1\r\nHost: a:1\r\n" + row.headers +
                           (row.method == "POST" ? "Content-Length: 0\r\n\r\n" : "\r\n");
        std::span<char> bytes(text);
        EXPECT_EQ(parser.feed(bytes), HttpParser::Status::complete) << row.headers;
        const auto found = read_credential(server.gate(0), parser.request(), false);
        if (std::holds_alternative<HttpResponse>(found)) return "-";
        return std::get<Credential>(found).token;
    };
    for (const Row& row : {
             Row{"", ""},
             Row{"Authorization: Bearer t\r\n", "t"},
             Row{"Authorization: bearer  t \r\n", "t"},
             Row{"Authorization: Basic t\r\n", ""},
             Row{"Authorization: Bearer\r\n", ""},
             Row{"Authorization: Bearert\r\n", ""},
             Row{"Cookie: parley_session=t\r\n", "t"},
             Row{cookie, "t"},
             Row{"Cookie: xparley_session=t; parley_sessions=t\r\n", ""},
             Row{"Cookie: __Host-parley_session=t\r\n", ""},
             Row{"Authorization: Bearer b\r\n" + cookie, "b"},
             Row{"Authorization: Basic b\r\n" + cookie, ""},
             // Reading takes no page's word; another page's does not count.
             Row{cookie + "Origin: http://a:1\r\n", "t"},
             Row{cookie + "Origin: http://evil\r\n", ""},
             // What may change something says that it comes from a page of ours.
             Row{cookie, "-", "POST"},
             Row{cookie + "Origin: http://a:1\r\n", "t", "POST"},
             Row{cookie + "Origin: http://a:2\r\n", "-", "POST"},
             Row{cookie + "Origin: null\r\n", "-", "POST"},
             Row{cookie + "Sec-Fetch-Site: same-origin\r\n", "t", "POST"},
             Row{cookie + "Sec-Fetch-Site: same-site\r\n", "-", "POST"},
             Row{cookie + "Sec-Fetch-Site: none\r\n", "-", "POST"},
             Row{"Authorization: Bearer t\r\nOrigin: http://evil\r\n", "t", "POST"},
             Row{"Origin: http://evil\r\n", "", "POST"},
             // A WebSocket of another page is a guest's; one of no page is not by cookie.
             Row{cookie + "Upgrade: websocket\r\nOrigin: http://a:1\r\n", "t"},
             Row{cookie + "Upgrade: websocket\r\nOrigin: http://evil\r\n", ""},
             Row{cookie + "Upgrade: websocket\r\n", "-"},
         }) {
        EXPECT_EQ(read(row), row.token) << row.method << " " << row.headers;
    }
}

TEST(Credential, OverTlsAPageThatCameWithoutIsNoneOfOurs) {
    TransportConfig wire;
    wire.allowed_origins = {"http://old.example"};
    TestServer server(test::unlimited(), wire);
    for (const auto& [origin, counts] : {std::pair{"https://chat.example", true},
                                         {"http://chat.example", false},
                                         {"HTTP://chat.example", false},
                                         {"http://old.example", true}}) {
        HttpParser parser(HttpLimits{});
        std::string text =
            "GET /ws HTTP/1.1\r\nHost: chat.example\r\nUpgrade: websocket\r\n"
            "Cookie: __Host-parley_session=t\r\nOrigin: " +
            std::string(origin) + "\r\n\r\n";
        std::span<char> bytes(text);
        ASSERT_EQ(parser.feed(bytes), HttpParser::Status::complete);
        const auto found = read_credential(server.gate(0), parser.request(), true);
        const auto* const credential = std::get_if<Credential>(&found);
        EXPECT_EQ(credential != nullptr && credential->token == "t", counts) << origin;
    }
}

TEST(Credential, ACookieOverTlsIsOfThisHostAlone) {
    EXPECT_EQ(session_cookie("t", std::chrono::seconds(60), false),
              "parley_session=t; Path=/; Max-Age=60; HttpOnly; SameSite=Lax");
    EXPECT_EQ(session_cookie("t", std::chrono::seconds(60), true),
              "__Host-parley_session=t; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure");
    EXPECT_THAT(ended_session_cookie(true), HasSubstr("Max-Age=0"));
}

// ---- identity --------------------------------------------------------------------------------

TEST(Identity, IsWhoeverTheTokenIsOfKnownAtOnceOrFoundOut) {
    for (const bool at_once : {true, false}) {
        SCOPED_TRACE(at_once);
        AccountsServer s;
        s.accounts.remember(at_once);
        const auto who = s.client.get("/api/v1/session", bearer);
        EXPECT_EQ(who.status, 200);
        EXPECT_THAT(who.body, HasSubstr(R"({"user":{"id":"id-ann","name":"ann"},"by":"session")"));
        EXPECT_EQ(who.header("Cache-Control"), "no-store");
        EXPECT_EQ(s.client.post("/api/v1/rooms/lobby/messages", "text=hi", bearer).status, 201);
        const auto page = s.client.get("/api/v1/rooms/lobby/messages", bearer);
        EXPECT_THAT(page.body, HasSubstr(R"("from":{"id":"id-ann","name":"ann"})"));
    }
}

TEST(Identity, AWrongTokenIsUnauthorizedWhereverTokensAreTaken) {
    for (const bool at_once : {true, false}) {
        AccountsServer s;
        s.accounts.remember(at_once);
        for (const char* const path :
             {"/api/v1/session", "/api/v1/rooms", "/api/v1/rooms/lobby/messages",
              "/api/v1/rooms/lobby/messages?wait=1s", "/api/v1/rooms/lobby/events"}) {
            const auto refused = s.client.get(path, "Authorization: Bearer forged\r\n");
            EXPECT_EQ(refused.status, 401) << path;
            EXPECT_EQ(refused.header("WWW-Authenticate"),
                      R"(Bearer realm="parley", error="invalid_token")");
        }
        EXPECT_EQ(s.client.get("/healthz", "Authorization: Bearer forged\r\n").status, 200)
            << "nothing there is anybody's";
        EXPECT_EQ(s.client.get("/", "Authorization: Basic eDp5\r\n").status, 200);
        EXPECT_EQ(s.client.get("/api/v1/rooms", "Authorization: Basic eDp5\r\n").status, 401);
    }
}

TEST(Identity, WhereItCannotBeFoundOutNowTheRequestComesAgain) {
    for (const bool at_once : {true, false}) {
        AccountsServer s;
        s.accounts.remember(at_once);
        s.accounts.be_overloaded(true);
        const auto answer = s.client.get("/api/v1/rooms", bearer);
        EXPECT_EQ(answer.status, 503);
        EXPECT_NE(answer.header("Retry-After"), "");
        s.accounts.be_overloaded(false);
        EXPECT_EQ(s.client.get("/api/v1/rooms", bearer).status, 200) << "on the same connection";
    }
}

TEST(Identity, ANameBesideATokenIsItsOwnOrForbidden) {
    AccountsServer s;
    const std::string room = "/api/v1/rooms/lobby/messages";
    EXPECT_EQ(s.client.post(room, "text=hi&name=ann", bearer).status, 201);
    EXPECT_EQ(s.client.post(room, "text=hi&name=bob", bearer).status, 403);
    s.accounts.register_name("bob");
    EXPECT_EQ(s.client.post(room, "text=hi&name=bob").status, 403);
    EXPECT_EQ(s.client.get(room + "?wait=100ms&name=bob").status, 200) << "reading shows nobody";
    EXPECT_EQ(s.client.get("/api/v1/rooms/lobby/events?name=bob").status, 403);
}

TEST(Identity, ScopesAndRoomsHoldOverHttp) {
    AccountsServer s;
    core::Grant grant;
    grant.writes = false;
    grant.all_rooms = false;
    grant.rooms = {"team.*"};
    s.accounts.add("narrow", "bot", grant);
    const std::string narrow = "Authorization: Bearer narrow\r\n";
    const auto code = [&](std::string_view method, std::string_view path) {
        return s.client.ask(method, path, method == "GET" ? "" : R"({"text":"hi"})", narrow).status;
    };
    EXPECT_EQ(code("POST", "/api/v1/rooms/team.a/messages"), 403) << "reads only";
    EXPECT_EQ(code("GET", "/api/v1/rooms/lobby/messages"), 403);
    EXPECT_EQ(code("GET", "/api/v1/rooms/lobby/messages?wait=1s"), 403);
    EXPECT_EQ(code("GET", "/api/v1/rooms/lobby/events"), 403);
    EXPECT_EQ(code("GET", "/api/v1/rooms"), 403);
    EXPECT_EQ(code("GET", "/api/v1/rooms/team.a/messages"), 404) << "nobody has been there";
    EXPECT_EQ(code("GET", "/api/v1/session"), 200);
    EXPECT_EQ(code("GET", "/api/v1/openapi.json"), 200);
}

TEST(Identity, AWebSocketIsItsTokensOrIsToldAndClosed) {
    for (const bool at_once : {true, false}) {
        AccountsServer s;
        s.accounts.remember(at_once);
        WebSocketClient ann(s.server.port(), "/ws?room=lobby", bearer);
        EXPECT_THAT(ann.receive().payload, HasSubstr(R"("user":{"id":"id-ann","name":"ann"})"));
        EXPECT_THAT(ann.receive().payload, HasSubstr(R"("type":"joined")"));
        WebSocketClient forged(s.server.port(), "/ws?room=lobby",
                               "Authorization: Bearer forged\r\n");
        EXPECT_THAT(forged.receive().payload, HasSubstr(R"("type":"welcome")"));
        EXPECT_THAT(forged.receive().payload, HasSubstr(R"("code":"unauthorized")"));
        const auto end = forged.receive();
        EXPECT_EQ(end.event, Event::close);
        EXPECT_EQ(end.close_code, 4001);
    }
}

TEST(Identity, FindingOutWhoShowsATokenTakesFromTheRateOfTheAddress) {
    core::Config config;
    config.limits.address = {0.001, 3};
    for (const char* const path : {"/api/v1/session", "/api/v1/rooms/lobby/events", "/ws"}) {
        AccountsServer s(config);
        s.accounts.remember(false);
        int refused = 0;
        for (int i = 0; i < 5; ++i) {
            const auto answer = s.client.get(path, "Authorization: Bearer forged\r\n");
            if (answer.status != 429) continue;
            ++refused;
            EXPECT_NE(answer.header("Retry-After"), "");
        }
        EXPECT_GE(refused, 2) << path;
        EXPECT_LE(s.accounts.identified(), 3u) << path;
    }
}

TEST(Identity, ACookieThatIsNoneMakesAGuestOverWebSocket) {
    AccountsServer s;
    WebSocketClient stale(s.server.port(), "/ws?name=bob&room=lobby",
                          "Cookie: parley_session=old\r\nSec-Fetch-Site: same-origin\r\n");
    EXPECT_THAT(stale.receive().payload, HasSubstr(R"("name":"bob")"));
    EXPECT_THAT(stale.receive().payload, HasSubstr(R"("type":"joined")"));
}

TEST(Identity, RevokingClosesWhatActsByTheToken) {
    AccountsServer s;
    WebSocketClient ann(s.server.port(), "/ws?room=lobby", bearer);
    ann.receive();
    ann.receive();
    s.server.hub().shard(0).post([](core::Shard& shard) {
        shard.signed_in().revoke(parley::test::token_id("good"), shard.now().mono);
    });
    EXPECT_EQ(ann.receive().close_code, 4001);
}

// ---- accounts --------------------------------------------------------------------------------

TEST(AccountFrontend, AsksForWhatTheRequestSaysAndAnswersWithIt) {
    AccountsServer s;
    s.accounts.answer_with(protocol::User{"1", "bob"});
    const auto made = s.client.post("/api/v1/accounts", R"({"name":"bob","password":"secret"})");
    EXPECT_EQ(made.status, 201);
    EXPECT_EQ(made.body, R"({"user":{"id":"1","name":"bob"}})");
    auto requests = s.accounts.take_requests();
    ASSERT_EQ(requests.size(), 1u);
    const auto& wanted = std::get<core::Register>(requests[0]);
    EXPECT_EQ(wanted.name, "bob");
    EXPECT_EQ(wanted.password, "secret");

    const core::WallTime expires = core::machine_now().wall + std::chrono::hours(1);
    s.accounts.answer_with(core::SignedInSession{{"1", "bob"}, "ps_t", expires});
    const auto session = s.client.post("/api/v1/session", "name=bob&password=secret");
    EXPECT_EQ(session.status, 200);
    EXPECT_EQ(session.text("token"), "ps_t");
    EXPECT_THAT(session.header("Set-Cookie"), HasSubstr("parley_session=ps_t; Path=/; Max-Age=3"));
    EXPECT_EQ(std::get<core::PasswordSignIn>(s.accounts.take_requests().at(0)).password, "secret");

    const auto out = s.client.ask("DELETE", "/api/v1/session", {}, bearer);
    EXPECT_EQ(out.status, 204);
    EXPECT_THAT(out.header("Set-Cookie"), HasSubstr("Max-Age=0"));
    EXPECT_EQ(std::get<core::SignOut>(s.accounts.take_requests().at(0)).user->who.name, "ann");

    s.client.ask("PUT", "/api/v1/account/password", R"({"password":"a","new_password":"b"})",
                 bearer);
    EXPECT_EQ(std::get<core::ChangePassword>(s.accounts.take_requests().at(0)).new_password, "b");
    s.client.ask("DELETE", "/api/v1/account/keys/k1", {}, bearer);
    EXPECT_EQ(std::get<core::RevokeKey>(s.accounts.take_requests().at(0)).id, "k1");
}

TEST(AccountFrontend, GivesNoCookieToPagesOfAnybody) {
    TransportConfig wire;
    wire.allowed_origins = {"*"};
    AccountsServer s(test::unlimited(), wire);
    for (const auto& [origin, cookie] : {std::pair{"", true},
                                         {"Origin: http://a\r\n", true},
                                         {"Origin: http://evil\r\n", false}}) {
        s.accounts.answer_with(
            core::SignedInSession{{"1", "bob"}, "ps_t", core::machine_now().wall});
        const auto session = s.client.post("/api/v1/session", "name=bob&password=secret", origin);
        EXPECT_EQ(session.status, 200);
        EXPECT_EQ(!session.header("Set-Cookie").empty(), cookie) << origin;
    }
}

TEST(AccountFrontend, AnswersRefusalsWithTheirStatus) {
    AccountsServer s;
    s.accounts.answer_with(core::AccountAnswer(
        boost::system::in_place_error,
        core::make_error(core::errc::rate_limited, "slowly", std::chrono::milliseconds(1500))));
    const auto slowed = s.client.post("/api/v1/session", "name=bob&password=secret");
    EXPECT_EQ(slowed.status, 429);
    EXPECT_EQ(slowed.header("Retry-After"), "2");
    EXPECT_EQ(slowed.number("retry_after_ms"), 1500);
    EXPECT_EQ(s.client.get("/api/v1/session").status, 401);
    EXPECT_EQ(s.client.get("/api/v1/account/keys").status, 401);
    EXPECT_EQ(s.client.get("/api/v1/accounts").status, 405);
    EXPECT_EQ(s.client.get("/api/v1/account/nothing").status, 404);
    EXPECT_EQ(s.client.ask("DELETE", "/api/v1/account/keys/a/b", {}, bearer).status, 404);
}

TEST(AccountFrontend, SaysWhatIsWrongWithABody) {
    AccountsServer s;
    struct Row {
        std::string body, detail;
    };
    for (const Row& row :
         {Row{"{}", R"("name" is missing)"}, Row{R"({"name":1})", R"("name" must be a string)"},
          Row{R"({"name":"a"})", R"("password" is missing)"}, Row{"[]", "must be a JSON object"},
          Row{"{", "the body is not JSON"}}) {
        const auto refused = s.client.ask("POST", "/api/v1/accounts", row.body,
                                          "Content-Type: application/json\r\n");
        EXPECT_EQ(refused.status, 400) << row.body;
        EXPECT_THAT(refused.text("detail"), HasSubstr(row.detail)) << row.body;
    }
    EXPECT_TRUE(s.accounts.take_requests().empty());
}

TEST(AccountFrontend, ReadsWhatAKeyIsGoodFor) {
    const auto user = parley::test::granted("1", "ann");
    const auto all = read_make_key(R"({"label":"bot"})", user);
    ASSERT_TRUE(all);
    EXPECT_TRUE(all->reads && all->writes && all->rooms.empty() && !all->ttl);
    const auto some =
        read_make_key(R"({"label":"bot","scopes":["send"],"rooms":["a","b.*"],"ttl":60})", user);
    ASSERT_TRUE(some);
    EXPECT_FALSE(some->reads);
    EXPECT_TRUE(some->writes);
    EXPECT_EQ(some->rooms, (std::vector<std::string>{"a", "b.*"}));
    EXPECT_EQ(some->ttl, std::chrono::seconds(60));
    for (const char* const wrong :
         {R"({})", R"({"label":"bot","scopes":"send"})", R"({"label":"bot","scopes":["admin"]})",
          R"({"label":"bot","rooms":[1]})", R"({"label":"bot","ttl":0})",
          R"({"label":"bot","ttl":"1h"})"}) {
        EXPECT_FALSE(read_make_key(wrong, user)) << wrong;
    }
}

TEST(AccountFrontend, WithoutAccountsThereIsNothing) {
    TestServer server;
    RestClient client(server.port());
    EXPECT_EQ(client.post("/api/v1/session", "name=bob&password=secret").status, 404);
    EXPECT_EQ(client.get("/api/v1/session").status, 404);
    EXPECT_EQ(client.get("/api/v1/rooms", bearer).status, 401) << "as without this frontend";
}

TEST(AccountFrontend, TakesFromTheRatesLikeEverythingElse) {
    core::Config config;
    config.limits.address = {0.001, 2};
    AccountsServer s(config);
    EXPECT_EQ(s.client.post("/api/v1/session", "{}").status, 400);
    EXPECT_EQ(s.client.post("/api/v1/session", "{}").status, 400);
    const auto limited = s.client.post("/api/v1/session", "name=bob&password=secret");
    EXPECT_EQ(limited.status, 429);
    EXPECT_NE(limited.header("RateLimit"), "");
    EXPECT_TRUE(s.accounts.take_requests().empty());
}

}  // namespace
}  // namespace parley::transports
