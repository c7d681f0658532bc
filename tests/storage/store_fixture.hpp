// A history store as a shard that asks it sees it, whichever store it is.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <mutex>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "protocol/json_codec.hpp"
#include "storage/engine.hpp"
#include "support/awaited_loop.hpp"
#include "support/test_hub.hpp"

namespace parley::test {

template <typename Store>
struct StoreFixture : ::testing::Test {
    StoreFixture() { config.history.messages = 10; }
    ~StoreFixture() override { store.reset(); }

    void until(const std::function<bool()>& done) { turn_until(hub.shard(0), loop, done); }
    core::Stored<core::StoredRoom> try_open(const std::string& room, const char* fresh = "fresh") {
        std::optional<core::Stored<core::StoredRoom>> answer;
        store->open(hub.shard(0), room, *protocol::Epoch::parse(fresh),
                    [&answer](core::Stored<core::StoredRoom>&& got) { answer = std::move(got); });
        until([&] { return answer.has_value(); });
        return *answer;
    }
    static std::string json(const std::string& room, std::uint64_t offset, const std::string& text,
                            const char* epoch = "first") {
        std::string out;
        protocol::append_message(out, {room,
                                       {*protocol::Epoch::parse(epoch), offset},
                                       {"id", "ann"},
                                       {protocol::Body::Kind::text, text},
                                       {},
                                       "2026-01-31T23:59:59.999Z"});
        return out;
    }
    void append(const std::string& room, std::uint64_t offset, const std::string& text,
                const std::string& key = {}, core::WallTime at = core::machine_now().wall) {
        store->append(hub.shard(0), room,
                      {core::Retained::make(offset, json(room, offset, text)),
                       key.empty() ? "" : "ann", key, at},
                      ++ticket);
    }
    core::Stored<core::HistorySlice> try_page(const std::string& room,
                                              const core::StoredPage& asked) {
        std::optional<core::Stored<core::HistorySlice>> answer;
        store->page(hub.shard(0), room, asked,
                    [&answer](core::Stored<core::HistorySlice>&& got) { answer = std::move(got); });
        until([&] { return answer.has_value(); });
        return *answer;
    }
    core::Stored<core::HistorySlice> try_search(const std::string& room, const std::string& words,
                                                std::uint32_t limit = 50,
                                                std::uint64_t before = 0) {
        std::optional<core::Stored<core::HistorySlice>> answer;
        store->search(
            hub.shard(0), room, {words, before, limit},
            [&answer](core::Stored<core::HistorySlice>&& got) { answer = std::move(got); });
        until([&] { return answer.has_value(); });
        return *answer;
    }
    // The same where there has to be an answer.
    template <typename Answer>
    static core::Stored<Answer> had(core::Stored<Answer>&& answer) {
        if (!answer) throw std::runtime_error(answer.error().message);
        return std::move(answer);
    }
    core::Stored<core::StoredRoom> opened(const std::string& room, const char* fresh = "fresh") {
        return had(try_open(room, fresh));
    }
    core::Stored<core::HistorySlice> page(const std::string& room, const core::StoredPage& asked) {
        return had(try_page(room, asked));
    }
    core::Stored<core::HistorySlice> searched(const std::string& room, const std::string& words,
                                              std::uint32_t limit = 50, std::uint64_t before = 0) {
        return had(try_search(room, words, limit, before));
    }
    std::vector<std::uint64_t> found(const std::string& room, const std::string& words,
                                     std::uint32_t limit = 50, std::uint64_t before = 0) {
        return offsets(searched(room, words, limit, before)->messages);
    }
    [[nodiscard]] const storage::EngineCounters& counters() const {
        return std::as_const(*store).counters();
    }
    [[nodiscard]] std::uint64_t queued() const { return std::as_const(*store).queue().messages(); }
    static std::vector<std::uint64_t> offsets(const std::vector<core::RetainedPtr>& messages) {
        std::vector<std::uint64_t> out;
        for (const auto& message : messages) out.push_back(message->offset());
        return out;
    }
    static std::vector<std::uint64_t> range(std::uint64_t from, std::uint64_t to) {
        std::vector<std::uint64_t> out(to < from ? 0 : to - from + 1);
        std::iota(out.begin(), out.end(), from);
        return out;
    }
    // Keeps what a store tells of its troubles, on whatever thread.
    [[nodiscard]] storage::OnTrouble kept_in(std::vector<std::string>& list) {
        return [this, &list](const std::string& error) {
            const std::lock_guard lock(troubles_mutex);
            list.push_back(error);
        };
    }

    core::Config config = unlimited_config();
    AwaitedLoop loop;
    core::Hub hub{unlimited_config(), {&loop}, core::machine_now(), 1};
    std::mutex troubles_mutex;
    std::vector<std::string> troubles;
    std::uint64_t ticket = 0;
    std::unique_ptr<Store> store;
};

}  // namespace parley::test
