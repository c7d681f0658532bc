#include "transports/ticket_keys.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "transports/openssl_handles.hpp"

namespace parley::transports {
namespace {

// Where a context keeps its TicketKeys.
int context_index() {
    static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
    return index;
}

// What the callback tells OpenSSL (SSL_CTX_set_tlsext_ticket_key_evp_cb(3)).
constexpr int ticket_failed = -1;
constexpr int ticket_unknown = 0;
constexpr int ticket_good = 1;
constexpr int ticket_good_make_new = 2;

bool set_mac(EVP_MAC_CTX* mac, std::array<std::uint8_t, 32>& key) noexcept {
    std::array<char, 7> digest{"SHA256"};
    const std::array parameters{
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.data(), key.size()),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
        OSSL_PARAM_construct_end()};
    return EVP_MAC_CTX_set_params(mac, parameters.data()) == 1;
}

}  // namespace

TicketKeys::TicketKeys() {
    rotate();
}

TicketKeys::~TicketKeys() {
    OPENSSL_cleanse(keys_.data(), sizeof keys_);
}

TicketKeys::Key TicketKeys::make_key() {
    Key key;
    if (RAND_bytes(key.name.data(), static_cast<int>(key.name.size())) != 1 ||
        RAND_priv_bytes(key.cipher.data(), static_cast<int>(key.cipher.size())) != 1 ||
        RAND_priv_bytes(key.mac.data(), static_cast<int>(key.mac.size())) != 1) {
        throw std::runtime_error("no random bytes for a ticket key: " + take_openssl_error());
    }
    return key;
}

void TicketKeys::rotate() {
    Key fresh = make_key();
    {
        const std::lock_guard lock(mutex_);
        std::shift_right(keys_.begin(), keys_.end(), 1);
        keys_[0] = fresh;
        count_ = std::min(count_ + 1, kept_max);
    }
    OPENSSL_cleanse(&fresh, sizeof fresh);
}

TicketKeys::Key TicketKeys::newest() {
    const std::lock_guard lock(mutex_);
    return keys_[0];
}

bool TicketKeys::find(const unsigned char* name, Key& key, bool& is_newest) {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < count_; ++i) {
        if (std::memcmp(keys_[i].name.data(), name, keys_[i].name.size()) != 0) continue;
        key = keys_[i];
        is_newest = i == 0;
        return true;
    }
    return false;
}

void TicketKeys::attach(SSL_CTX* context) noexcept {
    SSL_CTX_set_ex_data(context, context_index(), this);
    SSL_CTX_set_tlsext_ticket_key_evp_cb(context, &TicketKeys::on_ticket);
}

int TicketKeys::on_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                          EVP_MAC_CTX* mac, int sealing) noexcept {
    auto* const keys =
        static_cast<TicketKeys*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), context_index()));
    Key key;
    bool is_newest = true;
    int result = ticket_failed;
    if (sealing == 1) {
        key = keys->newest();
        std::copy(key.name.begin(), key.name.end(), name);
        if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) == 1 &&
            EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key.cipher.data(), iv) == 1 &&
            set_mac(mac, key.mac)) {
            result = ticket_good;
        }
    } else if (!keys->find(name, key, is_newest)) {
        return ticket_unknown;
    } else if (EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key.cipher.data(), iv) == 1 &&
               set_mac(mac, key.mac)) {
        result = is_newest ? ticket_good : ticket_good_make_new;
    }
    OPENSSL_cleanse(&key, sizeof key);
    return result;
}

}  // namespace parley::transports
