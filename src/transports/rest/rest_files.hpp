// The description of the REST interface, made a part of the program.
//
// Path:     rest/openapi.json → embed.cmake → [rest_files] → describe_interface()
// Runs on:  any thread; constants.
// Owned by: the program.
// Bounds:   one file.
#pragma once

#include <span>

#include "transports/static_files/embedded_files.hpp"

namespace parley::transports {

[[nodiscard]] std::span<const EmbeddedFile> rest_files() noexcept;

}  // namespace parley::transports
