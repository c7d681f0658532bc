// FileLock: that this process alone uses a file, for as long as it lives.
//
// Path:     SqliteStore → [FileLock]
// Runs on:  any thread.
// Owned by: whoever uses the file.
// Bounds:   none.
#pragma once

#include <string>

namespace parley::storage {

class FileLock {
public:
    // Locks PATH.lock, made where there is none. Throws std::runtime_error where another process has
    // it or it can't be made.
    explicit FileLock(const std::string& path);
    ~FileLock();
    FileLock(const FileLock&) = delete;
    FileLock& operator=(const FileLock&) = delete;

private:
    int descriptor_;
};

}  // namespace parley::storage
