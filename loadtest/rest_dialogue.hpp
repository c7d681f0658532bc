// RestDialogue: messages as POSTs on a keep-alive connection, one unanswered at a time, for its own
// user or for others.
//
// Path:     Pacer → VirtualUser → [RestDialogue] → bytes to send; back: the 201s' times → Tally
// Runs on:  one load thread.
// Owned by: VirtualUser.
// Bounds:   what Client::backlog_messages_max lets wait; their publisher's next ones are withheld
//           (LoadThread asks pending()).
#pragma once

#include <deque>

#include "loadtest/dialogue.hpp"
#include "loadtest/http_reader.hpp"

namespace parley::load {

class RestDialogue final : public Dialogue {
public:
    void open(const VirtualUser& user, bool resumes, std::string& out,
              UserContext& context) override;
    void receive(VirtualUser& user, std::span<char> bytes, std::int64_t now_ns, std::string& out,
                 UserContext& context) override;
    void publish(const Stamp& message, std::string& out, UserContext& context) override;
    bool leave(std::string& out, UserContext& context) override;

    [[nodiscard]] bool may_end() const override {
        return answered_ && !asked_ && !reader_.mid_answer();
    }
    [[nodiscard]] bool must_end() const override { return must_end_; }
    [[nodiscard]] std::size_t pending() const override { return waiting_.size(); }
    void give_up(UserContext& context) override;

private:
    void send_next(std::string& out, UserContext& context);
    static void append_target_post(const Stamp& message, std::string& out, UserContext& context);
    void on_answer(VirtualUser& user, std::int64_t now_ns, UserContext& context);

    HttpReader reader_;
    std::deque<Stamp> waiting_;  // the first of them is the one sent, while asked_
    bool asked_ = false;         // a request is unanswered
    bool answered_ = false;      // an answer has come on this connection
    bool must_end_ = false;
    bool given_up_ = false;  // the unanswered request is: its answer is not looked at
};

}  // namespace parley::load
