#include "core/inspection.hpp"

#include <algorithm>

#include "core/audience.hpp"
#include "core/shard.hpp"
#include "core/subscriber.hpp"

namespace parley::core {
namespace {

// Keeps the heaviest `top` of what is offered; a row is only made where it is among them.
template <typename Row>
class Heaviest {
public:
    explicit Heaviest(std::size_t top) : top_(top) {}

    template <typename Make>
    void offer(std::uint64_t weight, const Make& make) {
        if (top_ == 0) return;
        if (heap_.size() == top_) {
            if (weight <= heap_.front().weight) return;
            std::ranges::pop_heap(heap_, lighter);
            heap_.pop_back();
        }
        heap_.push_back({weight, make()});
        std::ranges::push_heap(heap_, lighter);
    }
    [[nodiscard]] std::vector<Row> take() {
        std::ranges::sort_heap(heap_, lighter);
        std::vector<Row> rows;
        rows.reserve(heap_.size());
        for (Entry& entry : heap_) rows.push_back(std::move(entry.row));
        return rows;
    }

private:
    struct Entry {
        std::uint64_t weight;
        Row row;
    };
    // The lightest is on top of the heap; sorted, the heaviest come first.
    static bool lighter(const Entry& a, const Entry& b) noexcept { return a.weight > b.weight; }

    std::size_t top_;
    std::vector<Entry> heap_;
};

LaggingSession describe(const Subscription& subscription, std::uint64_t lag,
                        std::uint64_t lag_bytes) {
    const Audience& audience = *subscription.audience;
    const Subscriber& subscriber = *subscription.subscriber;
    const auto& user = subscriber.session().user()->who;
    return {audience.shard().index(),
            user.id,
            user.name,
            subscriber.address(),
            subscriber.transport().traits().name,
            audience.name(),
            subscriber.room_count(),
            lag,
            lag_bytes};
}

}  // namespace

Inspected<LaggingSession> inspect_sessions(const Shard& shard, Weight by, std::size_t top) {
    Inspected<LaggingSession> result;
    Heaviest<LaggingSession> heaviest(top);
    const auto rooms = shard.each_audience(inspected_max, [&](const Audience& audience) {
        const RoomWindow& window = audience.window();
        // Where the window is empty everybody has everything.
        if (window.size() == 0) return;
        if (result.looked_at >= inspected_max) {
            result.all = false;
            return;
        }
        result.looked_at += audience.size();
        audience.each([&](const Subscription& subscription) {
            const std::uint64_t cursor = audience.place_of(subscription).cursor;
            if (cursor >= window.end()) return;
            const std::uint64_t lag = window.end() - cursor;
            const std::uint64_t bytes =
                window.bytes() * std::min<std::uint64_t>(lag, window.size()) / window.size();
            heaviest.offer(by == Weight::lag ? lag : bytes,
                           [&] { return describe(subscription, lag, bytes); });
        });
    });
    result.all = result.all && rooms <= inspected_max;
    result.rows = heaviest.take();
    return result;
}

Inspected<InspectedRoom> inspect_rooms(const Shard& shard, Weight by, std::size_t top) {
    Inspected<InspectedRoom> result;
    Heaviest<InspectedRoom> heaviest(top);
    const auto rooms = shard.each_audience(inspected_max, [&](const Audience& audience) {
        ++result.looked_at;
        const RoomHome* const home = audience.home();
        const RoomWindow& window = audience.window();
        const std::size_t kept = home != nullptr ? home->kept().bytes() : 0;
        heaviest.offer(by == Weight::lag ? window.size() : window.bytes() + kept, [&] {
            return InspectedRoom{shard.index(),
                                 audience.name(),
                                 home != nullptr,
                                 audience.size(),
                                 home != nullptr ? home->member_count() : 0,
                                 window.size(),
                                 window.bytes(),
                                 home != nullptr ? home->kept().size() : 0,
                                 kept};
        });
    });
    result.all = rooms <= inspected_max;
    result.rows = heaviest.take();
    return result;
}

}  // namespace parley::core
