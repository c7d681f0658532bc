#include "transports/certificate.hpp"

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <array>
#include <cerrno>
#include <ctime>
#include <fstream>
#include <system_error>
#include <utility>

#include "protocol/header_list.hpp"

namespace parley::transports {
namespace {

using NamesHandle = std::unique_ptr<GENERAL_NAMES, detail::Release<GENERAL_NAMES_free>>;
using OcspHandle = std::unique_ptr<OCSP_RESPONSE, detail::Release<OCSP_RESPONSE_free>>;
using OcspBasicHandle = std::unique_ptr<OCSP_BASICRESP, detail::Release<OCSP_BASICRESP_free>>;

[[noreturn]] void fail(const std::string& setting, const std::string& file,
                       const std::string& what) {
    ERR_clear_error();
    throw TlsError(setting + ": " + file + ": " + what);
}

BioHandle memory_of(const std::string& bytes) {
    return BioHandle(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

// The server has nobody to ask, and a daemon must not wait at a terminal.
int no_passphrase(char*, int, int, void*) noexcept {
    return -1;
}

std::string_view text_of(const ASN1_STRING* string) {
    return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
            static_cast<std::size_t>(ASN1_STRING_length(string))};
}

std::vector<std::string> names_of(const X509* leaf) {
    std::vector<std::string> names;
    const NamesHandle alternatives(static_cast<GENERAL_NAMES*>(
        X509_get_ext_d2i(leaf, NID_subject_alt_name, nullptr, nullptr)));
    if (alternatives) {
        for (int i = 0; i < sk_GENERAL_NAME_num(alternatives.get()); ++i) {
            const GENERAL_NAME* const name = sk_GENERAL_NAME_value(alternatives.get(), i);
            if (name->type == GEN_DNS)
                names.push_back(protocol::in_lower_case(text_of(name->d.dNSName)));
        }
        return names;
    }
    const X509_NAME* const subject = X509_get_subject_name(leaf);
    const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at >= 0) {
        names.push_back(protocol::in_lower_case(
            text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)))));
    }
    return names;
}

std::int64_t seconds_of(const ASN1_TIME* time) {
    std::tm parts{};
    return ASN1_TIME_to_tm(time, &parts) == 1 ? ::timegm(&parts) : 0;
}

}  // namespace

std::string read_tls_file(const std::string& file, const std::string& setting) {
    errno = 0;
    std::ifstream in(file, std::ios::binary);
    if (!in) fail(setting, file, "cannot be opened: " + std::generic_category().message(errno));
    std::string bytes;
    std::array<char, 4096> part{};
    while (in.read(part.data(), part.size()), in.gcount() > 0) {
        bytes.append(part.data(), static_cast<std::size_t>(in.gcount()));
        if (bytes.size() > certificate_file_bytes_max) fail(setting, file, "is larger than 1 MiB");
    }
    // A folder opens and does not read.
    if (in.bad()) fail(setting, file, "cannot be read: " + std::generic_category().message(errno));
    return bytes;
}

std::vector<X509Handle> load_certificates(const std::string& file, const std::string& setting) {
    const std::string bytes = read_tls_file(file, setting);
    const BioHandle memory = memory_of(bytes);
    std::vector<X509Handle> out;
    for (;;) {
        X509Handle next(PEM_read_bio_X509(memory.get(), nullptr, &no_passphrase, nullptr));
        if (!next) break;
        out.push_back(std::move(next));
    }
    // It ends where nothing more begins; anything else is a certificate that is broken.
    if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) {
        fail(setting, file,
             "certificate " + std::to_string(out.size() + 1) +
                 " of it is broken: " + take_openssl_error());
    }
    if (out.empty()) {
        fail(setting, file, "holds no certificate (expected PEM: -----BEGIN CERTIFICATE-----)");
    }
    ERR_clear_error();
    return out;
}

Certificate load_certificate(const std::string& cert_file, const std::string& key_file) {
    Certificate out;
    out.file = cert_file;
    std::vector<X509Handle> certificates = load_certificates(cert_file, "tls.cert");
    out.leaf = std::move(certificates.front());
    out.chain.reset(sk_X509_new_null());
    for (std::size_t i = 1; i < certificates.size(); ++i) {
        if (sk_X509_push(out.chain.get(), certificates[i].get()) > 0) {
            static_cast<void>(certificates[i].release());  // the list's now
        }
    }

    std::string bytes = read_tls_file(key_file, "tls.key");
    if (bytes.find("PRIVATE KEY-----") == std::string::npos) {
        fail("tls.key", key_file, "holds no key (expected PEM: -----BEGIN PRIVATE KEY-----)");
    }
    out.key.reset(
        PEM_read_bio_PrivateKey(memory_of(bytes).get(), nullptr, &no_passphrase, nullptr));
    OPENSSL_cleanse(bytes.data(), bytes.size());
    if (!out.key) {
        fail("tls.key", key_file,
             "cannot be used, broken or with a passphrase: " + take_openssl_error());
    }
    if (X509_check_private_key(out.leaf.get(), out.key.get()) != 1) {
        fail("tls.key", key_file, "is not the key of " + cert_file);
    }
    out.names = names_of(out.leaf.get());
    out.not_before = seconds_of(X509_get0_notBefore(out.leaf.get()));
    out.not_after = seconds_of(X509_get0_notAfter(out.leaf.get()));
    return out;
}

std::string load_staple(const std::string& file, const Certificate& certificate, std::int64_t now,
                        std::vector<std::string>& warnings) {
    std::string bytes = read_tls_file(file, "tls.ocsp");
    const auto* at = reinterpret_cast<const unsigned char*>(bytes.data());
    const OcspHandle response(d2i_OCSP_RESPONSE(nullptr, &at, static_cast<long>(bytes.size())));
    if (!response) fail("tls.ocsp", file, "holds no OCSP response (expected DER)");
    const OcspBasicHandle basic(OCSP_response_status(response.get()) ==
                                        OCSP_RESPONSE_STATUS_SUCCESSFUL
                                    ? OCSP_response_get1_basic(response.get())
                                    : nullptr);
    if (!basic) fail("tls.ocsp", file, "is an OCSP response that reports a failure");
    for (int i = 0; i < OCSP_resp_count(basic.get()); ++i) {
        OCSP_SINGLERESP* const single = OCSP_resp_get0(basic.get(), i);
        ASN1_INTEGER* serial = nullptr;
        OCSP_id_get0_info(nullptr, nullptr, nullptr, &serial,
                          const_cast<OCSP_CERTID*>(OCSP_SINGLERESP_get0_id(single)));
        if (ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(certificate.leaf.get())) != 0) continue;
        ASN1_GENERALIZEDTIME* until = nullptr;
        const int status = OCSP_single_get0_status(single, nullptr, nullptr, nullptr, &until);
        if (status != V_OCSP_CERTSTATUS_GOOD) {
            fail("tls.ocsp", file,
                 "says of " + certificate.file + ": " + OCSP_cert_status_str(status));
        }
        if (until == nullptr || now <= seconds_of(until)) return bytes;
        // Browsers refuse an old staple, and are content without one.
        warnings.push_back("tls.ocsp: " + file + ": is out of date and left out");
        return {};
    }
    fail("tls.ocsp", file, "says nothing of " + certificate.file);
}

}  // namespace parley::transports
