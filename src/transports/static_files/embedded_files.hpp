// The files of `web/`, as bytes of the program (made by cmake/embed.cmake at build time).
//
// Path:     web/ → [embedded_files] → static_files frontend
// Runs on:  any thread; constants.
// Owned by: nobody.
// Bounds:   what lies in web/.
#pragma once

#include <span>
#include <string_view>

namespace parley::transports {

struct EmbeddedFile {
    std::string_view path;  // as requested: "/app.js"
    std::string_view bytes;
    std::string_view etag;  // with its quotes; of the content
};

[[nodiscard]] std::span<const EmbeddedFile> embedded_files() noexcept;

}  // namespace parley::transports
