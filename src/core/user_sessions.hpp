// UserSessions: the sessions of a shard by who they act as: by the id of their user, and by the name.
//
// Path:     Subscriber → [UserSessions] → whoever has something for a user, wherever they are
// Runs on:  its shard.
// Owned by: Shard. A session takes itself off before it goes.
// Bounds:   one slot a session: 16 bytes, and 2 to 4 for its buckets. Grows and shrinks by one
//           bucket at a time (as StepwiseSet does): nobody waits for all to be moved.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/stepwise_vector.hpp"

namespace parley::core {

class Subscriber;

class UserSessions {
public:
    UserSessions() = default;
    UserSessions(const UserSessions&) = delete;
    UserSessions& operator=(const UserSessions&) = delete;

    // By its user of now, which stays until it is removed. Not one that is here already.
    void add(Subscriber& session);
    // False where it is not here.
    bool remove(const Subscriber& session) noexcept;
    [[nodiscard]] std::vector<Subscriber*> with_id(std::string_view id) const {
        return find(by_id, id);
    }
    [[nodiscard]] std::vector<Subscriber*> with_name(std::string_view name) const {
        return find(by_name, name);
    }
    [[nodiscard]] std::size_t size() const noexcept { return slots_.size(); }

private:
    static constexpr std::size_t by_id = 0;
    static constexpr std::size_t by_name = 1;
    static constexpr std::uint32_t none = ~std::uint32_t{0};
    static constexpr std::size_t piece = 64;      // little lies idle, of millions of sessions too
    static constexpr std::size_t per_bucket = 4;  // sessions, when one is split
    struct Slot {
        Subscriber* session;
        std::array<std::uint32_t, 2> next;
    };

    [[nodiscard]] static std::string_view key_of(const Subscriber& session,
                                                 std::size_t way) noexcept;
    [[nodiscard]] static std::uint32_t hash_of(std::string_view key) noexcept;
    [[nodiscard]] std::size_t bucket_of(std::size_t way, std::string_view key) const noexcept;
    [[nodiscard]] std::vector<Subscriber*> find(std::size_t way, std::string_view key) const;
    // Where it is said, in the chain of its bucket, that this slot follows.
    [[nodiscard]] std::uint32_t& link_to(std::size_t way, std::uint32_t slot) noexcept;
    void split_one(std::size_t way);
    void merge_one(std::size_t way) noexcept;

    StepwiseVector<Slot, piece> slots_;
    std::array<StepwiseVector<std::uint32_t, piece>, 2> heads_;
};

}  // namespace parley::core
