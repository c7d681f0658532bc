// TlsPair: a TlsStream and OpenSSL's client, joined by a socket pair whose bytes pass through the
// test's hands.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "transports/tls_client.hpp"
#include "transports/tls_contexts.hpp"
#include "transports/tls_stream.hpp"

namespace parley::transports::test {

class TlsPair {
public:
    // `send_buffer`: what the kernel takes of the server at a time; 0: its default.
    explicit TlsPair(const TlsContexts& contexts, const TlsWish& wish = {}, int send_buffer = 0)
        : client_(wish) {
        std::array<int, 2> ends{};
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()),
                  0);
        if (send_buffer != 0) {
            ::setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof send_buffer);
        }
        stream_.emplace(TcpStream(reactor_, ends[0]), contexts.make_connection(), record_);
        end_ = ends[1];
        SSL_set_bio(client_.ssl(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    }
    ~TlsPair() {
        if (end_ >= 0) ::close(end_);
    }
    TlsPair(const TlsPair&) = delete;
    TlsPair& operator=(const TlsPair&) = delete;

    [[nodiscard]] TlsStream& stream() { return *stream_; }
    [[nodiscard]] TlsClientSide& client() { return client_; }
    // Runs what the descriptor's events, and what was deferred, bring forth.
    void run_ready() {
        reactor_.wait(std::chrono::nanoseconds::zero());
        reactor_.dispatch();
        io_.restart();
        io_.poll();
    }

    // What the client wants to send, taken from it.
    std::string take_from_client() {
        char* bytes = nullptr;
        BIO* const out = SSL_get_wbio(client_.ssl());
        const long length = BIO_get_mem_data(out, &bytes);
        std::string taken(bytes, static_cast<std::size_t>(length));
        EXPECT_EQ(BIO_reset(out), 1);
        return taken;
    }
    void give_to_server(std::string_view bytes) {
        ASSERT_EQ(::send(end_, bytes.data(), bytes.size(), MSG_NOSIGNAL),
                  static_cast<ssize_t>(bytes.size()));
    }
    // What the server has sent, as it is on the wire.
    std::string take_from_server() {
        std::string all;
        std::array<char, 64 * 1024> buffer;
        for (;;) {
            const ssize_t count = ::recv(end_, buffer.data(), buffer.size(), 0);
            if (count <= 0) {
                server_ended_ = count == 0;
                return all;
            }
            all.append(buffer.data(), static_cast<std::size_t>(count));
        }
    }
    [[nodiscard]] bool server_ended() const noexcept { return server_ended_; }
    void give_to_client(std::string_view bytes) {
        BIO_write(SSL_get_rbio(client_.ssl()), bytes.data(), static_cast<int>(bytes.size()));
    }
    // The client's bytes arrive, and the server's.
    void carry() {
        give_to_server(take_from_client());
        give_to_client(take_from_server());
    }
    void end_client() { ::close(std::exchange(end_, -1)); }

    // Goes on until both are done, or the server has failed.
    TlsStream::Handshake shake_hands() {
        for (int i = 0; i < 20; ++i) {
            SSL_do_handshake(client_.ssl());
            give_to_server(take_from_client());
            const auto step = stream_->handshake();
            give_to_client(take_from_server());
            if (step == TlsStream::Handshake::done) {
                // TLS 1.2 ends with the server's word.
                EXPECT_EQ(SSL_do_handshake(client_.ssl()), 1);
                return step;
            }
            if (step == TlsStream::Handshake::failed) {
                client_failed_ = SSL_do_handshake(client_.ssl()) != 1;
                return step;
            }
        }
        ADD_FAILURE() << "the handshake goes on and on";
        return TlsStream::Handshake::failed;
    }
    [[nodiscard]] bool client_failed() const noexcept { return client_failed_; }

    // The records that these bytes are made of.
    std::string client_seals(std::string_view text) {
        EXPECT_EQ(SSL_write(client_.ssl(), text.data(), static_cast<int>(text.size())),
                  static_cast<int>(text.size()));
        return take_from_client();
    }
    // What the client can read by now.
    std::string client_reads() {
        std::string all;
        std::array<char, 32 * 1024> buffer;
        std::size_t count = 0;
        ERR_clear_error();
        while ((last_read_ = SSL_read_ex(client_.ssl(), buffer.data(), buffer.size(), &count)) ==
               1) {
            all.append(buffer.data(), count);
        }
        return all;
    }
    // True where the client's last read met close_notify.
    [[nodiscard]] bool client_was_told_the_end() const {
        return SSL_get_error(client_.ssl(), last_read_) == SSL_ERROR_ZERO_RETURN;
    }

    IoResult write(std::initializer_list<std::string_view> pieces) {
        std::vector<iovec> buffers;
        for (const std::string_view piece : pieces) buffers.push_back(buffer_of(piece));
        return stream_->try_write(buffers);
    }
    struct Read {
        IoResult::Status status;
        std::string text;
    };
    Read read() {
        std::string into(64 * 1024, '\0');
        const IoResult result = stream_->try_read(into);
        into.resize(result.bytes);
        return {result.status, into};
    }

private:
    boost::asio::io_context io_;
    Reactor reactor_{io_.get_executor()};
    TlsRecordBuffer record_;
    std::optional<TlsStream> stream_;
    TlsClientSide client_;
    int end_ = -1;
    int last_read_ = 1;
    bool server_ended_ = false;
    bool client_failed_ = false;
};

// Of each record on the wire how many bytes it carries, sealed.
inline std::vector<std::size_t> record_sizes(std::string_view wire) {
    std::vector<std::size_t> sizes;
    while (wire.size() >= 5) {
        const std::size_t size = (std::size_t{static_cast<std::uint8_t>(wire[3])} << 8U) |
                                 static_cast<std::uint8_t>(wire[4]);
        sizes.push_back(size);
        EXPECT_GE(wire.size(), 5 + size) << "half a record";
        wire.remove_prefix(std::min(wire.size(), 5 + size));
    }
    return sizes;
}

// One ECDSA certificate for localhost, made once.
inline const std::shared_ptr<const TlsContexts>& shared_plain_contexts() {
    static const std::shared_ptr<const TlsContexts> contexts = [] {
        const parley::test::TestFolder folder;
        TlsConfig config;
        folder.add(config, "a", parley::test::make_certificate({"a", {"localhost"}}));
        return std::make_shared<const TlsContexts>(config, std::make_shared<TicketKeys>(), 0);
    }();
    return contexts;
}
inline const TlsContexts& plain_contexts() {
    return *shared_plain_contexts();
}

}  // namespace parley::transports::test
