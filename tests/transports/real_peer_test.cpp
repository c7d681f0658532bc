// Who a request comes from: the socket's other end, or who trusted proxies say.
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "transports/gate.hpp"
#include "transports/loopback_client.hpp"
#include "transports/test_server.hpp"
#include "transports/trusted_proxies.hpp"

namespace parley::transports {
namespace {

using boost::asio::ip::make_address;
using boost::asio::ip::tcp;
using core::Metric;
using std::chrono::milliseconds;
using test::LoopbackClient;
using test::status_of;
using test::TestServer;

TEST(Network, IsAnAddressAndHowMuchOfItCounts) {
    for (const char* good : {"10.0.0.0/8", "10.1.2.3/8", "192.0.2.1", "0.0.0.0/0", "::/0", "::1",
                             "2001:db8::/32", "::ffff:10.0.0.0/104"}) {
        EXPECT_TRUE(parse_network(good)) << good;
    }
    for (const char* bad : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x",
                            "10.0.0/8", "::/129", "fe80::1%1", "localhost", "10.0.0.0 /8"}) {
        EXPECT_FALSE(parse_network(bad)) << bad;
    }
}

TEST(TrustedProxies, AreThoseOfTheirNetworks) {
    const TrustedProxies proxies({"10.0.0.0/8", "192.0.2.128/25", "2001:db8::/33"}, false);
    for (const char* trusted : {"10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3", "192.0.2.128",
                                "192.0.2.255", "2001:db8:7fff::1"}) {
        EXPECT_TRUE(proxies.trusts(make_address(trusted))) << trusted;
    }
    for (const char* other :
         {"11.0.0.0", "9.255.255.255", "192.0.2.127", "2001:db8:8000::1", "::1", "::10.0.0.1"}) {
        EXPECT_FALSE(proxies.trusts(make_address(other))) << other;
    }
    EXPECT_FALSE(TrustedProxies({}, false).trusts(make_address("127.0.0.1")));
}

struct Said {
    std::vector<std::pair<std::string, std::string>> headers;
    std::string client;
};

void expect_clients(const TrustedProxies& proxies, const std::string& hop,
                    const std::vector<Said>& rows) {
    for (const Said& row : rows) {
        HttpRequest request;
        for (const auto& [name, value] : row.headers) {
            SCOPED_TRACE(value);
            request.insert(name, value);
        }
        const tcp::endpoint client = proxies.client_of({make_address(hop), 7}, request);
        EXPECT_EQ(client.address().to_string(), row.client)
            << (row.headers.empty() ? "" : row.headers[0].second);
    }
}

TEST(TrustedProxies, GiveTheLastHopThatIsNoneOfThem) {
    const std::string name = "X-Forwarded-For";
    expect_clients(TrustedProxies({"10.0.0.0/8", "fd00::/8"}, false), "10.0.0.1",
                   {
                       {{}, "10.0.0.1"},
                       {{{name, ""}}, "10.0.0.1"},
                       {{{name, "192.0.2.1"}}, "192.0.2.1"},
                       {{{name, "192.0.2.1:5000"}}, "192.0.2.1"},
                       {{{name, "[2001:db8::1]:5000"}}, "2001:db8::1"},
                       {{{name, "2001:db8::1"}}, "2001:db8::1"},
                       {{{name, "::ffff:192.0.2.1"}}, "192.0.2.1"},
                       // What the client itself wrote stands to the left of what a proxy added.
                       {{{name, "1.1.1.1, 192.0.2.1"}}, "192.0.2.1"},
                       {{{name, "1.1.1.1,192.0.2.1,10.9.9.9, fd00::2"}}, "192.0.2.1"},
                       {{{name, "1.1.1.1"}, {name, "192.0.2.1"}}, "192.0.2.1"},
                       {{{name, "10.2.2.2, 10.3.3.3"}}, "10.2.2.2"},
                       {{{name, "unknown"}}, "10.0.0.1"},
                       {{{name, "192.0.2.1, nonsense"}}, "10.0.0.1"},
                       {{{name, "192.0.2.1, nonsense, 10.3.3.3"}}, "10.3.3.3"},
                       {{{name, "192.0.2.1, "}}, "192.0.2.1"},
                       // A quote that is left open hides nothing.
                       {{{name, "\"1.1.1.1, 192.0.2.1"}}, "192.0.2.1"},
                       {{{"Forwarded", "for=192.0.2.9"}}, "10.0.0.1"},
                   });
}

TEST(TrustedProxies, ReadForwardedWhereTheySpeakIt) {
    const std::string name = "Forwarded";
    expect_clients(TrustedProxies({"10.0.0.0/8"}, true), "10.0.0.1",
                   {
                       {{{name, "for=192.0.2.1"}}, "192.0.2.1"},
                       {{{name, "For=192.0.2.1;proto=https;by=10.0.0.1"}}, "192.0.2.1"},
                       {{{name, "proto=https; for=\"[2001:db8::1]:4711\""}}, "2001:db8::1"},
                       {{{name, "for=1.1.1.1, for=192.0.2.1, for=10.0.0.2"}}, "192.0.2.1"},
                       {{{name, "for=\", for=192.0.2.1"}}, "192.0.2.1"},
                       {{{name, "for=unknown"}}, "10.0.0.1"},
                       {{{name, "for=_hidden, for=10.0.0.2"}}, "10.0.0.2"},
                       {{{name, "proto=https"}}, "10.0.0.1"},
                       {{{"X-Forwarded-For", "192.0.2.9"}}, "10.0.0.1"},
                   });
}

TEST(TrustedProxies, AreTheOnlyOnesBelieved) {
    expect_clients(TrustedProxies({"10.0.0.0/8"}, false), "192.0.2.7",
                   {{{{"X-Forwarded-For", "1.1.1.1"}}, "192.0.2.7"}});
    expect_clients(TrustedProxies({}, false), "127.0.0.1",
                   {{{{"X-Forwarded-For", "1.1.1.1"}}, "127.0.0.1"}});
}

// Answers every request with who made it.
class PeerFrontend final : public Frontend {
public:
    bool owns(const HttpTarget&) const noexcept override { return true; }
    std::optional<HttpResponse> handle(Exchange& exchange) override {
        HttpResponse response;
        response.content_type = "text/plain";
        response.body = exchange.peer.address().to_string();
        return response;
    }
};
constexpr FrontendEntry peer_table[] = {
    {"peer", [](Gate&) -> std::unique_ptr<Frontend> { return std::make_unique<PeerFrontend>(); }},
};

TransportConfig behind_proxies(bool proxy_protocol) {
    TransportConfig config;
    config.trusted_proxies = {"127.0.0.0/8", "10.0.0.0/8"};
    config.proxy_protocol = proxy_protocol;
    return config;
}

std::string peer_of(std::string_view answer) {
    return std::string(answer.substr(answer.find("\r\n\r\n") + 4));
}

const std::string request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string line = "PROXY TCP4 192.0.2.1 192.0.2.2 51000 443\r\n";

TEST(RealPeer, IsJudgedRequestByRequest) {
    TestServer server({}, behind_proxies(false), peer_table);
    LoopbackClient client(server.port());
    for (const std::string_view said : {"192.0.2.1", "192.0.2.2", "", "192.0.2.3"}) {
        client.send("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: " + std::string(said) +
                    "\r\n\r\n");
        EXPECT_EQ(peer_of(client.read_answer()), said.empty() ? "127.0.0.1" : said);
    }
}

TEST(RealPeer, IsToldByThePROXYProtocolWhereverItIsCut) {
    TestServer server({}, behind_proxies(true), peer_table);
    const std::string all = line + request;
    for (std::size_t cut = 0; cut <= all.size(); ++cut) {
        LoopbackClient client(server.port());
        client.send(all.substr(0, cut));
        client.send(all.substr(cut));
        ASSERT_EQ(peer_of(client.read_answer()), "192.0.2.1") << cut;
        client.send(request);
        ASSERT_EQ(peer_of(client.read_answer()), "192.0.2.1") << "one header a connection";
    }
    // The proxy asks for itself; and a second proxy stands behind the first.
    LoopbackClient itself(server.port());
    itself.send("PROXY UNKNOWN\r\n" + request);
    EXPECT_EQ(peer_of(itself.read_answer()), "127.0.0.1");
    LoopbackClient behind(server.port());
    behind.send("PROXY TCP4 10.1.1.1 192.0.2.2 51000 443\r\n" + request.substr(0, 25) +
                "X-Forwarded-For: 192.0.2.5\r\n\r\n");
    EXPECT_EQ(peer_of(behind.read_answer()), "192.0.2.5");
    EXPECT_EQ(server.total(Metric::proxy_headers_refused), 0U);
}

TEST(RealPeer, ClosesWhatBringsNoPROXYHeaderWithoutAWord) {
    TransportConfig config = behind_proxies(true);
    config.head_timeout = milliseconds(20);
    TestServer server({}, config, peer_table);
    std::uint64_t refused = 0;
    for (const std::string& sent : {request, std::string("PROXY TCP4 nonsense\r\n"),
                                    std::string("\r\n\r\n\0\r\nQUIT\n\x31\x11", 14) + "xxxx",
                                    std::string("PROXY TC"), std::string()}) {
        LoopbackClient client(server.port());
        client.send(sent);
        EXPECT_EQ(client.read_to_end(), "");
        EXPECT_EQ(server.total(Metric::proxy_headers_refused), ++refused);
    }
    EXPECT_EQ(server.total(Metric::http_requests), 0U);
}

TEST(RealPeer, TakesAPROXYHeaderFromTrustedProxiesOnly) {
    TransportConfig config = behind_proxies(true);
    config.trusted_proxies = {"10.0.0.0/8"};
    TestServer server({}, config, peer_table);
    LoopbackClient client(server.port());
    client.send(line + request);
    EXPECT_EQ(client.read_to_end(), "");
    EXPECT_EQ(server.total(Metric::proxy_headers_refused), 1U);
}

TEST(RealPeer, IsWhoConnectionsAreCountedFor) {
    core::Config config;
    config.limits.connections_per_address = 1;
    TestServer server(config, behind_proxies(true), peer_table);
    const auto connected = [&](const std::string& from) {
        LoopbackClient client(server.port());
        client.send("PROXY " + from + " 51000 443\r\n" + request);
        const int status = status_of(client.read_answer());
        return std::pair(status, std::move(client));
    };
    const auto first = connected("TCP4 192.0.2.1 192.0.2.9");
    const auto other = connected("TCP4 192.0.2.2 192.0.2.9");
    const auto again = connected("TCP4 192.0.2.1 192.0.2.9");
    const auto six = connected("TCP6 2001:db8::1 2001:db8::9");
    const auto near = connected("TCP6 2001:db8::2 2001:db8::9");
    EXPECT_EQ(first.first, 200);
    EXPECT_EQ(other.first, 200);
    EXPECT_EQ(again.first, 503);
    EXPECT_EQ(six.first, 200);
    EXPECT_EQ(near.first, 503) << "of the same /64";
    EXPECT_EQ(server.total(Metric::refused_address), 2U);
}

TEST(RealPeer, HoldsPlacesForRefusalsWhileTheirPROXYHeaderIsOutstandingAsForAnyOther) {
    core::Config config;
    config.limits.connections = 1;
    TestServer server(config, behind_proxies(true), peer_table);
    LoopbackClient inside(server.port());
    inside.send(line + request);
    EXPECT_EQ(status_of(inside.read_answer()), 200);
    {
        std::vector<LoopbackClient> silent;
        while (server.total(Metric::refused_unanswered) == 0) {
            // Not so far ahead of the server that descriptors run out.
            if (silent.size() < server.total(Metric::refused_connections) + 64) {
                silent.emplace_back(server.port());
            } else {
                std::this_thread::yield();
            }
        }
        EXPECT_EQ(silent.back().read_to_end(), "");
        EXPECT_GT(silent.size(), 256U);
        EXPECT_GE(server.total(Metric::refused_connections), 257U);
        EXPECT_EQ(server.total(Metric::proxy_headers_refused), 0U);
    }
    // Those are gone: the next one is told, once it has said who it is.
    await_total(server, Metric::proxy_headers_refused, 256);
    LoopbackClient next(server.port());
    next.send(line + request);
    EXPECT_EQ(status_of(next.read_answer()), 503);
}

TEST(RealPeer, ThatHasStillToBeToldTakesNoPlaceOfARefusal) {
    constexpr std::size_t places = 300;
    core::Config config;
    config.limits.connections = places;
    TestServer server(config, behind_proxies(true), peer_table);
    std::vector<LoopbackClient> silent;
    for (std::size_t i = 0; i < places; ++i) silent.emplace_back(server.port());
    LoopbackClient refused(server.port());
    refused.send(line + request);
    EXPECT_EQ(status_of(refused.read_answer()), 503);
    EXPECT_EQ(server.total(Metric::refused_unanswered), 0U);
}

}  // namespace
}  // namespace parley::transports
