#include "auth/name_book.hpp"

#include <exception>
#include <mutex>

#include "auth/name_fold.hpp"

namespace parley::auth {

// FNV-1a and a finaliser.
std::uint64_t NameBook::Hashes::hash_of(std::string_view text) noexcept {
    std::uint64_t hash = 0xcbf29ce484222325ULL;
    for (const char c : text) {
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    }
    hash = (hash ^ (hash >> 30U)) * 0xbf58476d1ce4e5b9ULL;
    return hash ^ (hash >> 31U);
}

void NameBook::Hashes::add(std::string_view text) {
    const std::uint64_t hash = hash_of(text);
    Part& part = parts_[part_of(hash)];
    {
        const std::unique_lock lock(part.mutex);
        part.hashes.insert(hash);
    }
    any_.store(true, std::memory_order_release);  // with empty()
}

bool NameBook::Hashes::has(std::string_view text) const noexcept {
    const std::uint64_t hash = hash_of(text);
    const Part& part = parts_[part_of(hash)];
    const std::shared_lock lock(part.mutex);
    return part.hashes.contains(hash);
}

NameBook::NameBook() {
    static_cast<void>(name_look(name_key("\xC3\xA9")));
    static_cast<void>(name_look("a"));
}

void NameBook::add(std::string_view name) {
    const std::string key = name_key(name);
    const std::string look = name_look(key);
    keys_.add(key);
    looks_.add(look);
    if (!is_ascii(key)) foreign_looks_.add(look);
    edition_.fetch_add(1, std::memory_order_release);  // with edition()
}

bool NameBook::has(std::string_view name) const noexcept try {
    const std::string key = name_key(name);
    if (keys_.has(key)) return true;
    const Hashes& others = is_ascii(key) ? foreign_looks_ : looks_;
    return !others.empty() && others.has(name_look(key));
} catch (const std::exception&) {
    return true;
}

}  // namespace parley::auth
