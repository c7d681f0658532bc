#include "storage/write_queue.hpp"

#include <algorithm>
#include <memory>

namespace parley::storage {
namespace {

// Of either bound: so much is not left to wait for more.
constexpr std::uint64_t many_part = 16;

}  // namespace

WriteQueue::WriteQueue(const core::HistoryConfig& config, std::function<void(bool)> ring)
    : messages_max_(config.queue_messages),
      bytes_max_(config.queue_bytes),
      many_messages_(std::max<std::uint64_t>(1, messages_max_ / many_part)),
      many_bytes_(std::max<std::uint64_t>(1, bytes_max_ / many_part)),
      ring_(std::move(ring)) {}

WriteQueue::~WriteQueue() {
    mailbox_.take_all([](core::MailboxNode& node) { delete static_cast<Node*>(&node); });
}

void WriteQueue::push(StoreRequest&& request) {
    bool urgent = true;
    if (const auto* append = std::get_if<AppendRequest>(&request)) {
        const std::uint64_t cost = cost_of(*append);
        const auto messages = messages_.fetch_add(1, std::memory_order_relaxed);
        const auto bytes = bytes_.fetch_add(cost, std::memory_order_relaxed);
        if (messages + 1 >= messages_max_ || bytes + cost >= bytes_max_) {
            accepting_.store(false, std::memory_order_relaxed);
        }
        // The one that makes it many.
        urgent =
            messages + 1 == many_messages_ || (bytes < many_bytes_ && bytes + cost >= many_bytes_);
    } else if (std::holds_alternative<RememberRequest>(request)) {
        urgent = false;
    }
    auto* node = new Node(std::move(request));
    if (mailbox_.push(*node) || urgent) ring_(urgent);
}

void WriteQueue::take_all(std::vector<StoreRequest>& taken) {
    mailbox_.take_all([&taken](core::MailboxNode& node) {
        const std::unique_ptr<Node> owned(static_cast<Node*>(&node));
        taken.push_back(std::move(owned->request));
    });
}

bool WriteQueue::many() const noexcept {
    return messages() >= many_messages_ || bytes() >= many_bytes_;
}

void WriteQueue::settle(const AppendRequest& append) noexcept {
    messages_.fetch_sub(1, std::memory_order_relaxed);
    bytes_.fetch_sub(cost_of(append), std::memory_order_relaxed);
    review();
}

void WriteQueue::set_failing(bool failing) noexcept {
    failing_.store(failing, std::memory_order_relaxed);
    if (failing) {
        accepting_.store(false, std::memory_order_relaxed);
    } else {
        review();
    }
}

void WriteQueue::review() noexcept {
    if (accepting() || failing()) return;
    if (messages() <= messages_max_ / 4 * 3 && bytes() <= bytes_max_ / 4 * 3) {
        accepting_.store(true, std::memory_order_relaxed);
    }
}

}  // namespace parley::storage
