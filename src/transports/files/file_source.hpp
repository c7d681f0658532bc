// FileSource: a part of a file on its way out, chunk by chunk as its reader takes them.
//
// Path:     FileStore → [FileSource] → HttpConnection
// Runs on:  its connection's shard.
// Owned by: the answer that it is the body of.
// Bounds:   chunk_bytes asked for, and as many being written: twice that a download.
#pragma once

#include <cstdint>
#include <memory>

#include "core/file_store.hpp"
#include "core/shard.hpp"
#include "transports/http_body.hpp"

namespace parley::transports {

class FileSource final : public BodySource, public std::enable_shared_from_this<FileSource> {
public:
    static constexpr std::size_t chunk_bytes = 64 * 1024;

    // `length` bytes from `first` on.
    FileSource(core::Shard& shard, Executor executor, std::shared_ptr<core::FileReader> reader,
               std::uint64_t first, std::uint64_t length);

    void ask() override;

private:
    core::Shard* shard_;
    std::shared_ptr<core::FileReader> reader_;
    std::uint64_t next_;
    std::uint64_t end_;
};

}  // namespace parley::transports
