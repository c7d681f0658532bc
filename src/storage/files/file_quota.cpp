#include "storage/files/file_quota.hpp"

#include <utility>

namespace parley::storage {

using core::FileProblem;
using core::FileRefusal;

FileQuota::FileQuota(const core::FilesConfig& config, std::uint64_t content,
                     std::function<std::uint64_t(const std::string& owner)> used_by)
    : config_(&config), used_by_(std::move(used_by)), content_(content) {}

std::optional<FileProblem> FileQuota::begin(const std::string& owner) {
    auto found = accounts_.find(owner);
    if (found == accounts_.end()) {
        const std::uint64_t used = used_by_(owner);
        found = accounts_.emplace(owner, Account{0, used, 0}).first;
    } else if (found->second.uploads >= config_->uploads_per_user) {
        return FileProblem{
            FileRefusal::user_uploads,
            "at most " + std::to_string(config_->uploads_per_user) + " uploads of yours at a time"};
    }
    ++found->second.uploads;
    return std::nullopt;
}

void FileQuota::ended(const std::string& owner) {
    const auto found = accounts_.find(owner);
    if (found != accounts_.end() && --found->second.uploads == 0) accounts_.erase(found);
}

std::optional<FileProblem> FileQuota::reserve(const std::string& owner, std::uint64_t bytes) {
    Account& account = accounts_[owner];
    const std::uint64_t own = account.used + account.reserved + bytes;
    if (config_->quota_per_user != 0 && own > config_->quota_per_user) {
        return FileProblem{
            FileRefusal::quota,
            "your files would take more than the " + std::to_string(config_->quota_per_user) +
                " bytes that a user has here: " + std::to_string(account.used) + " are taken"};
    }
    if (config_->total_max != 0 && content_ + reserved_ + bytes > config_->total_max) {
        return FileProblem{FileRefusal::total, {}};
    }
    account.reserved += bytes;
    reserved_ += bytes;
    return std::nullopt;
}

void FileQuota::release(const std::string& owner, std::uint64_t bytes) {
    accounts_[owner].reserved -= bytes;
    reserved_ -= bytes;
}

void FileQuota::file_added(const std::string& owner, std::uint64_t size) {
    accounts_[owner].used += size;
}

void FileQuota::file_removed(const std::string& owner, std::uint64_t size) {
    const auto found = accounts_.find(owner);
    if (found != accounts_.end()) found->second.used -= size;
}

}  // namespace parley::storage
