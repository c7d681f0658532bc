#include "core/timer_wheel.hpp"

#include <algorithm>
#include <bit>

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
    for (auto& slot : slots_) make_empty(slot);
}

TimerWheel::~TimerWheel() {
    for (auto& slot : slots_) {
        while (slot.next != &slot) static_cast<Timer*>(slot.next)->cancel();
    }
}

void TimerWheel::arm(Timer& timer, TimePoint due) noexcept {
    timer.cancel();
    const auto since_start = std::chrono::ceil<milliseconds>(due - start_).count();
    timer.due_ms_ = std::max<std::int64_t>(since_start, now_ms_ + 1);
    place(timer);
}

void TimerWheel::place(Timer& timer) noexcept {
    // The level is the first that reaches so far from now, wherever now lies in its slots: by groups
    // of bits, whatever is due behind a boundary of a level would move when that passes, all at once.
    const auto ticks = std::min(timer.due_ms_ - now_ms_, reach_ms - 1);
    const auto* level = levels.begin();
    while (ticks >= std::int64_t{1} << (level->shift + level->bits)) ++level;
    const auto mask = (std::size_t{1} << level->bits) - 1;
    const auto index =
        level->first + (static_cast<std::size_t>((now_ms_ + ticks) >> level->shift) & mask);
    occupied_[index / 64] |= std::uint64_t{1} << (index % 64);
    auto& head = slots_[index];
    timer.next = &head;
    timer.previous = head.previous;
    head.previous->next = &timer;
    head.previous = &timer;
}

void TimerWheel::cascade(const Level& level) noexcept {
    const auto mask = (std::size_t{1} << level.bits) - 1;
    auto& head = slots_[level.first + (static_cast<std::size_t>(now_ms_ >> level.shift) & mask)];
    if (head.next == &head) return;
    detail::TimerLink moved = head;
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
    for (std::size_t i = levels.size() - 1; i > 0; --i) {
        const auto slot_ms = std::int64_t{1} << levels[i].shift;
        if ((now_ms_ & (slot_ms - 1)) == 0) cascade(levels[i]);
    }
    auto& head = slots_[static_cast<std::size_t>(now_ms_ & 63)];
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

std::optional<std::int64_t> TimerWheel::next_occupied(const Level& level) const noexcept {
    const auto slots = std::size_t{1} << level.bits;
    const auto from = static_cast<std::size_t>(now_ms_ >> level.shift) + 1;
    for (std::size_t ahead = 0; ahead < slots;) {
        const auto index = level.first + ((from + ahead) & (slots - 1));
        auto& word = occupied_[index / 64];
        const auto rest = word >> (index % 64);
        if (rest == 0) {
            ahead += 64 - index % 64;
            continue;
        }
        const auto skipped = static_cast<std::size_t>(std::countr_zero(rest));
        ahead += skipped;
        if (ahead >= slots) break;
        const auto& head = slots_[index + skipped];
        if (head.next != &head) return static_cast<std::int64_t>(ahead + 1);
        word &= ~(std::uint64_t{1} << ((index + skipped) % 64));
        ++ahead;
    }
    return std::nullopt;
}

std::optional<TimePoint> TimerWheel::next_due() const noexcept {
    std::optional<std::int64_t> due_ms;
    for (const Level& level : levels) {
        const auto ahead = next_occupied(level);
        if (!ahead) continue;
        // Of a higher level it is when the slot's timers move down, which may be earlier than the
        // next of a lower one.
        const auto at = ((now_ms_ >> level.shift) + *ahead) << level.shift;
        due_ms = std::min(due_ms.value_or(at), at);
    }
    if (!due_ms) return std::nullopt;
    return start_ + milliseconds(*due_ms);
}

}  // namespace parley::core
