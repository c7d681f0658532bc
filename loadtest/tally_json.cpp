#include "loadtest/tally_json.hpp"

#include <boost/json.hpp>
#include <charconv>
#include <string>
#include <string_view>

namespace parley::load {
namespace {

namespace json = boost::json;

// One list of a tally's fields serves both ways: Write and Read visit it alike.
template <typename Visitor, typename Counts>
void visit_counts(Visitor& visitor, Counts& c) {
    visitor("expected", c.expected);
    visitor("received", c.received);
    visitor("lost", c.lost);
    visitor("announced", c.announced);
    visitor("duplicate", c.duplicate);
    visitor("out_of_order", c.out_of_order);
    visitor("stray", c.stray);
}

template <typename Visitor, typename Phase>
void visit_phase(Visitor& visitor, Phase& p) {
    visitor("from_ns", p.from_ns);
    visitor("to_ns", p.to_ns);
    visitor("measured", p.measured);
    visitor("published", p.published);
    visitor("withheld", p.withheld);
    visitor("received", p.received);
    visitor("answered", p.answered);
    visitor("opened", p.opened);
    visitor("latency", p.latency);
    visitor("answer", p.answer);
}

template <typename Visitor, typename T>
void visit_tally(Visitor& visitor, T& t) {
    visitor("latency", t.latency);
    visitor("handshake", t.handshake);
    visitor("answer", t.answer);
    visitor("pacing_lag", t.pacing_lag);
    visitor("window_from_ns", t.window_from_ns);
    visitor("window_to_ns", t.window_to_ns);
    visitor("received_in_window", t.received_in_window);
    visitor("published_in_window", t.published_in_window);
    visitor("expected_in_window", t.expected_in_window);
    visitor("last_receivers", t.last_receivers);
    visitor("bytes_in_window", t.bytes_in_window);
    visitor("steady", t.steady);
    visitor("slow", t.slow);
    visitor("opened", t.opened);
    visitor("rejoined", t.rejoined);
    visitor("failed", t.failed);
    visitor("dropped", t.dropped);
    visitor("churned", t.churned);
    visitor("left", t.left);
    visitor("published", t.published);
    visitor("refused", t.refused);
    visitor("answered", t.answered);
    visitor("answered_in_window", t.answered_in_window);
    visitor("unanswered", t.unanswered);
    visitor("reconnected", t.reconnected);
    visitor("resumed_tls", t.resumed_tls);
    visitor("withheld", t.withheld);
    visitor("caught_up", t.caught_up);
    visitor("closes", t.closes);
    visitor("slow_closes", t.slow_closes);
    visitor("statuses", t.statuses);
    visitor("failures", t.failures);
    visitor("refusals", t.refusals);
    visitor("phases", t.phases);
}

struct Write {
    json::object out;

    void operator()(const char* name, const std::uint64_t& v) { out[name] = v; }
    void operator()(const char* name, const std::int64_t& v) { out[name] = v; }
    void operator()(const char* name, const bool& v) { out[name] = v; }
    void operator()(const char* name, const Histogram& h) {
        json::array buckets;
        for (const Histogram::Bucket& b : h.filled()) {
            buckets.emplace_back(b.index);
            buckets.emplace_back(b.count);
        }
        out[name] = {
            {"min", h.min()}, {"max", h.max()}, {"sum", h.sum()}, {"buckets", std::move(buckets)}};
    }
    // Intended time, publisher and last receipt of each message; null where they were too many.
    void operator()(const char* name, const LastReceivers& last) {
        json::array triples;
        last.each(
            [&triples](std::int64_t intended_ns, std::uint32_t publisher, std::int64_t at_ns) {
                triples.emplace_back(intended_ns);
                triples.emplace_back(publisher);
                triples.emplace_back(at_ns);
            });
        out[name] = last.too_many() ? json::value() : json::value(std::move(triples));
    }
    void operator()(const char* name, const DeliveryCounts& c) {
        Write inner;
        visit_counts(inner, c);
        out[name] = std::move(inner.out);
    }
    void operator()(const char* name, const Reasons& reasons) {
        json::object inner;
        for (const auto& [reason, times] : reasons) inner[reason] = times;
        out[name] = std::move(inner);
    }
    void operator()(const char* name, const std::map<std::uint16_t, std::uint64_t>& counts) {
        json::object inner;
        for (const auto& [code, times] : counts) inner[std::to_string(code)] = times;
        out[name] = std::move(inner);
    }
    void operator()(const char* name, const std::vector<PhaseTally>& phases) {
        json::array inner;
        for (const PhaseTally& phase : phases) {
            Write one;
            visit_phase(one, phase);
            inner.emplace_back(std::move(one.out));
        }
        out[name] = std::move(inner);
    }
};

struct Read {
    const json::object* in;
    std::size_t phases;
    bool good = true;

    // The member of this kind; nullptr, and no good, where there is none.
    const json::value* member(const char* name) {
        const json::value* const found = in->if_contains(name);
        good = good && found != nullptr;
        return found;
    }
    template <typename T>
    void take_number(const json::value* value, T& v) {
        boost::system::error_code error;
        if (value != nullptr && value->is_number()) v = value->to_number<T>(error);
        good = good && value != nullptr && value->is_number() && !error;
    }
    const json::object* object(const json::value* value) {
        const json::object* const found = value != nullptr ? value->if_object() : nullptr;
        good = good && found != nullptr;
        return found;
    }
    const json::array* array(const json::value* value) {
        const json::array* const found = value != nullptr ? value->if_array() : nullptr;
        good = good && found != nullptr;
        return found;
    }

    void operator()(const char* name, std::uint64_t& v) { take_number(member(name), v); }
    void operator()(const char* name, std::int64_t& v) { take_number(member(name), v); }
    void operator()(const char* name, bool& v) {
        const json::value* const found = member(name);
        good = good && found != nullptr && found->is_bool();
        if (good) v = found->as_bool();
    }
    void operator()(const char* name, Histogram& h) {
        const json::object* const parts = object(member(name));
        const json::array* const pairs =
            parts != nullptr ? array(parts->if_contains("buckets")) : nullptr;
        if (pairs == nullptr) return;
        std::uint64_t min = 0;
        std::uint64_t max = 0;
        double sum = 0;
        take_number(parts->if_contains("min"), min);
        take_number(parts->if_contains("max"), max);
        take_number(parts->if_contains("sum"), sum);
        std::vector<Histogram::Bucket> buckets(pairs->size() / 2);
        for (std::size_t i = 0; i < buckets.size(); ++i) {
            take_number(&(*pairs)[2 * i], buckets[i].index);
            take_number(&(*pairs)[2 * i + 1], buckets[i].count);
        }
        good = good && pairs->size() % 2 == 0 && h.add(buckets, min, max, sum);
    }
    void operator()(const char* name, LastReceivers& last) {
        const json::value* const found = member(name);
        if (found != nullptr && found->is_null()) return last.give_up();
        const json::array* const triples = array(found);
        if (triples == nullptr || triples->size() % 3 != 0 ||
            triples->size() / 3 > LastReceivers::messages_max) {
            good = false;
            return;
        }
        for (std::size_t i = 0; i < triples->size(); i += 3) {
            std::int64_t intended_ns = 0;
            std::uint32_t publisher = 0;
            std::int64_t at_ns = 0;
            take_number(&(*triples)[i], intended_ns);
            take_number(&(*triples)[i + 1], publisher);
            take_number(&(*triples)[i + 2], at_ns);
            last.arrived(intended_ns, publisher, at_ns);
        }
    }
    void operator()(const char* name, DeliveryCounts& c) {
        Read inner{object(member(name)), phases};
        if (inner.in != nullptr) visit_counts(inner, c);
        good = good && inner.good;
    }
    void operator()(const char* name, Reasons& reasons) {
        const json::object* const inner = object(member(name));
        if (inner == nullptr) return;
        for (const auto& [reason, times] : *inner) {
            std::uint64_t count = 0;
            take_number(&times, count);
            count_reason(reasons, std::string_view(reason.data(), reason.size()), count);
        }
    }
    void operator()(const char* name, std::map<std::uint16_t, std::uint64_t>& counts) {
        const json::object* const inner = object(member(name));
        if (inner == nullptr) return;
        for (const auto& [key, times] : *inner) {
            std::uint16_t code = 0;
            const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), code);
            good = good && error == std::errc{} && end == key.data() + key.size();
            take_number(&times, counts[code]);
        }
    }
    void operator()(const char* name, std::vector<PhaseTally>& list) {
        const json::array* const inner = array(member(name));
        if (inner == nullptr || inner->size() > phases) {
            good = false;
            return;
        }
        for (const json::value& item : *inner) {
            Read one{object(&item), 0};
            if (one.in != nullptr) visit_phase(one, list.emplace_back());
            good = good && one.good;
        }
    }
};

}  // namespace

json::value tallies_to_json(const std::vector<Tally>& tallies) {
    json::array out;
    for (const Tally& tally : tallies) {
        Write write;
        visit_tally(write, tally);
        out.emplace_back(std::move(write.out));
    }
    return out;
}

std::optional<std::vector<Tally>> tallies_from_json(const json::value& value, std::size_t count,
                                                    std::size_t phases) {
    const json::array* const list = value.if_array();
    if (list == nullptr || list->size() != count) return std::nullopt;
    std::vector<Tally> tallies(count);
    for (std::size_t i = 0; i < count; ++i) {
        Read read{(*list)[i].if_object(), phases};
        if (read.in == nullptr) return std::nullopt;
        visit_tally(read, tallies[i]);
        if (!read.good) return std::nullopt;
    }
    return tallies;
}

json::value cost_to_json(const GeneratorCost& cost) {
    return {{"cpu_cores", cost.cpu_cores},
            {"busiest_share", cost.busiest_share},
            {"longest_wait_share", cost.longest_wait_share}};
}

std::optional<GeneratorCost> cost_from_json(const json::value& value) {
    Read read{value.if_object(), 0};
    if (read.in == nullptr) return std::nullopt;
    GeneratorCost cost;
    read.take_number(read.member("cpu_cores"), cost.cpu_cores);
    read.take_number(read.member("busiest_share"), cost.busiest_share);
    read.take_number(read.member("longest_wait_share"), cost.longest_wait_share);
    return read.good ? std::optional(cost) : std::nullopt;
}

}  // namespace parley::load
