#include "transports/outbox.hpp"

#include <algorithm>

#include "protocol/websocket_frame.hpp"
#include "transports/tcp_stream.hpp"

namespace parley::transports {

std::string& Outbox::words() {
    if (!words_) words_ = std::make_unique<std::string>();
    return *words_;
}

void Outbox::keep(const core::Frame& frame, std::size_t sent) noexcept {
    partial_ = core::FramePtr(&frame);
    partial_sent_ = static_cast<std::uint32_t>(sent);
}

void Outbox::keep_pong(std::string_view payload) {
    if (!pong_) pong_ = std::make_unique<std::string>();
    pong_->assign(payload);
}

void Outbox::speak_pong() {
    if (!pong_) return;
    protocol::append_frame(words(), protocol::Opcode::pong, *pong_);
    pong_.reset();
}

std::size_t Outbox::buffers(std::span<iovec> out) const noexcept {
    std::size_t count = 0;
    if (partial_) out[count++] = buffer_of(partial_->bytes().substr(partial_sent_));
    if (words_) out[count++] = buffer_of(std::string_view(*words_).substr(words_sent_));
    return count;
}

std::size_t Outbox::sent(std::size_t bytes) noexcept {
    if (partial_) {
        const std::size_t of_frame = std::min<std::size_t>(bytes, partial_->size() - partial_sent_);
        partial_sent_ += static_cast<std::uint32_t>(of_frame);
        bytes -= of_frame;
        if (partial_sent_ == partial_->size()) partial_.reset();
    }
    if (words_) {
        const std::size_t of_words = std::min(bytes, words_->size() - words_sent_);
        words_sent_ += of_words;
        bytes -= of_words;
        if (words_sent_ == words_->size()) {
            words_.reset();
            words_sent_ = 0;
        }
    }
    return bytes;
}

}  // namespace parley::transports
