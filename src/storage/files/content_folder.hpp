// ContentFolder: files' content on disk, by its SHA-256: `ab/cd/abcd…`, and on its way in
// `incoming/`.
//
// Path:     DiskFileStore → [ContentFolder] → the file system
// Runs on:  the store's threads. Of one content one call at a time: its caller holds a lock.
// Owned by: DiskFileStore.
// Bounds:   none of its own: DiskFileStore counts.
//
// How nothing is lost and nothing left over: content changes its place, and the index changes, in
// two steps, and the process may end between them. So whatever is about to appear or to go lies in
// incoming/ under its hash while the index commits. recover() then asks the index: what is known
// there is put into its place, everything else in incoming/ is removed.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace parley::storage {

// An open descriptor.
class OpenDescriptor {
public:
    OpenDescriptor() = default;
    explicit OpenDescriptor(int descriptor) noexcept : descriptor_(descriptor) {}
    OpenDescriptor(OpenDescriptor&& other) noexcept
        : descriptor_(std::exchange(other.descriptor_, -1)) {}
    OpenDescriptor& operator=(OpenDescriptor&& other) noexcept {
        std::swap(descriptor_, other.descriptor_);
        return *this;
    }
    ~OpenDescriptor();
    [[nodiscard]] int get() const noexcept { return descriptor_; }
    [[nodiscard]] bool is_open() const noexcept { return descriptor_ >= 0; }

private:
    int descriptor_ = -1;
};

// Calls throw std::system_error where the file system fails.
class ContentFolder {
public:
    // Makes the folder where it is missing, for its owner alone, and takes it for this process: a
    // second one is refused.
    explicit ContentFolder(const std::string& path);

    // Goes through what the process before has left in incoming/; gives back how much was removed.
    std::size_t recover(const std::function<bool(std::string_view sha256)>& is_known);

    // A new file in incoming/, empty, and its name there.
    struct Incoming {
        OpenDescriptor file;
        std::string name;
    };
    [[nodiscard]] Incoming create();
    // Removes it again, as far as that goes.
    void discard(const std::string& name) noexcept;

    // The three steps of an arrival: all its bytes are on disk; it lies ready under its hash, to be
    // recovered from here on; it is in its place.
    static void sync(const OpenDescriptor& file);
    void make_ready(const std::string& name, std::string_view sha256);
    void try_put_in_place(std::string_view sha256) noexcept;

    // The steps of a departure: out of its place, and gone. try_put_in_place() undoes the first.
    void take_out(std::string_view sha256);
    void remove_ready(std::string_view sha256) noexcept;

    // Its content to read; closed where it is not there.
    [[nodiscard]] OpenDescriptor open(std::string_view sha256) const noexcept;

    // As far as they go: writes all of it, or reads up to the end.
    static void write(const OpenDescriptor& file, std::string_view bytes);
    [[nodiscard]] static std::string read(const OpenDescriptor& file, std::uint64_t offset,
                                          std::size_t bytes);

private:
    [[nodiscard]] std::string incoming(std::string_view name) const;
    [[nodiscard]] std::string place_of(std::string_view sha256) const;

    std::string path_;
    OpenDescriptor lock_;
    OpenDescriptor incoming_;  // the folder, to be synced
    std::atomic<std::uint64_t> next_name_{0};
};

}  // namespace parley::storage
