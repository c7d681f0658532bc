// Audience: those of one shard who listen to one room, and what they have not been handed yet.
//
// Path:     RoomRing → [Audience] → FlushBatch → Subscriber
// Runs on:  its shard.
// Owned by: Shard; dropped when nobody listens, nobody is about to and the room has no home here.
// Bounds:   WindowConfig; a subscriber that falls out of it meets the room's OnLag.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/config.hpp"
#include "core/flush_batch.hpp"
#include "core/held_flushes.hpp"
#include "core/prefetch.hpp"
#include "core/room.hpp"
#include "core/room_home.hpp"
#include "core/room_window.hpp"
#include "core/run_cache.hpp"
#include "core/stepwise_vector.hpp"
#include "core/transport.hpp"

namespace parley::core {

class Audience : public HeldFlush {
public:
    Audience(Shard& shard, std::string name);
    ~Audience();
    Audience(const Audience&) = delete;
    Audience& operator=(const Audience&) = delete;

    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    // Null until the home has answered the first join.
    [[nodiscard]] const RoomPtr& room() const noexcept { return room_; }
    // Null but on the room's home shard.
    [[nodiscard]] RoomHome* home() const noexcept { return home_.get(); }
    [[nodiscard]] const RoomWindow& window() const noexcept { return window_; }
    [[nodiscard]] std::size_t size() const noexcept { return listeners_.size(); }
    // Calls f(const Subscription&, const Place&) for everybody who listens.
    template <typename F>
    void each(F&& f) const {
        listeners_.each([&f](const Listener& l) { f(*l.subscription, l.place); });
    }

    // Listens to a room from a place in its order; makes this shard the room's home or not.
    void adopt(RoomPtr room, std::uint64_t sequence, std::uint64_t offset);
    void become_home(RoomPtr room, const StoredRoom& stored, RoomRecord&& record);

    // A join that was asked of the home and is not carried out: nothing it may need is trimmed.
    void join_asked() noexcept { ++joins_under_way_; }
    void join_answered() noexcept;

    // Takes what is new from the ring into the window, and into the history where this is home.
    void drain();

    // Hands news to up to `writes` subscribers; returns the writes left over. Goes through the
    // audience once from its end to its beginning, across calls; done() tells when nobody has news.
    [[nodiscard]] std::size_t flush(std::size_t writes);
    [[nodiscard]] bool done() const noexcept {
        return pass_ == no_pass && window_.end() == flushed_to_;
    }
    [[nodiscard]] bool in_pass() const noexcept { return pass_ != no_pass; }
    // Whether the next pass may wait for more: there is somebody to spare a write, and neither the
    // window nor a write would be too full.
    [[nodiscard]] bool may_hold() const noexcept;
    // When the oldest publication of the next pass was born (stamp_of()).
    [[nodiscard]] std::uint32_t next_pass_born() const noexcept;
    // How far that one has been handed what was said here; for Subscriber to move on.
    [[nodiscard]] Place& place_of(const Subscription& subscription) noexcept {
        return listeners_[subscription.index].place;
    }
    [[nodiscard]] const Place& place_of(const Subscription& subscription) const noexcept {
        return listeners_[subscription.index].place;
    }
    [[nodiscard]] bool has_news(const Subscription& subscription) const noexcept {
        return listeners_[subscription.index].place.cursor < window_.end();
    }
    // Whether a flush may write to that one without asking its Subscriber: it listens to nothing
    // else, can take more, and stays.
    void set_direct(const Subscription& subscription, bool direct) noexcept {
        listeners_[subscription.index].direct = direct;
    }

    // Another takes that one's frames from now on.
    void set_writer(const Subscription& subscription, FrameWriter& writer) noexcept {
        listeners_[subscription.index].writer = &writer;
    }

    // Asks for the memory of the next flush(), in two steps that are to be a while apart.
    [[gnu::always_inline]] void prefetch_self() const noexcept { core::prefetch<4>(this); }
    [[gnu::always_inline]] void prefetch_listeners() const noexcept {
        if (!listeners_.empty()) core::prefetch<1>(&listeners_.back());
    }

    // Adds to the batch what the subscription has not been handed, its lag policy first.
    void gather(Subscription& subscription, FlushBatch& batch);
    // A subscriber can't take more for now, or could again.
    void mark_behind(Subscription& subscription);
    void unmark_behind(Subscription& subscription) noexcept;

    // Between passes: lets go of what nobody needs.
    void rest() noexcept;

    // True when nothing holds it.
    [[nodiscard]] bool droppable() const noexcept;

    [[nodiscard]] Shard& shard() const noexcept { return *shard_; }

    // Marks of the shard's lists that hold this.
    bool to_drain = false;
    bool to_flush = false;
    bool may_drop = false;

private:
    friend struct Subscription;
    // One subscription, with all that the usual delivery needs of it: everything behind a pointer
    // would be a miss of the cache.
    struct Listener {
        Subscription* subscription;
        FrameWriter* writer;
        Place place;
        std::uint8_t format_slot;
        KindSet kinds;
        bool direct = false;
        std::uint32_t behind_index = Subscription::nowhere;  // in behind_
    };
    static_assert(sizeof(Listener) <= 40);
    // The newest publication's frames by format, looked up once a slice.
    using NewestFrames = std::array<const Frame*, limits::wire_formats_max>;
    static constexpr std::size_t no_pass = static_cast<std::size_t>(-1);

    void add(Subscription& subscription, const Place& from);
    void remove(Subscription& subscription) noexcept;
    void take(PublicationPtr publication);
    [[nodiscard]] bool hand(Listener& listener, NewestFrames& frames);
    [[nodiscard]] bool hand_newest(Listener& listener, NewestFrames& frames);
    [[gnu::always_inline]] void prefetch(std::size_t pass, KindSet due) const noexcept;
    // What may be among the publications that are new.
    [[nodiscard]] KindSet kinds_due() const noexcept;
    void end_pass() noexcept;
    [[nodiscard]] std::size_t due_at(std::uint64_t sequence) const noexcept;
    void trim() noexcept;
    void begin_pass() noexcept;
    void note_window() noexcept;
    void catch_lagging();
    // Applies the lag policy; false when the session is to end.
    bool catch_up(Subscription& subscription);

    Shard* shard_;
    std::string name_;
    RoomPtr room_;
    RoomWindow window_;
    StepwiseVector<Listener, 256> listeners_;
    std::vector<Subscription*> behind_;  // of subscribers that can't take more for now
    std::size_t pass_ = no_pass;         // those from here on have been visited in this pass
    std::uint64_t flushed_to_ = 0;       // end of the window when the last pass began
    std::uint64_t behind_min_ = 0;       // no cursor in behind_ is before it
    std::uint64_t ahead_max_ = 0;        // no cursor is beyond it that is beyond the window
    std::size_t noted_bytes_ = 0;        // of the window, as the shard's level has them
    std::uint32_t joins_under_way_ = 0;
    std::uint32_t direct_writes_ = 0;  // of one frame each, since they were recorded
    std::uint32_t passed_over_ = 0;    // deliveries filtered without a write, likewise
    std::uint32_t pass_born_ = 0;      // of the oldest publication of the pass
    std::uint32_t pass_began_ = 0;     // the last one did, as stamp_of() has it
    std::size_t unflushed_bytes_ = 0;  // of publications since then
    OnLag on_lag_;
    std::unique_ptr<RunCache> runs_;
    std::unique_ptr<RoomHome> home_;
};

}  // namespace parley::core
