// SocketIoPollingDialogue: Socket.IO over HTTP: one GET after another on a keep-alive connection, and
// POSTs: on a connection of their own for a user who publishes, as a browser does it; for one who
// only listens, whose POSTs are the connect and a pong now and then, between two polls.
//
// Path:     VirtualUser → [SocketIoPollingDialogue] → SocketIoDialogue; back: the next request
// Runs on:  one load thread.
// Owned by: VirtualUser.
// Bounds:   HttpReader's and EnginePosts'; one poll is unanswered at any time.
#pragma once

#include "loadtest/engine_posts.hpp"
#include "loadtest/http_reader.hpp"
#include "loadtest/socketio_dialogue.hpp"

namespace parley::load {

class SocketIoPollingDialogue final : public SocketIoDialogue {
public:
    void open(const VirtualUser& user, bool resumes, std::string& out,
              UserContext& context) override;
    void receive(VirtualUser& user, std::span<char> bytes, std::int64_t now_ns, std::string& out,
                 UserContext& context) override;
    // An aborted poll ends the session: there is nothing to be said.
    bool leave(std::string& out, UserContext& context) override;
    [[nodiscard]] bool must_end() const override { return must_end_; }
    [[nodiscard]] std::size_t pending() const override {
        return SocketIoDialogue::pending() + (posts_.busy() ? 1 : 0);
    }
    [[nodiscard]] EnginePosts* posts() override { return posts_apart_ ? &posts_ : nullptr; }

private:
    enum class Asked : std::uint8_t { session, poll, post };

    void ask(std::string& out, UserContext& context);
    void on_answer(VirtualUser& user, std::int64_t now_ns, std::string& out, UserContext& context);
    void on_open(VirtualUser& user, std::string_view packet, UserContext& context) override;
    void say(std::string_view text, std::string& out, UserContext& context) override;

    HttpReader reader_;
    EnginePosts posts_;
    Asked asked_ = Asked::session;  // what is unanswered
    bool posts_apart_ = false;
    bool must_end_ = false;
};

}  // namespace parley::load
