#include "transports/outbox.hpp"

#include <algorithm>

#include "protocol/websocket_frame.hpp"
#include "transports/tcp_stream.hpp"

namespace parley::transports {

Outbox::Own& Outbox::own() {
    if (!own_) own_ = std::make_unique<Own>();
    return *own_;
}

void Outbox::drop_own_if_done() noexcept {
    if (!own_->words && !own_->pong) own_.reset();
}

std::string& Outbox::words() {
    auto& words = own().words;
    return words ? *words : words.emplace();
}

void Outbox::keep(const core::Frame& frame, std::size_t sent) noexcept {
    partial_ = core::FramePtr(&frame);
    partial_sent_ = static_cast<std::uint32_t>(sent);
}

void Outbox::keep_pong(std::string_view payload) {
    own().pong.emplace(payload);
}

void Outbox::drop_pong() noexcept {
    if (!own_) return;
    own_->pong.reset();
    drop_own_if_done();
}

void Outbox::speak_pong() {
    if (!own_ || !own_->pong) return;
    protocol::append_frame(words(), protocol::Opcode::pong, *own_->pong);
    own_->pong.reset();
}

std::size_t Outbox::buffers(std::span<iovec> out) const noexcept {
    std::size_t count = 0;
    if (partial_) out[count++] = buffer_of(partial_->bytes().substr(partial_sent_));
    if (has_words()) {
        out[count++] = buffer_of(std::string_view(*own_->words).substr(own_->words_sent));
    }
    return count;
}

std::size_t Outbox::sent(std::size_t bytes) noexcept {
    if (partial_) {
        const std::size_t of_frame = std::min<std::size_t>(bytes, partial_->size() - partial_sent_);
        partial_sent_ += static_cast<std::uint32_t>(of_frame);
        bytes -= of_frame;
        if (partial_sent_ == partial_->size()) partial_.reset();
    }
    if (has_words()) {
        const std::size_t of_words = std::min(bytes, own_->words->size() - own_->words_sent);
        own_->words_sent += of_words;
        bytes -= of_words;
        if (own_->words_sent == own_->words->size()) {
            own_->words.reset();
            own_->words_sent = 0;
            drop_own_if_done();
        }
    }
    return bytes;
}

}  // namespace parley::transports
