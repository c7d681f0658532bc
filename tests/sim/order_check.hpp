// OrderCheck: the judge of a simulation. It is told what every client heard, and knows what the
// protocol promises: one order for all, no hole that was not announced, acks that hold, keys that
// are published once.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "protocol/message.hpp"

namespace parley::sim {

// How far one client has come in one room, by what it was told.
struct Place {
    protocol::Epoch epoch;
    std::uint64_t next = 0;  // offset that must come next; 0: not joined
    bool presence = false;   // asked for presence pushes
};

// What a client asked when it joined.
struct JoinAsked {
    std::optional<protocol::Cursor> since;
    std::uint32_t history = 0;
    bool presence = false;
};

class OrderCheck {
public:
    // `retained`: messages that a room's history keeps.
    explicit OrderCheck(std::size_t retained) : retained_(retained) {}

    void joined(const std::string& who, Place& place, const JoinAsked& asked,
                const protocol::Joined& joined);
    void pushed(const std::string& who, Place& place, const protocol::Message& message);
    void gap(const std::string& who, Place& place, const protocol::Gap& gap);
    void presence(const std::string& who, const Place& place, const protocol::PresencePush& push);
    void page(const std::string& who, const protocol::HistoryPage& page);
    // An ack for that text; `key` empty where it had none. `published_ms` is its `at`.
    void acked(const std::string& user, const std::string& text, const std::string& key,
               const protocol::Ack& ack, std::int64_t published_ms);
    // After the last message: every ack is held against what was heard.
    void finish();

    void fail(std::string what) { failures_.push_back(std::move(what)); }
    [[nodiscard]] const std::vector<std::string>& failures() const noexcept { return failures_; }
    // Acks whose message somebody heard, as it was sent.
    [[nodiscard]] std::size_t acks_confirmed() const noexcept { return acks_confirmed_; }

private:
    struct AckedSend {
        std::string place;
        std::string text;
        std::string user;
    };
    struct Known {
        std::string json;
        std::string text;
        std::string user;
    };
    struct KeyedSend {
        std::uint64_t offset;
        std::int64_t published_ms;
    };

    // One more sight of a message: the same for all.
    void see(const std::string& who, const protocol::Message& message);
    void expect(bool holds, const std::string& who, const std::string& what);

    std::size_t retained_;
    std::map<std::string, Known> ledger_;  // room and cursor → the message there
    std::vector<AckedSend> acks_;
    std::map<std::tuple<std::string, std::string, std::string>, KeyedSend> keys_;
    std::vector<std::string> failures_;
    std::size_t acks_confirmed_ = 0;
};

}  // namespace parley::sim
