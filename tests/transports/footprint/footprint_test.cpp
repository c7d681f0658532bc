// What a connection costs while it stands idle: every byte that its shard's thread took of the heap
// for it and has not given back, with the allocator's rounding and header.
#include <gtest/gtest.h>
#include <malloc.h>
#include <openssl/crypto.h>

#include <cstdint>
#include <cstdlib>
#include <deque>
#include <future>
#include <iostream>
#include <new>
#include <string>

#include "transports/test_server.hpp"
#include "transports/tls_pair.hpp"
#include "transports/websocket_client.hpp"

namespace {

struct Held {
    std::int64_t bytes = 0;
    std::int64_t blocks = 0;
};
// By thread: the clients of these tests have threads of their own to hold things in.
thread_local Held held;
thread_local Held held_by_openssl;

constexpr std::int64_t header_bytes = 8;

void* took(void* memory, Held& by) {
    if (memory != nullptr) {
        by.bytes += static_cast<std::int64_t>(malloc_usable_size(memory)) + header_bytes;
        ++by.blocks;
    }
    return memory;
}

void gave_back(void* memory, Held& by) {
    if (memory == nullptr) return;
    by.bytes -= static_cast<std::int64_t>(malloc_usable_size(memory)) + header_bytes;
    --by.blocks;
}

void* take(std::size_t bytes) {
    if (void* memory = took(std::malloc(bytes == 0 ? 1 : bytes), held)) return memory;
    throw std::bad_alloc{};
}

void* take(std::size_t bytes, std::align_val_t alignment) {
    const auto unit = static_cast<std::size_t>(alignment);
    return took(std::aligned_alloc(unit, (bytes + unit - 1) / unit * unit), held);
}

void give_back(void* memory) {
    gave_back(memory, held);
    std::free(memory);
}

void* openssl_take(std::size_t bytes, const char*, int) {
    return bytes == 0 ? nullptr : took(std::malloc(bytes), held_by_openssl);
}
void* openssl_resize(void* memory, std::size_t bytes, const char*, int) {
    gave_back(memory, held_by_openssl);
    if (bytes == 0) {
        std::free(memory);
        return nullptr;
    }
    return took(std::realloc(memory, bytes), held_by_openssl);
}
void openssl_give_back(void* memory, const char*, int) {
    gave_back(memory, held_by_openssl);
    std::free(memory);
}

// Before OpenSSL takes anything.
const int counts_openssl =
    CRYPTO_set_mem_functions(&openssl_take, &openssl_resize, &openssl_give_back);

}  // namespace

void* operator new(std::size_t bytes) {
    return take(bytes);
}
void* operator new[](std::size_t bytes) {
    return take(bytes);
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
    if (void* memory = take(bytes, alignment)) return memory;
    throw std::bad_alloc{};
}
void* operator new(std::size_t bytes, std::align_val_t alignment, const std::nothrow_t&) noexcept {
    return take(bytes, alignment);
}
void operator delete(void* memory) noexcept {
    give_back(memory);
}
void operator delete[](void* memory) noexcept {
    give_back(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    give_back(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
    give_back(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
    give_back(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
    give_back(memory);
}

namespace parley::transports::test {
namespace {

// What the shard's thread holds, by operator new and by OpenSSL.
struct Footprint {
    Held own;
    Held of_openssl;
};

Footprint footprint_of(TestServer& server) {
    std::promise<Footprint> now;
    // Behind what is ready there: who has just been answered is not done with yet.
    server.hub().shard(0).post([&](core::Shard&) {
        server.gate(0).thread().defer([&now] { now.set_value({held, held_by_openssl}); });
    });
    return now.get_future().get();
}

template <typename Socket>
void open_room(std::deque<BasicWebSocketClient<Socket>>& clients, std::uint16_t port, int room,
               int members) {
    for (int i = 0; i < members; ++i) {
        const std::string name = std::to_string(room) + "-" + std::to_string(i);
        auto& client = clients.emplace_back(
            Socket(port), "/ws?name=u" + name + "&room=r" + std::to_string(room), "");
        EXPECT_NE(client.receive().payload.find("welcome"), std::string::npos);
        EXPECT_NE(client.receive().payload.find("joined"), std::string::npos);
    }
}

struct PerConnection {
    double bytes, blocks, openssl_bytes;
};

// The difference that some rooms make when as many are open already.
template <typename Socket>
PerConnection cost_of_one(TestServer& server, std::uint16_t port, int rooms, int members) {
    std::deque<BasicWebSocketClient<Socket>> clients;
    for (int room = 0; room < rooms; ++room) open_room(clients, port, room, members);
    const Footprint before = footprint_of(server);
    for (int room = rooms; room < 2 * rooms; ++room) open_room(clients, port, room, members);
    const Footprint after = footprint_of(server);
    const auto each = [rooms, members](std::int64_t from, std::int64_t to) {
        return static_cast<double>(to - from) / (rooms * members);
    };
    const PerConnection cost{each(before.own.bytes, after.own.bytes),
                             each(before.own.blocks, after.own.blocks),
                             each(before.of_openssl.bytes, after.of_openssl.bytes)};
    std::cout << "an idle connection: " << cost.bytes << " bytes in " << cost.blocks
              << " blocks, and " << cost.openssl_bytes << " of OpenSSL's\n";
    return cost;
}

// Of which a tenth of its room is 110 bytes, and 32 are its place among its user's sessions.
TEST(Footprint, AnIdleWebSocketInARoomOfTenHolds900Bytes) {
    TestServer server(unlimited());
    const PerConnection cost = cost_of_one<LoopbackClient>(server, server.port(), 20, 10);
    EXPECT_LE(cost.bytes, 900);
    EXPECT_LE(cost.blocks, 9);
    EXPECT_EQ(cost.openssl_bytes, 0);
}

// There may be a million of them, and most have few members.
TEST(Footprint, ARoomHolds1500Bytes) {
    TestServer server(unlimited());
    const double with_half_a_room = cost_of_one<LoopbackClient>(server, server.port(), 50, 2).bytes;
    TestServer other(unlimited());
    const double with_a_tenth = cost_of_one<LoopbackClient>(other, other.port(), 20, 10).bytes;
    const double room = (with_half_a_room - with_a_tenth) / (0.5 - 0.1);
    std::cout << "a room: " << room << " bytes\n";
    EXPECT_LE(room, 1'500);
    EXPECT_GE(room, 500) << "where else is it?";
}

TEST(Footprint, AnIdleWebSocketOverTlsHolds15KiB) {
    ASSERT_EQ(counts_openssl, 1);
    TestServer server(unlimited(), {}, frontends, shared_plain_contexts());
    const PerConnection cost = cost_of_one<TlsClient>(server, server.tls_port(), 5, 10);
    EXPECT_LE(cost.bytes, 1'000);
    EXPECT_LE(cost.openssl_bytes, 14'400);
}

}  // namespace
}  // namespace parley::transports::test
