// SseDialogue: one GET whose answer never ends: a stream of events (WHATWG HTML, 9.2), chunked or
// not.
//
// Path:     VirtualUser → [SseDialogue] → VirtualUser's events
// Runs on:  one load thread.
// Owned by: VirtualUser.
// Bounds:   HttpReader's head; an event of event_bytes_max.
#pragma once

#include "loadtest/dialogue.hpp"
#include "loadtest/http_reader.hpp"
#include "protocol/sse.hpp"

namespace parley::load {

class SseDialogue final : public Dialogue {
public:
    void open(const VirtualUser& user, bool resumes, std::string& out,
              UserContext& context) override;
    void receive(VirtualUser& user, std::span<char> bytes, std::int64_t now_ns, std::string& out,
                 UserContext& context) override;
    void publish(const Stamp& message, std::string& out, UserContext& context) override;
    bool leave(std::string& out, UserContext& context) override;
    [[nodiscard]] bool may_come_back(const VirtualUser& user) const override;

private:
    void take_events(VirtualUser& user, std::int64_t now_ns, UserContext& context);
    void refuse(VirtualUser& user, UserContext& context) const;

    HttpReader reader_;
    protocol::SseDecoder decoder_;
    bool positioned_ = false;  // it is known where in the room the stream begins
};

}  // namespace parley::load
