#include "core/room_window.hpp"

#include <algorithm>

namespace parley::core {

std::uint64_t RoomWindow::offset_before(std::uint64_t sequence) const noexcept {
    for (auto s = sequence; s > base(); --s) {
        if (const auto offset = at(s - 1).offset()) return offset;
    }
    return dropped_offset_;
}

std::uint64_t RoomWindow::newest_message() const noexcept {
    for (auto s = end_; s > base(); --s) {
        if (at(s - 1).offset() != 0) return s - 1;
    }
    return end_ - 1;
}

void RoomWindow::push(PublicationPtr publication) {
    bytes_ += publication->cost();
    entries_.push_back(std::move(publication));
    ++end_;
}

void RoomWindow::skip(const Publication& publication) noexcept {
    ++end_;
    if (publication.offset() != 0) dropped_offset_ = publication.offset();
}

void RoomWindow::start_at(std::uint64_t sequence, std::uint64_t offset) noexcept {
    end_ = sequence;
    dropped_offset_ = offset;
}

void RoomWindow::pop_front() noexcept {
    PublicationPtr& front = entries_[head_++];
    bytes_ -= front->cost();
    if (front->offset() != 0) dropped_offset_ = front->offset();
    front.reset();
}

void RoomWindow::compact() noexcept {
    // Moving only when at least half is gone keeps the cost per publication constant.
    if (head_ * 2 < entries_.size()) return;
    entries_.erase(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
    constexpr std::size_t worth_keeping = 64;
    if (entries_.empty() && entries_.capacity() > worth_keeping) entries_.shrink_to_fit();
}

void RoomWindow::trim_to(std::uint64_t sequence) noexcept {
    const auto target = std::min(sequence, end_);
    while (base() < target) pop_front();
    compact();
}

bool RoomWindow::enforce(const WindowConfig& config) noexcept {
    bool any = false;
    while (size() > 1 && (size() > config.messages || bytes_ > config.bytes)) {
        pop_front();
        any = true;
    }
    if (any) compact();
    return any;
}

}  // namespace parley::core
