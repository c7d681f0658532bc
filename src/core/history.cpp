#include "core/history.hpp"

#include <algorithm>

namespace parley::core {

void History::append(RetainedPtr message, const HistoryConfig& config) {
    last_offset_ = message->offset();
    bytes_ += message->cost();
    if (messages_.full()) messages_.set_capacity(config.messages + 1);
    messages_.push_back(std::move(message));
    while (!messages_.empty() && (messages_.size() > config.messages || bytes_ > config.bytes)) {
        bytes_ -= messages_.front()->cost();
        messages_.pop_front();
    }
}

RetainedPtr History::find(std::uint64_t offset) const noexcept {
    if (offset < first_offset() || offset > last_offset_) return nullptr;
    return messages_[static_cast<std::size_t>(offset - first_offset())];
}

void History::amend(RetainedPtr message) {
    const std::uint64_t offset = message->offset();
    if (offset < first_offset() || offset > last_offset_) return;
    RetainedPtr& place = messages_[static_cast<std::size_t>(offset - first_offset())];
    bytes_ = bytes_ - place->cost() + message->cost();
    place = std::move(message);
}

bool History::reaches_back_to(std::uint64_t offset) const noexcept {
    return offset <= last_offset_ && offset + 1 >= first_offset();
}

HistorySlice History::cut(std::size_t first, std::size_t end) const {
    HistorySlice slice;
    slice.messages.assign(messages_.begin() + static_cast<std::ptrdiff_t>(first),
                          messages_.begin() + static_cast<std::ptrdiff_t>(end));
    return slice;
}

HistorySlice History::after(std::uint64_t offset, std::size_t most) const {
    const auto first = offset + 1 <= first_offset()
                           ? std::size_t{0}
                           : static_cast<std::size_t>(
                                 std::min<std::uint64_t>(offset + 1 - first_offset(), size()));
    const auto end = std::min(size(), first + most);
    auto slice = cut(first, end);
    slice.more = end < size();
    return slice;
}

HistorySlice History::before(std::uint64_t offset, std::size_t most) const {
    const auto end =
        offset <= first_offset()
            ? std::size_t{0}
            : static_cast<std::size_t>(std::min<std::uint64_t>(offset - first_offset(), size()));
    const auto first = end - std::min(end, most);
    auto slice = cut(first, end);
    slice.more = first > 0;
    return slice;
}

}  // namespace parley::core
