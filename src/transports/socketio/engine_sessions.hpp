// EngineSessions: the Engine.IO sessions of one path on one shard, by their ids.
//
// Path:     EngineFrontend → [EngineSessions] → EngineSession
// Runs on:  its shard.
// Owned by: EngineFrontend.
// Bounds:   a session over WebSocket has its connection's place in Admission, one that polls has one
//           of its own; one that was closed and not fetched yet stays for farewell_time.
#pragma once

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>

#include "transports/socketio/engine_config.hpp"
#include "transports/socketio/engine_handler.hpp"
#include "transports/socketio/engine_session.hpp"

namespace parley::transports {

class Gate;

class EngineSessions {
public:
    // All of them outlive it.
    EngineSessions(Gate& gate, EngineApplication& application) noexcept
        : gate_(&gate), application_(&application) {}
    EngineSessions(const EngineSessions&) = delete;
    EngineSessions& operator=(const EngineSessions&) = delete;

    // A session with an id that nobody can guess, not open yet. Throws where the machine has no
    // luck to give, or the application fails.
    [[nodiscard]] EngineSession::Pointer make(const EngineOpening& opening);
    // Ends it first where it has missed its heartbeat, be it by less than the timers tell.
    [[nodiscard]] EngineSession* find(std::string_view sid) noexcept;
    [[nodiscard]] std::size_t size() const noexcept { return sessions_.size(); }

    // ---- for its sessions

    void enter(EngineSession& session) { sessions_.emplace(&session); }
    void remove(EngineSession& session) noexcept;
    [[nodiscard]] Gate& gate() const noexcept { return *gate_; }
    // Changed in place: open sessions go by it.
    [[nodiscard]] EngineConfig& config() noexcept { return config_; }
    // For encoding within one function, empty.
    [[nodiscard]] std::string& scratch() noexcept {
        scratch_.clear();
        return scratch_;
    }

private:
    struct BySid {
        using is_transparent = void;
        // The ids are random as they are.
        std::size_t operator()(std::string_view sid) const noexcept;
        std::size_t operator()(const EngineSession::Pointer& session) const noexcept {
            return (*this)(session->sid());
        }
        bool operator()(const EngineSession::Pointer& a,
                        const EngineSession::Pointer& b) const noexcept {
            return a == b;
        }
        bool operator()(const EngineSession::Pointer& session,
                        std::string_view sid) const noexcept {
            return session->sid() == sid;
        }
        bool operator()(std::string_view sid,
                        const EngineSession::Pointer& session) const noexcept {
            return session->sid() == sid;
        }
    };

    Gate* gate_;
    EngineApplication* application_;
    EngineConfig config_;
    std::string scratch_;
    std::unordered_set<EngineSession::Pointer, BySid, BySid> sessions_;
};

}  // namespace parley::transports
