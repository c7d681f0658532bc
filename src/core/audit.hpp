// Audit: who did what in a room that not everybody may, or was refused, for a log.
//
// Path:     RoomActs → [Audit] → whoever logs (Hub::set_audit())
// Runs on:  the room's home shard; whoever logs must not wait there.
// Owned by: passed by reference; borrowed within the call.
// Bounds:   one record an act, and acts are bounded by the rates of who asks.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "core/clock.hpp"
#include "protocol/message.hpp"

namespace parley::core {

// What is written down.
enum class AuditAct : std::uint8_t {
    role,    // somebody was made something
    kick,    // somebody was put out
    topic,   // the topic was set
    claim,   // who came first owns the room
    expiry,  // a role has ended
    remove,  // somebody else's message was deleted
    end_,
};
inline constexpr std::array<std::string_view, static_cast<std::size_t>(AuditAct::end_)>
    audit_act_names{"role", "kick", "topic", "claim", "expiry", "delete"};
[[nodiscard]] constexpr std::string_view name_of(AuditAct act) noexcept {
    return audit_act_names[static_cast<std::size_t>(act)];
}

// How it ended.
enum class AuditOutcome : std::uint8_t {
    done,
    refused,  // they may not, or it makes no sense
    failed,   // it could not be kept
    end_,
};
inline constexpr std::array<std::string_view, static_cast<std::size_t>(AuditOutcome::end_)>
    audit_outcome_names{"done", "refused", "failed"};
[[nodiscard]] constexpr std::string_view name_of(AuditOutcome outcome) noexcept {
    return audit_outcome_names[static_cast<std::size_t>(outcome)];
}

struct AuditRecord {
    AuditAct act = AuditAct::role;
    AuditOutcome outcome = AuditOutcome::done;
    std::string_view room{};
    const protocol::User* by = nullptr;  // null: nobody
    std::string_view user{};  // id of whom it is about; as it was asked for where unknown
    std::string_view user_name{};
    std::string_view role{};
    std::optional<WallTime> until{};
    std::string_view reason{};
    std::uint64_t offset = 0;  // of the message it is about, or that it is; 0: none
    std::string_view cause{};  // why it was refused or failed
};

using AuditLog = std::function<void(const AuditRecord& record)>;

}  // namespace parley::core
