#include "storage/write_queue.hpp"

#include <memory>

namespace parley::storage {

WriteQueue::WriteQueue(const core::HistoryConfig& config, std::function<void(bool)> ring)
    : messages_max_(config.queue_messages),
      bytes_max_(config.queue_bytes),
      ring_(std::move(ring)) {}

WriteQueue::~WriteQueue() {
    mailbox_.take_all([](core::MailboxNode& node) { delete static_cast<Node*>(&node); });
}

void WriteQueue::push(StoreRequest&& request) {
    bool urgent = true;
    if (const auto* append = std::get_if<AppendRequest>(&request)) {
        const auto messages = messages_.fetch_add(1, std::memory_order_relaxed) + 1;
        const auto bytes =
            bytes_.fetch_add(cost_of(*append), std::memory_order_relaxed) + cost_of(*append);
        if (messages >= messages_max_ || bytes >= bytes_max_) {
            accepting_.store(false, std::memory_order_relaxed);
        }
        urgent = false;
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
