// StepwiseSet: a hash table that grows by one bucket at a time (Litwin, 1980: linear hashing): no
// insertion waits until all that is in it has moved, as a rehash of a million would have it, which
// holds a shard up for a tenth of a second.
//
// Path:     Presence, Shard, BucketTable → [StepwiseSet]
// Runs on:  the thread of its owner.
// Owned by: whoever holds it.
// Bounds:   none of its own; 16 bytes an element beside it, 8 to 16 more for its bucket.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>

#include "core/stepwise_vector.hpp"

namespace parley::core {

// T has a name, `key_of(element)`, that no other element has and that never changes. Elements keep
// their addresses.
template <typename T, std::string_view (*key_of)(const T&)>
class StepwiseSet {
public:
    StepwiseSet() = default;
    ~StepwiseSet() { clear(); }
    StepwiseSet(const StepwiseSet&) = delete;
    StepwiseSet& operator=(const StepwiseSet&) = delete;

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

    // Null where there is none of that name.
    [[nodiscard]] T* find(std::string_view key) const noexcept {
        if (size_ == 0) return nullptr;
        const std::uint32_t hash = hash_of(key);
        for (Node* node = heads_[bucket_of(hash)]; node != nullptr; node = node->next) {
            if (node->hash == hash && key_of(node->element) == key) return &node->element;
        }
        return nullptr;
    }
    // Adds `element`, whose name must not be there. Throws std::bad_alloc, and has then changed
    // nothing that can be seen.
    T& add(T&& element) {
        if (size_ >= heads_.size()) split_one();
        const std::uint32_t hash = hash_of(key_of(element));
        Node*& head = heads_[bucket_of(hash)];
        head = new Node{head, hash, std::move(element)};
        ++size_;
        return head->element;
    }
    // Removes the element of that name; false where there is none.
    bool erase(std::string_view key) noexcept {
        if (size_ == 0) return false;
        const std::uint32_t hash = hash_of(key);
        for (Node** at = &heads_[bucket_of(hash)]; *at != nullptr; at = &(*at)->next) {
            if ((*at)->hash != hash || key_of((*at)->element) != key) continue;
            drop(at);
            if (2 * size_ < heads_.size()) merge_one();
            return true;
        }
        return false;
    }
    // Calls f(const T&) for up to `most`, in no order.
    template <typename F>
    void each(std::size_t most, F&& f) const {
        for (std::size_t i = 0; i < heads_.size() && most > 0; ++i) {
            for (const Node* node = heads_[i]; node != nullptr && most > 0; node = node->next) {
                --most;
                f(node->element);
            }
        }
    }
    // Looks at the next `buckets` buckets and removes what `gone(element)` is true for: all of them
    // have been looked at once after as many as there are.
    template <typename Gone>
    void sweep(std::size_t buckets, Gone&& gone) {
        for (; buckets > 0 && size_ > 0; --buckets) {
            hand_ = (hand_ + 1) % heads_.size();
            for (Node** at = &heads_[hand_]; *at != nullptr;) {
                if (gone(std::as_const((*at)->element))) {
                    drop(at);
                } else {
                    at = &(*at)->next;
                }
            }
            if (2 * size_ < heads_.size()) merge_one();
        }
    }
    void clear() noexcept {
        for (; !heads_.empty(); heads_.pop_back()) {
            while (heads_.back() != nullptr) drop(&heads_.back());
        }
    }

private:
    struct Node {
        Node* next;
        std::uint32_t hash;
        T element;
    };

    // Mixed: a shard's rooms are those whose hashes leave the same remainder.
    [[nodiscard]] static std::uint32_t hash_of(std::string_view key) noexcept {
        const std::uint64_t hash = std::hash<std::string_view>{}(key);
        return static_cast<std::uint32_t>((hash * 0x9e3779b97f4a7c15ULL) >> 32);
    }
    // With n buckets, 2^k <= n < 2^(k+1): those that were split already, and their new halves, are
    // told by k+1 bits of a hash, the others by k.
    [[nodiscard]] std::size_t bucket_of(std::uint32_t hash) const noexcept {
        const std::size_t half = std::bit_floor(heads_.size());
        const std::size_t bucket = hash & (2 * half - 1);
        return bucket < heads_.size() ? bucket : bucket - half;
    }
    void split_one() {
        heads_.push_back(nullptr);
        const std::size_t fresh = heads_.size() - 1;
        if (fresh == 0) return;
        for (Node** at = &heads_[fresh - std::bit_floor(fresh)]; *at != nullptr;) {
            Node* node = *at;
            if (bucket_of(node->hash) != fresh) {
                at = &node->next;
                continue;
            }
            *at = node->next;
            node->next = heads_[fresh];
            heads_[fresh] = node;
        }
    }
    void merge_one() noexcept {
        const std::size_t last = heads_.size() - 1;
        if (last == 0) return;
        Node** at = &heads_[last - std::bit_floor(last)];
        while (*at != nullptr) at = &(*at)->next;
        *at = heads_[last];
        heads_.pop_back();
    }
    void drop(Node** at) noexcept {
        Node* node = *at;
        *at = node->next;
        --size_;
        delete node;
    }

    StepwiseVector<Node*, 512> heads_;
    std::size_t size_ = 0;
    std::size_t hand_ = 0;
};

}  // namespace parley::core
