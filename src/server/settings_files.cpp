// [files]
#include <array>

#include "protocol/media_types.hpp"
#include "server/settings.hpp"

namespace parley::server {
namespace {

using namespace std::chrono_literals;
using Files = core::FilesConfig;

template <auto Member>
auto& in_files(ServerConfig& config) {
    return config.files.*Member;
}

constexpr std::uint64_t tib = 1024 * gib;
constexpr std::size_t types_max = 64;
constexpr TextRule media_pattern{&protocol::is_media_pattern,
                                 "a media type (expected e.g. \"image/png\", \"image/*\", \"*\")"};

const std::array settings{
    Setting{"files.folder", TextKind{in_files<&Files::folder>, file_name_bytes_max},
            "Where uploads are kept, e.g. \"/var/lib/parley/files\"; \"\": there are none."},
    Setting{"files.size_max", SizeKind{in_files<&Files::size_max>, 1, tib}, "One file."},
    Setting{"files.types", TextListKind{in_files<&Files::types>, types_max, media_pattern},
            "What is taken, by its bytes; what these don't tell is \"application/octet-stream\"."},
    Setting{"files.quota_per_user", SizeKind{in_files<&Files::quota_per_user>, 0, 1024 * tib},
            "All files of one user; 0: no bound."},
    Setting{"files.total_max", SizeKind{in_files<&Files::total_max>, 0, 1024 * tib},
            "All files, equal ones counted once; 0: no bound but the disk's."},
    Setting{"files.keep_age", DurationKind{in_files<&Files::keep_age>, 0s, 24h * 3650},
            "A file is removed when it is this old; 0ms: never."},
    Setting{"files.uploads_max", CountKind<std::size_t>{in_files<&Files::uploads_max>, 1, 65'536},
            "Uploads at a time; each holds up to 384 KiB of memory."},
    Setting{"files.uploads_per_user",
            CountKind<std::size_t>{in_files<&Files::uploads_per_user>, 1, 65'536},
            "Of those, of one user."},
    Setting{"files.downloads_max",
            CountKind<std::size_t>{in_files<&Files::downloads_max>, 1, 65'536},
            "Downloads at a time; each holds up to 128 KiB of memory and a descriptor."},
    Setting{"files.threads", CountKind<std::uint32_t>{in_files<&Files::threads>, 1, 64},
            "Threads that wait for the disk."},
};

}  // namespace

std::span<const Setting> files_settings() {
    return settings;
}

}  // namespace parley::server
