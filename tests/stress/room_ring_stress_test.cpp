// Real threads on one ring: producers that outrun, shards that stall, come and go, a ring that
// grows in the middle; every shard runs only when its mailbox wakes it, so that a wake-up lost is a
// test that does not end.
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <thread>
#include <vector>

#include "core/mailbox.hpp"
#include "core/room_ring.hpp"
#include "support/ring_entry.hpp"

namespace parley::core {
namespace {

using test::make_ring_entry;
using test::RingEntry;
using Ring = BasicRoomRing<RingEntry>;

#if defined(__SANITIZE_THREAD__)
constexpr std::uint64_t rounds = 60;
#else
constexpr std::uint64_t rounds = 240;
#endif
constexpr std::uint64_t entries_per_producer = 600;

// How a thread sleeps until its mailbox is not empty.
class Bell {
public:
    void ring() {
        {
            const std::lock_guard lock(mutex_);
            rung_ = true;
        }
        condition_.notify_one();
    }
    void wait() {
        std::unique_lock lock(mutex_);
        condition_.wait(lock, [this] { return rung_; });
        rung_ = false;
    }

private:
    std::mutex mutex_;
    std::condition_variable condition_;
    bool rung_ = false;
};

// What lies in a mailbox: the room has news, a shard asks to be attached, it was, it ends.
struct Note : MailboxNode {
    enum class About : std::uint8_t { room, attach, attached, stop } about{};
    std::uint32_t shard = 0;
};

struct Heard {
    std::uint64_t sequence;
    std::uint64_t id;
    std::uint64_t offset;
    std::uint64_t stretch;  // counts the times that the shard was attached
};

class Desk {
public:
    void put(Note& note) {
        if (mailbox_.push(note)) bell_.ring();
    }
    template <class F>
    void wait_and_take(F&& f) {
        bell_.wait();
        mailbox_.take_all([&](MailboxNode& node) { f(static_cast<Note&>(node)); });
    }

    Note room, attach, attached, stop;
    std::vector<Heard> heard;
    std::uint64_t stretch = 1;

private:
    Mailbox mailbox_;
    Bell bell_;
};

class Stress {
public:
    explicit Stress(std::uint64_t seed)
        : seed_(seed),
          producers_(1 + static_cast<std::uint32_t>(seed % 4)),
          shards_(1 + static_cast<std::uint32_t>(seed / 4 % 3)),
          slots_first_(1U << seed % 5),
          ring_(shards_, 0, (1U << 20) - 300, slots_first_,
                slots_first_ * (seed % 2 == 0 ? 64 : 4)),
          desks_(shards_) {
        for (std::uint32_t i = 0; i < shards_; ++i) {
            desks_[i] = std::make_unique<Desk>();
            desks_[i]->room.about = Note::About::room;
            desks_[i]->attach.about = Note::About::attach;
            desks_[i]->attach.shard = i;
            desks_[i]->attached.about = Note::About::attached;
            desks_[i]->stop.about = Note::About::stop;
        }
    }

    void run() {
        std::vector<std::thread> consumers;
        for (std::uint32_t i = 0; i < shards_; ++i) {
            consumers.emplace_back([this, i] { consume(i); });
        }
        std::vector<std::thread> producers;
        for (std::uint32_t i = 0; i < producers_; ++i) {
            producers.emplace_back([this, i] { produce(i); });
        }
        for (std::thread& thread : producers) thread.join();
        // Others first: they may still need the home to attach them.
        for (std::uint32_t i = shards_; i-- > 0;) {
            desks_[i]->put(desks_[i]->stop);
            consumers[i].join();
        }
    }

    void check() {
        const std::vector<Heard>& order = desks_[0]->heard;
        ASSERT_EQ(order.size(), producers_ * entries_per_producer) << "nothing is lost";
        std::vector<std::uint64_t> said(producers_, 0);
        std::uint64_t offset = order.front().sequence;  // nothing was transient before
        for (std::size_t i = 0; i < order.size(); ++i) {
            ASSERT_EQ(order[i].sequence, order.front().sequence + i);
            const std::uint64_t producer = order[i].id % producers_;
            ASSERT_EQ(order[i].id / producers_, said[producer]++) << "each in its own order";
            if (order[i].offset != 0) {
                ASSERT_EQ(order[i].offset, ++offset) << "without a hole";
            }
        }
        ASSERT_EQ(ring_.last_offset(), offset);
        for (std::uint32_t shard = 1; shard < shards_; ++shard) check_shard(shard);
        for (std::uint32_t shard = 0; shard < shards_; ++shard) ASSERT_FALSE(ring_.flagged(shard));
    }

    [[nodiscard]] std::uint64_t grown() const { return ring_.slots() > slots_first_ ? 1 : 0; }
    [[nodiscard]] std::uint64_t refused() const { return refused_; }
    [[nodiscard]] std::uint64_t attached() const { return attached_; }

private:
    void produce(std::uint32_t producer) {
        std::mt19937_64 random(seed_ * 31 + producer);
        for (std::uint64_t i = 0; i < entries_per_producer; ++i) {
            const EntryKind kind = random() % 4 == 0 ? EntryKind::transient : EntryKind::message;
            std::optional<Ring::Claim> claim;
            while (!(claim = ring_.try_claim(kind))) {
                refused_.fetch_add(1, std::memory_order_relaxed);
                std::this_thread::yield();
            }
            if (random() % 64 == 0) std::this_thread::yield();  // everyone waits for this one
            ring_.publish(*claim, make_ring_entry(i * producers_ + producer, claim->offset));
            for (std::uint32_t shard = 0; shard < shards_; ++shard) {
                if (ring_.flag(shard)) desks_[shard]->put(desks_[shard]->room);
            }
        }
    }

    void consume(std::uint32_t shard) {
        Desk& desk = *desks_[shard];
        std::mt19937_64 random(seed_ * 17 + shard);
        bool stop = false;
        bool waiting = shard != 0;  // to be attached
        if (waiting) desks_[0]->put(desk.attach);
        while (!stop || waiting || ring_.flagged(shard)) {
            bool news = false;
            desk.wait_and_take([&](Note& note) {
                switch (note.about) {
                    case Note::About::room:
                        ring_.unflag(shard);
                        news = true;
                        return;
                    case Note::About::attach:
                        attach(note.shard);
                        return;
                    case Note::About::attached:
                        waiting = false;
                        news = true;
                        return;
                    case Note::About::stop:
                        stop = true;
                        return;
                }
            });
            if (random() % 8 == 0) stall(random() % 50);
            if (news) drain(shard, random);
            if (shard != 0 && !stop && !waiting && random() % 4 == 0) {
                ring_.detach(shard);
                ++desk.stretch;
                waiting = true;
                desks_[0]->put(desk.attach);
            }
        }
    }

    void attach(std::uint32_t shard) {
        ring_.attach(shard);
        ++attached_;
        desks_[shard]->put(desks_[shard]->attached);
    }

    void drain(std::uint32_t shard, std::mt19937_64& random) {
        std::vector<Heard>& heard = desks_[shard]->heard;
        for (;;) {
            if (!ring_.attached(shard)) return;
            std::uint64_t sequence = ring_.position(shard);
            const std::size_t most = 1 + random() % 100;
            const std::size_t taken = ring_.drain(shard, most, [&](const Ring::EntryPtr& entry) {
                heard.push_back({sequence++, entry->id, entry->offset, desks_[shard]->stretch});
            });
            if (taken < most) return;
        }
    }

    static void stall(std::uint64_t turns) {
        for (; turns > 0; --turns) std::this_thread::yield();
    }

    // Shard 0, the home, heard everything; another heard a part of it, in stretches without a hole.
    void check_shard(std::uint32_t shard) {
        const std::vector<Heard>& order = desks_[0]->heard;
        Heard before{};
        for (const Heard& heard : desks_[shard]->heard) {
            if (heard.stretch == before.stretch) {
                ASSERT_EQ(heard.sequence, before.sequence + 1);
            }
            before = heard;
            ASSERT_EQ(heard.id, order[heard.sequence - order.front().sequence].id);
        }
        ASSERT_EQ(ring_.position(shard), ring_.position(0)) << "and is not behind at the end";
    }

    std::uint64_t seed_;
    std::uint32_t producers_;
    std::uint32_t shards_;
    std::uint32_t slots_first_;
    Ring ring_;
    std::vector<std::unique_ptr<Desk>> desks_;
    std::atomic<std::uint64_t> refused_{0};
    std::uint64_t attached_ = 0;  // the home's
};

TEST(RoomRingStress, EveryShardHearsTheSameOrderWhateverTheThreadsDo) {
    const std::int64_t before = RingEntry::alive;
    std::uint64_t grown = 0;
    std::uint64_t refused = 0;
    std::uint64_t attached = 0;
    for (std::uint64_t seed = 0; seed < rounds; ++seed) {
        {
            Stress stress(seed);
            stress.run();
            stress.check();
            grown += stress.grown();
            refused += stress.refused();
            attached += stress.attached();
        }
        ASSERT_FALSE(testing::Test::HasFatalFailure()) << "seed " << seed;
        ASSERT_EQ(RingEntry::alive, before) << "seed " << seed;
    }
    EXPECT_GT(grown, 0U) << "or this test shows less than it says";
    EXPECT_GT(refused, 0U);
    EXPECT_GT(attached, rounds);
}

struct Letter : MailboxNode {
    std::uint64_t from = 0;
    std::uint64_t number = 0;
};

// Each letter is pushed by one thread, taken by another and freed there.
TEST(MailboxStress, EveryNodeArrivesOnceAndInItsSendersOrder) {
    constexpr std::uint64_t senders = 3;
    constexpr std::uint64_t letters = rounds * 200;
    Mailbox mailbox;
    Bell bell;
    std::vector<std::thread> threads;
    for (std::uint64_t from = 0; from < senders; ++from) {
        threads.emplace_back([&, from] {
            for (std::uint64_t number = 0; number < letters; ++number) {
                auto letter = std::make_unique<Letter>();
                letter->from = from;
                letter->number = number;
                if (mailbox.push(*letter.release())) bell.ring();
            }
        });
    }
    std::vector<std::uint64_t> next(senders, 0);
    std::uint64_t out_of_order = 0;
    for (std::uint64_t taken = 0; taken < senders * letters;) {
        bell.wait();
        mailbox.take_all([&](MailboxNode& node) {
            const std::unique_ptr<Letter> letter(static_cast<Letter*>(&node));
            if (letter->number != next[letter->from]++) ++out_of_order;
            ++taken;
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(out_of_order, 0U);
    EXPECT_EQ(next, std::vector<std::uint64_t>(senders, letters));
}

}  // namespace
}  // namespace parley::core
