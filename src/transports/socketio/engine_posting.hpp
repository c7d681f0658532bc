// EnginePosting: the body of a POST that is handed over packet by packet, and who waits until that is
// done.
//
// Path:     EngineSession → [EnginePosting] → EngineHandler
// Runs on:  its shard.
// Owned by: its EngineSession, while the handler has not taken all of it.
// Bounds:   one a session; EngineConfig::max_payload.
#pragma once

#include <memory>
#include <string>

#include "protocol/engineio.hpp"
#include "transports/later_answer.hpp"

namespace parley::transports {

struct EnginePosting {
    explicit EnginePosting(const std::string& posted) : body(posted), packets(body) {}
    EnginePosting(const EnginePosting&) = delete;
    EnginePosting& operator=(const EnginePosting&) = delete;

    std::string body;
    protocol::EnginePayload packets;    // of the body, from the first that was not taken
    std::weak_ptr<LaterAnswer> answer;  // of whoever waits for it
};

}  // namespace parley::transports
