#include "transports/tls_contexts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "transports/tls_pair.hpp"

namespace parley::transports::test {
namespace {

using parley::test::CertificateWish;
using parley::test::KeyType;
using parley::test::make_certificate;
using parley::test::make_staple;
using parley::test::pem_of;
using parley::test::TestCertificate;
using parley::test::TestFolder;
using Step = TlsStream::Handshake;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::int64_t now() {
    return std::time(nullptr);
}

std::shared_ptr<const TlsContexts> load(const TlsConfig& config,
                                        std::shared_ptr<TicketKeys> tickets = nullptr) {
    if (!tickets) tickets = std::make_shared<TicketKeys>();
    return std::make_shared<const TlsContexts>(config, std::move(tickets), now());
}

// Who a client that asks for that name speaks with.
std::string served(const TlsContexts& contexts, const std::string& name) {
    TlsWish wish;
    wish.server_name = name;
    TlsPair pair(contexts, wish);
    EXPECT_EQ(pair.shake_hands(), Step::done) << name;
    return pair.client().common_name();
}

const TestCertificate& authority() {
    static const TestCertificate made = [] {
        CertificateWish wish{"authority", {}};
        wish.authority = true;
        return make_certificate(wish);
    }();
    return made;
}

TEST(TlsContexts, ChooseTheCertificateByTheNameThatIsAskedFor) {
    const TestFolder folder;
    TlsConfig config;
    folder.add(config, "first", make_certificate({"first", {"chat.example", "www.chat.example"}}));
    folder.add(config, "wild", make_certificate({"wild", {"*.rooms.example"}}));
    folder.add(config, "exact", make_certificate({"exact", {"a.rooms.example"}}));
    folder.add(config, "old", make_certificate({"old.example", {}}));  // a common name only
    const auto contexts = load(config);
    EXPECT_EQ(served(*contexts, "chat.example"), "first");
    EXPECT_EQ(served(*contexts, "WWW.Chat.Example"), "first");
    EXPECT_EQ(served(*contexts, "b.rooms.example"), "wild");
    EXPECT_EQ(served(*contexts, "a.rooms.example"), "exact");
    EXPECT_EQ(served(*contexts, "old.example"), "old.example");
    EXPECT_EQ(served(*contexts, "c.b.rooms.example"), "first");  // a wildcard is one label
    EXPECT_EQ(served(*contexts, "rooms.example"), "first");
    EXPECT_EQ(served(*contexts, "elsewhere"), "first");
    EXPECT_EQ(served(*contexts, ""), "first");
    EXPECT_EQ(contexts->context_for("b.rooms.example."), contexts->context_for("b.rooms.example"));
}

TEST(TlsContexts, ServeAnRsaAndAnEcdsaCertificateForOneNameAsTheClientCan) {
    const TestFolder folder;
    const TestCertificate rsa = make_certificate({"rsa", {"both.example"}, KeyType::rsa});
    const TestCertificate ecdsa = make_certificate({"ecdsa", {"both.example", "more.example"}});
    for (const bool rsa_first : {false, true}) {
        TlsConfig config;
        folder.add(config, "1", rsa_first ? rsa : ecdsa);
        folder.add(config, "2", rsa_first ? ecdsa : rsa);
        const auto contexts = load(config);
        for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
            TlsWish wish;
            wish.server_name = "both.example";
            wish.version_min = wish.version_max = version;
            wish.signatures = "ECDSA+SHA256";
            TlsPair modern(*contexts, wish);
            ASSERT_EQ(modern.shake_hands(), Step::done);
            EXPECT_EQ(modern.client().common_name(), "ecdsa");
            wish.signatures = "RSA-PSS+SHA256:RSA+SHA256";
            TlsPair old(*contexts, wish);
            ASSERT_EQ(old.shake_hands(), Step::done);
            EXPECT_EQ(old.client().common_name(), "rsa");
        }
        EXPECT_EQ(served(*contexts, "more.example"), "ecdsa");
    }
}

TEST(TlsContexts, SpeakTls12And13WithForwardSecrecyAndNothingOlder) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        TlsWish wish;
        wish.version_min = wish.version_max = version;
        TlsPair pair(plain_contexts(), wish);
        EXPECT_EQ(pair.shake_hands(), Step::done) << version;
        EXPECT_EQ(SSL_version(pair.client().ssl()), version);
    }
    TlsWish old;
    old.version_min = TLS1_VERSION;
    old.version_max = TLS1_1_VERSION;
    old.ciphers = "ALL:@SECLEVEL=0";
    TlsPair refused(plain_contexts(), old);
    EXPECT_EQ(refused.shake_hands(), Step::failed);
    EXPECT_TRUE(refused.client_failed());
    TlsWish weak;
    weak.version_max = TLS1_2_VERSION;
    for (const char* ciphers : {"ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA", "AES128-SHA",
                                "ECDHE-ECDSA-AES128-CCM"}) {
        weak.ciphers = ciphers;
        TlsPair pair(plain_contexts(), weak);
        EXPECT_EQ(pair.shake_hands(), Step::failed) << ciphers;
    }
    ERR_clear_error();
}

TEST(TlsContexts, ChooseTheCheapestCipherThatBothHaveAndChaCha20WhereTheClientPutsItFirst) {
    const auto chosen = [](int version, const std::string& offered) {
        TlsWish wish;
        wish.version_min = wish.version_max = version;
        (version == TLS1_3_VERSION ? wish.suites : wish.ciphers) = offered;
        TlsPair pair(plain_contexts(), wish);
        EXPECT_EQ(pair.shake_hands(), Step::done) << offered;
        return std::string(SSL_get_cipher_name(pair.client().ssl()));
    };
    const std::string small = "TLS_AES_128_GCM_SHA256";
    const std::string large = "TLS_AES_256_GCM_SHA384";
    const std::string chacha = "TLS_CHACHA20_POLY1305_SHA256";
    EXPECT_EQ(chosen(TLS1_3_VERSION, large + ":" + chacha + ":" + small), small);
    EXPECT_EQ(chosen(TLS1_3_VERSION, small + ":" + large), small);
    EXPECT_EQ(chosen(TLS1_3_VERSION, large + ":" + chacha), large);
    EXPECT_EQ(chosen(TLS1_3_VERSION, chacha + ":" + small + ":" + large), chacha);
    const std::string old = "ECDHE-ECDSA-";
    const std::string old_chacha = old + "CHACHA20-POLY1305";
    EXPECT_EQ(chosen(TLS1_2_VERSION, old + "AES256-GCM-SHA384:" + old + "AES128-GCM-SHA256"),
              old + "AES128-GCM-SHA256");
    EXPECT_EQ(chosen(TLS1_2_VERSION, old_chacha + ":" + old + "AES128-GCM-SHA256"), old_chacha);
}

TEST(TlsContexts, AgreeOnHttp11AndRefuseOthersOnlyWhereTheyAreOffered) {
    const auto agreed = [](std::vector<std::string> protocols) -> std::optional<std::string> {
        TlsWish wish;
        wish.protocols = std::move(protocols);
        TlsPair pair(plain_contexts(), wish);
        if (pair.shake_hands() != Step::done) return std::nullopt;
        return pair.client().protocol();
    };
    EXPECT_EQ(agreed({}), "");
    EXPECT_EQ(agreed({"http/1.1"}), "http/1.1");
    EXPECT_EQ(agreed({"h2", "http/1.1"}), "http/1.1");
    EXPECT_EQ(agreed({"h2"}), std::nullopt);
    EXPECT_EQ(agreed({"http/1.0", "http/1.12"}), std::nullopt);
    ERR_clear_error();
}

// A session of a connection that has read something.
SessionHandle first_session(const TlsContexts& contexts, const TlsWish& wish) {
    TlsPair pair(contexts, wish);
    EXPECT_EQ(pair.shake_hands(), Step::done);
    pair.write({"x"});
    pair.carry();
    EXPECT_EQ(pair.client_reads(), "x");
    return pair.client().session();
}

bool resumes(const TlsContexts& contexts, TlsWish wish, SSL_SESSION* session) {
    wish.session = session;
    TlsPair pair(contexts, wish);
    EXPECT_EQ(pair.shake_hands(), Step::done);
    EXPECT_EQ(pair.client().resumed(), pair.stream().resumed());
    return pair.stream().resumed();
}

TEST(TlsContexts, ResumeSessionsUntilTheirKeyIsForgotten) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        const TestFolder folder;
        TlsConfig config;
        folder.add(config, "a", make_certificate({"a", {"localhost"}}));
        const auto tickets = std::make_shared<TicketKeys>();
        const auto contexts = load(config, tickets);
        TlsWish wish;
        wish.version_min = wish.version_max = version;
        const auto session = first_session(*contexts, wish);
        EXPECT_TRUE(resumes(*contexts, wish, session.get()));
        for (std::size_t i = 1; i < TicketKeys::kept_max; ++i) {
            tickets->rotate();
            EXPECT_TRUE(resumes(*contexts, wish, session.get())) << i;
        }
        tickets->rotate();
        EXPECT_FALSE(resumes(*contexts, wish, session.get()));
    }
}

TEST(TlsContexts, ResumeSessionsAcrossAReloadButNotAcrossAChangeOfWhatClientsMustShow) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        const TestFolder folder;
        TlsConfig config;
        folder.add(config, "a", make_certificate({"a", {"localhost"}}));
        const auto tickets = std::make_shared<TicketKeys>();
        const auto before = load(config, tickets);
        TlsWish wish;
        wish.version_min = wish.version_max = version;
        const auto session = first_session(*before, wish);
        EXPECT_TRUE(resumes(*load(config, tickets), wish, session.get()));
        EXPECT_FALSE(resumes(*load(config), wish, session.get()));  // another process

        const TestCertificate visitor = make_certificate({"visitor", {}}, &authority());
        config.client_ca = folder.write("ca.pem", pem_of(authority().certificate.get()));
        config.client_auth = ClientAuth::require;
        wish.own = &visitor;
        EXPECT_FALSE(resumes(*load(config, tickets), wish, session.get()));
    }
}

TEST(TlsContexts, AskClientsForCertificatesAsConfigured) {
    const TestFolder folder;
    TlsConfig config;
    folder.add(config, "a", make_certificate({"a", {"localhost"}}));
    config.client_ca = folder.write("ca.pem", pem_of(authority().certificate.get()));
    const TestCertificate good = make_certificate({"good", {}}, &authority());
    const TestCertificate stranger = make_certificate({"stranger", {}});
    CertificateWish old{"old", {}};
    old.ends_in = -60;
    const TestCertificate expired = make_certificate(old, &authority());
    struct Row {
        ClientAuth auth;
        const TestCertificate* shown;
        bool taken;
    };
    for (const Row& row :
         {Row{ClientAuth::none, nullptr, true},
          Row{ClientAuth::none, &stranger, true},  // not even asked
          Row{ClientAuth::request, nullptr, true}, Row{ClientAuth::request, &good, true},
          Row{ClientAuth::request, &stranger, false}, Row{ClientAuth::request, &expired, false},
          Row{ClientAuth::require, nullptr, false}, Row{ClientAuth::require, &good, true},
          Row{ClientAuth::require, &stranger, false}, Row{ClientAuth::require, &expired, false}}) {
        config.client_auth = row.auth;
        for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
            TlsWish wish;
            wish.own = row.shown;
            wish.version_min = wish.version_max = version;
            const auto contexts = load(config);
            TlsPair pair(*contexts, wish);
            EXPECT_EQ(pair.shake_hands(), row.taken ? Step::done : Step::failed)
                << static_cast<int>(row.auth) << ' ' << (row.shown != nullptr) << ' ' << version;
            ERR_clear_error();
        }
    }
}

TEST(TlsContexts, SendTheChainAndTheStaple) {
    const TestFolder folder;
    const TestCertificate leaf = make_certificate({"leaf", {"localhost"}}, &authority());
    TlsConfig config;
    config.cert = {folder.write(
        "chain.pem", pem_of(leaf.certificate.get()) + pem_of(authority().certificate.get()))};
    config.key = {folder.write("key.pem", pem_of(leaf.key.get()))};
    const std::string staple = make_staple(leaf, authority());
    config.ocsp = {folder.write("staple.der", staple)};
    const auto contexts = load(config);
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        TlsWish wish;
        wish.version_min = wish.version_max = version;
        wish.trust = authority().certificate.get();
        wish.ask_status = true;
        TlsPair asks(*contexts, wish);
        ASSERT_EQ(asks.shake_hands(), Step::done);
        EXPECT_EQ(sk_X509_num(SSL_get_peer_cert_chain(asks.client().ssl())), 2);
        EXPECT_TRUE(asks.client().staple() == staple);
        wish.ask_status = false;
        TlsPair silent(*contexts, wish);
        ASSERT_EQ(silent.shake_hands(), Step::done);
        EXPECT_EQ(silent.client().staple(), "");
    }
}

TEST(TlsContexts, LeaveAStapleOutThatIsOutOfDate) {
    const TestFolder folder;
    const TestCertificate leaf = make_certificate({"leaf", {"localhost"}}, &authority());
    TlsConfig config;
    folder.add(config, "leaf", leaf);
    config.ocsp = {folder.write("staple.der", make_staple(leaf, authority(), 0, -60))};
    const auto contexts = load(config);
    EXPECT_THAT(contexts->warnings(),
                ElementsAre("tls.ocsp: " + config.ocsp[0] + ": is out of date and left out"));
    TlsWish wish;
    wish.ask_status = true;
    TlsPair pair(*contexts, wish);
    ASSERT_EQ(pair.shake_hands(), Step::done);
    EXPECT_EQ(pair.client().staple(), "");
}

TEST(TlsContexts, KnowWhenTheFirstCertificateEndsAndWarnOfThoseThatAreNotValid) {
    const TestFolder folder;
    TlsConfig config;
    CertificateWish later{"later", {"later"}}, sooner{"sooner", {"sooner"}};
    later.ends_in = 7200;
    sooner.ends_in = 3600;
    folder.add(config, "later", make_certificate(later));
    folder.add(config, "sooner", make_certificate(sooner));
    const auto contexts = load(config);
    EXPECT_NEAR(static_cast<double>(contexts->expires()), static_cast<double>(now() + 3600), 30);
    EXPECT_THAT(contexts->warnings(), IsEmpty());
    EXPECT_EQ(contexts->certificates(), 2U);

    CertificateWish over{"over", {"over"}}, early{"early", {"early"}};
    over.ends_in = -60;
    early.begins_in = 3600;
    folder.add(config, "over", make_certificate(over));
    folder.add(config, "early", make_certificate(early));
    EXPECT_THAT(load(config)->warnings(),
                ElementsAre("tls.cert: " + folder.file("over.pem") + ": has expired",
                            "tls.cert: " + folder.file("early.pem") + ": is not valid yet"));
}

TEST(TlsContexts, SayWhatIsWrongWithAFile) {
    const TestFolder folder;
    const TestCertificate good = make_certificate({"good", {"localhost"}});
    const TestCertificate other = make_certificate({"other", {"localhost"}});
    const std::string cert = folder.write("cert.pem", pem_of(good.certificate.get()));
    const std::string key = folder.write("key.pem", pem_of(good.key.get()));
    const std::string other_key = folder.write("other.key", pem_of(other.key.get()));
    const std::string empty = folder.write("empty", "");
    const std::string text = folder.write("text", "certainly not PEM\n");
    const std::string broken = folder.write(
        "broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    const std::string locked = folder.write("locked.key", [&] {
        const BioHandle memory(BIO_new(BIO_s_mem()));
        PEM_write_bio_PKCS8PrivateKey(memory.get(), good.key.get(), EVP_aes_128_cbc(), "secret", 6,
                                      nullptr, nullptr);
        char* bytes = nullptr;
        const long length = BIO_get_mem_data(memory.get(), &bytes);
        return std::string(bytes, static_cast<std::size_t>(length));
    }());
    const std::string revoked =
        folder.write("revoked.der", make_staple(good, authority(), V_OCSP_CERTSTATUS_REVOKED));
    const std::string of_other = folder.write("other.der", make_staple(other, authority()));
    struct Row {
        std::vector<std::string> cert, key, ocsp;
        std::string client_ca, says;
    };
    const std::string none = folder.file("none.pem");
    for (const Row& row : std::vector<Row>{
             {{}, {}, {}, "", "tls.cert: names no file"},
             {{cert}, {}, {}, "", "tls.key: names 0 files, and tls.cert 1 (expected one key"},
             {{cert}, {key}, {"", ""}, "", "tls.ocsp: names 2 files, and tls.cert 1 (expected"},
             {{none},
              {key},
              {},
              "",
              "tls.cert: " + none + ": cannot be opened: No such file or directory"},
             {{folder.file("")}, {key}, {}, "", ": cannot be read: Is a directory"},
             {{empty}, {key}, {}, "", "tls.cert: " + empty + ": holds no certificate"},
             {{text}, {key}, {}, "", "tls.cert: " + text + ": holds no certificate"},
             {{broken}, {key}, {}, "", "tls.cert: " + broken + ": certificate 1 of it is broken"},
             {{cert}, {empty}, {}, "", "tls.key: " + empty + ": holds no key"},
             {{cert}, {cert}, {}, "", "tls.key: " + cert + ": holds no key"},
             {{cert},
              {locked},
              {},
              "",
              "tls.key: " + locked + ": cannot be used, broken or with a passphrase"},
             {{cert}, {other_key}, {}, "", "tls.key: " + other_key + ": is not the key of " + cert},
             {{cert}, {key}, {text}, "", "tls.ocsp: " + text + ": holds no OCSP response"},
             {{cert},
              {key},
              {revoked},
              "",
              "tls.ocsp: " + revoked + ": says of " + cert + ": revoked"},
             {{cert}, {key}, {of_other}, "", "tls.ocsp: " + of_other + ": says nothing of " + cert},
             {{cert}, {key}, {}, none, "tls.client_ca: " + none + ": cannot be opened"},
             {{cert}, {key}, {}, text, "tls.client_ca: " + text + ": holds no certificate"}}) {
        TlsConfig config;
        config.cert = row.cert;
        config.key = row.key;
        config.ocsp = row.ocsp;
        config.client_ca = row.client_ca;
        if (!row.client_ca.empty()) config.client_auth = ClientAuth::request;
        try {
            load(config);
            ADD_FAILURE() << "taken, though: " << row.says;
        } catch (const TlsError& error) {
            EXPECT_THAT(error.what(), HasSubstr(row.says));
            EXPECT_EQ(ERR_peek_error(), 0U) << row.says;
        }
    }
}

TEST(TlsContexts, RefuseAKeyThatIsTooShort) {
    const TestFolder folder;
    TestCertificate weak = make_certificate({"weak", {"localhost"}});
    weak.key.reset(EVP_RSA_gen(1024));
    X509_set_pubkey(weak.certificate.get(), weak.key.get());
    X509_sign(weak.certificate.get(), weak.key.get(), EVP_sha256());
    TlsConfig config;
    folder.add(config, "weak", weak);
    try {
        load(config);
        ADD_FAILURE() << "it was taken";
    } catch (const TlsError& error) {
        EXPECT_THAT(error.what(), HasSubstr("weak.pem: cannot be served: ee key too small"));
    }
}

}  // namespace
}  // namespace parley::transports::test
