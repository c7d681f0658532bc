// A hub with rooms of every kind, people with accounts and guests in it, and what the audit log says.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/at_home.hpp"
#include "support/fake_accounts.hpp"
#include "support/fake_records.hpp"
#include "support/test_session.hpp"

namespace parley::core {

inline constexpr std::array room_kinds{RoomKind::open, RoomKind::members, RoomKind::read_only,
                                       RoomKind::hidden};
inline constexpr std::array all_roles{Role::banned, Role::muted,     Role::none,
                                      Role::member, Role::moderator, Role::owner};

inline std::string room_of(RoomKind kind) {
    return std::string(name_of(kind)) + ".r";
}

inline Config with_kinds(std::uint32_t shards) {
    Config config = test::unlimited_config(shards);
    for (const RoomKind kind : room_kinds) {
        RoomRule rule;
        rule.match = std::string(name_of(kind)) + ".*";
        rule.kind = kind;
        rule.owners = {"root"};
        config.rooms.push_back(rule);
        rule.match = "own-" + std::string(name_of(kind)) + ".*";
        rule.owners.clear();
        config.rooms.push_back(rule);
    }
    return config;
}

struct Acts {
    explicit Acts(std::uint32_t shards = 1, test::FakeRecords* records = nullptr,
                  HistoryStore* store = nullptr, Config config = {})
        : hub(config.rooms.empty() ? with_kinds(shards) : std::move(config), 1, store) {
        hub.hub().set_accounts(&accounts);
        hub.hub().set_records(records);
        hub.hub().set_audit_log([this](const AuditRecord& record) {
            audit.push_back(std::string(name_of(record.act)) + ' ' +
                            std::string(name_of(record.outcome)) + ' ' +
                            (record.by ? record.by->name : std::string("-")) + ' ' +
                            std::string(record.user_name.empty() ? record.user : record.user_name) +
                            ' ' + std::string(record.role));
            causes.emplace_back(record.cause);
        });
    }
    // Somebody who has signed in, on that shard.
    test::TestSession& enter(const std::string& name, std::size_t shard = 0, Grant grant = {}) {
        accounts.add("token of " + name, name, std::move(grant));
        test::TestSession& session = sessions.emplace_back(hub, shard, std::nullopt);
        session.say(protocol::Hello{std::nullopt, "token of " + name});
        hub.settle();
        session.forget();
        return session;
    }
    // Has an account, and is not here.
    void know(const std::string& name) { accounts.add("token of " + name, name); }
    test::TestSession& guest(const std::string& name, std::size_t shard = 0) {
        return sessions.emplace_back(hub, shard, name);
    }
    // The code that it was answered with; empty: an ack, or what was asked for.
    std::string code(test::TestSession& session, protocol::Command command) {
        session.forget();
        session.say(std::move(command), std::int64_t{7});
        hub.settle();
        std::string found = "no answer";
        for (const auto& frame : session.heard()) {
            if (frame.id != protocol::CommandId(std::int64_t{7})) continue;
            const auto* error = std::get_if<protocol::Error>(&frame.message);
            found = error ? error->code : std::string();
            why = error ? error->message : std::string();
        }
        return found;
    }
    std::string join(test::TestSession& session, const std::string& room) {
        return code(session, protocol::Join{room, std::nullopt, 50, false});
    }
    std::string send(test::TestSession& session, const std::string& room,
                     const std::string& key = {}) {
        return code(session, protocol::Send{room, {protocol::Body::Kind::text, "hi"}, key, {}});
    }
    std::string make(test::TestSession& by, const std::string& room, const std::string& user,
                     Role role, std::optional<std::uint64_t> for_ms = {}) {
        return code(by, protocol::SetRole{room, user, role, for_ms, "because"});
    }
    protocol::RoomInfo info(test::TestSession& session, const std::string& room) {
        EXPECT_EQ(code(session, protocol::AskRoom{room}), "") << why;
        return session.last<protocol::RoomInfo>().value_or(protocol::RoomInfo{});
    }

    test::FakeAccounts accounts;
    test::TestHub hub;
    std::deque<test::TestSession> sessions;
    std::vector<std::string> audit;
    std::vector<std::string> causes;
    std::string why;  // the message of the last refusal
};

}  // namespace parley::core
