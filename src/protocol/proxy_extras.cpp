#include "protocol/proxy_extras.hpp"

namespace parley::protocol {
namespace {

constexpr std::uint8_t checksum_type = 0x03;  // PP2_TYPE_CRC32C
constexpr std::size_t checksum_bytes = 4;
constexpr std::size_t extra_prefix_bytes = 3;  // type, length

}  // namespace

void ProxyExtras::begin(std::string_view prefix, std::size_t extras_at, std::size_t total) {
    sum_.process_bytes(prefix.data(), prefix.size());
    at_ = prefix.size();
    extra_at_ = extras_at;
    total_ = total;
}

void ProxyExtras::take(char byte) {
    const std::size_t at = at_++;
    const auto value = static_cast<std::uint8_t>(byte);
    const bool of_checksum = at >= extra_at_ && take_extra(at - extra_at_, value);
    sum_.process_byte(of_checksum ? 0 : value);
}

bool ProxyExtras::take_extra(std::size_t within, std::uint8_t byte) {
    if (within == 0) {
        type_ = byte;
        length_ = 0;
    } else if (within < extra_prefix_bytes) {
        length_ = length_ << 8U | byte;
    } else if (type_ == checksum_type) {
        told_ = told_ << 8U | byte;
    }
    if (within + 1 < extra_prefix_bytes) return false;
    const bool is_checksum = type_ == checksum_type;
    if (within + 1 == extra_prefix_bytes && is_checksum) {
        if (length_ != checksum_bytes) problem_ = "a PROXY header whose checksum is not 4 bytes";
        if (++checksums_ > 1) problem_ = "a PROXY header with two checksums";
    }
    if (within + 1 == extra_prefix_bytes + length_) extra_at_ = at_;
    return is_checksum && within >= extra_prefix_bytes;
}

std::string_view ProxyExtras::problem() const {
    if (!problem_.empty()) return problem_;
    if (extra_at_ < total_) return "a PROXY header that ends within what it adds";
    if (checksums_ == 1 && told_ != sum_.checksum()) {
        return "a PROXY header whose checksum is another";
    }
    return {};
}

}  // namespace parley::protocol
