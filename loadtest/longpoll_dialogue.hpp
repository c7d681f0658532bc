// LongPollDialogue: one GET after another on a keep-alive connection: first the room's end, then
// what follows the cursor, as soon as something does.
//
// Path:     VirtualUser → [LongPollDialogue] → VirtualUser's events; back: the next request
// Runs on:  one load thread.
// Owned by: VirtualUser.
// Bounds:   HttpReader's; one request is unanswered at any time.
#pragma once

#include "loadtest/dialogue.hpp"
#include "loadtest/http_reader.hpp"
#include "protocol/cursor.hpp"

namespace parley::load {

class LongPollDialogue final : public Dialogue {
public:
    void open(const VirtualUser& user, bool resumes, std::string& out,
              UserContext& context) override;
    void receive(VirtualUser& user, std::span<char> bytes, std::int64_t now_ns, std::string& out,
                 UserContext& context) override;
    void publish(const Stamp& message, std::string& out, UserContext& context) override;
    bool leave(std::string& out, UserContext& context) override;
    [[nodiscard]] bool must_end() const override { return must_end_; }
    [[nodiscard]] bool may_come_back(const VirtualUser& /*user*/) const override {
        return !cursor_.epoch.empty();
    }

private:
    void ask(const VirtualUser& user, std::string& out, UserContext& context) const;
    void on_answer(VirtualUser& user, std::int64_t now_ns, UserContext& context);

    HttpReader reader_;
    protocol::Cursor cursor_;  // where to go on; without an epoch before the first answer
    bool must_end_ = false;
};

}  // namespace parley::load
