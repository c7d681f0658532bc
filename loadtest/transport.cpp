#include "loadtest/transport.hpp"

#include <algorithm>
#include <charconv>
#include <numeric>

#include "loadtest/dialogue.hpp"

namespace parley::load {
namespace {

constexpr std::array<TransportEntry, transports_count> entries{{
    {Transport::websocket, "websocket", true, true, true, &make_websocket_dialogue},
    {Transport::sse, "sse", true, false, false, &make_sse_dialogue},
    {Transport::longpoll, "longpoll", true, false, false, &make_longpoll_dialogue},
    {Transport::rest, "rest", false, true, false, &make_rest_dialogue},
    {Transport::socketio, "socketio", true, true, true, &make_socketio_dialogue},
    {Transport::socketio_polling, "socketio-polling", true, true, true,
     &make_socketio_polling_dialogue},
}};

constexpr bool in_order() {
    for (std::size_t i = 0; i < entries.size(); ++i) {
        if (static_cast<std::size_t>(entries[i].transport) != i) return false;
    }
    return true;
}
static_assert(in_order());

Mix::Percent all_of(Transport only) {
    Mix::Percent percent{};
    percent[static_cast<std::size_t>(only)] = 100;
    return percent;
}

const TransportEntry* find_entry(std::string_view name) {
    const auto* const found = std::find_if(
        entries.begin(), entries.end(), [name](const TransportEntry& e) { return e.name == name; });
    return found == entries.end() ? nullptr : found;
}

Problem unknown_transport(std::string_view name) {
    return Problem{"'" + std::string(name) + "' is no transport: expected " + transport_names()};
}

}  // namespace

std::span<const TransportEntry, transports_count> transports() {
    return entries;
}

const TransportEntry& entry_of(Transport transport) {
    return entries[static_cast<std::size_t>(transport)];
}

std::string transport_names() {
    std::string names;
    for (const TransportEntry& entry : entries) {
        if (!names.empty()) names += entry.transport == entries.back().transport ? " or " : ", ";
        names += entry.name;
    }
    return names;
}

Mix::Mix(Transport only) : Mix(all_of(only)) {}

// Smooth weighted round robin: each turn everybody gains its weight, the richest is chosen and pays
// the whole.
Mix::Mix(const Percent& percent) : percent_(percent) {
    std::array<std::int64_t, transports_count> credit{};
    std::int64_t whole = 0;
    for (const TransportEntry& entry : entries) {
        if (entry.listens) whole += this->percent(entry.transport);
    }
    for (std::int64_t turn = 0; turn < whole; ++turn) {
        std::size_t richest = 0;
        for (std::size_t i = 0; i < credit.size(); ++i) {
            if (entries[i].listens) credit[i] += percent_[i];
            if (credit[i] > credit[richest]) richest = i;
        }
        credit[richest] -= whole;
        pattern_.push_back(entries[richest].transport);
    }
}

Checked<Mix> parse_transport(std::string_view name) {
    const TransportEntry* const entry = find_entry(name);
    if (entry == nullptr) return unknown_transport(name);
    return Mix(entry->transport);
}

Checked<Mix> parse_mix(std::string_view text) {
    Mix::Percent percent{};
    while (!text.empty()) {
        const std::string_view item = text.substr(0, text.find(','));
        text.remove_prefix(std::min(text.size(), item.size() + 1));
        const std::size_t equals = item.find('=');
        const TransportEntry* const entry = find_entry(item.substr(0, equals));
        if (entry == nullptr) return unknown_transport(item.substr(0, equals));
        std::uint32_t& part = percent[static_cast<std::size_t>(entry->transport)];
        const char* const end = item.data() + item.size();
        const char* const digits = equals == std::string_view::npos ? end : &item[equals] + 1;
        std::uint32_t value = 0;
        const auto [stop, error] = std::from_chars(digits, end, value);
        if (error != std::errc{} || stop != end || value == 0 || value > 100 || part != 0) {
            return Problem{"'" + std::string(item) +
                           "': expected each transport once, as NAME=PERCENT with 1 to 100"};
        }
        part = value;
    }
    const std::uint32_t sum = std::accumulate(percent.begin(), percent.end(), 0u);
    if (sum != 100) return Problem{"the parts make " + std::to_string(sum) + ", not 100"};
    return Mix(percent);
}

}  // namespace parley::load
