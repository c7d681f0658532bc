#include "transports/websocket/websocket_format.hpp"

#include <atomic>
#include <optional>
#include <string>

#include "protocol/deflate.hpp"
#include "protocol/websocket_frame.hpp"

namespace parley::transports {
namespace {

using protocol::Opcode;

// Set once before there are connections; relaxed, since threads start after that.
std::atomic<int> deflate_level{1};
std::atomic<std::size_t> deflate_bytes_min{96};

void encode_plain(const core::WireFormat&, const core::Publication& publication, std::string& out) {
    protocol::append_frame(out, Opcode::text, publication.json());
}

void encode_deflated(const core::WireFormat& format, const core::Publication& publication,
                     std::string& out) {
    const std::string& json = publication.json();
    if (json.size() >= deflate_bytes_min.load(std::memory_order_relaxed)) {
        if (const auto deflated = deflate_if_smaller(json); !deflated.empty()) {
            return protocol::append_frame(out, Opcode::text, deflated, true);
        }
    }
    encode_plain(format, publication, out);
}

constexpr core::WireFormat plain_format{0, &encode_plain};
constexpr core::WireFormat deflated_format{1, &encode_deflated};

}  // namespace

constexpr core::TransportTraits websocket_plain{"websocket", &plain_format};
constexpr core::TransportTraits websocket_deflated{"websocket", &deflated_format};

void set_deflate(int level, std::size_t bytes_min) noexcept {
    deflate_level.store(level, std::memory_order_relaxed);
    deflate_bytes_min.store(bytes_min, std::memory_order_relaxed);
}

std::string_view deflate_if_smaller(std::string_view message) {
    thread_local std::optional<protocol::Deflater> deflater;
    thread_local std::string out;
    if (!deflater) deflater.emplace(15, deflate_level.load(std::memory_order_relaxed));
    out.clear();
    deflater->compress(out, message);
    return out.size() < message.size() ? std::string_view(out) : std::string_view();
}

}  // namespace parley::transports
