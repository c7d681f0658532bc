#include "storage/file_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <stdexcept>
#include <system_error>

namespace parley::storage {

FileLock::FileLock(const std::string& path) {
    // Whatever name it goes by.
    const std::string name = std::filesystem::weakly_canonical(path).string() + ".lock";
    descriptor_ = ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor_ < 0) throw std::system_error(errno, std::system_category(), name);
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
        const int error = errno;
        ::close(descriptor_);
        if (error == EWOULDBLOCK) throw std::runtime_error("another process is using it");
        throw std::system_error(error, std::system_category(), name);
    }
}

FileLock::~FileLock() {
    ::close(descriptor_);
}

}  // namespace parley::storage
