// StepwiseVector: an array that grows piece by piece: no push ever moves more than one piece's worth,
// so that the millionth costs what the tenth does, and nothing lies idle beyond a piece.
//
// Path:     Audience, StepwiseSet → [StepwiseVector]
// Runs on:  the thread of its owner.
// Owned by: whoever holds it.
// Bounds:   none of its own; 8 bytes a piece beside its elements, which a directory holds.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <memory>
#include <type_traits>
#include <vector>

namespace parley::core {

// The first piece grows with what is in it: most rooms have two members. `piece` is a power of two.
template <typename T, std::size_t piece>
class StepwiseVector {
    static_assert(std::is_trivially_copyable_v<T> && (piece & (piece - 1)) == 0);

public:
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] T& operator[](std::size_t index) noexcept {
        assert(index < size_);
        return index < piece ? first_[index] : (*rest_)[index / piece - 1][index % piece];
    }
    [[nodiscard]] const T& operator[](std::size_t index) const noexcept {
        assert(index < size_);
        return index < piece ? first_[index] : (*rest_)[index / piece - 1][index % piece];
    }
    [[nodiscard]] T& back() noexcept { return (*this)[size_ - 1]; }
    [[nodiscard]] const T& back() const noexcept { return (*this)[size_ - 1]; }

    // `value` may be an element. Throws std::bad_alloc, and has then changed nothing.
    void push_back(T value) {
        if (size_ < piece) {
            make_place();
            first_.push_back(value);
        } else {
            if (!rest_) rest_ = std::make_unique<Rest>();
            if (size_ / piece > rest_->size()) {
                rest_->push_back(std::make_unique_for_overwrite<T[]>(piece));
            }
            (*rest_)[size_ / piece - 1][size_ % piece] = value;
        }
        ++size_;
    }
    void pop_back() noexcept {
        --size_;
        if (size_ < piece) {
            first_.pop_back();
            // One empty piece stays, for who comes and goes at its edge.
        } else if (rest_->size() > size_ / piece) {
            rest_->pop_back();
        }
    }

    // Calls f(const T&) for each, from the first on.
    template <typename F>
    void each(F&& f) const {
        for (std::size_t i = 0; i < size_; ++i) f((*this)[i]);
    }

private:
    using Rest = std::vector<std::unique_ptr<T[]>>;

    // Half as much again, where a vector doubles: of a server's many rooms few grow, and what they
    // hold too much is held for good.
    void make_place() {
        if (size_ < first_.capacity()) return;
        first_.reserve(std::min(piece, size_ + size_ / 2 + 1));
    }

    std::vector<T> first_;
    std::unique_ptr<Rest> rest_;  // the pieces behind the first
    std::size_t size_ = 0;
};

}  // namespace parley::core
