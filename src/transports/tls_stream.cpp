#include "transports/tls_stream.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <string_view>

#include "core/prefetch.hpp"

namespace parley::transports {
namespace {

// ---- the descriptor under OpenSSL ------------------------------------------------------------

ssize_t send_some(Watch& watch, const char* bytes, std::size_t count) noexcept {
    for (;;) {
        const ssize_t sent = ::send(watch.descriptor(), bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0 || static_cast<std::size_t>(sent) < count) watch.filled();
        return sent;
    }
}

// Sends what the kernel takes, behind what is unsent, and keeps the rest. False where that fails.
bool send_or_keep(TlsWire& wire, std::string_view sealed) noexcept {
    if (!wire.unsent) {
        const ssize_t taken = send_some(*wire.watch, sealed.data(), sealed.size());
        if (taken < 0 && errno != EAGAIN) return false;
        sealed.remove_prefix(taken > 0 ? static_cast<std::size_t>(taken) : 0);
    }
    if (sealed.empty()) return true;
    try {
        if (!wire.unsent) wire.unsent = std::make_unique<std::string>();
        wire.unsent->append(sealed);
    } catch (const std::bad_alloc&) {
        return false;
    }
    return true;
}

bool gather(TlsRecordBuffer& buffer, std::string_view sealed) noexcept {
    if (sealed.size() > buffer.sealed.size() - buffer.sealed_bytes) return false;
    std::memcpy(buffer.sealed.data() + buffer.sealed_bytes, sealed.data(), sealed.size());
    buffer.sealed_bytes += sealed.size();
    return true;
}

// Sends what was gathered with one call. False where that fails.
bool send_gathered(TlsWire& wire) noexcept {
    TlsRecordBuffer* const buffer = std::exchange(wire.gathering, nullptr);
    if (buffer == nullptr) return true;
    const std::string_view sealed(buffer->sealed.data(), std::exchange(buffer->sealed_bytes, 0));
    return sealed.empty() || send_or_keep(wire, sealed);
}

// Takes everything, or nothing and asks for patience, or fails.
int wire_write(BIO* bio, const char* bytes, int length) noexcept {
    auto& wire = *static_cast<TlsWire*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    const std::string_view sealed(bytes, static_cast<std::size_t>(length));
    if (wire.gathering != nullptr) return gather(*wire.gathering, sealed) ? length : -1;
    if (wire.unsent && wire.unsent->size() + sealed.size() > TlsWire::unsent_bytes_max) {
        BIO_set_retry_write(bio);
        return -1;
    }
    return send_or_keep(wire, sealed) ? length : -1;
}

int wire_read(BIO* bio, char* into, int size) noexcept {
    auto& wire = *static_cast<TlsWire*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    for (;;) {
        const ssize_t count =
            ::recv(wire.watch->descriptor(), into, static_cast<std::size_t>(size), MSG_DONTWAIT);
        if (count < size && !(count < 0 && errno == EINTR)) wire.watch->drained();
        if (count == 0) wire.ended = true;
        if (count >= 0) return static_cast<int>(count);
        if (errno == EINTR) continue;
        if (errno == EAGAIN) BIO_set_retry_read(bio);
        return -1;
    }
}

long wire_control(BIO* bio, int command, long, void*) noexcept {
    if (command == BIO_CTRL_EOF) return static_cast<TlsWire*>(BIO_get_data(bio))->ended ? 1 : 0;
    // There is nothing to flush: what could be sent was.
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

const BIO_METHOD* wire_method() {
    static const BIO_METHOD* const method = [] {
        BIO_METHOD* const made =
            BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "parley socket");
        if (made == nullptr) throw std::bad_alloc();
        BIO_meth_set_write(made, &wire_write);
        BIO_meth_set_read(made, &wire_read);
        BIO_meth_set_ctrl(made, &wire_control);
        return made;
    }();
    return method;
}

// What OpenSSL looks at of its SSL to seal a record lies on twenty lines of memory far apart, and
// behind thousands of others' records none of them is in the cache. Asked for together, they come
// together. Counted for OpenSSL 3.0 (valgrind --tool=lackey); where it differs others are asked for,
// which does no harm.
void prefetch_for_record(const SSL* ssl) noexcept {
    struct Lines {
        std::size_t first, count;
    };
    static constexpr std::array<Lines, 10> lines{
        {{0, 3}, {6, 1}, {11, 1}, {19, 1}, {33, 4}, {39, 2}, {42, 1}, {46, 1}, {49, 3}, {114, 4}}};
    const auto* const at = reinterpret_cast<const std::byte*>(ssl);
    for (const auto [first, count] : lines) {
        for (std::size_t i = first; i < first + count; ++i) {
            core::prefetch<1>(at + i * core::cache_line);
        }
    }
    core::prefetch<2>(SSL_get_wbio(ssl));
}

// ---- what is offered to a write, record by record --------------------------------------------

class Gathering {
public:
    explicit Gathering(std::span<const iovec> buffers) noexcept : buffers_(buffers) {}

    void skip(std::size_t bytes) noexcept {
        while (bytes > 0 && !buffers_.empty()) {
            const std::size_t here = std::min(bytes, buffers_[0].iov_len - offset_);
            advance(here);
            bytes -= here;
        }
    }
    // More than so many bytes are left.
    [[nodiscard]] bool exceeds(std::size_t bytes) const noexcept {
        std::size_t left = 0;
        for (std::size_t i = 0; i < buffers_.size() && left <= bytes + offset_; ++i) {
            left += buffers_[i].iov_len;
        }
        return left > bytes + offset_;
    }
    // The next record's content: where it lies if it lies in one piece, else gathered in `record`.
    // Empty at the end.
    [[nodiscard]] std::span<const char> next(std::span<char> record) noexcept {
        while (!buffers_.empty() && buffers_[0].iov_len == offset_) advance(0);
        if (buffers_.empty()) return {};
        const std::span<const char> first = front(record.size());
        if (buffers_.size() == 1 || first.size() == record.size()) {
            advance(first.size());
            return first;
        }
        std::size_t filled = 0;
        while (!buffers_.empty() && filled < record.size()) {
            const std::span<const char> piece = front(record.size() - filled);
            std::memcpy(record.data() + filled, piece.data(), piece.size());
            filled += piece.size();
            advance(piece.size());
        }
        return record.first(filled);
    }

private:
    [[nodiscard]] std::span<const char> front(std::size_t most) const noexcept {
        return {static_cast<const char*>(buffers_[0].iov_base) + offset_,
                std::min(most, buffers_[0].iov_len - offset_)};
    }
    void advance(std::size_t bytes) noexcept {
        offset_ += bytes;
        if (offset_ < buffers_[0].iov_len) return;
        buffers_ = buffers_.subspan(1);
        offset_ = 0;
    }

    std::span<const iovec> buffers_;
    std::size_t offset_ = 0;  // of the first one
};

}  // namespace

TlsStream::TlsStream(TcpStream socket, SslHandle ssl, TlsRecordBuffer& record)
    : socket_(std::move(socket)),
      wire_(std::make_unique<TlsWire>()),
      ssl_(std::move(ssl)),
      record_(&record) {
    wire_->watch = &socket_.watched();
    BIO* const bio = BIO_new(wire_method());
    if (bio == nullptr) throw std::bad_alloc();
    BIO_set_data(bio, wire_.get());
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl_.get(), bio, bio);
}

// ---- handshake -------------------------------------------------------------------------------

TlsStream::Handshake TlsStream::handshake() noexcept {
    if (!sends_unsent()) return failed_ ? Handshake::failed : Handshake::wants_write;
    if (!established_) {
        const int result = SSL_do_handshake(ssl_.get());
        const int error = result == 1 ? SSL_ERROR_NONE : SSL_get_error(ssl_.get(), result);
        if (error == SSL_ERROR_WANT_WRITE) return Handshake::wants_write;
        if (error == SSL_ERROR_WANT_READ) {
            return wire_->unsent ? Handshake::wants_write : Handshake::wants_read;
        }
        if (error != SSL_ERROR_NONE) {
            failed_ = true;
            const int reason = ERR_GET_REASON(ERR_peek_error());
            return reason == SSL_R_HTTP_REQUEST || reason == SSL_R_HTTPS_PROXY_REQUEST
                       ? Handshake::plain_http
                       : Handshake::failed;
        }
        established_ = true;
        const auto mode = SSL_SESSION_get_max_fragment_length(SSL_get_session(ssl_.get()));
        if (mode != TLSEXT_max_fragment_length_DISABLED) {
            record_bytes_ = static_cast<std::uint16_t>(256U << mode);  // 1: 512 … 4: 4096
        }
    }
    return wire_->unsent ? Handshake::wants_write : Handshake::done;
}

bool TlsStream::resumed() const noexcept {
    return SSL_session_reused(ssl_.get()) == 1;
}

// ---- reading ---------------------------------------------------------------------------------

bool TlsStream::readable_now() const noexcept {
    if (failed_ || reading_ == Reading::ended) return true;
    // What is held behind a read that was blocked is a part of a record: of no use yet.
    return reading_ == Reading::open && SSL_has_pending(ssl_.get()) == 1;
}

IoResult TlsStream::try_read(std::span<char> into) noexcept {
    using Status = IoResult::Status;
    if (failed_) return {Status::failed};
    // What OpenSSL had to say by itself goes first; what a writer has begun is the writer's.
    if (!owes_byte_ && !sends_unsent()) {
        if (failed_) return {Status::failed};
        // Whatever OpenSSL holds, nothing is read before that has left.
        reading_ = Reading::blocked;
        read_waits_to_write_ = true;
        return {Status::would_block};
    }
    std::size_t bytes = 0;
    do {
        std::size_t count = 0;
        const int result =
            SSL_read_ex(ssl_.get(), into.data() + bytes, into.size() - bytes, &count);
        if (result != 1) {
            const IoResult failure = read_failed(result);
            if (bytes == 0) return failure;
            break;
        }
        reading_ = Reading::open;
        read_waits_to_write_ = false;
        bytes += count;
    } while (bytes < into.size() && SSL_has_pending(ssl_.get()) == 1);
    if (!owes_byte_ && wire_->unsent) read_waits_to_write_ = true;
    return {Status::done, bytes};
}

IoResult TlsStream::read_failed(int result) noexcept {
    read_waits_to_write_ = false;
    switch (SSL_get_error(ssl_.get(), result)) {
        case SSL_ERROR_WANT_WRITE:
            read_waits_to_write_ = true;
            reading_ = Reading::blocked;
            return {IoResult::Status::would_block};
        case SSL_ERROR_WANT_READ:
            read_waits_to_write_ = !owes_byte_ && wire_->unsent;
            reading_ = Reading::blocked;
            return {IoResult::Status::would_block};
        case SSL_ERROR_ZERO_RETURN:
            reading_ = Reading::ended;
            return {IoResult::Status::ended};
        default:
            failed_ = true;
            ERR_clear_error();
            return {IoResult::Status::failed};
    }
}

// ---- writing ---------------------------------------------------------------------------------

// Sends what the kernel did not take. False: it still doesn't take all, or failed_.
bool TlsStream::sends_unsent() noexcept {
    if (!wire_->unsent) return true;
    std::string& unsent = *wire_->unsent;
    const ssize_t sent = send_some(*wire_->watch, unsent.data(), unsent.size());
    if (sent < 0) {
        failed_ = errno != EAGAIN;
        return false;
    }
    unsent.erase(0, static_cast<std::size_t>(sent));
    if (!unsent.empty()) return false;
    wire_->unsent.reset();
    read_waits_to_write_ = false;
    return true;
}

IoResult TlsStream::fail_writing() noexcept {
    failed_ = true;
    if (wire_->gathering != nullptr) std::exchange(wire_->gathering, nullptr)->sealed_bytes = 0;
    ERR_clear_error();
    return {IoResult::Status::failed};
}

IoResult TlsStream::try_write(std::span<const iovec> buffers) noexcept {
    using Status = IoResult::Status;
    if (failed_) return {Status::failed};
    core::prefetch<1>(&socket_.watched());
    prefetch_for_record(ssl_.get());
    if (!sends_unsent()) return {failed_ ? Status::failed : Status::would_block};
    std::size_t bytes = 0;
    Gathering offered(buffers);
    if (std::exchange(owes_byte_, false)) {
        offered.skip(1);
        bytes = 1;
    }
    while (!wire_->unsent) {
        const bool several = offered.exceeds(record_bytes_);
        // One alone leaves from where OpenSSL has sealed it.
        wire_->gathering = several && wire_->records > 1 ? record_ : nullptr;
        std::size_t sealed = 0;
        do {
            const auto content = offered.next(std::span(record_->content).first(record_bytes_));
            if (content.empty()) break;
            std::size_t count = 0;
            if (SSL_write_ex(ssl_.get(), content.data(), content.size(), &count) != 1) {
                // Never for want of room: there is nothing unsent, and what is gathered fits.
                return fail_writing();
            }
            bytes += count;
        } while (++sealed < wire_->records && wire_->gathering != nullptr);
        if (!send_gathered(*wire_)) return fail_writing();
        if (sealed == 0) break;
        if (several && !wire_->unsent) {
            wire_->records = static_cast<std::uint8_t>(
                std::min<std::size_t>(2 * wire_->records, tls_records_gathered));
        }
    }
    if (wire_->unsent) {
        wire_->records = 1;
        owes_byte_ = true;
        --bytes;
    }
    return bytes > 0 ? IoResult{Status::done, bytes} : IoResult{Status::would_block};
}

// ---- ending ----------------------------------------------------------------------------------

void TlsStream::say_goodbye() noexcept {
    if (!established_ || failed_ || wire_->unsent || !socket_.is_open()) return;
    // Who hung up without one is not there to hear it.
    if (wire_->ended) return;
    if (std::exchange(said_goodbye_, true)) return;
    if (SSL_shutdown(ssl_.get()) < 0) ERR_clear_error();
}

void TlsStream::shutdown_write() noexcept {
    say_goodbye();
    socket_.shutdown_write();
}

void TlsStream::close() noexcept {
    if (ssl_) say_goodbye();
    socket_.close();
    failed_ = true;  // of the descriptor under it nothing more may be asked
}

LooseSocket TlsStream::release() noexcept {
    wire_->watch = nullptr;
    return socket_.release();
}

void TlsStream::take_up(TcpStream socket, TlsRecordBuffer& record) noexcept {
    socket_ = std::move(socket);
    wire_->watch = &socket_.watched();
    record_ = &record;
}

}  // namespace parley::transports
