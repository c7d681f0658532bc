#include "transports/admission.hpp"

#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <string_view>

namespace parley::transports {
namespace {

using core::Metric;

// In the order of the values, without `none`.
constexpr std::array refusal_rows{
    AdmissionRefusalRow{AdmissionRefusal::draining, Metric::refused_draining,
                        "the server is about to restart"},
    AdmissionRefusalRow{AdmissionRefusal::connections, Metric::refused_connections,
                        "the server has all the connections that it takes"},
    AdmissionRefusalRow{AdmissionRefusal::memory, Metric::refused_memory,
                        "the server has no memory for more connections"},
    AdmissionRefusalRow{AdmissionRefusal::handshakes, Metric::refused_handshakes,
                        "the server takes no more new connections at a time"},
    AdmissionRefusalRow{AdmissionRefusal::address, Metric::refused_address,
                        "your address has all the connections that it may have"},
};

// Memory is looked at once a second; above the mark it is first asked back from the allocator, which
// takes a while, and therefore less often.
constexpr std::chrono::nanoseconds look_every = std::chrono::seconds(1);
constexpr std::chrono::nanoseconds look_again = std::chrono::seconds(5);

}  // namespace

const AdmissionRefusalRow& row_of(AdmissionRefusal refusal) noexcept {
    return refusal_rows[static_cast<std::size_t>(refusal) - 1];
}

AdmissionTicket& AdmissionTicket::operator=(AdmissionTicket&& other) noexcept {
    if (this != &other) {
        give_back();
        admission_ = std::exchange(other.admission_, nullptr);
        key_ = other.key_;
    }
    return *this;
}

std::size_t AdmissionTicket::count_for(AddressKey key) {
    key_ = key;
    return admission_->addresses_.add(key);
}

void AdmissionTicket::give_back() noexcept {
    if (admission_ == nullptr) return;
    if (key_ != uncounted) admission_->addresses_.remove(key_);
    admission_->count_.fetch_sub(1, std::memory_order_relaxed);
    admission_ = nullptr;
}

AdmissionTicket Admission::admit() noexcept {
    count_.fetch_add(1, std::memory_order_relaxed);
    return AdmissionTicket(*this);
}

AdmissionRefusal Admission::judge(const core::LimitsConfig& limits, core::TimePoint now) noexcept {
    if (full(limits.connections)) return AdmissionRefusal::connections;
    if (!limits.enabled) return AdmissionRefusal::none;
    if (over_memory(limits.memory, now)) return AdmissionRefusal::memory;
    if (handshakes_.wait(limits.handshakes, now) > core::Duration::zero()) {
        return AdmissionRefusal::handshakes;
    }
    handshakes_.take(limits.handshakes, now);
    return AdmissionRefusal::none;
}

bool Admission::overloaded(const AdmissionMarks& marks, core::TimePoint now) noexcept {
    return full(marks.connections) || over_memory(marks.memory, now);
}

bool Admission::full(std::size_t limit) noexcept {
    const std::size_t count = this->now();
    if (count >= limit) {
        full_.store(true, std::memory_order_relaxed);
    } else if (count + std::max<std::size_t>(1, limit / 20) <= limit) {
        full_.store(false, std::memory_order_relaxed);
    }
    return full_.load(std::memory_order_relaxed);
}

bool Admission::over_memory(std::size_t mark, core::TimePoint now) noexcept {
    if (mark == 0) return false;
    const std::int64_t now_ns = core::detail::to_ns(now);
    const bool over = over_memory_.load(std::memory_order_relaxed);
    std::int64_t due = next_look_ns_.load(std::memory_order_relaxed);
    // Whoever moves the time looks; the others go by what was seen last.
    if (now_ns < due || !next_look_ns_.compare_exchange_strong(due, now_ns + look_every.count(),
                                                               std::memory_order_relaxed)) {
        return over;
    }
    // What was freed is not given back to the system by itself, and the mark would never be left.
    if (over) ::malloc_trim(0);
    const std::size_t used = memory_();
    const bool still = used >= mark || (over && used >= mark - mark / 10);
    over_memory_.store(still, std::memory_order_relaxed);
    if (still) next_look_ns_.store(now_ns + look_again.count(), std::memory_order_relaxed);
    return still;
}

std::size_t resident_bytes() noexcept {
    // "size resident shared ...", in pages (proc(5)).
    std::array<char, 128> text{};
    const int file = ::open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    const ssize_t count = ::read(file, text.data(), text.size());
    ::close(file);
    if (count <= 0) return 0;
    std::string_view rest(text.data(), static_cast<std::size_t>(count));
    rest.remove_prefix(std::min(rest.find(' ') + 1, rest.size()));
    std::size_t pages = 0;
    std::from_chars(rest.data(), rest.data() + rest.size(), pages);
    return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace parley::transports
