// TestCertificates: certificates made on the spot, and a folder that has them as files.
#pragma once

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <ctime>
#include <string>
#include <vector>

#include "support/folder.hpp"
#include "transports/openssl_handles.hpp"
#include "transports/tls_config.hpp"

namespace parley::test {

using transports::KeyHandle;
using transports::X509Handle;

enum class KeyType { ecdsa, rsa };

struct CertificateWish {
    std::string common_name = "test";
    std::vector<std::string> names;  // DNS names; empty: no subjectAltName
    KeyType type = KeyType::ecdsa;
    long begins_in = -3600;  // seconds from now
    long ends_in = 86'400;
    bool authority = false;
};

struct TestCertificate {
    X509Handle certificate;
    KeyHandle key;
};

inline KeyHandle make_key(KeyType type) {
    KeyHandle key(type == KeyType::rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256"));
    if (!key) throw std::runtime_error("no key was made");
    return key;
}

inline void add_extension(X509* certificate, int what, const std::string& value) {
    X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, what, value.c_str());
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

// Signed by `issuer`, or by itself.
inline TestCertificate make_certificate(const CertificateWish& wish,
                                        const TestCertificate* issuer = nullptr) {
    static long serial = 1000;
    TestCertificate out{X509Handle(X509_new()), make_key(wish.type)};
    X509* const made = out.certificate.get();
    X509_set_version(made, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(made), wish.begins_in);
    X509_gmtime_adj(X509_getm_notAfter(made), wish.ends_in);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(wish.common_name.c_str()), -1,
                               -1, 0);
    X509_set_issuer_name(made, X509_get_subject_name(issuer ? issuer->certificate.get() : made));
    X509_set_pubkey(made, out.key.get());
    if (wish.authority) add_extension(made, NID_basic_constraints, "critical,CA:TRUE");
    std::string names;
    for (const std::string& name : wish.names) {
        names += (names.empty() ? "DNS:" : ",DNS:") + name;
    }
    if (!names.empty()) add_extension(made, NID_subject_alt_name, names);
    X509_sign(made, (issuer ? issuer->key : out.key).get(), EVP_sha256());
    return out;
}

// An OCSP response about the certificate, signed by its issuer.
inline std::string make_staple(const TestCertificate& of, const TestCertificate& issuer,
                               int status = V_OCSP_CERTSTATUS_GOOD, long until = 3600) {
    OCSP_BASICRESP* const basic = OCSP_BASICRESP_new();
    OCSP_CERTID* const id =
        OCSP_cert_to_id(EVP_sha1(), of.certificate.get(), issuer.certificate.get());
    ASN1_TIME* const from = X509_gmtime_adj(nullptr, -7200);
    ASN1_TIME* const to = X509_gmtime_adj(nullptr, until);
    OCSP_basic_add1_status(basic, id, status, 0,
                           status == V_OCSP_CERTSTATUS_REVOKED ? from : nullptr, from, to);
    OCSP_basic_sign(basic, issuer.certificate.get(), issuer.key.get(), EVP_sha256(), nullptr, 0);
    OCSP_RESPONSE* const response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    unsigned char* bytes = nullptr;
    const int length = i2d_OCSP_RESPONSE(response, &bytes);
    std::string out(reinterpret_cast<char*>(bytes), static_cast<std::size_t>(length));
    OPENSSL_free(bytes);
    OCSP_RESPONSE_free(response);
    OCSP_BASICRESP_free(basic);
    OCSP_CERTID_free(id);
    ASN1_TIME_free(from);
    ASN1_TIME_free(to);
    return out;
}

inline std::string pem_of(const X509* certificate) {
    const transports::BioHandle memory(BIO_new(BIO_s_mem()));
    PEM_write_bio_X509(memory.get(), certificate);
    char* bytes = nullptr;
    const long length = BIO_get_mem_data(memory.get(), &bytes);
    return {bytes, static_cast<std::size_t>(length)};
}

inline std::string pem_of(const EVP_PKEY* key) {
    const transports::BioHandle memory(BIO_new(BIO_s_mem()));
    PEM_write_bio_PrivateKey(memory.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
    char* bytes = nullptr;
    const long length = BIO_get_mem_data(memory.get(), &bytes);
    return {bytes, static_cast<std::size_t>(length)};
}

// A folder with certificates and their keys.
class TestFolder : public Folder {
public:
    // Adds the certificate to what `config` names, as NAME.pem and NAME.key.
    void add(transports::TlsConfig& config, const std::string& name,
             const TestCertificate& certificate) const {
        config.cert.push_back(write(name + ".pem", pem_of(certificate.certificate.get())));
        config.key.push_back(write(name + ".key", pem_of(certificate.key.get())));
    }
};

}  // namespace parley::test
