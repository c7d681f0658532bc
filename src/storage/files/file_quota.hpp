// FileQuota: how much room files may take: each user's, and all content together; what is on its
// way counted with what is there.
//
// Path:     DiskFileStore → [FileQuota]
// Runs on:  the store's threads, one at a time: its caller holds a lock.
// Owned by: DiskFileStore.
// Bounds:   an entry for each user with an upload under way.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "core/file_store.hpp"

namespace parley::storage {

class FileQuota {
public:
    // `used_by` tells what a user's files take, `content` is what all content does.
    FileQuota(const core::FilesConfig& config, std::uint64_t content,
              std::function<std::uint64_t(const std::string& owner)> used_by);

    // An upload begins, and may until ended(); or why not.
    [[nodiscard]] std::optional<core::FileProblem> begin(const std::string& owner);
    void ended(const std::string& owner);
    // Keeps room for so many bytes more of an upload; or says why there is none.
    [[nodiscard]] std::optional<core::FileProblem> reserve(const std::string& owner,
                                                           std::uint64_t bytes);
    // Gives room back that was kept.
    void release(const std::string& owner, std::uint64_t bytes);
    // Files have come and gone, and content has.
    void file_added(const std::string& owner, std::uint64_t size);
    void file_removed(const std::string& owner, std::uint64_t size);
    void content_added(std::uint64_t size) noexcept { content_ += size; }
    void content_removed(std::uint64_t size) noexcept { content_ -= size; }
    [[nodiscard]] std::uint64_t content() const noexcept { return content_; }

private:
    struct Account {
        std::size_t uploads = 0;
        std::uint64_t used = 0;      // by files that are there
        std::uint64_t reserved = 0;  // by what is on its way
    };

    const core::FilesConfig* config_;
    std::function<std::uint64_t(const std::string& owner)> used_by_;
    std::map<std::string, Account> accounts_;
    std::uint64_t content_;
    std::uint64_t reserved_ = 0;
};

}  // namespace parley::storage
