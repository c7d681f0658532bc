// TestTransport: the transport that exists only in tests: no socket, it remembers what it was
// handed as the values a client would read, and blocks and fails when it is told to.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "core/transport.hpp"
#include "protocol/json_codec.hpp"

namespace parley::test {

// One JSON object a line: joined frames stay apart.
inline constexpr core::WireFormat line_format{
    3, [](const core::WireFormat&, const core::Publication& publication, std::string& out) {
        out += publication.json();
        out += '\n';
    }};
inline constexpr core::TransportTraits test_traits{"test", &line_format};

inline protocol::ServerFrame parsed(std::string_view json) {
    auto frame = protocol::decode_server_frame(json);
    if (!frame) throw std::runtime_error(frame.error().message + ": " + std::string(json));
    return std::move(*frame);
}

class TestTransport : public core::Transport {
public:
    static constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

    TestTransport() : Transport(test_traits) {}

    [[nodiscard]] core::WriteResult write_some(
        std::span<const core::Frame* const> frames) noexcept override {
        writes += frames_left > 0 ? 1 : 0;
        if (failed) return {frames.size(), false};
        std::size_t taken = 0;
        for (; taken < frames.size() && frames_left > 0; ++taken) {
            if (frames_left != unlimited) --frames_left;
            if (keeps) bytes += frames[taken]->bytes();
        }
        told_blocked = frames_left == 0;
        return {taken, told_blocked};
    }
    void reply(const core::Reply& reply) noexcept override {
        core::append_reply(bytes, reply);
        bytes += '\n';
    }
    void close(const core::CloseReason& reason) noexcept override {
        if (!closed_for) closed_for = reason;
    }
    void resume() noexcept override { ++resumes; }

    // What has come since the last call, one JSON text each.
    [[nodiscard]] std::vector<std::string> take_texts() {
        std::vector<std::string> texts;
        for (std::size_t at = 0; at < bytes.size();) {
            const auto end = bytes.find('\n', at);
            texts.push_back(bytes.substr(at, end - at));
            at = end + 1;
        }
        bytes.clear();
        return texts;
    }

    std::size_t frames_left = unlimited;  // taken until it blocks; a run counts as one
    bool told_blocked = false;            // the core waits for Subscriber::writable()
    bool failed = false;                  // takes everything, and it is lost
    bool keeps = true;                    // false: what is written is not even looked at
    std::string bytes;
    std::size_t writes = 0;
    std::size_t resumes = 0;
    std::optional<core::CloseReason> closed_for;
};

}  // namespace parley::test
