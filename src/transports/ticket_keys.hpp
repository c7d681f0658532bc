// TicketKeys: the keys that session tickets are sealed with (RFC 5077, RFC 8446, 4.6.1).
//
// Path:     TLS handshake → [TicketKeys]
// Runs on:  any thread: every shard's handshakes use the same keys, so that a session made on one
//           is resumed on another. rotate() on the thread that keeps the time.
// Owned by: shared by all TlsContexts of a process; they outlive a reload.
// Bounds:   kept_max keys. A ticket whose key is gone costs its client a full handshake.
#pragma once

#include <openssl/ssl.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace parley::transports {

class TicketKeys {
public:
    // The one that seals, and those that still open.
    static constexpr std::size_t kept_max = 3;

    // Begins with one key. Throws std::runtime_error where the machine has no randomness.
    TicketKeys();
    // Wipes them.
    ~TicketKeys();
    TicketKeys(const TicketKeys&) = delete;
    TicketKeys& operator=(const TicketKeys&) = delete;

    // Seals with a new key from now on and forgets the oldest. Throws like the constructor, and
    // then nothing has changed.
    void rotate();

    // Makes the context seal and open with these keys, which must outlive its handshakes.
    void attach(SSL_CTX* context) noexcept;

private:
    struct Key {
        std::array<std::uint8_t, 16> name{};
        std::array<std::uint8_t, 32> cipher{};  // AES-256-CBC
        std::array<std::uint8_t, 32> mac{};     // HMAC-SHA256
    };

    static int on_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                         EVP_MAC_CTX* mac, int sealing) noexcept;
    [[nodiscard]] static Key make_key();
    [[nodiscard]] Key newest();
    // The key of that name and whether it is the newest; false where it is unknown.
    [[nodiscard]] bool find(const unsigned char* name, Key& key, bool& is_newest);

    // Held for a copy of one key, once or twice in a handshake of several hundred microseconds.
    std::mutex mutex_;
    std::array<Key, kept_max> keys_;  // newest first
    std::size_t count_ = 0;
};

}  // namespace parley::transports
