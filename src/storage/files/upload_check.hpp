// UploadCheck: what a file turns out to be while it comes: its hash, its length, its type.
//
// Path:     DiskFileStore → [UploadCheck]
// Runs on:  one of the store's threads.
// Owned by: an upload.
// Bounds:   holds protocol::sniff_bytes of a file.
#pragma once

#include <openssl/evp.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/file_store.hpp"
#include "protocol/media_types.hpp"

namespace parley::storage {

class UploadCheck {
public:
    // `types` are the patterns of files.types, `declared` what the file is said to be; both outlive
    // it.
    UploadCheck(std::span<const std::string> types, std::string_view declared);

    // Takes what comes next; why it is refused as soon as that is known.
    [[nodiscard]] std::optional<core::FileProblem> feed(std::string_view bytes);
    // All of it has come.
    [[nodiscard]] std::optional<core::FileProblem> finish();

    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
    // From finish() on; a constant.
    [[nodiscard]] std::string_view type() const noexcept { return type_; }
    [[nodiscard]] std::string sha256();

private:
    struct Free {
        void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
    };
    [[nodiscard]] std::optional<core::FileProblem> judge(std::string_view sniffed);

    std::span<const std::string> types_;
    std::string_view declared_;
    std::unique_ptr<EVP_MD_CTX, Free> hash_;
    std::string first_;
    bool judged_ = false;
    protocol::TextCheck text_;
    std::string_view type_;
    std::uint64_t size_ = 0;
};

}  // namespace parley::storage
