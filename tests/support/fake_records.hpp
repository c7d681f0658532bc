// FakeRecords: room records without a disk, which do what they are asked when the test says so.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/history_store.hpp"
#include "core/room_records.hpp"
#include "core/shard.hpp"

namespace parley::test {

class FakeRecords final : public core::RoomRecords {
public:
    bool by_itself = true;  // all that is asked is done at once
    bool works = true;      // else everything is refused
    std::map<std::string, core::RoomRecord, std::less<>> rooms;
    std::map<std::pair<std::string, std::string>, core::ReadMark> marks;
    std::size_t loads = 0;
    std::size_t saves = 0;
    std::size_t mark_lists = 0;  // that were loaded

    // Does what was asked and not done.
    void work() {
        while (!asked_.empty()) {
            const auto request = std::move(asked_.front());
            asked_.pop_front();
            request();
        }
    }
    [[nodiscard]] std::size_t asked() const noexcept { return asked_.size(); }

    bool has(std::string_view room) const noexcept override { return rooms.contains(room); }
    void load(core::Shard& home, std::string room,
              std::function<void(core::Recorded<core::RoomRecord>&&)> done) override {
        ask([this, &home, room = std::move(room), done = std::move(done)] {
            ++loads;
            core::Recorded<core::RoomRecord> answer = refusal();
            if (works) answer = rooms[room];
            home.post([answer, done](core::Shard&) mutable { done(std::move(answer)); });
        });
    }
    void save_role(core::Shard& home, std::string room, core::RoomRole role,
                   core::WhenKept done) override {
        save(home, std::move(done), [this, room = std::move(room), role = std::move(role)] {
            auto& roles = rooms[room].roles;
            std::erase_if(roles, [&](const auto& one) { return one.user.id == role.user.id; });
            if (role.role != protocol::Role::none || role.until) roles.push_back(role);
        });
    }
    void save_claim(core::Shard& home, std::string room, protocol::User owner,
                    core::WhenKept done) override {
        save_role(home, std::move(room),
                  {std::move(owner), protocol::Role::owner, std::nullopt, protocol::Role::none},
                  std::move(done));
    }
    void save_topic(core::Shard& home, std::string room, std::string topic,
                    core::WhenKept done) override {
        save(home, std::move(done), [this, room = std::move(room), topic = std::move(topic)] {
            rooms[room].topic = topic;
        });
    }
    void load_marks(
        core::Shard& here, std::string user,
        std::function<void(core::Recorded<std::vector<core::ReadMark>>&&)> done) override {
        ask([this, &here, user = std::move(user), done = std::move(done)] {
            core::Recorded<std::vector<core::ReadMark>> answer = refusal();
            if (works) {
                ++mark_lists;
                answer = std::vector<core::ReadMark>();
                for (const auto& [key, mark] : marks) {
                    if (key.first == user) answer->push_back(mark);
                }
            }
            here.post([answer, done](core::Shard&) mutable { done(std::move(answer)); });
        });
    }
    void load_mark(
        core::Shard& here, std::string user, std::string room,
        std::function<void(core::Recorded<std::optional<core::ReadMark>>&&)> done) override {
        ask([this, &here, key = std::pair(std::move(user), std::move(room)),
             done = std::move(done)] {
            core::Recorded<std::optional<core::ReadMark>> answer = refusal();
            if (works) {
                const auto mark = marks.find(key);
                answer = mark == marks.end() ? std::nullopt : std::optional(mark->second);
            }
            here.post([answer, done](core::Shard&) mutable { done(std::move(answer)); });
        });
    }
    void load_readers(
        core::Shard& here, std::string room, std::size_t most,
        std::function<void(core::Recorded<std::vector<core::Reader>>&&)> done) override {
        ask([this, &here, room = std::move(room), most, done = std::move(done)] {
            core::Recorded<std::vector<core::Reader>> answer = refusal();
            if (works) {
                answer = std::vector<core::Reader>();
                for (const auto& [key, mark] : marks) {
                    if (key.second != room || answer->size() == most) continue;
                    answer->push_back({{key.first, mark.name}, mark.epoch, mark.offset});
                }
            }
            here.post([answer, done](core::Shard&) mutable { done(std::move(answer)); });
        });
    }
    void save_mark(std::string user, core::ReadMark mark) override {
        auto& kept = marks[{std::move(user), mark.room}];
        if (kept.epoch != mark.epoch || kept.offset < mark.offset) kept = std::move(mark);
    }

private:
    static protocol::Error refusal() { return core::store_unavailable("the disk is on fire"); }

    void save(core::Shard& home, core::WhenKept done, std::function<void()> change) {
        ask([this, &home, done = std::move(done), change = std::move(change)] {
            ++saves;
            std::optional<protocol::Error> refused;
            if (works) {
                change();
            } else {
                refused = refusal();
            }
            home.post([refused, done](core::Shard&) { done(refused); });
        });
    }
    void ask(std::function<void()> request) {
        if (by_itself) return request();
        asked_.push_back(std::move(request));
    }

    std::deque<std::function<void()>> asked_;
};

}  // namespace parley::test
