// A delivery allocates nothing: what a flush asks of the allocator does not depend on how many are
// handed the publications.
#include <gtest/gtest.h>

#include <cstdlib>
#include <deque>
#include <iostream>
#include <new>
#include <string>

#include "support/test_session.hpp"

namespace {

std::uint64_t allocations = 0;

void* counted(std::size_t bytes) {
    ++allocations;
    if (void* memory = std::malloc(bytes == 0 ? 1 : bytes)) return memory;
    throw std::bad_alloc{};
}

void* counted(std::size_t bytes, std::align_val_t alignment) {
    ++allocations;
    const auto unit = static_cast<std::size_t>(alignment);
    return std::aligned_alloc(unit, (bytes + unit - 1) / unit * unit);
}

}  // namespace

void* operator new(std::size_t bytes) {
    return counted(bytes);
}
void* operator new[](std::size_t bytes) {
    return counted(bytes);
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
    if (void* memory = counted(bytes, alignment)) return memory;
    throw std::bad_alloc{};
}
void* operator new(std::size_t bytes, std::align_val_t alignment, const std::nothrow_t&) noexcept {
    return counted(bytes, alignment);
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete[](void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
    std::free(memory);
}

namespace parley::core {
namespace {

using test::TestHub;
using test::TestSession;
using test::unlimited_config;

struct Cost {
    std::uint64_t publishing = 0;
    std::uint64_t flushing = 0;
    friend bool operator==(const Cost&, const Cost&) = default;
};

// What `messages` published in one turn cost in a room of so many, once everything is warm.
Cost cost_of(std::size_t subscribers, int messages) {
    TestHub hub;
    TestSession speaker(hub, 0, "speaker");
    speaker.join("r");
    std::deque<TestSession> crowd;
    for (std::size_t i = 0; i < subscribers; ++i) {
        crowd.emplace_back(hub, 0, "u" + std::to_string(i)).join("r");
    }
    hub.settle();
    for (auto& session : crowd) session.transport().keeps = false;
    speaker.transport().keeps = false;
    Cost cost;
    for (int round = 0; round < 300; ++round) {
        const auto before = allocations;
        for (int i = 0; i < messages; ++i) speaker.send("r", "hello", {}, {});
        const auto published = allocations;
        hub.settle();
        cost = {published - before, allocations - published};
    }
    EXPECT_EQ(hub.total(Metric::deliveries_written),
              300u * static_cast<unsigned>(messages) * (subscribers + 1));
    return cost;
}

TEST(Allocation, NoneIsMadePerDelivery) {
    for (const int messages : {1, 3, 4, 32}) {
        const Cost few = cost_of(10, messages);
        const Cost many = cost_of(1000, messages);
        EXPECT_EQ(few, many) << messages;
        std::cout << messages << " messages a turn: " << many.publishing
                  << " allocations to publish, " << many.flushing << " to hand over to 1,000\n";
        // Each message's frame is made at most once, its copy for the history, and the run that
        // joins them.
        EXPECT_LE(many.flushing, 2 * static_cast<unsigned>(messages) + 3);
        EXPECT_GT(many.publishing, 0u);
    }
}

}  // namespace
}  // namespace parley::core
