// FileStore: keeps the files that people put into rooms; what its users know of it.
//
// Path:     FilesFrontend → [FileStore] → DiskFileStore
// Runs on:  called on any thread, and never waits; it answers on a thread of its own.
// Owned by: the server (composition root). It outlives every gate, and stops before the hub ends.
// Bounds:   FilesConfig; each bound has its FileRefusal. A question at a time for each who asks.
#pragma once

#include <array>
#include <boost/system/result.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/errc.hpp"

namespace parley::core {

// [files]
struct FilesConfig {
    std::string folder;                       // empty: there are no files
    std::size_t size_max = 25 * 1024 * 1024;  // of one file
    std::vector<std::string> types{"image/*",         "video/*",         "audio/*",
                                   "application/pdf", "application/zip", "text/plain"};
    std::size_t quota_per_user = std::size_t{1} << 30U;  // bytes; 0: none
    std::size_t total_max = std::size_t{100} << 30U;     // bytes of all content; 0: none
    std::chrono::milliseconds keep_age{0};               // 0: for good
    std::size_t uploads_max = 64;                        // at a time
    std::size_t uploads_per_user = 4;                    // at a time
    std::size_t downloads_max = 512;                     // at a time
    std::uint32_t threads = 2;
};

// Why something was not done. Each is counted by its name.
enum class FileRefusal : std::uint8_t {
    size,
    type,
    content,
    malformed,
    quota,
    total,
    uploads,
    user_uploads,
    downloads,
    disk,
    not_found,
    not_owner,
    not_readable,
    end_,
};
struct FileRefusalRow {
    FileRefusal value;
    std::string_view name;
    errc code;
    unsigned status;  // over HTTP
    std::string_view text;
};
inline constexpr std::array file_refusal_rows{
    FileRefusalRow{FileRefusal::size, "size", errc::too_large, 413,
                   "the file is larger than this server takes"},
    FileRefusalRow{FileRefusal::type, "type", errc::bad_request, 415,
                   "files of this type are not taken here"},
    FileRefusalRow{FileRefusal::content, "content", errc::bad_request, 415,
                   "the file is not what it is said to be"},
    FileRefusalRow{FileRefusal::malformed, "malformed", errc::bad_request, 400,
                   "the body holds no file"},
    FileRefusalRow{FileRefusal::quota, "quota", errc::forbidden, 403,
                   "your files would take more room than a user has here"},
    FileRefusalRow{FileRefusal::total, "total", errc::unavailable, 503,
                   "the server has no room for more files"},
    FileRefusalRow{FileRefusal::uploads, "uploads", errc::unavailable, 503,
                   "too many uploads at a time"},
    FileRefusalRow{FileRefusal::user_uploads, "user_uploads", errc::rate_limited, 429,
                   "too many uploads of yours at a time"},
    FileRefusalRow{FileRefusal::downloads, "downloads", errc::unavailable, 503,
                   "too many downloads at a time"},
    FileRefusalRow{FileRefusal::disk, "disk", errc::unavailable, 503,
                   "files can't be kept or read at the moment"},
    FileRefusalRow{FileRefusal::not_found, "not_found", errc::not_found, 404,
                   "there is no such file"},
    FileRefusalRow{FileRefusal::not_owner, "not_owner", errc::forbidden, 403,
                   "only whoever uploaded a file may remove it"},
    FileRefusalRow{FileRefusal::not_readable, "not_readable", errc::forbidden, 403,
                   "files of a room are for those who may read it"},
};

namespace detail {
constexpr bool covers_every_file_refusal() {
    if (file_refusal_rows.size() != static_cast<std::size_t>(FileRefusal::end_)) return false;
    for (std::size_t i = 0; i < file_refusal_rows.size(); ++i) {
        if (file_refusal_rows[i].value != static_cast<FileRefusal>(i)) return false;
    }
    return true;
}
}  // namespace detail
static_assert(detail::covers_every_file_refusal());

[[nodiscard]] constexpr const FileRefusalRow& row_of(FileRefusal value) {
    return file_refusal_rows[static_cast<std::size_t>(value)];
}

struct FileProblem {
    FileRefusal cause;
    std::string text;  // more exact than the row's; empty: that
};
template <typename T>
using FileAnswer = boost::system::result<T, FileProblem>;

// A message names a file by its URL: this and its id.
inline constexpr std::string_view file_url_prefix = "/api/v1/files/";
inline constexpr std::size_t file_id_length = 22;

struct FileInfo {
    std::string id;  // 22 of [A-Za-z0-9_-], which nobody can guess
    std::string room;
    std::string owner;  // a user's id
    std::string name;   // as clean_file_name() left it
    std::string type;   // a media type that its bytes agree with
    std::uint64_t size = 0;
    std::string sha256;           // in hexadecimal
    std::int64_t created_ms = 0;  // since 1970
};

// A file that is about to come.
struct NewFile {
    std::string room;
    std::string owner;
    std::string name;                   // clean
    std::string declared_type;          // without parameters; empty: none was named
    std::optional<std::uint64_t> size;  // where it is known ahead
};

// A file on its way in. Letting go of it before finish() leaves nothing behind.
class FileUpload {
public:
    FileUpload() = default;
    virtual ~FileUpload() = default;
    FileUpload(const FileUpload&) = delete;
    FileUpload& operator=(const FileUpload&) = delete;

    // The bytes that come next. How many may be under way is the caller's to bound: each call is
    // followed by one of `taken`, or by `done`.
    virtual void write(std::string&& bytes) = 0;
    // All of it has come. The last call.
    virtual void finish() = 0;
};

// Called on a thread of the store's.
struct FileUploadEvents {
    // That many bytes are written: at first none, which says that the file is let in.
    std::function<void(std::size_t bytes)> taken;
    // Kept, or refused, at any time and once.
    std::function<void(FileAnswer<FileInfo>&& answer)> done;
};

// A file's content, as it was when it was opened.
class FileReader {
public:
    FileReader() = default;
    virtual ~FileReader() = default;
    FileReader(const FileReader&) = delete;
    FileReader& operator=(const FileReader&) = delete;

    // Hands `bytes` of them, from `offset` on, to `done` on a thread of the store's; fewer at the
    // end, none where they can't be read. One call at a time.
    virtual void read(std::uint64_t offset, std::size_t bytes,
                      std::function<void(std::string&& bytes)> done) = 0;
};

struct OpenFile {
    FileInfo info;
    std::shared_ptr<FileReader> reader;
};

struct FileListAsk {
    std::string room;
    std::optional<std::uint64_t> before;  // FileList::next of the page before
    std::size_t limit = 50;
};
struct FileList {
    std::vector<FileInfo> files;        // newest first
    std::optional<std::uint64_t> next;  // there is more
};

class FileStore {
public:
    template <typename T>
    using Done = std::function<void(FileAnswer<T>&& answer)>;  // once, on a thread of the store's

    FileStore() = default;
    virtual ~FileStore() = default;
    FileStore(const FileStore&) = delete;
    FileStore& operator=(const FileStore&) = delete;

    [[nodiscard]] virtual const FilesConfig& config() const noexcept = 0;
    // Lets a file come, or says at once why not; what takes a look at the disk follows by `events`.
    [[nodiscard]] virtual FileAnswer<std::unique_ptr<FileUpload>> begin(
        NewFile file, FileUploadEvents events) = 0;
    virtual void open(std::string id, Done<OpenFile> done) = 0;
    virtual void list(FileListAsk ask, Done<FileList> done) = 0;
    // Removes the file where `owner` has uploaded it, or whoever has where that is nothing. Its
    // content goes with the last file that has it.
    virtual void remove(std::string id, std::optional<std::string> owner, Done<FileInfo> done) = 0;
    // Removes the file where that user has uploaded it to that room, else leaves it: the message that
    // named it is gone. Nobody is told.
    virtual void remove_with_message(std::string id, std::string room, std::string owner) = 0;
    // Counts what its user has refused by itself.
    virtual void note_refusal(FileRefusal cause) noexcept = 0;
};

}  // namespace parley::core
