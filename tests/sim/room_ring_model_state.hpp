// The state of the room ring's model: see room_ring_model.hpp.
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>

namespace parley::test::ring_model {

// A step done wrong on purpose, to show that the check would notice.
enum class Mutation : std::uint8_t {
    none,
    unflag_after_drain,       // (6) instead of before
    flag_before_publish,      // (6) instead of after
    unflag_when_attached,     // (6) though the node is still on its way
    home_read_last,           // (5) instead of first
    claim_though_closed,      // (4) as if the word were opened again
    move_on_without_first,    // (4) at any empty slot instead of at next->first
    release_without_bound,    // (7) further behind than one lap
    count_backlog_one_short,  // (2) one slot too many
};

struct ModelConfig {
    std::uint8_t slots_first = 2;
    std::uint8_t slots_max = 4;
    std::uint8_t entries = 2;  // of the first producer, alternately message and transient
    std::uint8_t entries_2nd = 2;
    std::uint8_t consumers = 1;  // consumer 0 is the home
    std::uint8_t attaches = 0;   // times that the home may attach consumer 1, absent at first;
                                 // 0: it is there from the beginning and stays
    std::uint8_t detaches = 0;   // times that consumer 1 may detach
    bool release = true;         // whether the home drops what everyone has taken (7)
    Mutation mutation = Mutation::none;
};

struct ModelResult {
    std::size_t states = 0;
    std::size_t quiet = 0;    // states in which nobody has anything left to do
    std::size_t refused = 0;  // transitions in which a full ring refused an entry
    std::size_t grown = 0;    // transitions in which a segment was linked
    std::string broken;       // empty: every promise kept
};

using Byte = std::uint8_t;
constexpr Byte away = 255;  // a cursor that is not consuming
constexpr Byte producers = 2;

struct Slot {
    Byte entry;  // 1 + its sequence; 0: nothing
    Byte lap;
};

struct Segment {
    Byte messages, transients, closed;  // the claim word
    Byte linked;                        // next != nullptr
    Byte first;
    std::array<Slot, 4> slots;
};

enum class Doing : Byte {
    // producer
    load_newest,
    load_word,
    load_cursor_1st,
    load_cursor_2nd,
    claim,
    look_again,
    close,
    load_next,
    link,
    move_newest,
    publish,
    look_attached,
    look_flag,
    raise_flag,
    push_node,
    // consumer
    idle,
    unflag,
    load_slot,
    load_following,
    store_cursor,
    unflag_late,
    scan,
    release_next,
    release_load,
    release_swap,
};

struct Producer {
    Doing doing;
    Byte left, segment, messages, transients, least, sequence, shard, published;
    auto operator<=>(const Producer&) const = default;
};

struct Consumer {
    Doing doing;
    Byte attached, position, segment;  // position: what it has really taken, before it says so
    Byte least, released, releasing, late;
};

struct State {
    std::array<Segment, 2> segments;
    std::array<Producer, producers> producer;
    std::array<Consumer, 2> consumer;
    std::array<Byte, 2> cursor, flagged, mailbox;
    Byte newest, attach_notice, attaches_left, detaches_left;
    // What only the check knows.
    Byte claimed, messages, published_mask, dropped_mask;
    std::array<Byte, 6> fill;  // to whole words
};
static_assert(sizeof(State) % sizeof(std::uint64_t) == 0);
static_assert(std::is_trivially_copyable_v<State> &&
              std::has_unique_object_representations_v<State>);

// What the steps of both sides need: the configuration, the places, and the promises.
class Rules {
public:
    explicit Rules(const ModelConfig& given) : config(given) {}

    void promise(bool kept, const char* what) {
        if (!kept && result.broken.empty()) result.broken = what;
    }
    [[nodiscard]] bool mutated(Mutation mutation) const { return config.mutation == mutation; }
    [[nodiscard]] Byte slots(Byte segment) const {
        return segment == 0 ? config.slots_first : config.slots_max;
    }
    [[nodiscard]] Slot& slot(State& s, Byte segment, Byte sequence) const {
        const auto place = static_cast<Byte>(sequence - s.segments[segment].first);
        return s.segments[segment].slots[place % slots(segment)];
    }
    [[nodiscard]] Byte lap(const State& s, Byte segment, Byte sequence) const {
        const auto place = static_cast<Byte>(sequence - s.segments[segment].first);
        return place / slots(segment) % 2;
    }

    // The slot's reference to the entry goes.
    void drop(State& s, Byte entry) {
        for (const Consumer& c : s.consumer) {
            promise(c.attached == 0 || c.position >= entry,
                    "no entry goes before every attached shard has taken it");
        }
        const unsigned bit = 1U << (entry - 1);
        promise((s.dropped_mask & bit) == 0, "an entry is dropped once");
        s.dropped_mask = static_cast<Byte>(s.dropped_mask | bit);
    }

    const ModelConfig config;
    ModelResult result;
};

}  // namespace parley::test::ring_model
