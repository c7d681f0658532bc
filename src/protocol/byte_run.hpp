// byte_run: passes over bytes that need no look of their own, sixteen at a time.
//
// Path:     json_scan, http_head_check → [byte_run]
// Runs on:  any thread; pure functions.
// Owned by: nobody.
// Bounds:   none; never reads outside what it is given.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace parley::protocol {

// Sixteen bytes, which every machine that this runs on compares at once.
using ByteBlock = unsigned char __attribute__((vector_size(16)));

namespace detail {
// The index of the first byte that is not zero, 16 where none is.
template <typename Marks>
[[nodiscard]] std::size_t first_marked(const Marks& marks) noexcept {
    static_assert(std::endian::native == std::endian::little);
    std::uint64_t halves[2];
    static_assert(sizeof halves == sizeof marks);
    std::memcpy(halves, &marks, sizeof halves);
    if (halves[0] != 0) return static_cast<std::size_t>(std::countr_zero(halves[0])) / 8;
    if (halves[1] != 0) return static_cast<std::size_t>(std::countr_zero(halves[1])) / 8 + 8;
    return sizeof marks;
}
}  // namespace detail

// How many bytes stand before the first that ends a run. `ends(x)` says so of a byte, and, one by one,
// of a ByteBlock's.
template <typename Ends>
[[nodiscard]] std::size_t byte_run(std::string_view bytes, Ends ends) noexcept {
    std::size_t at = 0;
    const auto step = [&](std::size_t from) {
        ByteBlock block;
        std::memcpy(&block, bytes.data() + from, sizeof block);
        const std::size_t run = detail::first_marked(ends(block));
        at = from + run;
        return run == sizeof block;
    };
    while (at + sizeof(ByteBlock) <= bytes.size()) {
        if (!step(at)) return at;
    }
    if (at == bytes.size()) return at;
    if (bytes.size() >= sizeof(ByteBlock)) {
        // The last block once more, from where it ends with the bytes.
        step(bytes.size() - sizeof(ByteBlock));
        return at;
    }
    while (at < bytes.size() && !ends(static_cast<unsigned char>(bytes[at]))) ++at;
    return at;
}

}  // namespace parley::protocol
