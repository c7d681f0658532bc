// SocketIoWebSocketDialogue: Socket.IO straight over WebSocket, a packet a frame.
//
// Path:     VirtualUser → [SocketIoWebSocketDialogue] → SocketIoDialogue; back: frames to send
// Runs on:  one load thread.
// Owned by: VirtualUser.
// Bounds:   WebSocketLine's.
#include "loadtest/socketio_dialogue.hpp"
#include "loadtest/virtual_user.hpp"
#include "loadtest/websocket_line.hpp"

namespace parley::load {
namespace {

class SocketIoWebSocketDialogue final : public SocketIoDialogue {
public:
    void open(const VirtualUser& user, bool /*resumes*/, std::string& out,
              UserContext& context) override {
        begin_session(context);
        line_.open(engine_path(path_of(user), "websocket", {}), target().subprotocol, out, context);
    }
    void receive(VirtualUser& user, std::span<char> bytes, std::int64_t now_ns, std::string& out,
                 UserContext& context) override {
        while (!bytes.empty() && user.state() != VirtualUser::State::closed) {
            const WebSocketLine::Step step = line_.feed(user, bytes, out, context);
            bytes = bytes.subspan(step.consumed);
            // No attachment is any of ours.
            if (step.event == WebSocketLine::Event::text && !line_.binary()) {
                take_packet(user, line_.text(), now_ns, out, context);
            }
        }
    }
    bool leave(std::string& out, UserContext& context) override {
        say("41", out, context);
        WebSocketLine::append_goodbye(out, context);
        return true;
    }

private:
    void say(std::string_view text, std::string& out, UserContext& context) override {
        WebSocketLine::append_text(out, text, context);
    }

    WebSocketLine line_;
};

}  // namespace

std::unique_ptr<Dialogue> make_socketio_dialogue() {
    return std::make_unique<SocketIoWebSocketDialogue>();
}

}  // namespace parley::load
