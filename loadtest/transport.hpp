// Transport: the ways in which a virtual user may take part, in one table, and how the users of a
// run are spread over them.
//
// Path:     command line → [Mix] → Scenario → VirtualUser's dialogue
// Runs on:  any thread; constant tables and plain values.
// Owned by: Scenario.
// Bounds:   a mix has 100 parts.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "loadtest/target.hpp"

namespace parley::load {

class Dialogue;

enum class Transport : std::uint8_t { websocket, sse, longpoll, rest, socketio, socketio_polling };
inline constexpr std::size_t transports_count = 6;

struct TransportEntry {
    Transport transport;
    std::string_view name;
    bool listens;  // its users are sent what is said in their room
    bool speaks;   // its users send for themselves; for the others the senders do
    bool targets;  // a target file can tell what it says
    std::unique_ptr<Dialogue> (*make_dialogue)();
};

// In the order of Transport.
[[nodiscard]] std::span<const TransportEntry, transports_count> transports();
[[nodiscard]] const TransportEntry& entry_of(Transport transport);
[[nodiscard]] inline std::string_view name_of(Transport transport) {
    return entry_of(transport).name;
}
// "websocket, sse, … or socketio-polling", for messages.
[[nodiscard]] std::string transport_names();

// How many per cent of the connections speak each transport.
class Mix {
public:
    using Percent = std::array<std::uint32_t, transports_count>;

    Mix() : Mix(Transport::websocket) {}
    // All of them one transport.
    explicit Mix(Transport only);
    // The parts must make 100.
    explicit Mix(const Percent& percent);

    [[nodiscard]] std::uint32_t percent(Transport transport) const {
        return percent_[static_cast<std::size_t>(transport)];
    }
    [[nodiscard]] bool has(Transport transport) const { return percent(transport) > 0; }
    [[nodiscard]] bool only(Transport transport) const { return percent(transport) == 100; }
    // The transport of the nth of those who listen: each stretch of 100 less the part of `rest` has
    // the exact shares, evenly mingled. Only where anybody listens.
    [[nodiscard]] Transport listener(std::uint64_t nth) const {
        return pattern_[static_cast<std::size_t>(nth % pattern_.size())];
    }

private:
    Percent percent_;
    std::vector<Transport> pattern_;
};

// "longpoll".
[[nodiscard]] Checked<Mix> parse_transport(std::string_view name);
// "websocket=60,sse=20,longpoll=20".
[[nodiscard]] Checked<Mix> parse_mix(std::string_view text);

}  // namespace parley::load
