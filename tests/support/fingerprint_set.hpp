// FingerprintSet: which states an exhaustive search has seen.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace parley::test {

// States by a hash of 64 bits each: that two of ten million share one, and one is left out, has a
// chance of three in a million.
class FingerprintSet {
public:
    // True when it was new.
    bool insert(std::uint64_t fingerprint) {
        if (fingerprint == 0) fingerprint = 1;
        if (count_ * 2 >= table_.size()) grow();
        std::uint64_t& place = find(fingerprint);
        if (place == fingerprint) return false;
        place = fingerprint;
        ++count_;
        return true;
    }
    [[nodiscard]] std::size_t size() const { return count_; }

private:
    std::uint64_t& find(std::uint64_t fingerprint) {
        std::size_t at = fingerprint & (table_.size() - 1);
        while (table_[at] != 0 && table_[at] != fingerprint) at = (at + 1) & (table_.size() - 1);
        return table_[at];
    }
    void grow() {
        std::vector<std::uint64_t> old(table_.size() * 2, 0);
        old.swap(table_);
        for (const std::uint64_t fingerprint : old) {
            if (fingerprint != 0) find(fingerprint) = fingerprint;
        }
    }

    std::vector<std::uint64_t> table_ = std::vector<std::uint64_t>(1U << 16, 0);
    std::size_t count_ = 0;
};

}  // namespace parley::test
