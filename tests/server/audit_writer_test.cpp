#include "server/audit_writer.hpp"

#include <gtest/gtest.h>

#include <future>
#include <string>
#include <vector>

namespace parley::server {
namespace {

core::AuditRecord record(std::string_view room, const protocol::User* by = nullptr) {
    core::AuditRecord made;
    made.act = core::AuditAct::kick;
    made.room = room;
    made.by = by;
    return made;
}

TEST(AuditWriter, WritesWhatItWasHandedInOrderAndAllOfItBeforeItGoes) {
    std::vector<std::string> rooms;
    std::vector<std::string> actors;
    {
        AuditWriter writer([&](const AuditLine& line) {
            rooms.push_back(line.room);
            actors.push_back(line.by.name);
        });
        for (int i = 0; i < 100; ++i) {
            const protocol::User by{"id", "user " + std::to_string(i)};
            writer.write(record("room " + std::to_string(i), i % 2 == 0 ? &by : nullptr));
        }
    }
    ASSERT_EQ(rooms.size(), 100u);
    for (std::size_t i = 0; i < rooms.size(); ++i) {
        EXPECT_EQ(rooms[i], "room " + std::to_string(i));
        EXPECT_EQ(actors[i], i % 2 == 0 ? "user " + std::to_string(i) : "");
    }
}

TEST(AuditWriter, DropsAndCountsWhatASlowReaderDoesNotTake) {
    std::promise<void> begun;
    std::promise<void> go_on;
    std::size_t written = 0;
    constexpr std::size_t surplus = 7;
    {
        AuditWriter writer([&, held = go_on.get_future().share()](const AuditLine&) {
            if (written++ == 0) begun.set_value();
            held.wait();
        });
        writer.write(record("first"));
        begun.get_future().wait();
        for (std::size_t i = 0; i < AuditWriter::lines_max + surplus; ++i) {
            writer.write(record("more"));
        }
        EXPECT_EQ(writer.dropped(), surplus);
        go_on.set_value();
    }
    EXPECT_EQ(written, 1 + AuditWriter::lines_max);
}

}  // namespace
}  // namespace parley::server
