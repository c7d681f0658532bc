#include "storage/files/content_folder.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <vector>

namespace parley::storage {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t hash_digits = 64;

[[noreturn]] void fail(const std::string& what) {
    throw std::system_error(errno, std::system_category(), what);
}

bool is_hash(std::string_view name) noexcept {
    return name.size() == hash_digits && std::ranges::all_of(name, [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
           });
}

OpenDescriptor open_or_fail(const std::string& path, int flags) {
    OpenDescriptor opened(::open(path.c_str(), flags | O_CLOEXEC, 0600));
    if (!opened.is_open()) fail(path);
    return opened;
}

void make_folder(const fs::path& path) {
    std::error_code error;
    if (fs::create_directories(path, error)) {
        fs::permissions(path, fs::perms::owner_all, error);
    }
    if (error) throw std::system_error(error, path.string());
}

void move(const std::string& from, const std::string& to) {
    if (::rename(from.c_str(), to.c_str()) != 0) fail(to);
}

}  // namespace

OpenDescriptor::~OpenDescriptor() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

ContentFolder::ContentFolder(const std::string& path) : path_(path) {
    make_folder(path_);
    make_folder(path_ + "/incoming");
    lock_ = open_or_fail(path_ + "/lock", O_RDWR | O_CREAT);
    if (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) {
            throw std::runtime_error(path_ + ": another server keeps its files there");
        }
        fail(path_ + "/lock");
    }
    incoming_ = open_or_fail(path_ + "/incoming", O_RDONLY | O_DIRECTORY);
}

std::string ContentFolder::incoming(std::string_view name) const {
    return std::string(path_).append("/incoming/").append(name);
}

std::string ContentFolder::place_of(std::string_view sha256) const {
    return std::string(path_)
        .append("/")
        .append(sha256.substr(0, 2))
        .append("/")
        .append(sha256.substr(2, 2))
        .append("/")
        .append(sha256);
}

std::size_t ContentFolder::recover(const std::function<bool(std::string_view)>& is_known) {
    std::vector<std::string> left;
    for (const auto& entry : fs::directory_iterator(path_ + "/incoming")) {
        left.push_back(entry.path().filename().string());
    }
    std::size_t removed = 0;
    for (const std::string& name : left) {
        if (is_hash(name) && is_known(name)) {
            make_folder(fs::path(place_of(name)).parent_path());
            try_put_in_place(name);
        } else {
            discard(name);
            ++removed;
        }
    }
    return removed;
}

ContentFolder::Incoming ContentFolder::create() {
    std::string name =
        "upload-" + std::to_string(next_name_.fetch_add(1, std::memory_order_relaxed));
    return {open_or_fail(incoming(name), O_WRONLY | O_CREAT | O_EXCL), std::move(name)};
}

void ContentFolder::discard(const std::string& name) noexcept {
    ::unlink(incoming(name).c_str());
}

void ContentFolder::sync(const OpenDescriptor& file) {
    if (::fsync(file.get()) != 0) fail("fsync");
}

void ContentFolder::make_ready(const std::string& name, std::string_view sha256) {
    // Its place is made now: what comes behind the commit should not be able to fail.
    make_folder(fs::path(place_of(sha256)).parent_path());
    move(incoming(name), incoming(sha256));
    sync(incoming_);
}

void ContentFolder::try_put_in_place(std::string_view sha256) noexcept {
    ::rename(incoming(sha256).c_str(), place_of(sha256).c_str());
}

void ContentFolder::take_out(std::string_view sha256) {
    // Not there: it has not come to its place yet, or somebody else has removed it.
    if (::rename(place_of(sha256).c_str(), incoming(sha256).c_str()) != 0 && errno != ENOENT) {
        fail(place_of(sha256));
    }
}

void ContentFolder::remove_ready(std::string_view sha256) noexcept {
    ::unlink(incoming(sha256).c_str());
}

OpenDescriptor ContentFolder::open(std::string_view sha256) const noexcept {
    OpenDescriptor file(::open(place_of(sha256).c_str(), O_RDONLY | O_CLOEXEC));
    if (file.is_open() || errno != ENOENT) return file;
    // Known, and not yet put into its place.
    return OpenDescriptor(::open(incoming(sha256).c_str(), O_RDONLY | O_CLOEXEC));
}

void ContentFolder::write(const OpenDescriptor& file, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(file.get(), bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) fail("write");
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
}

std::string ContentFolder::read(const OpenDescriptor& file, std::uint64_t offset,
                                std::size_t bytes) {
    std::string out(bytes, '\0');
    std::size_t have = 0;
    while (have < bytes) {
        const ssize_t got =
            ::pread(file.get(), out.data() + have, bytes - have, static_cast<off_t>(offset + have));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) fail("read");
        if (got == 0) break;
        have += static_cast<std::size_t>(got);
    }
    out.resize(have);
    return out;
}

}  // namespace parley::storage
