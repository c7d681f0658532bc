// Dialogue: what one transport says and hears on a user's connection, as a state machine without
// I/O: bytes in, events to the user; what the user wants, bytes out.
//
// Path:     Client → VirtualUser → [Dialogue] → VirtualUser's events; back: bytes to send
// Runs on:  one load thread.
// Owned by: VirtualUser.
// Bounds:   its decoder's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "loadtest/stamp.hpp"
#include "loadtest/user_context.hpp"

namespace parley::load {

class EnginePosts;
class VirtualUser;

class Dialogue {
public:
    Dialogue() = default;
    virtual ~Dialogue() = default;
    Dialogue(const Dialogue&) = delete;
    Dialogue& operator=(const Dialogue&) = delete;

    // Appends what opens the dialogue on a fresh connection. `resumes`: the last connection ended
    // where it might, and this one goes on from there; only after may_end() or must_end().
    virtual void open(const VirtualUser& user, bool resumes, std::string& out,
                      UserContext& context) = 0;
    // Takes all bytes, as they came (they may be changed); tells the user what they mean, and
    // appends what must be answered. Stops where the user closes.
    virtual void receive(VirtualUser& user, std::span<char> bytes, std::int64_t now_ns,
                         std::string& out, UserContext& context) = 0;
    // Sends a message, or keeps it until it may be sent. Only where the transport speaks.
    virtual void publish(const Stamp& message, std::string& out, UserContext& context) = 0;
    // Appends a goodbye. False: there is none to say, the connection is simply closed.
    virtual bool leave(std::string& out, UserContext& context) = 0;

    // The connection may end here without a loss: a fresh one goes on.
    [[nodiscard]] virtual bool may_end() const { return false; }
    // The other side has said that this connection ends here; a fresh one goes on.
    [[nodiscard]] virtual bool must_end() const { return false; }
    // The dialogue knows where the user is in its room, and can ask for what follows: after the end
    // of this connection open() does, where VirtualUser::came_back().
    [[nodiscard]] virtual bool may_come_back(const VirtualUser& /*user*/) const { return false; }
    // Calls what the next receive() will look at into the cache.
    virtual void prefetch() const noexcept {}
    // Messages that are kept, or sent and not answered yet.
    [[nodiscard]] virtual std::size_t pending() const { return 0; }
    // What is to be sent on a second connection, which the client opens when it is due; nullptr: the
    // dialogue needs one connection only.
    [[nodiscard]] virtual EnginePosts* posts() { return nullptr; }
    // Counts what is pending as never answered; at the end of a run or a connection.
    virtual void give_up(UserContext& /*context*/) {}
};

[[nodiscard]] std::unique_ptr<Dialogue> make_websocket_dialogue();
[[nodiscard]] std::unique_ptr<Dialogue> make_sse_dialogue();
[[nodiscard]] std::unique_ptr<Dialogue> make_longpoll_dialogue();
[[nodiscard]] std::unique_ptr<Dialogue> make_rest_dialogue();
[[nodiscard]] std::unique_ptr<Dialogue> make_socketio_dialogue();
[[nodiscard]] std::unique_ptr<Dialogue> make_socketio_polling_dialogue();

}  // namespace parley::load
