#include <utility>

#include "protocol/socketio.hpp"

namespace parley::protocol {

SocketDecoder::Step SocketDecoder::fail(std::string what) {
    error_ = std::move(what);
    return Step::failed;
}

std::span<const std::string> SocketDecoder::attachments() const noexcept {
    if (!assembly_) return {};
    return assembly_->attachments;
}

SocketDecoder::Step SocketDecoder::feed_text(std::string_view text) {
    if (missing_ > 0) return fail("text while attachments of the packet before are to come");
    assembly_.reset();
    // What the packet points into has to last until its attachments are there.
    if (text.starts_with('5') || text.starts_with('6')) {
        assembly_ = std::make_unique<Assembly>();
        assembly_->head = text;
        text = assembly_->head;
    }
    auto decoded = decode_socket_packet(text, limits_->attachments_max);
    if (!decoded) return fail(std::move(decoded).error());
    packet_ = *decoded;
    missing_ = packet_.attachments;
    if (missing_ == 0) return Step::packet;
    assembly_->attachments.reserve(missing_);
    return Step::need_more;
}

SocketDecoder::Step SocketDecoder::feed_binary(std::string_view bytes) {
    if (missing_ == 0) return fail("binary without a packet that announced it");
    if (bytes.size() > limits_->attachment_bytes_max - assembly_->attachment_bytes) {
        return fail("attachments of more than " + std::to_string(limits_->attachment_bytes_max) +
                    " bytes together");
    }
    assembly_->attachment_bytes += bytes.size();
    assembly_->attachments.emplace_back(bytes);
    return --missing_ == 0 ? Step::packet : Step::need_more;
}

}  // namespace parley::protocol
