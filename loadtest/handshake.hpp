// Handshake: one connection of the handshake-rate mode, from connect() to as far as it is to come.
//
// Path:     epoll → [Handshake] → HandshakeThread
// Runs on:  one load thread.
// Owned by: HandshakeThread, which uses each again and again.
// Bounds:   an answer's head of 16 KiB.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "loadtest/stream.hpp"
#include "loadtest/user_context.hpp"

namespace parley::load {

class Handshake {
public:
    enum class Result : std::uint8_t { wants_read, wants_write, done, failed };

    // Begins to connect; `number` chooses the source address. wants_write unless it failed.
    [[nodiscard]] Result begin(const Plan& plan, const Addresses& addresses, const TlsContext* tls,
                               std::uint32_t number, std::int64_t intended_ns, Luck& luck);
    // Goes on as far as the socket allows. `buffer` is for what is read.
    [[nodiscard]] Result go_on(const Plan& plan, std::span<char> buffer);
    // Ends with a reset, whatever has come of it.
    void end() noexcept { stream_.close_with_reset(); }

    [[nodiscard]] bool active() const noexcept { return stream_.open(); }
    [[nodiscard]] int fd() const noexcept { return stream_.fd(); }
    [[nodiscard]] std::int64_t intended_ns() const noexcept { return intended_ns_; }
    [[nodiscard]] bool resumed() const noexcept { return stream_.resumed(); }
    // After failed: why, and the HTTP status where that was it, else 0.
    [[nodiscard]] const std::string& why() const noexcept { return why_; }
    [[nodiscard]] std::uint16_t status() const noexcept { return status_; }

private:
    enum class Stage : std::uint8_t { connecting, securing, asking, answered };

    [[nodiscard]] Result fail(std::string why);
    [[nodiscard]] Result on_stream(Stream::Result result, const char* doing);
    [[nodiscard]] Result ask();
    [[nodiscard]] Result take_answer(std::span<char> buffer);

    Stream stream_;
    std::string request_;  // what of it is unsent
    std::string head_;     // of the answer
    std::string key_;
    std::string why_;
    std::int64_t intended_ns_ = 0;
    std::uint16_t status_ = 0;
    Stage stage_ = Stage::connecting;
};

}  // namespace parley::load
