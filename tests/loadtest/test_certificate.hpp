// TestCertificate: a self-signed certificate for localhost and 127.0.0.1, made anew, in a file that
// is gone afterwards.
#pragma once

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>

namespace parley::load {

class TestCertificate {
public:
    TestCertificate()
        : key_(::EVP_EC_gen("P-256"), &::EVP_PKEY_free), certificate_(::X509_new(), &::X509_free) {
        X509* const x = certificate_.get();
        ::X509_set_version(x, 2);
        ::ASN1_INTEGER_set(::X509_get_serialNumber(x), 1);
        ::X509_gmtime_adj(::X509_getm_notBefore(x), -3600);
        ::X509_gmtime_adj(::X509_getm_notAfter(x), 3600);
        ::X509_set_pubkey(x, key_.get());
        X509_NAME* const name = ::X509_get_subject_name(x);
        const auto* const common = reinterpret_cast<const unsigned char*>("localhost");
        ::X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, common, -1, -1, 0);
        ::X509_set_issuer_name(x, name);
        X509_EXTENSION* const names = ::X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name,
                                                            "DNS:localhost,IP:127.0.0.1");
        ::X509_add_ext(x, names, -1);
        ::X509_EXTENSION_free(names);
        ::X509_sign(x, key_.get(), ::EVP_sha256());
        std::string path = ::testing::TempDir() + "parley_load_XXXXXX";
        std::FILE* const file = ::fdopen(::mkstemp(path.data()), "w");
        ::PEM_write_X509(file, x);
        std::fclose(file);
        path_ = path;
    }
    ~TestCertificate() { ::unlink(path_.c_str()); }
    TestCertificate(const TestCertificate&) = delete;
    TestCertificate& operator=(const TestCertificate&) = delete;

    [[nodiscard]] const std::string& path() const { return path_; }
    void use_in(SSL_CTX* context) const {
        ::SSL_CTX_use_certificate(context, certificate_.get());
        ::SSL_CTX_use_PrivateKey(context, key_.get());
    }

private:
    std::unique_ptr<EVP_PKEY, decltype(&::EVP_PKEY_free)> key_;
    std::unique_ptr<X509, decltype(&::X509_free)> certificate_;
    std::string path_;
};

}  // namespace parley::load
