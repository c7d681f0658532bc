// FakeStore: a history store without a disk, which does what it is asked when the test says so.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/history_store.hpp"
#include "core/shard.hpp"
#include "protocol/json_codec.hpp"

namespace parley::test {

class FakeStore final : public core::HistoryStore {
public:
    struct Kept {
        protocol::Epoch epoch;
        std::vector<core::RetainedPtr> messages;
        std::vector<core::StoredKey> keys;
    };

    explicit FakeStore(core::Durability durability) : durability_(durability) {}

    bool takes = true;      // accepting()
    bool by_itself = true;  // all that is asked is done at once
    std::map<std::string, Kept> rooms;
    std::vector<core::StoredSession> sessions;
    std::size_t opened = 0;
    std::size_t pages = 0;

    // Does up to `most` of what was asked and not done.
    void work(std::size_t most = static_cast<std::size_t>(-1)) {
        for (; most > 0 && !asked_.empty(); --most) {
            const Request request = std::move(asked_.front());
            asked_.pop_front();
            request(true);
        }
    }
    // The next thing that was asked fails.
    void fail() {
        const Request request = std::move(asked_.front());
        asked_.pop_front();
        request(false);
    }
    [[nodiscard]] std::size_t asked() const noexcept { return asked_.size(); }
    // What is stored of a room, as texts.
    [[nodiscard]] std::vector<std::string> texts(const std::string& room) const {
        std::vector<std::string> found;
        const auto kept = rooms.find(room);
        if (kept == rooms.end()) return found;
        for (const auto& message : kept->second.messages) {
            const auto frame = protocol::decode_server_frame(message->json());
            found.push_back(std::get<protocol::Message>(frame->message).body.content);
        }
        return found;
    }

    bool accepting() const noexcept override { return takes; }
    void open(core::Shard& there, std::string room, protocol::Epoch fresh,
              std::function<void(core::Stored<core::StoredRoom>&&)> done) override {
        ask([this, &there, room = std::move(room), fresh, done = std::move(done)](bool well) {
            ++opened;
            core::Stored<core::StoredRoom> answer = core::store_unavailable("the disk is on fire");
            if (well) answer = find(room, fresh);
            there.post([answer = std::move(answer), done](core::Shard&) mutable {
                done(std::move(answer));
            });
        });
    }
    void append(core::Shard& there, const std::string& room, core::Unsaved&& unsaved,
                std::uint64_t ticket) override {
        ask([this, &there, room, unsaved = std::move(unsaved), ticket](bool well) {
            Kept& kept = rooms[room];
            const std::uint64_t last = kept.messages.empty() ? 0 : kept.messages.back()->offset();
            const bool follows = unsaved.message->offset() == last + 1;
            if (well && follows) {
                kept.epoch =
                    *protocol::Epoch::parse(protocol::epoch_of_message(unsaved.message->json()));
                kept.messages.push_back(unsaved.message);
                for (const auto& amended : unsaved.amended) {
                    std::ranges::replace_if(
                        kept.messages,
                        [&](const auto& message) { return message->offset() == amended->offset(); },
                        amended);
                }
                if (!unsaved.key.empty()) {
                    kept.keys.push_back(
                        {unsaved.user, unsaved.key, unsaved.message->offset(), unsaved.at});
                }
            }
            if (durability_ == core::Durability::async) return;
            there.post([room, ticket, stored = well && follows](core::Shard& shard) {
                core::tell_stored(shard, {{room, ticket, stored}});
            });
        });
    }
    void remember(const std::string& room, core::StoredKey&& key) override {
        ask([this, room, key = std::move(key)](bool well) {
            if (well) rooms[room].keys.push_back(key);
        });
    }
    void page(core::Shard& there, std::string room, const core::StoredPage& wanted,
              std::function<void(core::Stored<core::HistorySlice>&&)> done) override {
        ask([this, &there, room = std::move(room), wanted, done = std::move(done)](bool well) {
            ++pages;
            core::Stored<core::HistorySlice> answer =
                core::store_unavailable("the disk is on fire");
            if (well) answer = cut(rooms[room].messages, wanted);
            there.post([answer = std::move(answer), done](core::Shard&) mutable {
                done(std::move(answer));
            });
        });
    }
    void search(core::Shard& there, std::string room, core::StoredSearch&& wanted,
                std::function<void(core::Stored<core::HistorySlice>&&)> done) override {
        ask([this, &there, room = std::move(room), wanted, done = std::move(done)](bool well) {
            core::Stored<core::HistorySlice> answer =
                core::store_unavailable("the disk is on fire");
            if (well) {
                std::vector<core::RetainedPtr> found;
                std::ranges::copy_if(
                    rooms[room].messages, std::back_inserter(found), [&](const auto& message) {
                        return message->json().find(wanted.query) != std::string_view::npos;
                    });
                answer = cut(found,
                             {wanted.before == 0 ? ~0ULL : wanted.before, 0, ~0ULL, wanted.limit});
            }
            there.post([answer = std::move(answer), done](core::Shard&) mutable {
                done(std::move(answer));
            });
        });
    }
    std::vector<core::StoredSession> take_sessions() override {
        return std::exchange(sessions, {});
    }
    void keep_sessions(std::vector<core::StoredSession>&& kept) override {
        sessions = std::move(kept);
    }

private:
    using Request = std::function<void(bool well)>;

    void ask(Request request) {
        if (by_itself) return request(true);
        asked_.push_back(std::move(request));
    }
    core::StoredRoom find(const std::string& room, const protocol::Epoch& fresh) const {
        const auto found = rooms.find(room);
        if (found == rooms.end() || found->second.messages.empty()) return {fresh, 0, {}, {}};
        const Kept& kept = found->second;
        const std::size_t most = std::min<std::size_t>(kept.messages.size(), newest_max);
        return {kept.epoch,
                kept.messages.back()->offset(),
                {kept.messages.end() - static_cast<std::ptrdiff_t>(most), kept.messages.end()},
                kept.keys};
    }
    static core::HistorySlice cut(const std::vector<core::RetainedPtr>& messages,
                                  const core::StoredPage& wanted) {
        core::HistorySlice slice;
        for (const auto& message : messages) {
            const bool in = wanted.before != 0 ? message->offset() < wanted.before
                                               : message->offset() > wanted.after;
            if (in && message->offset() <= wanted.last_offset) slice.messages.push_back(message);
        }
        slice.more = slice.messages.size() > wanted.limit;
        if (!slice.more) return slice;
        if (wanted.before != 0) {
            slice.messages.erase(slice.messages.begin(), slice.messages.end() - wanted.limit);
        } else {
            slice.messages.resize(wanted.limit);
        }
        return slice;
    }

    static constexpr std::size_t newest_max = 200;
    core::Durability durability_;
    std::deque<Request> asked_;
};

}  // namespace parley::test
