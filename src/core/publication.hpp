// Publication: one immutable entry of a room, and the frames made of it so far.
//
// Path:     Room → [Publication] → RoomRing → RoomWindow → Transport
// Runs on:  any thread; immutable but for its frames, which are made once each.
// Owned by: ring slots, windows and histories, by reference count.
// Bounds:   limits::wire_formats_max frames.
#pragma once

#include <array>
#include <atomic>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <cstdint>
#include <initializer_list>
#include <string>

#include "core/clock.hpp"
#include "core/frame.hpp"
#include "core/limits.hpp"

namespace parley::core {

class Publication;

// How a publication looks on one kind of wire. One constant object per format, which `encode` is
// handed: one that needs more than its slot derives from this. `slot` is its own among all formats
// of the process; where there are several objects of one slot, all of them encode alike.
struct WireFormat {
    std::uint8_t slot;
    void (*encode)(const WireFormat& format, const Publication& publication, std::string& out);
};

enum class PublicationKind : std::uint8_t { message, typing, presence, read, role };

// Which kinds somebody is handed.
class KindSet {
public:
    constexpr KindSet() = default;
    constexpr KindSet(std::initializer_list<PublicationKind> kinds) noexcept {
        for (const PublicationKind kind : kinds) bits_ |= bit(kind);
    }
    [[nodiscard]] constexpr bool has(PublicationKind kind) const noexcept {
        return (bits_ & bit(kind)) != 0;
    }
    [[nodiscard]] constexpr bool meets(KindSet other) const noexcept {
        return (bits_ & other.bits_) != 0;
    }
    friend bool operator==(const KindSet&, const KindSet&) = default;

private:
    [[nodiscard]] static constexpr std::uint8_t bit(PublicationKind kind) noexcept {
        return static_cast<std::uint8_t>(1U << static_cast<unsigned>(kind));
    }
    std::uint8_t bits_ = 0;
};
inline constexpr KindSet messages_only{PublicationKind::message};
inline constexpr KindSet all_but_presence{PublicationKind::message, PublicationKind::typing,
                                          PublicationKind::read, PublicationKind::role};
inline constexpr KindSet all_kinds{PublicationKind::message, PublicationKind::typing,
                                   PublicationKind::presence, PublicationKind::read,
                                   PublicationKind::role};

class Publication {
public:
    // `json` is the push of parley.v1 (protocol.md, section 3): every format is made from it.
    // `born` is when its command came.
    Publication(PublicationKind kind, std::uint64_t offset, std::string json,
                TimePoint born = {}) noexcept
        : born_(stamp_of(born)), offset_(offset), kind_(kind), json_(std::move(json)) {}
    ~Publication();
    Publication(const Publication&) = delete;
    Publication& operator=(const Publication&) = delete;

    [[nodiscard]] PublicationKind kind() const noexcept { return kind_; }
    // 0 for a transient publication.
    [[nodiscard]] std::uint64_t offset() const noexcept { return offset_; }
    [[nodiscard]] const std::string& json() const noexcept { return json_; }
    // When its command came, as stamp_of() has it.
    [[nodiscard]] std::uint32_t born() const noexcept { return born_; }
    // What it costs to keep, in bytes.
    [[nodiscard]] std::size_t cost() const noexcept { return sizeof *this + json_.size(); }

    // The frame of that format, made by whoever asks first. Any thread; throws std::bad_alloc.
    [[nodiscard]] const Frame& frame(const WireFormat& format) const;

    friend void intrusive_ptr_add_ref(const Publication* p) noexcept {
        p->references_.fetch_add(1, std::memory_order_relaxed);
    }
    friend void intrusive_ptr_release(const Publication* p) noexcept {
        // Release pairs with the acquire of whoever drops the last one.
        if (p->references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete p;
    }

private:
    mutable std::atomic<std::uint32_t> references_{0};
    std::uint32_t born_;
    std::uint64_t offset_;
    PublicationKind kind_;
    std::string json_;
    mutable std::array<std::atomic<const Frame*>, limits::wire_formats_max> frames_{};
};

using PublicationPtr = boost::intrusive_ptr<const Publication>;

}  // namespace parley::core
