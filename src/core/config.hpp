// Config: what an operator may choose of the core, with its defaults.
//
// Path:     config_file, command_line → [Config] → Hub, Shard
// Runs on:  built at start; then each shard has its own, which changes on that shard only (reload).
// Owned by: Hub, Shard.
// Bounds:   limits.hpp holds what can't be configured away.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/room_roles.hpp"

namespace parley::core {

using std::chrono::milliseconds;

// A token bucket: `burst` at once, refilled at `per_second`.
struct RateConfig {
    double per_second = 0;
    double burst = 0;
};

// [limits]
struct LimitsConfig {
    bool enabled = true;                 // false: --no-limits; rates and error counts are not held
    bool dry_run = false;                // what would be refused is counted and let in
    std::size_t text_bytes = 16 * 1024;  // one `text`, or `data` as JSON
    std::size_t message_bytes = 64 * 1024;  // one frame or message of a client
    std::size_t name_bytes = 64;            // a user's name
    std::size_t rooms_per_session = 100;
    std::size_t rooms = 1'000'000;
    std::size_t connections = 100'000;
    std::size_t connections_per_address = 5'000;  // an IPv6 /64 counts as one address
    std::size_t memory = 0;                       // resident, above which nobody new; 0: no mark
    std::uint32_t errors_in_a_row = 20;  // then 4009, or 4129 where they were all rate_limited
    RateConfig session{20, 40};          // commands
    RateConfig user{40, 80};
    RateConfig address{400, 800};
    RateConfig room{1'000, 2'000};         // what all of them say in one room
    RateConfig handshakes{5'000, 10'000};  // new connections of the process
};

// How much of a room a store keeps; the oldest goes first. 0: no bound of that kind.
struct Retention {
    std::size_t messages = 0;
    std::size_t bytes = 0;
    milliseconds age{0};
    friend bool operator==(const Retention&, const Retention&) = default;
};

// When a message that a store is to keep is sent on and acked.
enum class Durability : std::uint8_t {
    async,  // at once; it is written soon after
    sync,   // once it is on the disk
};

// [history]
struct HistoryConfig {
    std::size_t messages = 200;  // in memory
    std::size_t bytes = 1024 * 1024;
    milliseconds idle_ttl{
        std::chrono::hours(1)};  // a room without members leaves memory after this
    Durability durability = Durability::sync;
    std::size_t queue_messages = 65'536;  // not yet written, of all rooms
    std::size_t queue_bytes = 64 * 1024 * 1024;
    Retention keep;  // in the store, where no rule of [[rooms]] says otherwise
};

// [accounts]: what of it is the core's.
struct AccessConfig {
    bool anonymous = true;  // false: who has shown no token may do nothing but sign in
};

// [presence]
struct PresenceConfig {
    std::size_t roster_max = 200;
    milliseconds grace{10'000};
    milliseconds poll_ttl{30'000};  // a visit, unless it is renewed
};

// [heartbeat]
struct HeartbeatConfig {
    milliseconds ping_every{25'000};
    milliseconds dead_after{45'000};
};

// [window]: how far a subscriber may lag behind its room before its lag policy applies.
struct WindowConfig {
    std::size_t messages = 8192;
    std::size_t bytes = 4 * 1024 * 1024;
};

// How long a room's flush may wait for more to be said there, so that one write hands over more.
struct FlushDelay {
    bool adaptive = true;   // as long as the shard has no idle time left, up to flush.delay_max
    milliseconds fixed{0};  // else this long, always
    friend bool operator==(const FlushDelay&, const FlushDelay&) = default;
};

// [flush]
struct FlushConfig {
    std::size_t slice_writes = 256;  // writes of one slice of a turn, then the reactor is polled
    FlushDelay delay;                // where no rule of [[rooms]] says otherwise
    milliseconds delay_max{100};     // of what is adaptive
};

// What happens to a subscriber that falls out of its room's window.
enum class OnLag : std::uint8_t {
    disconnect,  // closed with 4108; it may resume by cursor
    gap,         // skips what it missed, announced by `gap`
    latest,      // is conflated to the newest message, announced by `gap`
};
inline constexpr std::size_t on_lag_policies = 3;

// [[rooms]]: the first whose pattern matches a room's name decides. `*` matches any run of
// characters, everything else itself.
struct RoomRule {
    std::string match;
    OnLag on_lag = OnLag::disconnect;
    std::optional<FlushDelay> flush_delay{};     // nothing: flush.delay
    std::optional<std::size_t> keep_messages{};  // nothing: history.keep_messages, and so on
    std::optional<std::size_t> keep_bytes{};
    std::optional<milliseconds> keep_age{};
    protocol::RoomKind kind = protocol::RoomKind::open;
    std::vector<std::string> owners{};  // names or ids of users who have signed in
};

// [drain]
struct DrainConfig {
    milliseconds deadline{15'000};   // from the signal to the last connection's end
    milliseconds retry_min{500};     // retry_after_ms is drawn evenly from here …
    milliseconds retry_max{10'000};  // … to here
};

struct Config {
    std::uint32_t shards = 1;
    LimitsConfig limits;
    AccessConfig access;
    HistoryConfig history;
    PresenceConfig presence;
    HeartbeatConfig heartbeat;
    WindowConfig window;
    FlushConfig flush;
    DrainConfig drain;
    std::vector<RoomRule> rooms;
    std::string server_name = "parley";  // `server` of `welcome`
    // What `welcome` says of the parts that the core does not know: set by whoever composes them.
    std::vector<std::string> features;
    std::uint64_t file_bytes = 0;  // 0: no files are taken
};

// `*` matches any run of characters, everything else itself.
[[nodiscard]] bool matches(std::string_view pattern, std::string_view name) noexcept;
// The rule that decides about that room; null where none matches.
[[nodiscard]] const RoomRule* rule_of(const std::vector<RoomRule>& rules,
                                      std::string_view room) noexcept;
[[nodiscard]] OnLag lag_policy_of(const std::vector<RoomRule>& rules, std::string_view room);
[[nodiscard]] protocol::RoomKind kind_of(const std::vector<RoomRule>& rules,
                                         std::string_view room) noexcept;
[[nodiscard]] Retention retention_of(const Config& config, std::string_view room);

}  // namespace parley::core
