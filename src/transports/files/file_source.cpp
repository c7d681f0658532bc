#include "transports/files/file_source.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace parley::transports {

FileSource::FileSource(core::Shard& shard, Executor executor,
                       std::shared_ptr<core::FileReader> reader, std::uint64_t first,
                       std::uint64_t length)
    : BodySource(executor, length),
      shard_(&shard),
      reader_(std::move(reader)),
      next_(first),
      end_(first + length) {}

void FileSource::ask() {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(chunk_bytes, end_ - next_));
    reader_->read(next_, count,
                  [shard = shard_, self = weak_from_this(), count](std::string&& bytes) {
                      // Cut short on disk: nothing behind it can be true.
                      if (bytes.size() != count) bytes.clear();
                      shard->post([self, bytes = std::move(bytes)](core::Shard&) mutable {
                          if (const auto open = self.lock()) open->bring(std::move(bytes));
                      });
                  });
    next_ += count;
}

}  // namespace parley::transports
