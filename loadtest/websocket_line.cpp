#include "loadtest/websocket_line.hpp"

#include <openssl/evp.h>

#include <array>
#include <cstring>

#include "loadtest/http_answer.hpp"
#include "loadtest/virtual_user.hpp"
#include "protocol/websocket_handshake.hpp"

namespace parley::load {
namespace {

bool is_ascii(std::string_view text) {
    constexpr std::uint64_t high_bits = 0x8080808080808080;
    constexpr std::size_t stride = 4 * sizeof high_bits;
    std::uint64_t seen = 0;
    // Four words a turn, which the compiler joins.
    const auto look = [&seen](const char* at) {
        std::array<std::uint64_t, 4> words;
        std::memcpy(words.data(), at, stride);
        seen |= words[0] | words[1] | words[2] | words[3];
    };
    if (text.size() < stride) {
        for (const char c : text) seen |= static_cast<unsigned char>(c);
        return (seen & high_bits) == 0;
    }
    const char* const last = text.data() + text.size() - stride;
    for (const char* at = text.data(); at < last; at += stride) look(at);
    look(last);  // some of it again, which costs less than byte by byte
    return (seen & high_bits) == 0;
}

}  // namespace

std::string make_websocket_key(Luck& luck) {
    std::array<unsigned char, 16> nonce{};
    const std::array<std::uint64_t, 2> bits{luck.next(), luck.next()};
    std::memcpy(nonce.data(), bits.data(), nonce.size());
    std::array<unsigned char, 25> base64{};  // 24 characters and EVP_EncodeBlock's NUL
    const int length =
        ::EVP_EncodeBlock(base64.data(), nonce.data(), static_cast<int>(nonce.size()));
    return {base64.begin(), base64.begin() + length};
}

void WebSocketLine::open(std::string_view path, std::string_view subprotocol, std::string& out,
                         UserContext& context) {
    head_.clear();
    decoder_.reset();
    key_ = make_websocket_key(context.luck);
    protocol::ClientUpgrade upgrade;
    upgrade.host = context.plan.host;
    upgrade.path = path;
    upgrade.key = key_;
    upgrade.subprotocol = subprotocol;
    protocol::append_upgrade_request(out, upgrade);
}

WebSocketLine::Step WebSocketLine::take_head(VirtualUser& user, std::span<char> bytes,
                                             UserContext& context) {
    constexpr std::string_view empty_line = "\r\n\r\n";
    const std::size_t before = head_.size();
    head_.append(bytes.data(), bytes.size());
    const std::size_t from = before < empty_line.size() ? 0 : before - (empty_line.size() - 1);
    const std::size_t end = head_.find(empty_line, from);
    if (end == std::string::npos) {
        if (head_.size() > upgrade_head_bytes_max) {
            user.fail("the upgrade's answer has no end", context);
        }
        return {Event::need_more, bytes.size()};
    }
    const std::size_t head_size = end + empty_line.size();
    std::string error;
    if (!protocol::check_upgrade_response(std::string_view(head_).substr(0, head_size), key_,
                                          error)) {
        if (const std::uint16_t status = status_of(head_); status != 0) {
            ++user.tally(context).statuses[status];
        }
        const std::string first_line = head_.substr(0, head_.find("\r\n"));
        user.fail("upgrade: " + error + " (" + first_line.substr(0, 80) + ")", context);
        return {Event::need_more, bytes.size()};
    }
    head_ = std::string();
    key_ = std::string();
    decoder_.emplace(context.plan.decoder);
    return {Event::upgraded, head_size - before};
}

// A frame that lies whole in `bytes` and holds a whole message, in a text nothing but ASCII, as nearly
// every delivery does, needs no decoder: nothing of it can be wrong. Returns its size; 0 where it is
// another one, which the decoder judges.
std::size_t WebSocketLine::take_plain_frame(std::span<const char> bytes) {
    constexpr char whole_text = static_cast<char>(0x81);
    constexpr char whole_binary = static_cast<char>(0x82);
    constexpr std::size_t short_max = 125;
    constexpr std::size_t long_min = 126;
    if (bytes.size() < 2 || (bytes[0] != whole_text && bytes[0] != whole_binary)) return 0;
    std::size_t header = 2;
    std::size_t length = static_cast<unsigned char>(bytes[1]);
    if (length == 126 && bytes.size() >= 4) {
        length = static_cast<std::size_t>(static_cast<unsigned char>(bytes[2]) << 8 |
                                          static_cast<unsigned char>(bytes[3]));
        header = 4;
        if (length < long_min) return 0;
    } else if (length > short_max) {
        return 0;
    }
    if (bytes.size() < header + length) return 0;
    const std::string_view text(bytes.data() + header, length);
    const bool binary = bytes[0] == whole_binary;
    if (!binary && !is_ascii(text)) return 0;
    text_ = text;
    binary_ = binary;
    return header + length;
}

void WebSocketLine::prefetch() const noexcept {
    constexpr std::size_t cache_line = 64;
    const auto* const self = reinterpret_cast<const char*>(this);
    for (std::size_t at = 0; at < sizeof *this; at += cache_line) __builtin_prefetch(self + at);
}

WebSocketLine::Step WebSocketLine::feed(VirtualUser& user, std::span<char> bytes, std::string& out,
                                        UserContext& context) {
    if (!decoder_) return take_head(user, bytes, context);
    if (!decoder_->mid_message()) {
        if (const std::size_t size = take_plain_frame(bytes); size > 0) return {Event::text, size};
    }
    using Heard = protocol::WebSocketDecoder::Event;
    const auto [event, consumed] = decoder_->feed(bytes);
    switch (event) {
        case Heard::need_more:
        case Heard::pong:
            break;
        case Heard::message:
            text_ = decoder_->payload();
            binary_ = decoder_->opcode() == protocol::Opcode::binary;
            return {Event::text, consumed};
        case Heard::ping: {
            const protocol::MaskKey mask = context.luck.mask();
            protocol::append_frame(out, protocol::Opcode::pong, decoder_->payload(), false, &mask);
            break;
        }
        case Heard::close: {
            const std::uint16_t code = decoder_->close_code();
            const protocol::MaskKey mask = context.luck.mask();
            // The side that said goodbye first is not answered again.
            if (user.state() != VirtualUser::State::leaving) {
                protocol::append_close_frame(out, code, {}, &mask);
            }
            user.on_close(code, context);
            break;
        }
        case Heard::failed: {
            const protocol::MaskKey mask = context.luck.mask();
            protocol::append_close_frame(out, decoder_->close_code(), {}, &mask);
            user.on_broken("broken frame: " + std::string(decoder_->error()), context);
            break;
        }
    }
    return {Event::need_more, consumed};
}

void WebSocketLine::append_text(std::string& out, std::string_view text, UserContext& context) {
    const protocol::MaskKey mask = context.luck.mask();
    protocol::append_frame(out, protocol::Opcode::text, text, false, &mask);
}

void WebSocketLine::append_binary(std::string& out, std::string_view bytes, UserContext& context) {
    const protocol::MaskKey mask = context.luck.mask();
    protocol::append_frame(out, protocol::Opcode::binary, bytes, false, &mask);
}

void WebSocketLine::append_goodbye(std::string& out, UserContext& context) {
    const protocol::MaskKey mask = context.luck.mask();
    constexpr std::uint16_t normal_closure = 1000;
    protocol::append_close_frame(out, normal_closure, {}, &mask);
}

}  // namespace parley::load
