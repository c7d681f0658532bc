// EnginePosts: what an Engine.IO session that polls has to say, as POSTs of packets, one unanswered
// at a time (the protocol allows no second one); sans-I/O.
//
// Path:     SocketIoPollingDialogue → [EnginePosts] → Client's second line, or between two polls
// Runs on:  one load thread.
// Owned by: SocketIoPollingDialogue.
// Bounds:   a request of the server's maxPayload; what waits is bounded by
//           Client::backlog_messages_max.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "loadtest/http_reader.hpp"
#include "loadtest/user_context.hpp"

namespace parley::load {

class VirtualUser;

// Between the packets of a polling body.
inline constexpr char packet_separator = '\x1e';

class EnginePosts {
public:
    // Forgets everything: a fresh session, of which nothing is known yet.
    void reset();
    // Where to post, once the server has told: a path with the session's id.
    void on_session(std::string_view path, std::size_t payload_bytes_max);
    [[nodiscard]] const std::string& path() const noexcept { return path_; }

    // A packet to be posted, behind those that wait.
    void say(std::string_view packet);
    // There is something to post, and nothing unanswered.
    [[nodiscard]] bool due() const noexcept { return !waiting_.empty() && !asked_; }
    // Something waits or is unanswered.
    [[nodiscard]] bool busy() const noexcept { return !waiting_.empty() || asked_; }
    // Appends the next request, where one is due.
    void append(std::string& out, UserContext& context);
    // The request was answered, by whatever read it. True where it was accepted; else the user was
    // told.
    bool on_answer(VirtualUser& user, const HttpReader& answer, UserContext& context);

    // ---- on a connection of its own --------------------------------------------------------------

    void on_fresh_connection();
    void receive(VirtualUser& user, std::span<const char> bytes, UserContext& context);
    // The connection may end here without a loss.
    [[nodiscard]] bool may_end() const noexcept { return !asked_ && !reader_.mid_answer(); }
    // The server has said that it ends here.
    [[nodiscard]] bool must_end() const noexcept { return must_end_; }

private:
    std::string path_;
    std::string waiting_;  // packets with separators between them
    std::size_t payload_bytes_max_ = 0;
    HttpReader reader_;
    bool asked_ = false;  // a request is unanswered
    bool must_end_ = false;
};

}  // namespace parley::load
