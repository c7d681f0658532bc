#include "core/retained.hpp"

#include <cstring>
#include <new>

namespace parley::core {

RetainedPtr Retained::copy_of(const Publication& message) {
    return make(message.offset(), message.json());
}

RetainedPtr Retained::make(std::uint64_t offset, std::string_view json) {
    void* memory = ::operator new(sizeof(Retained) + json.size());
    auto* kept = new (memory) Retained(offset, static_cast<std::uint32_t>(json.size()));
    std::memcpy(static_cast<char*>(memory) + sizeof(Retained), json.data(), json.size());
    return RetainedPtr(kept);
}

void Retained::destroy(const Retained* message) noexcept {
    message->~Retained();
    ::operator delete(const_cast<Retained*>(message));
}

}  // namespace parley::core
