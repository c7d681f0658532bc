// Publications made by hand, for tests of what holds them.
#pragma once

#include <string>
#include <utility>

#include "core/publication.hpp"

namespace parley::test {

inline core::PublicationPtr message(std::uint64_t offset, std::string json = "m") {
    return core::PublicationPtr(
        new core::Publication(core::PublicationKind::message, offset, std::move(json)));
}
inline core::PublicationPtr transient(core::PublicationKind kind = core::PublicationKind::typing,
                                      std::string json = "t") {
    return core::PublicationPtr(new core::Publication(kind, 0, std::move(json)));
}

}  // namespace parley::test
