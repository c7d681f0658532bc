#include "core/timer_wheel.hpp"

#include <algorithm>
#include <limits>

namespace parley::core {
namespace {

using std::chrono::milliseconds;

void make_empty(detail::TimerLink& head) noexcept {
    head.next = &head;
    head.previous = &head;
}

}  // namespace

void Timer::cancel() noexcept {
    if (next == nullptr) return;
    next->previous = previous;
    previous->next = next;
    next = nullptr;
    previous = nullptr;
}

TimerWheel::TimerWheel(TimePoint start) noexcept : start_(start) {
    for (auto& level : wheel_) {
        for (auto& slot : level) make_empty(slot);
    }
}

TimerWheel::~TimerWheel() {
    for (auto& level : wheel_) {
        for (auto& slot : level) {
            while (slot.next != &slot) static_cast<Timer*>(slot.next)->cancel();
        }
    }
}

void TimerWheel::arm(Timer& timer, TimePoint due) noexcept {
    timer.cancel();
    const auto since_start = std::chrono::ceil<milliseconds>(due - start_).count();
    timer.due_ms_ = std::max<std::int64_t>(since_start, now_ms_ + 1);
    place(timer);
}

void TimerWheel::place(Timer& timer) noexcept {
    // The level is where the due time first differs from now, in groups of six bits; a timer that
    // is further off than the highest level reaches is put one turn ahead and placed again there.
    const auto ticks =
        std::min(timer.due_ms_ - now_ms_, (std::int64_t{1} << (slot_bits * levels)) - 1);
    const auto at = now_ms_ + ticks;
    int level = 0;
    while (level < levels - 1 &&
           (at >> (slot_bits * (level + 1))) != (now_ms_ >> (slot_bits * (level + 1)))) {
        ++level;
    }
    const auto index = static_cast<std::size_t>((at >> (slot_bits * level)) & (slots - 1));
    auto& head = wheel_[static_cast<std::size_t>(level)][index];
    timer.next = &head;
    timer.previous = head.previous;
    head.previous->next = &timer;
    head.previous = &timer;
}

void TimerWheel::cascade(int level) noexcept {
    const auto index = static_cast<std::size_t>((now_ms_ >> (slot_bits * level)) & (slots - 1));
    if (index == 0 && level + 1 < levels) cascade(level + 1);
    auto& head = wheel_[static_cast<std::size_t>(level)][index];
    detail::TimerLink moved;
    if (head.next == &head) return;
    moved = head;
    moved.next->previous = &moved;
    moved.previous->next = &moved;
    make_empty(head);
    while (moved.next != &moved) {
        auto& timer = *static_cast<Timer*>(moved.next);
        timer.cancel();
        place(timer);
    }
}

void TimerWheel::step() noexcept {
    ++now_ms_;
    const auto index = static_cast<std::size_t>(now_ms_ & (slots - 1));
    if (index == 0) cascade(1);
    auto& head = wheel_[0][index];
    while (head.next != &head) {
        auto& timer = *static_cast<Timer*>(head.next);
        timer.cancel();
        timer.fire_(timer);
    }
}

void TimerWheel::advance(TimePoint now) noexcept {
    const auto target = std::chrono::floor<milliseconds>(now - start_).count();
    while (now_ms_ < target) {
        const auto due = next_due();
        if (!due) {
            now_ms_ = target;
            return;
        }
        // Nothing can fire before `due`: skip the empty milliseconds at once.
        const auto due_ms = std::chrono::ceil<milliseconds>(*due - start_).count();
        if (due_ms > target) {
            now_ms_ = target;
            return;
        }
        now_ms_ = std::max(now_ms_, due_ms - 1);
        step();
    }
}

std::optional<TimePoint> TimerWheel::next_due() const noexcept {
    for (int level = 0; level < levels; ++level) {
        const auto base = now_ms_ >> (slot_bits * level);
        for (std::int64_t ahead = 1; ahead <= slots; ++ahead) {
            const auto& head = wheel_[static_cast<std::size_t>(level)]
                                     [static_cast<std::size_t>((base + ahead) & (slots - 1))];
            if (head.next == &head) continue;
            return start_ + milliseconds((base + ahead) << (slot_bits * level));
        }
    }
    return std::nullopt;
}

}  // namespace parley::core
